//! The client address of a request: the peer of its connection, or the address that a trusted proxy reports.

use axum::http::{Extensions, HeaderMap};
use ipnet::{IpNet, Ipv6Net};
use std::net::IpAddr;

/// The peer of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub IpAddr);

/// The prefix length of the IPv6 network that a provider assigns to one customer.
const CUSTOMER: u8 = 64;

/// The client address: if the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not a
/// trusted proxy's. Anything before it may be forged by the client.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let mut address = extensions.get::<Peer>()?.0.to_canonical();
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    let lists = headers.get_all("x-forwarded-for").into_iter().rev();
    for list in lists {
        for said in list.to_str().unwrap_or_default().rsplit(',') {
            if !is_proxy(address) {
                return Some(counted(address));
            }
            let Ok(said) = said.trim().parse::<IpAddr>() else { return Some(counted(address)) };
            address = said.to_canonical();
        }
    }
    Some(counted(address))
}

/// The address that limits count. For IPv6, the network, because one customer owns all of it.
pub(super) fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Net::new(address, CUSTOMER).map_or(IpAddr::V6(address), |network| network.network().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
        extensions.insert(Peer(peer.parse().expect("an address")));
        for list in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(list).expect("a value"));
        }
        let proxies: Vec<_> = proxies.iter().map(|text| text.parse().expect("a network")).collect();
        address(&extensions, &headers, &proxies).expect("an address").to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(seen("192.0.2.1", &[], &proxies), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &proxies), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"], &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"], &proxies), "198.51.100.7");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.7"], &proxies), "198.51.100.7");
        // Entries by the client itself come before those that the proxies added.
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], &proxies), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9", "198.51.100.7"], &proxies), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, nonsense"], &proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3"], &proxies), "10.0.0.3");
    }

    #[test]
    fn a_customer_of_ipv6_is_one() {
        assert_eq!(seen("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::");
    }
}
