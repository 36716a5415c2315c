//! The addresses to which webhooks may be sent: public unicast addresses, and networks that the operator
//! allows.
//!
//! All addresses that IANA's special-purpose registries do not list as globally reachable are refused, and so
//! is every form of IPv6 address that contains an IPv4 address.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The port that webhooks may use at public addresses, unless others are configured.
const HTTPS: u16 = 443;

/// The addresses that an operator allows webhooks to reach: private networks, and ports of public addresses.
#[derive(Clone, Debug)]
pub struct Allowed {
    networks: Vec<IpNet>,
    ports: Vec<u16>,
}

impl Default for Allowed {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// IPv4 networks that are not public: IANA's special-purpose registry (RFC 6890 and its updates), multicast
/// and reserved space, and one public address that is a metadata service (Azure's).
const NOT_PUBLIC_V4: [Ipv4Net; 18] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(192, 175, 48, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 3),
];

/// The part of IPv6 that is allocated to the public internet. Everything else is refused.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Networks within [`PUBLIC_V6`] that are not public: protocol assignments with Teredo, ORCHID and
/// benchmarks, documentation, 6to4, documentation again.
const NOT_PUBLIC_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 0, 23), v6(0x2001, 0x0db8, 0, 32), v6(0x2002, 0, 0, 16), v6(0x3fff, 0, 0, 20)];

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

impl Allowed {
    /// Allows these networks, and the default port at public addresses.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self { networks, ports: vec![HTTPS] }
    }

    /// Replaces the allowed ports of public addresses. Allowed networks can be reached on any port.
    #[must_use]
    pub fn on_ports(self, ports: Vec<u16>) -> Self {
        Self { ports, ..self }
    }

    /// Whether this port may be used at public addresses.
    #[must_use]
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// Whether any network is allowed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.networks.is_empty()
    }

    /// Whether the operator allows this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether webhooks may be sent to this address on some port.
    #[must_use]
    pub fn permits_address(&self, address: IpAddr) -> bool {
        self.contains(address) || is_public(address)
    }

    /// Whether webhooks may be sent to this address and port.
    #[must_use]
    pub fn permits(&self, address: IpAddr, port: u16) -> bool {
        self.contains(address) || (self.has_port(port) && is_public(address))
    }
}

/// Whether the address is unicast on the public internet. An IPv4-mapped IPv6 address counts as its IPv4
/// address.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_V6.contains(&address)
                && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
                && !is_isatap(address)
        }
    }
}

/// Whether the interface identifier contains an IPv4 address within a site (RFC 5214, section 6.1).
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., one, two, _, _] = address.segments();
    matches!(one, 0x0000 | 0x0200) && two == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text} is an address"))
    }

    #[test]
    fn the_public_internet_is_permitted() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.0",
            "168.63.129.15",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "::ffff:93.184.216.34",
        ];
        for text in public {
            assert!(Allowed::default().permits(address(text), HTTPS), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = [
            // The unspecified address, loopback, and the rest of their networks.
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "::",
            "::1",
            // Private, shared, link-local, and the metadata services of clouds.
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            // Documentation, benchmarks, relays, multicast, reserved, broadcast.
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "100::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
            "ff02::1",
            // IPv4 within IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::a9fe:a9fe",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::93.184.216.34",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:5db8:d822::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2a00:1450::5efe:7f00:1",
            "2a00:1450::200:5efe:a00:1",
        ];
        for text in refused {
            assert!(!Allowed::default().permits(address(text), HTTPS), "{text}");
        }
    }

    #[test]
    fn an_operator_opens_networks_and_nothing_beside_them() {
        let networks = ["10.1.0.0/16", "fd00::/8"].map(|text| text.parse().expect("a network"));
        let allowed = Allowed::new(networks.to_vec());
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "fd00:ec2::254", "1.1.1.1"] {
            assert!(allowed.permits(address(text), HTTPS), "{text}");
        }
        for text in ["10.2.0.1", "::ffff:10.2.0.1", "fe80::1", "127.0.0.1"] {
            assert!(!allowed.permits(address(text), HTTPS), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_reached_on_allowed_ports_alone() {
        let allowed = Allowed::new(vec!["10.1.0.0/16".parse().expect("a network")]);
        let more = allowed.clone().on_ports(vec![443, 8443]);
        let (public, own) = (address("1.1.1.1"), address("10.1.2.3"));
        for port in [0, 22, 25, 80, 6379, 8443] {
            assert!(!allowed.permits(public, port) && allowed.permits(own, port), "{port}");
        }
        assert!(allowed.permits(public, 443) && more.permits(public, 443) && more.permits(public, 8443));
        assert!(!more.permits(public, 8444));
    }
}
