//! A name as it was seen: where its records lead, and what is not as it should be about them.

use crate::common::*;
use failover::observation::NameView;
use failover::pin::{Fault, fault};
use failover::record::{RecordSet, Role, Routing, Target, Warning};
use failover::register::ArmedBy;

fn own(of: &str) -> Target {
    Target::Alias { zone: "Z1".to_owned(), name: of.to_owned(), evaluate_health: false }
}

/// A simple record of the zone.
fn leaf(of: &str, kind: &str, target: Target) -> RecordSet {
    let [set, _] = <[RecordSet; 2]>::try_from(pair(&name(of), kind, target.clone(), target)).unwrap();
    RecordSet { routing: Routing::Simple, health_check: None, ..set }
}

fn seen(pairs: &[(&str, Target, Target)], others: &[RecordSet]) -> NameView {
    let mut sets: Vec<_> =
        pairs.iter().flat_map(|(kind, primary, dr)| pair(&app(), kind, primary.clone(), dr.clone())).collect();
    sets.extend(others.iter().cloned());
    NameView::of_name("Z1", &app(), &sets)
}

#[test]
fn records_that_lead_to_one_place_are_no_way_to_dr() {
    let leaves = [
        leaf("one.example.com", "A", values(3_600, &[PRIMARY])),
        leaf("two.example.com", "A", own("one.example.com")),
        leaf("dr.example.com", "A", values(60, &[DR])),
    ];
    for (story, primary, secondary, place) in [
        ("the same address", values(60, &[PRIMARY]), values(300, &[PRIMARY]), Some(PRIMARY)),
        ("one of several", values(60, &[PRIMARY, "192.0.2.7"]), values(60, &[DR, PRIMARY]), Some(PRIMARY)),
        ("another address", values(60, &[PRIMARY]), values(60, &[DR]), None),
        ("an alias to a record of the same address", own("one.example.com"), values(60, &[PRIMARY]), Some(PRIMARY)),
        ("an alias by way of another", values(60, &[PRIMARY]), own("two.example.com"), Some(PRIMARY)),
        ("aliases that part", own("two.example.com"), own("dr.example.com"), None),
        (
            "one load balancer under two of its names",
            alias("dualstack.x.elb.amazonaws.com."),
            alias("X.elb.amazonaws.com"),
            Some("x.elb.amazonaws.com"),
        ),
        ("one that was never found", own("gone.example.com"), own("gone.example.com"), Some("gone.example.com")),
    ] {
        let view = seen(&[("A", primary, secondary)], &leaves);
        assert_eq!(view.shared().map(|(_, place)| place).as_deref(), place, "{story}");
        let told = fault(&plan(), &view);
        let same = place.map(|place| Fault::SamePlace { name: app(), kind: "A".to_owned(), place: place.to_owned() });
        assert_eq!(told, same, "{story}");
    }
    let crossed = seen(&[("A", alias("p.elb"), alias("d.elb")), ("AAAA", alias("q.elb"), alias("p.elb"))], &[]);
    assert!(matches!(fault(&plan(), &crossed), Some(Fault::SamePlace { kind, .. }) if kind == "AAAA"), "of two types");
}

#[test]
fn resolvers_are_given_the_longest_ttl_of_all_that_the_primary_leads_through() {
    let leaves = [
        leaf("one.example.com", "A", values(3_600, &[PRIMARY])),
        leaf("six.example.com", "AAAA", values(90, &["2001:db8::1"])),
    ];
    let ttl = |pairs: &[(&str, Target, Target)]| seen(pairs, &leaves).ttl_seconds();
    let dr = || values(86_400, &[DR]);
    assert_eq!(ttl(&[("A", values(60, &[PRIMARY]), dr())]), 60);
    assert_eq!(ttl(&[("A", own("one.example.com"), dr())]), 3_600);
    assert_eq!(
        ttl(&[("A", values(60, &[PRIMARY]), dr()), ("AAAA", own("six.example.com"), own("gone.example.com"))]),
        90
    );
    assert_eq!(ttl(&[("A", alias("p.elb"), dr())]), 60, "what AWS answers for its own");
    assert_eq!(ttl(&[("A", own("gone.example.com"), dr())]), 60, "what is not known is told, and counts as that");
}

#[test]
fn whatever_else_moves_users_is_told_and_keeps_no_name_from_being_pinned() {
    let health =
        |of: &str, evaluate_health| Target::Alias { zone: "Z9".to_owned(), name: of.to_owned(), evaluate_health };
    let of_a = |primary, secondary| seen(&[("A", primary, secondary)], &[]);
    let target_health = |role| Warning::TargetHealth { name: app(), kind: "A".to_owned(), role };
    assert_eq!(of_a(health("p", true), health("d", false)).warnings, [target_health(Role::Primary)]);
    assert_eq!(of_a(health("p", false), health("d", true)).warnings, [target_health(Role::Secondary)]);
    assert_eq!(of_a(health("p", false), health("d", false)).warnings, []);

    let mut checked = a_pair(&app(), PRIMARY);
    checked[1].health_check = Some("hc-2".to_owned());
    let checked = NameView::of_name("Z1", &app(), &checked);
    assert_eq!(checked.warnings, [Warning::Checked { name: app(), kind: "A".to_owned() }]);

    let nowhere = of_a(own("gone.example.com"), values(60, &[DR]));
    assert_eq!(nowhere.warnings, [Warning::LeadsNowhere { name: app(), kind: "A".to_owned() }]);

    let hints = [
        ("1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1", true),
        ("1 . ipv6hint=2001:db8::1", true),
        ("1 . key4=192.0.2.1", true),
        ("1 app.example.com. IPv4Hint=192.0.2.1", true),
        ("1 . alpn=\"h2 ipv4hint=192.0.2.1\"", false),
        ("1 . alpn=h2", false),
        ("0 .", false),
    ];
    for (value, is_told) in hints {
        for kind in ["HTTPS", "SVCB"] {
            let beside = [leaf("app.example.com", kind, values(60, &[value]))];
            let view = seen(&[("A", values(60, &[PRIMARY]), values(60, &[DR]))], &beside);
            let told: &[_] = &[Warning::Hints { name: app(), kind: kind.to_owned() }];
            assert_eq!(view.warnings, if is_told { told } else { &[] }, "{kind} {value}");
            assert_eq!(fault(&plan(), &view), None, "{kind} {value}");
        }
    }
}

#[test]
fn failover_records_of_other_types_are_named_and_left_alone() {
    let a = || ("A", values(60, &[PRIMARY]), values(60, &[DR]));
    let mail = || values(60, &["10 mail.example.com"]);
    let view = seen(&[a(), ("MX", mail(), mail()), ("TXT", values(60, &["\"x\""]), values(60, &["\"x\""]))], &[]);
    assert_eq!(view.left_alone, ["MX", "TXT"]);
    assert_eq!(view.pairs.as_ref().map(Vec::len), Ok(1));
    let mut scene = Scene::outage();
    scene.view = view;
    assert!(lines(&scene.decide().facts).contains(&"left alone: failover records of type MX, TXT".to_owned()));
    assert_eq!(seen(&[a()], &[leaf("app.example.com", "MX", mail())]).left_alone, Vec::<String>::new());
}

#[test]
fn the_old_primary_is_known_again_behind_an_alias_and_wherever_its_record_was_moved() {
    let leaves =
        |to: &str| [leaf("home.example.com", "A", values(60, &[to])), leaf("dr.example.com", "A", values(60, &[DR]))];
    let before = {
        let mut sets = pair(&app(), "A", own("home.example.com"), own("dr.example.com"));
        sets.extend(leaves(PRIMARY));
        sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
        NameView::of_name("Z1", &app(), &sets)
    };
    let write =
        failover::change::write(&before, failover::pin::Verdict::Pin, Some(&incident(0)), at(60)).unwrap().unwrap();
    let pinned = |secondary: Target, home: &str| {
        let mut sets = pair(&app(), "A", own("dr.example.com"), secondary);
        sets.extend(leaves(home));
        sets.push(write.register.record_set(&app()).unwrap());
        NameView::of_name("Z1", &app(), &sets)
    };
    assert!(pinned(own("dr.example.com"), PRIMARY).agrees());
    for (story, secondary, home, is_swapped) in [
        ("its address", values(60, &[PRIMARY]), PRIMARY, true),
        ("its record", own("home.example.com"), PRIMARY, true),
        ("its address, though its record leads elsewhere", values(60, &[PRIMARY]), "203.0.113.7", true),
        ("DR's address, though its record leads there too", values(60, &[DR]), DR, false),
        ("another", values(60, &["203.0.113.7"]), PRIMARY, false),
    ] {
        assert_eq!(pinned(secondary, home).swapped().is_some(), is_swapped, "{story}");
    }
}

/// A pinned pair of load balancers, and what people have made of it since.
fn balancers(dr_before: &str, primary: &str, secondary: &str) -> NameView {
    let alias = |name: &str| Target::Alias { zone: "Z9".to_owned(), name: name.to_owned(), evaluate_health: false };
    let mut sets = pair(&app(), "A", alias("p-1.eu-west-1.elb.amazonaws.com."), alias(dr_before));
    sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    let before = NameView::of_name("Z1", &app(), &sets);
    let pin = failover::change::write(&before, failover::pin::Verdict::Pin, Some(&incident(0)), at(60));
    let mut sets = pair(&app(), "A", alias(primary), alias(secondary));
    sets.push(pin.unwrap().unwrap().register.record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

#[test]
fn a_new_address_in_the_region_of_the_old_primary_is_the_old_primary_rebuilt() {
    const DR: &str = "dualstack.d-1.eu-central-1.elb.amazonaws.com.";
    const REBUILT: &str = "p-2.eu-west-1.elb.amazonaws.com.";
    for (story, dr, primary, secondary, is_swapped, agrees) in [
        ("as it was pinned", DR, DR, DR, false, true),
        ("roles swapped, the old region rebuilt", DR, DR, REBUILT, true, false),
        ("both there", DR, REBUILT, REBUILT, true, false),
        ("PRIMARY there alone", DR, REBUILT, DR, false, false),
        ("DR replaced", DR, DR, "d-2.eu-central-1.elb.amazonaws.com.", false, false),
        ("a third region", DR, DR, "d-2.eu-north-1.elb.amazonaws.com.", false, false),
        (
            "both sites in one region",
            "d-1.eu-west-1.elb.amazonaws.com.",
            "d-1.eu-west-1.elb.amazonaws.com.",
            REBUILT,
            false,
            false,
        ),
    ] {
        let view = balancers(dr, primary, secondary);
        assert_eq!((view.swapped().is_some(), view.agrees()), (is_swapped, agrees), "{story}");
        let verdict = failover::pin::Verdict::Follow;
        let written = failover::change::write(&view, verdict, None, at(120));
        assert_eq!(written.is_err(), is_swapped, "{story}: nothing of ours leads there");
    }
}
