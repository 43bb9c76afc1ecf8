//! What is proposed, and what is said of it, for a zone as they are found (`zone.json`, in the form of `aws route53
//! list-resource-record-sets`): aliases at the apex, mail, certificates' proofs, other routing, external-dns, and pairs with faults.

mod next_steps;

use aws::CallError;
use aws::survey::{Asked, Balancer, HealthCheck, HostedZone, Listed, Quota};
use aws::watch::OwnAlarm;
use aws::zone::Features;
use failover::observation::Probe;
use failover::plan::ReplicaId;
use failover::promotion::{Database, Instances, LagSample, ReplicaState, ReplicaView, Source};
use failover::record::{Role, Routing, Target};
use serde_json::Value;

use super::proposal::propose;
use super::seen::Deployed;
use super::*;
use crate::readiness::{Weight, Zone};

const ZONE: &str = "ZEXAMPLE";
const NOW: &str = "2026-01-05T10:00:00Z";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The listing, as route53.rs reads it.
fn sets() -> Vec<RecordSet> {
    let listing: Value = serde_json::from_str(include_str!("zone.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |set: &Value| {
        let failover = |role| Routing::Failover { role, set_identifier: text(&set["SetIdentifier"]) };
        RecordSet {
            name: name(set["Name"].as_str().unwrap()),
            kind: text(&set["Type"]),
            routing: match (set["Failover"].as_str(), set["SetIdentifier"].as_str()) {
                (Some("PRIMARY"), _) => failover(Role::Primary),
                (Some(_), _) => failover(Role::Secondary),
                (None, Some(_)) => Routing::Other,
                (None, None) => Routing::Simple,
            },
            target: match &set["AliasTarget"] {
                Value::Null => Target::Values {
                    ttl_seconds: u32::try_from(set["TTL"].as_u64().unwrap()).unwrap(),
                    values: set["ResourceRecords"].as_array().unwrap().iter().map(|it| text(&it["Value"])).collect(),
                },
                alias => Target::Alias {
                    zone: text(&alias["HostedZoneId"]),
                    name: text(&alias["DNSName"]),
                    evaluate_health: alias["EvaluateTargetHealth"].as_bool().unwrap(),
                },
            },
            health_check: set["HealthCheckId"].as_str().map(str::to_owned),
        }
    };
    listing["ResourceRecordSets"].as_array().unwrap().iter().map(one).collect()
}

fn cluster(region: &str, id: &str, source: Source) -> Listed {
    let arn = format!("arn:aws:rds:{region}:123456789012:cluster:{id}");
    Listed { id: ReplicaId::AuroraCluster(id.to_owned()), arn, engine: "aurora-mysql".to_owned(), source }
}

fn replica_of(region: &str, id: &str) -> Source {
    Source::ReplicaOf(format!("arn:aws:rds:{region}:123456789012:cluster:{id}"))
}

fn refused() -> CallError {
    CallError::Refused { call: "X", code: "AccessDenied".to_owned(), message: "no".to_owned() }
}

/// An account in which all is well, but for the zone.
fn seen() -> Seen {
    let features = Features { accelerated_recovery: Some("ENABLED".to_owned()), ..Features::default() };
    let now = NOW.parse().unwrap();
    let database = Database {
        status: "available".to_owned(),
        source: replica_of("eu-west-1", "shop"),
        instances: Instances::Writer,
        created: None,
        engine: "aurora-mysql".to_owned(),
        members: Vec::new(),
    };
    Seen {
        dr_region: "eu-central-1".to_owned(),
        primary: Some(("eu-west-1".to_owned(), String::new())),
        zone: HostedZone { id: ZONE.to_owned(), domain: "example.net".to_owned(), is_private: false },
        sets: sets(),
        second: None,
        other_zones: Vec::new(),
        guards: Zone { id: ZONE.to_owned(), protections: Ok(Vec::new()), features: Ok(features) },
        checks: Ok(Vec::new()),
        check_quota: Ok(Quota { used: 3, most: 200 }),
        record_quota: Ok(Quota { used: 40, most: 10_000 }),
        dr_databases: Ok(vec![cluster("eu-central-1", "shop-dr", replica_of("eu-west-1", "shop"))]),
        primary_databases: Some(Ok(vec![cluster("eu-west-1", "shop", Source::NoneNamed)])),
        replicas: vec![ReplicaView {
            id: ReplicaId::AuroraCluster("shop-dr".to_owned()),
            state: ReplicaState::Present(database),
            lags: vec![LagSample { seconds: 1, at: now }],
        }],
        lag_unknown: Vec::new(),
        dr_balancers: Ok(vec![Balancer {
            dns_name: "shop-77.eu-central-1.elb.amazonaws.com".to_owned(),
            zone: "Z215JYRZR1TBD5".to_owned(),
        }]),
        keep_alives: Vec::new(),
        alarms: Ok(Vec::new()),
        deployed: Ok(None),
        now,
    }
}

/// What is proposed for these names; DR's targets by name.
fn proposed(seen: &Seen, names: &[&str], targets: &[(&str, &str)]) -> Proposal {
    let names: Vec<Name> = names.iter().map(|text| name(text)).collect();
    let answers = |url: &str| Tried { url: Some(url.to_owned()), from: Origin::Person, heard: Probe::Answers };
    let probes = ["https://primary.example.net/health", "https://dr.example.net/health"].map(answers);
    let wishes = Wishes { names: names.clone(), every_pair: false, bus: "holdfast".to_owned(), email: None, probes };
    let balancers = seen.dr_balancers.as_deref().unwrap_or_default();
    let with = pair::With { zone: ZONE, sets: &seen.sets, balancers, health_check: pair::FILL_IN };
    let batch = |name: &Name| {
        let said = targets.iter().filter(|(of, _)| *name == of.parse().unwrap());
        pair::batch(with, name, &said.flat_map(|(_, to)| to.split(',').map(str::to_owned)).collect::<Vec<_>>())
    };
    let simple = names.iter().filter(|name| pair::has_simple(&seen.sets, name));
    let batches: Vec<_> = simple.map(batch).collect();
    let plan = parameters::plan(seen, &wishes).unwrap();
    propose(seen, &wishes, &plan, &batches, None, Vec::new())
}

fn said(proposal: &Proposal, weight: Weight) -> String {
    let of_weight = proposal.shortcomings.iter().filter(|one| one.weight == weight);
    of_weight.map(|one| format!("{} {}; {}", one.about, one.seen, one.remedy)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_zones_names_are_sorted_into_pairs_simple_records_and_what_cannot_be_moved() {
    let there = names::of_zone(&sets());
    let told = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        told(&there.paired),
        ["api", "checkout", "half", "same", "slow"].map(|label| format!("{label}.example.net"))
    );
    assert_eq!(
        told(&there.simple),
        [
            "example.net",
            "b\\374cher.example.net",
            "ingress.example.net",
            "*.preview.example.net",
            "w3.example.net",
            "www.example.net"
        ]
    );
    let left: Vec<_> = there.left_out.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["api-primary.example.net", "eu.example.net", "lb.example.net"]);
    assert_eq!(names::domain(&sets()), Some(&name("example.net")));
}

#[test]
fn a_good_pair_is_proposed_with_its_minutes_and_without_a_word() {
    let proposal = proposed(&seen(), &["api.example.net"], &[]);
    assert_eq!(proposal.shortcomings, []);
    let estimate = proposal.estimate;
    assert_eq!(
        (estimate.ttl_seconds, estimate.promotion_seconds, estimate.after_remedies),
        (Some(60), Some(2_100), false)
    );
    assert!(proposal.names[0].has_pair && proposal.batches.is_empty());
    assert!(
        proposal.next.iter().any(|step| step.contains("in place of the health check there")),
        "{:?}",
        proposal.next
    );
}

#[test]
fn what_would_not_work_is_what_the_rules_say() {
    for (name, words) in [
        ("half.example.net", "has no Secondary record"),
        ("same.example.net", "both lead to 192.0.2.10"),
        ("checkout.example.net", "has a simple AAAA record, and where its users go in DR was not said"),
        ("slow.example.net", "SECONDARY record of slow.example.net A has a health check"),
    ] {
        let proposal = proposed(&seen(), &[name], &[]);
        assert!(said(&proposal, Weight::Keeps).contains(words), "{name}: {}", said(&proposal, Weight::Keeps));
        assert!(proposal.estimate.after_remedies, "{name}");
    }
    let slow = proposed(&seen(), &["slow.example.net"], &[]);
    assert!(said(&slow, Weight::Advises).contains("kept by resolvers for 3600 s"), "{}", said(&slow, Weight::Advises));
    assert_eq!(slow.estimate.promotion_seconds, Some(2_100 + 3_540));
    let both = proposed(&seen(), &["checkout.example.net"], &[("checkout.example.net", "2001:db8::d")]);
    let told = said(&both, Weight::Keeps);
    assert!(told.contains("has EvaluateTargetHealth") && !told.contains("armed"), "{told}");
}

#[test]
fn simple_records_become_pairs_of_just_what_was_seen() {
    let lb = "shop-77.eu-central-1.elb.amazonaws.com";
    let proposal = proposed(&seen(), &["example.net"], &[("example.net", lb)]);
    assert_eq!(said(&proposal, Weight::Keeps), "");
    let batch = &proposal.batches[0];
    assert_eq!((batch.file.as_str(), batch.is_complete), ("pair-example.net.json", false));
    let changes = batch.batch["Changes"].as_array().unwrap();
    assert_eq!(changes.len(), 6, "A and AAAA, each one deletion and two creations");
    assert_eq!(changes[0]["ResourceRecordSet"]["AliasTarget"]["EvaluateTargetHealth"], true, "as it was seen");
    assert_eq!(changes[1]["ResourceRecordSet"]["AliasTarget"]["EvaluateTargetHealth"], false);
    assert_eq!(changes[1]["ResourceRecordSet"]["HealthCheckId"], "FILL IN");
    assert_eq!(changes[2]["ResourceRecordSet"]["AliasTarget"]["HostedZoneId"], "Z215JYRZR1TBD5");
    assert_eq!(changes[2]["ResourceRecordSet"]["HealthCheckId"], Value::Null, "DR is always an answer");
    let wildcard = proposed(&seen(), &["*.preview.example.net"], &[("*.preview.example.net", "dr-lb.example.org")]);
    assert_eq!(wildcard.batches[0].file, "pair-_.preview.example.net.json");
    let set = &wildcard.batches[0].batch["Changes"][1]["ResourceRecordSet"];
    assert_eq!((&set["Name"], &set["TTL"]), (&"\\052.preview.example.net".into(), &60.into()));
}

#[test]
fn what_keeps_a_simple_record_from_becoming_a_good_pair_is_said_before_it_is_one() {
    for (name, target, words) in [
        ("www.example.net", "", "--dr-target www.example.net=NAME"),
        ("w3.example.net", "", "where its users go in DR was not said"),
        ("w3.example.net", "nobody-1.eu-central-1.elb.amazonaws.com", "is no target for it in DR"),
        ("w3.example.net", "2001:db8::d", "is no target for it in DR"),
        ("w3.example.net", "198.51.100.60", "its HTTPS record would go on sending users"),
        ("b\\374cher.example.net", "192.0.2.50", "both lead to 192.0.2.50"),
        ("ingress.example.net", "198.51.100.9", "belongs to external-dns (TXT record ingress.example.net)"),
        ("b\\374cher.example.net", "198.51.100.50", "RecordNames does not take"),
    ] {
        let targets = [(name, target)];
        let targets: &[_] = if target.is_empty() { &[] } else { &targets };
        let proposal = proposed(&seen(), &[name], targets);
        assert!(said(&proposal, Weight::Keeps).contains(words), "{words} in {}", said(&proposal, Weight::Keeps));
    }
}

#[test]
fn the_account_is_held_against_what_the_stack_needs() {
    let with = |change: fn(&mut Seen)| {
        let mut it = seen();
        change(&mut it);
        proposed(&it, &["api.example.net"], &[])
    };
    for (proposal, words) in [
        (with(|it| it.check_quota = Ok(Quota { used: 195, most: 200 })), "health checks are 195 of 200"),
        (with(|it| it.record_quota = Ok(Quota { used: 9_992, most: 10_000 })), "Holdfast needs 9 more"),
        (with(|it| it.zone.is_private = true), "is private"),
        (with(|it| it.replicas[0].lags.clear()), "no lag is known for 15 minutes"),
        (with(|it| it.replicas[0].state = ReplicaState::Missing), "RDS knows no such database"),
        (
            with(|it| it.dr_databases = Ok(vec![cluster("eu-central-1", "world", Source::Global("g".to_owned()))])),
            "a cluster of a global database",
        ),
    ] {
        assert!(said(&proposal, Weight::Keeps).contains(words), "{words} in {}", said(&proposal, Weight::Keeps));
    }
    let enough = with(|it| {
        (it.check_quota, it.record_quota) =
            (Ok(Quota { used: 194, most: 200 }), Ok(Quota { used: 9_991, most: 10_000 }))
    });
    assert_eq!(enough.shortcomings, []);
    let there =
        with(|it| (it.check_quota, it.deployed) = (Ok(Quota { used: 200, most: 200 }), Ok(Some(Deployed::default()))));
    assert_eq!(said(&there, Weight::Keeps), "", "a stack that is there has its checks");
    let alone = with(|it| it.primary_databases = Some(Ok(vec![cluster("eu-west-1", "users", Source::NoneNamed)])));
    assert!(said(&alone, Weight::Advises).contains("Aurora cluster users in eu-west-1 has no replica"));
    let taken = with(|it| {
        it.alarms = Ok(vec![OwnAlarm { name: "holdfast-unready".to_owned(), rings: false, topics: Vec::new() }])
    });
    assert!(said(&taken, Weight::Advises).contains("--bus NAME"));
}

#[test]
fn whatever_could_not_be_looked_at_is_not_known_and_nothing_is_made_of_it() {
    let blind = Seen {
        primary: None,
        guards: Zone { id: ZONE.to_owned(), protections: Err(refused()), features: Err(refused()) },
        checks: Err(refused()),
        check_quota: Err(refused()),
        record_quota: Err(refused()),
        dr_databases: Err(refused()),
        primary_databases: None,
        replicas: Vec::new(),
        dr_balancers: Err(refused()),
        alarms: Err(refused()),
        deployed: Err(refused()),
        ..seen()
    };
    let proposal = proposed(&blind, &["api.example.net"], &[]);
    assert_eq!(said(&proposal, Weight::Keeps), "");
    let unknown = proposal.shortcomings.iter().filter(|one| one.weight == Weight::Unknown).count();
    assert_eq!(unknown, 10, "{}", said(&proposal, Weight::Unknown));
    assert_eq!((proposal.databases, proposal.health_checks), (None, None));
    let lagless = Seen { lag_unknown: vec![(ReplicaId::AuroraCluster("shop-dr".to_owned()), refused())], ..seen() };
    let lagless = Seen { replicas: vec![ReplicaView { lags: Vec::new(), ..lagless.replicas[0].clone() }], ..lagless };
    let told = proposed(&lagless, &["api.example.net"], &[]);
    assert_eq!(said(&told, Weight::Keeps), "");
    assert!(said(&told, Weight::Unknown).contains("its lag is not known"), "{}", said(&told, Weight::Unknown));
}

#[test]
fn the_endpoint_is_the_sites_own_and_never_the_name_that_fails_over() {
    let sets = sets();
    let all = names::of_zone(&sets).paired;
    let zone = endpoint::Zone { sets: &sets, failing_over: &all };
    let of = |text: &str, checks: &[HealthCheck]| {
        let names = [name(text)];
        let primaries: Vec<_> = pair::primaries(&sets, &names).collect();
        zone.endpoint(&primaries, checks)
    };
    let check = |id: &str, host: &str| HealthCheck {
        id: id.to_owned(),
        kind: "HTTP".to_owned(),
        endpoint: Some(Asked {
            host: Some(host.to_owned()),
            address: None,
            port: 8_080,
            path: "/up".to_owned(),
            is_https: false,
        }),
    };
    assert_eq!(of("api.example.net", &[]).unwrap().url(), "https://api-primary.example.net/health", "by its address");
    let asked = of("api.example.net", &[check("hc-api", "origin.example.org")]).unwrap();
    assert_eq!(asked.url(), "http://origin.example.org:8080/up", "as its health check asks");
    let known = of("api.example.net", &[check("other", "api-primary.example.net")]).unwrap();
    assert_eq!(known.url(), "http://api-primary.example.net:8080/up");
    let itself = of("api.example.net", &[check("hc-api", "checkout.example.net")]).unwrap();
    assert_eq!(itself.host, "api-primary.example.net", "a check that asks a failing-over name is none");
    let balancer = of("checkout.example.net", &[]).unwrap();
    assert_eq!(balancer.host, "shop-1201.eu-west-1.elb.amazonaws.com");
    let place = endpoint::Place { host: Some(balancer.host.clone()), address: None };
    assert_eq!(endpoint::probe_url(&place, &balancer), None, "no certificate names it");
    let address = of("half.example.net", &[]).unwrap();
    assert_eq!((address.host.as_str(), address.address.as_deref()), ("half.example.net", Some("192.0.2.11")));
    for (text, url) in [
        ("app-primary.example.com", "https://app-primary.example.com/health"),
        ("http://app-primary.example.com:8080/up?x=1", "http://app-primary.example.com:8080/up?x=1"),
    ] {
        assert_eq!(endpoint::parse(text).unwrap().url(), url);
    }
    for bad in ["", "ftp://a.example.com", "https://", "a b", "localhost"] {
        assert!(endpoint::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_pair_that_leads_to_one_place_is_a_finding_and_tells_nothing_of_the_primary() {
    let mut sets = sets();
    let of =
        |role| move |set: &&mut RecordSet| set.name == name("api.example.net") && set.fails_over() && is(set, role);
    let dr = sets.iter_mut().find(of(Role::Secondary)).unwrap().target.clone();
    sets.iter_mut().find(of(Role::Primary)).unwrap().target = dr;
    let names = [name("api.example.net")];
    let told: Vec<_> = pair::primaries(&sets, &names).filter(|set| !pair::leads_to_dr(&sets, set)).collect();
    assert_eq!(told, Vec::<&RecordSet>::new());
    let proposal = proposed(&Seen { sets, ..seen() }, &["api.example.net"], &[]);
    assert!(said(&proposal, Weight::Keeps).contains("both lead to"), "{}", said(&proposal, Weight::Keeps));
}

fn is(set: &RecordSet, wanted: Role) -> bool {
    matches!(set.routing, Routing::Failover { role, .. } if role == wanted)
}

#[test]
fn the_primary_region_is_what_all_say_with_one_voice() {
    let dr = |sources: &[Source]| {
        sources.iter().map(|source| cluster("eu-central-1", "d", source.clone())).collect::<Vec<_>>()
    };
    let sets = sets();
    let names = [name("checkout.example.net"), name("example.net")];
    let views = NameView::of_names(ZONE, &names, &sets);
    let primaries: Vec<_> = pair::primaries(&sets, &names).collect();
    let region = |said: Option<&str>, in_dr: &[Listed]| {
        choose::primary_region(said, in_dr, &views, &primaries, "eu-central-1").map(|(region, _)| region)
    };
    let (one, other) = (replica_of("eu-west-1", "a"), replica_of("eu-north-1", "b"));
    assert_eq!(region(None, &dr(std::slice::from_ref(&one))).as_deref(), Some("eu-west-1"));
    assert_eq!(region(None, &dr(&[one, other])), None, "two voices");
    assert_eq!(
        region(None, &dr(&[replica_of("eu-central-1", "a")])).as_deref(),
        Some("eu-west-1"),
        "by the load balancer"
    );
    assert_eq!(region(Some("us-east-1"), &[]).as_deref(), Some("us-east-1"));
}
