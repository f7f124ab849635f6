//! Targets: where notices may be sent. Whoever may create webhooks must not reach by them what only this server reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{Uri, uri::Scheme};

/// The longest URL.
const LONGEST: usize = 2_048;

/// Where notices are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether by TLS.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Host and port as they were given: the `host` of requests.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// Why a URL is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is too long, not absolute, or has a user or a fragment.
    NotAUrl,
    /// It is no `https`.
    NotHttps,
    /// It leads where nothing is sent.
    ForbiddenAddress,
}

impl Target {
    /// From a URL; `private` allows private addresses, and http.
    pub fn parse(url: &str, private: bool) -> Result<Self, Refusal> {
        if url.is_empty() || url.len() > LONGEST || url.contains(['#', '@']) {
            return Err(Refusal::NotAUrl);
        }
        let uri: Uri = url.parse().map_err(|_| Refusal::NotAUrl)?;
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = private && uri.scheme() == Some(&Scheme::HTTP);
        if !tls && !plain {
            return Err(if uri.scheme().is_some() { Refusal::NotHttps } else { Refusal::NotAUrl });
        }
        let authority = uri.authority().ok_or(Refusal::NotAUrl)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default().strip_prefix(':') {
            None => Some(if tls { 443 } else { 80 }),
            Some(digits) => digits.parse().ok().filter(|port| *port != 0),
        };
        let port = port.filter(|_| !host.is_empty()).ok_or(Refusal::NotAUrl)?;
        if host.parse().is_ok_and(|address| !may_call(address, private)) {
            return Err(Refusal::ForbiddenAddress);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Target { tls, host, port, authority: authority.as_str().to_owned(), path })
    }
}

/// Whether an address may be called; `private` allows those of private networks and of this machine.
pub fn may_call(address: IpAddr, private: bool) -> bool {
    match reach(address) {
        Reach::Public => true,
        Reach::Private => private,
        Reach::Never => false,
    }
}

/// Who can be reached by an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Anybody in the world.
    Public,
    /// A private network, or this machine.
    Private,
    /// The link, where clouds answer with credentials; groups; nobody.
    Never,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// After IANA's registry of IPv4 special-purpose addresses.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Reach::Private,
        // This network, the link, protocols, documentation, benchmarks, groups, reserved and broadcast.
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Never
        }
        [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

/// After IANA's registry of IPv6 special-purpose addresses. What stands for an IPv4 address is that address.
fn reach_v6(address: Ipv6Addr) -> Reach {
    if address == Ipv6Addr::LOCALHOST {
        return Reach::Private;
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Where a cloud answers with credentials.
        [0xfd00, 0xec2, ..] => Reach::Never,
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Tunnels, other protocols, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_public_private_or_out_of_reach() {
        let of = |address: &str| reach(address.parse().expect("an address"));
        for public in ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(of(public), Reach::Public, "{public}");
        }
        for private in ["10.1.2.3", "127.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "::1", "fd12::1"] {
            assert_eq!(of(private), Reach::Private, "{private}");
        }
        for private in ["::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:c0a8:1::1"] {
            assert_eq!(of(private), Reach::Private, "{private}");
        }
        let never = ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.1", "::"];
        for never in never.into_iter().chain(["fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254"]) {
            assert_eq!(of(never), Reach::Never, "{never}");
        }
        for never in ["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "2001::1", "2001:db8::1", "::7f00:1", "4000::1"] {
            assert_eq!(of(never), Reach::Never, "{never}");
        }
    }

    #[test]
    fn targets_are_https_unless_private_ones_are_allowed() {
        let target = Target::parse("https://hooks.example:8443/a/b?c=d", false).expect("a target");
        let expected = Target {
            tls: true,
            host: "hooks.example".to_owned(),
            port: 8443,
            authority: "hooks.example:8443".to_owned(),
            path: "/a/b?c=d".to_owned(),
        };
        assert_eq!(target, expected);
        let bare = Target::parse("https://hooks.example", false).expect("a target");
        assert_eq!((bare.port, bare.path.as_str()), (443, "/"));
        let local = Target::parse("http://[::1]:8080", true).expect("allowed");
        assert_eq!((local.tls, local.host.as_str(), local.port), (false, "::1", 8080));

        for (url, private, refusal) in [
            ("http://hooks.example", false, Refusal::NotHttps),
            ("ftp://hooks.example", true, Refusal::NotHttps),
            ("https://127.0.0.1/", false, Refusal::ForbiddenAddress),
            ("https://[::1]/", false, Refusal::ForbiddenAddress),
            ("http://169.254.169.254/latest", true, Refusal::ForbiddenAddress),
            ("https://user:word@hooks.example/", false, Refusal::NotAUrl),
            ("https://hooks.example/#part", false, Refusal::NotAUrl),
            ("https://hooks.example:/", false, Refusal::NotAUrl),
            ("https://hooks.example:0/", false, Refusal::NotAUrl),
            ("https://hooks.example:99999/", false, Refusal::NotAUrl),
            ("https:///path", false, Refusal::NotAUrl),
            ("hooks.example", false, Refusal::NotAUrl),
            ("/path", true, Refusal::NotAUrl),
            ("", true, Refusal::NotAUrl),
        ] {
            assert_eq!(Target::parse(url, private), Err(refusal), "{url}");
        }
        assert_eq!(Target::parse(&format!("https://h/{}", "p".repeat(2_048)), false), Err(Refusal::NotAUrl));
    }

    proptest! {
        #[test]
        fn nothing_private_is_called_unless_that_is_allowed(a: u8, b: u8, c: u8, d: u8) {
            let address = Ipv4Addr::new(a, b, c, d);
            let local = address.is_private() || address.is_loopback();
            prop_assert_eq!(local && may_call(address.into(), false), false);
            prop_assert_eq!(address.is_link_local() && may_call(address.into(), true), false);
            // However it is written.
            prop_assert_eq!(reach(address.to_ipv6_mapped().into()), reach(address.into()));
        }
    }
}
