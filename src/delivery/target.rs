//! The URL of a webhook. It is checked when it is set, and again at each attempt.

use super::address::Allowed;
use super::resolver::Resolver;
use super::trouble::Trouble;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// A permitted URL of a webhook. The spelling of an address does not matter: `url` parses octal, hexadecimal,
/// short and full-width forms.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
    host: Host,
    port: u16,
}

/// The reason why a URL cannot be the target of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTarget {
    /// The text is not a URL with a host.
    NoUrl,
    /// The scheme is neither `https` nor, on a server that allows networks, `http`.
    Scheme,
    /// The URL contains a user name or a password.
    Credentials,
    /// The URL has a fragment, which is never sent.
    Fragment,
    /// The URL leads to an address that is neither public nor allowed.
    NotPublic,
    /// The URL has a port that webhooks may not use.
    Port,
}

impl BadTarget {
    /// The explanation, a sentence.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoUrl => "The URL must have a host.",
            Self::Scheme => "The URL must start with https://.",
            Self::Credentials => "The URL must not contain a user name or a password.",
            Self::Fragment => "The URL must not have a fragment.",
            Self::NotPublic => "The URL must lead to a public address.",
            Self::Port => "The server does not send to this port. Use port 443.",
        }
    }
}

impl Target {
    /// Parses a URL and checks everything that does not need a name lookup.
    pub fn parse(text: &str, allowed: &Allowed) -> Result<Self, BadTarget> {
        let url = Url::parse(text).map_err(|_| BadTarget::NoUrl)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && allowed.is_any()) {
            return Err(BadTarget::Scheme);
        }
        let host = url.host().ok_or(BadTarget::NoUrl)?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(BadTarget::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        let target = Self { url, host, port };
        match target.literal() {
            Some(address) if target.may_lead_to(address, allowed) => Ok(target),
            Some(address) if target.is_tls() && allowed.permits_address(address) => Err(BadTarget::Port),
            Some(_) => Err(BadTarget::NotPublic),
            // The name may resolve to an allowed network, which can be reached on any port.
            None if allowed.is_any() || allowed.has_port(port) => Ok(target),
            None => Err(BadTarget::Port),
        }
    }

    /// The addresses to connect to: all addresses of the name, each of them checked. A single forbidden
    /// address makes the whole name fail.
    pub(super) async fn addresses(
        &self,
        allowed: &Allowed,
        resolver: &Resolver,
    ) -> Result<Vec<SocketAddr>, Trouble> {
        let found = match (&self.host, self.literal()) {
            (_, Some(address)) => vec![address],
            (Host::Domain(name), None) => resolver.addresses(name).await,
            (Host::Ipv4(_) | Host::Ipv6(_), None) => Vec::new(),
        };
        if found.is_empty() {
            return Err(Trouble::NoAddress);
        }
        if !found.iter().all(|address| self.may_lead_to(*address, allowed)) {
            let is_for_its_port =
                self.is_tls() && found.iter().all(|address| allowed.permits_address(*address));
            return Err(if is_for_its_port { Trouble::BadUrl } else { Trouble::NotPublic });
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address.to_canonical(), self.port)).collect())
    }

    /// Whether webhooks may be sent to this address. Without TLS, only allowed networks are permitted.
    fn may_lead_to(&self, address: IpAddr, allowed: &Allowed) -> bool {
        if self.is_tls() { allowed.permits(address, self.port) } else { allowed.contains(address) }
    }

    fn literal(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The name or address to verify the certificate against, without brackets.
    pub(super) fn server_name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    /// The value of the header `Host`.
    pub(super) fn host_header(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// The path and query.
    pub(super) fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Allowed {
        Allowed::new(vec!["127.0.0.0/8".parse().expect("a network")])
    }

    #[test]
    fn an_address_is_the_same_however_it_is_spelled() {
        let spellings = [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.01/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://１２７.０.０.１/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fe80::1]/",
            "https://0/",
            "https://0.0.0.0/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://10.0.0.1:8443/hook",
        ];
        for text in spellings {
            assert_eq!(
                Target::parse(text, &Allowed::default()).map(|_| ()),
                Err(BadTarget::NotPublic),
                "{text}"
            );
        }
    }

    #[test]
    fn only_https_is_taken_unless_networks_are_allowed() {
        let (none, some) = (Allowed::default(), loopback());
        let refused = |text: &str, allowed: &Allowed| Target::parse(text, allowed).expect_err(text);
        assert_eq!(refused("http://example.org/", &none), BadTarget::Scheme);
        assert_eq!(refused("ftp://example.org/", &some), BadTarget::Scheme);
        assert_eq!(refused("http://93.184.216.34/", &some), BadTarget::NotPublic);
        for text in
            ["", "example.org", "https://", "https://exa mple.org/", "https://example.org:0/", "/hook"]
        {
            assert_eq!(refused(text, &none), BadTarget::NoUrl, "{text}");
        }
        for text in ["https://user@example.org/", "https://:word@example.org/"] {
            assert_eq!(refused(text, &none), BadTarget::Credentials, "{text}");
        }
        assert_eq!(refused("https://example.org/#part", &none), BadTarget::Fragment);
        assert!(Target::parse("http://127.0.0.1:8080/hook", &some).is_ok());
        assert!(Target::parse("http://localhost/hook", &some).is_ok());
    }

    #[test]
    fn public_addresses_are_sent_to_on_allowed_ports_alone() {
        let parse = |text: &str, allowed: &Allowed| Target::parse(text, allowed).map(|_| ());
        let (none, some) = (Allowed::default(), loopback());
        for text in ["https://1.1.1.1:22/", "https://example.org:6379/", "https://example.org:80/"] {
            assert_eq!(parse(text, &none), Err(BadTarget::Port), "{text}");
        }
        assert_eq!(parse("https://1.1.1.1:22/", &some), Err(BadTarget::Port));
        assert_eq!(parse("https://127.0.0.1:22/", &none), Err(BadTarget::NotPublic));
        for text in ["https://example.org/", "https://example.org:443/", "https://1.1.1.1/"] {
            assert_eq!(parse(text, &none), Ok(()), "{text}");
        }
        let more = none.on_ports(vec![443, 8443]);
        assert_eq!(parse("https://example.org:8443/", &more), Ok(()));
        assert_eq!(parse("https://127.0.0.1:9/", &some), Ok(()));
    }

    #[test]
    fn what_is_sent_names_the_host_and_the_whole_path() {
        let target =
            Target::parse("https://example.org:8443/a%20b/c?d=e", &Allowed::default().on_ports(vec![8443]))
                .expect("a target");
        assert_eq!(target.host_header(), "example.org:8443");
        assert_eq!(target.path(), "/a%20b/c?d=e");
        let target = Target::parse("https://[2606:4700:4700::1111]/", &Allowed::default()).expect("a target");
        assert_eq!(
            (target.host_header().as_str(), target.server_name().as_str()),
            ("[2606:4700:4700::1111]", "2606:4700:4700::1111")
        );
    }

    #[tokio::test]
    async fn one_address_that_may_not_be_spoils_the_name() {
        let cases: [(&[&str], Result<usize, Trouble>); 6] = [
            (&["93.184.216.34"], Ok(1)),
            (&["93.184.216.34", "2606:4700:4700::1111"], Ok(2)),
            (&["93.184.216.34", "127.0.0.1"], Err(Trouble::NotPublic)),
            (&["169.254.169.254"], Err(Trouble::NotPublic)),
            (&["::ffff:10.0.0.1"], Err(Trouble::NotPublic)),
            (&[], Err(Trouble::NoAddress)),
        ];
        for (answers, expected) in cases {
            let answers: Vec<IpAddr> = answers.iter().map(|text| text.parse().expect("an address")).collect();
            let resolver = Resolver::Function(std::sync::Arc::new(move |_| answers.clone()));
            let allowed = Allowed::default();
            let target = Target::parse("https://hooks.example.org/", &allowed).expect("a target");
            let found = target.addresses(&allowed, &resolver).await.map(|found| found.len());
            assert_eq!(found, expected);
        }
    }
}
