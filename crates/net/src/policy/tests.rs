use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn policy(allow: &str) -> Policy {
    Policy::new(OutboundAllow::parse(allow).expect("valid list"))
}

fn vet(allow: &str, purpose: Purpose, url: &str) -> Result<Target, Refusal> {
    policy(allow).vet(purpose, &Url::parse(url).expect("valid url"))
}

#[test]
fn every_special_ipv4_range_is_refused_at_both_ends_and_open_beyond() {
    let ranges = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
    ];
    let blocked = |number: u32| ranges.iter().any(|(first, last)| (bits(first)..=bits(last)).contains(&number));
    for (first, last) in ranges {
        for number in [bits(first), bits(last), bits(first).saturating_sub(1), bits(last).saturating_add(1)] {
            let address = Ipv4Addr::from_bits(number);
            assert_eq!(classify(address.into()) != Class::Public, blocked(number), "{address}");
        }
    }
}

fn bits(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().expect("address").to_bits()
}

#[test]
fn classes_have_their_names() {
    for (text, class) in [
        ("8.8.8.8", Class::Public),
        ("127.0.0.1", Class::Loopback),
        ("10.1.2.3", Class::Private),
        ("100.64.0.1", Class::Private),
        ("169.254.1.1", Class::LinkLocal),
        ("169.254.169.254", Class::Metadata),
        ("100.100.100.200", Class::Metadata),
        ("168.63.129.16", Class::Metadata),
        ("224.0.0.251", Class::Multicast),
        ("255.255.255.255", Class::Reserved),
        ("240.0.0.1", Class::Reserved),
        ("2606:4700:4700::1111", Class::Public),
        ("2001:4860:4860::8888", Class::Public),
        ("::", Class::Reserved),
        ("::1", Class::Loopback),
        ("::127.0.0.1", Class::Embedded),
        ("::ffff:127.0.0.1", Class::Embedded),
        ("::ffff:8.8.8.8", Class::Embedded),
        ("::ffff:0:10.0.0.1", Class::Embedded),
        ("64:ff9b::a9fe:a9fe", Class::Embedded),
        ("64:ff9b:1::a00:1", Class::Embedded),
        ("2002:7f00:1::", Class::Embedded),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Class::Embedded),
        ("2001:db8::1", Class::Reserved),
        ("2001:2::1", Class::Reserved),
        ("3fff::1", Class::Reserved),
        ("5f00::1", Class::Reserved),
        ("100::1", Class::Reserved),
        ("4000::1", Class::Reserved),
        ("fc00::1", Class::Private),
        ("fdff::1", Class::Private),
        ("fd00:ec2::254", Class::Metadata),
        ("fe80::1", Class::LinkLocal),
        ("febf::1", Class::LinkLocal),
        ("fec0::1", Class::Private),
        ("ff02::1", Class::Multicast),
        ("2600:1::5efe:7f00:1", Class::Embedded),
    ] {
        assert_eq!(classify(text.parse().expect("address")), class, "{text}");
    }
}

#[test]
fn loopback_is_refused_in_every_notation_that_url_parsers_know() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0177.0x0.1",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "127.0.0.1.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "0",
        "0.0.0.0",
        "[::]",
    ] {
        let outcome = vet("", Purpose::Agents, &format!("https://{host}/"));
        assert!(matches!(outcome, Err(Refusal::Address { .. })), "{host}: {outcome:?}");
        let tunnel = Target::tunnel(host, 443).and_then(|target| policy("").vet_target(Purpose::Agents, &target));
        assert!(tunnel.is_err(), "tunnel to {host}");
    }
}

#[test]
fn metadata_is_refused_by_number_and_by_name() {
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[fd00:ec2::254]",
        "[::ffff:a9fe:a9fe]",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "instance-data.ec2.internal",
        "metadata",
    ] {
        assert!(vet("", Purpose::Providers, &format!("https://{host}/latest/meta-data/")).is_err(), "{host}");
    }
}

#[test]
fn local_names_are_refused_before_dns() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "a.b.localhost.",
        "localhost.localdomain",
        "sidecar",
        "agent",
        "db.",
        "host.docker.internal",
        "printer.local",
        "nas.home.arpa",
        "x.lan",
        "1.0.0.127.in-addr.arpa",
    ] {
        let outcome = vet("", Purpose::Agents, &format!("https://{host}/"));
        assert!(matches!(outcome, Err(Refusal::LocalName { .. })), "{host}: {outcome:?}");
    }
    for host in ["example.com", "localhost.example.com", "notlocalhost.com", "internal.example.com", "xn--bcher-kva.example"] {
        assert!(vet("", Purpose::Agents, &format!("https://{host}/")).is_ok(), "{host}");
    }
}

#[test]
fn other_schemes_user_info_and_plain_http_are_refused() {
    assert_eq!(vet("", Purpose::Providers, "ftp://example.com/"), Err(Refusal::Scheme));
    assert_eq!(vet("", Purpose::Providers, "file:///etc/passwd"), Err(Refusal::Scheme));
    assert_eq!(vet("", Purpose::Providers, "https://user@example.com/"), Err(Refusal::UserInfo));
    assert_eq!(vet("", Purpose::Providers, "https://:secret@example.com/"), Err(Refusal::UserInfo));
    assert!(matches!(vet("", Purpose::Providers, "http://example.com/"), Err(Refusal::PlainHttp { .. })));
    assert!(vet("", Purpose::Agents, "http://example.com/").is_ok());
}

#[test]
fn an_exception_holds_for_its_purpose_place_and_port_only() {
    let list = "providers=127.0.0.1:8080, models=localhost:11434,all=10.1.0.0/16,agents=[fd00::/8]:443,webhooks=hooks.internal:*";
    assert!(vet(list, Purpose::Providers, "http://127.0.0.1:8080/x").is_ok());
    assert!(vet(list, Purpose::Providers, "https://[::ffff:127.0.0.1]:8080/x").is_ok());
    assert!(vet(list, Purpose::Providers, "http://127.0.0.1:8081/x").is_err());
    assert!(vet(list, Purpose::Agents, "http://127.0.0.1:8080/x").is_err());
    assert!(vet(list, Purpose::Models, "http://localhost:11434/v1").is_ok());
    assert!(vet(list, Purpose::Models, "http://localhost.:11434/v1").is_ok());
    assert!(vet("models=localhost:11434", Purpose::Models, "http://localhost:11435/v1").is_err());
    for purpose in Purpose::ALL {
        assert!(vet(list, purpose, "http://10.1.255.255:9/").is_ok());
        assert!(vet(list, purpose, "https://10.2.0.0/").is_err());
    }
    assert!(vet(list, Purpose::Agents, "https://[fd12::1]/").is_ok());
    assert!(vet(list, Purpose::Agents, "https://[fd12::1]:444/").is_err());
    assert!(vet(list, Purpose::Webhooks, "http://hooks.internal:9999/").is_ok());
    for listed in Purpose::ALL {
        for purpose in Purpose::ALL {
            let outcome = vet(&format!("{}=10.0.0.25:587", listed.as_str()), purpose, "https://10.0.0.25:587/");
            assert_eq!(outcome.is_ok(), purpose == listed, "{listed:?} for {purpose:?}");
        }
    }
}

#[test]
fn a_local_name_may_lead_into_a_listed_range_and_nowhere_else() {
    let policy = policy("models=127.0.0.1:11434");
    let target = policy.vet(Purpose::Models, &Url::parse("http://localhost:11434/").expect("url")).expect("only DNS can tell");
    assert!(policy.vet_address(Purpose::Models, &target, Ipv4Addr::LOCALHOST.into()).is_ok());
    assert!(policy.vet_address(Purpose::Models, &target, Ipv4Addr::new(10, 0, 0, 1).into()).is_err());
    assert!(policy.vet_address(Purpose::Models, &target, Ipv4Addr::new(8, 8, 8, 8).into()).is_err(), "a local name that went public");
    let plain = policy.vet(Purpose::Models, &Url::parse("http://example.com:11434/").expect("url")).expect("only DNS can tell");
    assert!(matches!(policy.vet_address(Purpose::Models, &plain, Ipv4Addr::new(8, 8, 8, 8).into()), Err(Refusal::PlainHttp { .. })));
}

#[test]
fn a_list_that_cannot_be_read_says_why() {
    for (text, part) in [
        ("127.0.0.1:80", "no \"=\""),
        ("mail=127.0.0.1:80", "purpose is not one of"),
        ("all=127.0.0.1:0", "port"),
        ("all=127.0.0.1:http", "port"),
        ("all=10.0.0.0/33", "CIDR"),
        ("all=[fd00::/8", "bracket"),
        ("all=*.example.com:80", "neither a range nor a host"),
        ("all=", "neither a range nor a host"),
    ] {
        let error = OutboundAllow::parse(text).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert_eq!(OutboundAllow::parse(" , "), Ok(OutboundAllow::default()));
}

proptest! {
    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_never_public(number: u32) {
        let v4 = Ipv4Addr::from_bits(number);
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        for v6 in [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        ] {
            prop_assert!(classify(v6.into()) != Class::Public, "{v6}");
        }
    }

    #[test]
    fn any_notation_of_an_ipv4_address_is_judged_like_the_address(number: u32) {
        let v4 = Ipv4Addr::from_bits(number);
        let [a, b, c, d] = v4.octets();
        let tail = u32::from(c) << 8 | u32::from(d);
        let expected = vet("", Purpose::Providers, &format!("https://{v4}/")).is_ok();
        for host in [format!("{number}"), format!("{number:#x}"), format!("0{number:o}"), format!("{a:#x}.0{b:o}.{tail}"), format!("{v4}.")] {
            prop_assert_eq!(vet("", Purpose::Providers, &format!("https://{host}/")).is_ok(), expected, "{}", host);
        }
    }

    #[test]
    fn any_list_parses_or_is_refused(text in "\\PC{0,60}") {
        let _ = OutboundAllow::parse(&text).map_err(|error| error.to_string());
    }
}
