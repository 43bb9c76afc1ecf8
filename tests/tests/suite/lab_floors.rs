//! The floors of the lab: what all stand on, services that do not know one another, and the rooms above that know them all. What one service
//! causes in another goes through the room above (`world`) as a message.

use std::collections::BTreeSet;

use crate::circles::imports;

/// What all stand on.
const GROUND: [&str; 10] = ["api", "arn", "clock", "fault", "id", "journal", "mariadb", "message", "regional", "wire"];

/// What may know every service: it carries messages, deploys, is the endpoint, takes orders, or is the crate's root.
const ABOVE: [&str; 5] = ["control", "front", "lib", "template", "world"];

/// Services that read what another one has, and why. The rest know the ground alone.
const KNOWN: [(&str, &str, &str); 10] = [
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
];

/// A site is no service of AWS: it is a workload, and writes to its region's database.
const WORKLOAD: (&str, &str) = ("site", "rds");

#[test]
fn a_service_of_the_lab_knows_the_ground_and_no_other_service_but_those_it_is_built_on() {
    let lab = imports("lab");
    let ground: BTreeSet<_> = GROUND.into();
    for module in GROUND.iter().chain(&ABOVE) {
        assert!(lab.contains_key(*module), "the lab has no module {module}");
    }
    let between = lab.iter().filter(|(module, _)| !ABOVE.contains(&module.as_str())).flat_map(|(module, imported)| {
        let others = imported.iter().filter(|other| !ground.contains(other.as_str()));
        others.map(move |other| (module.as_str(), other.as_str()))
    });
    let between: BTreeSet<_> = between.collect();
    let known: BTreeSet<_> = KNOWN.iter().map(|(one, other, _)| (*one, *other)).chain([WORKLOAD]).collect();
    assert_eq!(
        between, known,
        "left: what modules of the lab know of one another; right: what they may. Let `world` carry a message instead"
    );
}
