//! The floors of the lab: what all stand on, services that do not know one another, and the rooms above that know them all. What one service
//! causes in another goes through the room above (`world`) as a message.

use std::collections::BTreeSet;

use crate::circles::{Imports, imports, texts};

/// What all stand on.
const GROUND: [&str; 10] = ["api", "arn", "clock", "fault", "id", "journal", "message", "regional", "servers", "wire"];

/// What may know every service: it carries messages, deploys, is the endpoint, takes orders, or is the crate's root.
const ABOVE: [&str; 5] = ["control", "front", "lib", "template", "world"];

/// Services that read what another one has, and why. The rest know the ground alone.
const KNOWN: [(&str, &str, &str); 11] = [
    ("health", "cloudwatch", "a health check copies an alarm's settings and hears its metric's verdict"),
    ("route53", "cloudwatch", "the same, when a health check is made"),
    ("route53", "health", "Route 53's API makes health checks, and records refer to them"),
    ("dns", "route53", "name servers answer with the zones' records"),
    ("dns", "health", "and with those that are healthy"),
    ("checkers", "cloudwatch", "Route 53 monitors the data stream of a metric, not the state of its alarm"),
    ("checkers", "health", "they look at endpoints and tell what they saw"),
    ("checkers", "route53", "which has the health checks, and resolves the names that they look at"),
    ("elb", "route53", "a load balancer has a name in a zone of AWS's own"),
    ("elb", "site", "its listener answers for a page that is out of order"),
    ("site", "rds", "it is no service but a workload, and writes to its region's database"),
];

/// Which module above the ground each module but those at the top knows.
fn between(lab: &Imports) -> BTreeSet<(&str, &str)> {
    let below = lab.iter().filter(|(module, _)| !ABOVE.contains(&module.as_str()));
    below
        .flat_map(|(module, imported)| imported.iter().map(|other| (module.as_str(), other.as_str())))
        .filter(|(_, other)| !GROUND.contains(other))
        .collect()
}

#[test]
fn a_service_of_the_lab_knows_the_ground_and_no_other_service_but_those_it_is_built_on() {
    let lab = imports("lab");
    for module in GROUND.iter().chain(&ABOVE) {
        assert!(lab.contains_key(*module), "the lab has no module {module}");
    }
    let known: BTreeSet<_> = KNOWN.iter().map(|(one, other, _)| (*one, *other)).collect();
    assert_eq!(
        between(&lab),
        known,
        "left: what modules of the lab know of one another; right: what they may. Let `world` carry a message instead"
    );
}

#[test]
fn a_service_that_knows_another_or_ground_that_knows_a_service_is_noticed() {
    let to = |modules: &[&str]| modules.iter().map(|&module| module.to_owned()).collect();
    let mut lab: Imports =
        [("sqs".to_owned(), to(&["arn", "message"])), ("world".to_owned(), to(&["sqs", "sns"]))].into();
    assert_eq!(between(&lab), BTreeSet::new());
    lab.insert("sns".to_owned(), to(&["arn", "sqs"]));
    lab.insert("fault".to_owned(), to(&["front"]));
    assert_eq!(between(&lab), [("fault", "front"), ("sns", "sqs")].into());
}

/// The other tests find what is read of a lab by that name.
#[test]
fn what_is_handed_a_lab_calls_it_lab() {
    let handed = |code: &str| -> Vec<String> {
        let names = [": &Lab", ": &Arc<Lab>", ": Arc<Lab>", ": Weak<Lab>"];
        let before = names.iter().flat_map(|kind| code.match_indices(kind)).map(|(at, _)| &code[..at]);
        before
            .map(|text| text.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(handed("fn a(lab: &Lab, of: &Arc<Lab>) {} struct B { it: Weak<Lab> }"), ["lab", "of", "it"]);
    let all: Vec<_> = texts("lab").iter().flat_map(|text| handed(text)).collect();
    assert!(all.len() > 100, "only {} are handed a lab", all.len());
    assert!(all.iter().all(|name| name == "lab"), "{all:?}");
}
