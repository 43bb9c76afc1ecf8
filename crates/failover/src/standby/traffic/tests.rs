use super::super::Verdict::{NotKnown, NotReady, Ready};
use super::super::tests::{expect, expect_nothing_known};
use super::*;

const ROWS: [&str; 6] =
    ["load-balancer", "listeners", "targets", "certificate-names", "certificate-expiry", "keep-alive"];

fn in_days(days: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days)
}

fn certificate(names: &[&str], days: i64) -> Certificate {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Certificate { status: Some("ISSUED".to_owned()), not_after: Some(in_days(days)), names }
}

fn listener(port: i32, protocol: &str, certificates: Vec<Look<Certificate>>) -> Listener {
    let certificates = certificates.into_iter().enumerate().map(|(nth, it)| (format!("certificate/{nth}"), it));
    Listener { port: Some(port), protocol: Some(protocol.to_owned()), certificates: Ok(certificates.collect()) }
}

fn group(states: &[Option<&str>]) -> TargetGroup {
    let target = |(nth, state): (usize, &Option<&str>)| (format!("i-{nth}"), state.map(str::to_owned));
    TargetGroup {
        arn: "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/shop-dr/0".to_owned(),
        targets: Ok(states.iter().enumerate().map(target).collect()),
    }
}

fn balancer() -> Balancer {
    let own = certificate(&["shop.example.com", "*.shop.example.com"], 200);
    Balancer {
        arn: "arn:shop-dr".to_owned(),
        state: Some("active".to_owned()),
        listeners: Ok(vec![listener(443, "HTTPS", vec![Ok(own)]), listener(80, "HTTP", vec![])]),
        groups: Ok(vec![group(&[Some("healthy"), Some("healthy"), Some("draining")])]),
        keep_alive_seconds: Ok(Some(60)),
    }
}

fn entrance(change: impl FnOnce(&mut Balancer)) -> Entrance {
    let mut dr = balancer();
    change(&mut dr);
    Entrance {
        target: "shop-dr-1.eu-central-1.elb.amazonaws.com".to_owned(),
        names: vec!["shop.example.com".to_owned(), "*.shop.example.com".to_owned()],
        waits_seconds: 180,
        dr: Ok(Some(dr)),
        primary: balancer().listeners,
        now: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_load_balancer_that_lets_users_in_is_ready() {
    for row in ROWS {
        expect(&entrance(|_| {}), row, Ready, "");
    }
}

#[test]
#[rustfmt::skip]
fn whatever_would_keep_users_out_is_not_ready() {
    let https = |certificates| move |it: &mut Balancer| it.listeners = Ok(vec![listener(443, "HTTPS", certificates)]);
    let pending = Certificate { status: Some("EXPIRED".to_owned()), ..certificate(&["shop.example.com"], 200) };
    for (row, entrance, words) in [
        ("load-balancer", entrance(|it| it.state = Some("provisioning".to_owned())), "provisioning"),
        ("listeners", entrance(https(vec![])), "HTTP 80"),
        ("listeners", entrance(|it| it.listeners = Ok(vec![])), "HTTPS 443"),
        ("targets", entrance(|it| it.groups = Ok(vec![])), "no listener leads"),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[])])), "none of 0"),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[Some("initial")])])), "none of 1"),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[Some("healthy"), Some("unhealthy")])])), "1 of 2"),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[Some("healthy")]), group(&[Some("unhealthy")])])), "1 of 1"),
        ("certificate-names", entrance(https(vec![Ok(certificate(&["*.example.com"], 200))])), "*.shop.example.com"),
        ("certificate-names", entrance(https(vec![])), "shop.example.com"),
        ("certificate-expiry", entrance(https(vec![Ok(certificate(&["shop.example.com"], 29))])), "29 days more"),
        ("certificate-expiry", entrance(https(vec![Ok(certificate(&["shop.example.com"], -1))])), "-1 days more"),
        ("certificate-expiry", entrance(https(vec![Ok(pending)])), "EXPIRED"),
        ("keep-alive", entrance(|it| it.keep_alive_seconds = Ok(Some(181))), "181 s"),
    ] {
        expect(&entrance, row, NotReady, words);
    }
    expect(&entrance(https(vec![Ok(certificate(&["shop.example.com"], 30))])), "certificate-expiry", Ready, "30 days");
    expect(&entrance(|it| it.keep_alive_seconds = Ok(Some(180))), "keep-alive", Ready, "");
}

#[test]
fn what_nobody_says_of_a_load_balancer_is_not_known() {
    let denied = || "denied".to_owned();
    let shown = |certificates| move |it: &mut Balancer| it.listeners = Ok(vec![listener(443, "HTTPS", certificates)]);
    let undated = Certificate { not_after: None, ..certificate(&["shop.example.com"], 1) };
    for (row, entrance) in [
        ("load-balancer", entrance(|it| it.state = None)),
        ("listeners", entrance(|it| it.listeners = Err(denied()))),
        ("listeners", Entrance { primary: Err(denied()), ..entrance(|_| {}) }),
        ("listeners", Entrance { primary: Ok(vec![]), ..entrance(|_| {}) }),
        ("targets", entrance(|it| it.groups = Err(denied()))),
        ("targets", entrance(|it| it.groups = Ok(vec![TargetGroup { targets: Err(denied()), ..group(&[]) }]))),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[None])]))),
        ("targets", entrance(|it| it.groups = Ok(vec![group(&[Some("unavailable")])]))),
        ("certificate-names", entrance(|it| it.listeners = Ok(vec![listener(80, "HTTP", vec![])]))),
        ("certificate-names", entrance(shown(vec![Err(denied())]))),
        ("certificate-expiry", entrance(shown(vec![Err(denied())]))),
        ("certificate-expiry", entrance(shown(vec![]))),
        ("certificate-expiry", entrance(shown(vec![Ok(undated)]))),
        ("keep-alive", entrance(|it| it.keep_alive_seconds = Ok(None))),
        ("keep-alive", entrance(|it| it.keep_alive_seconds = Err(denied()))),
    ] {
        expect(&entrance, row, NotKnown, "");
    }
    expect_nothing_known(&Entrance { dr: Err(denied()), ..entrance(|_| {}) });
    expect_nothing_known(&Entrance { dr: Ok(None), ..entrance(|_| {}) });
}

#[test]
fn a_wildcard_covers_one_label_and_itself() {
    for (certificate, name, is_covered) in [
        ("app.example.com", "App.example.com", true),
        ("*.example.com", "app.example.com", true),
        ("*.example.com", "*.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "a.b.example.com", false),
        ("a.example.com", "*.example.com", false),
    ] {
        assert_eq!(covers(certificate, name), is_covered, "{certificate} {name}");
    }
}
