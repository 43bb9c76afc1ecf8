//! What records would do by themselves, whatever Holdfast decides.

use std::collections::BTreeMap;

use failover::name::Name;
use failover::observation::NameView;
use failover::pin::fault;
use failover::plan::{Names, Plan, Zone};
use failover::record::{PINNED_TYPES, Pair, RecordSet, Target, Warning};

use super::Readiness;

impl Readiness {
    pub(super) fn judge_records(&mut self, plan: &Plan, names: &[NameView]) {
        let is_empty = |zone: &&Zone| zone.names == Names::EveryPair && names.iter().all(|view| view.zone != zone.id);
        for Zone { id, .. } in plan.zones.iter().filter(is_empty) {
            self.report(
                Some(format!("zone {id}")),
                "has no failover pair, though RecordNames=ALL is to protect every pair in it: an outage would move nobody",
                "make the pairs (holdfast init has the change batch), or give the names",
            );
        }
        for view in names {
            if let Some(fault) = fault(plan, view) {
                self.report(Some(view.name.to_string()), "can be neither armed nor pinned", fault.to_string());
            }
        }
        let pairs = || names.iter().flat_map(|view| view.pairs.iter().flatten());
        self.report(
            records("SECONDARY", pairs().map(Pair::secondary).filter(|set| set.health_check.is_some())),
            "has a health check: should it fail while the primary is down, Route 53 answers with the primary",
            "remove the health check from the SECONDARY record, so that DR is always an answer",
        );
        self.report(
            records("PRIMARY", pairs().map(Pair::primary).filter(|set| goes_by_target(set))),
            "has EvaluateTargetHealth: the load balancer's health moves DNS within a minute, and back, without Holdfast",
            "set EvaluateTargetHealth to false: the health check decides for the PRIMARY record",
        );
        self.report(
            records("SECONDARY", pairs().map(Pair::secondary).filter(|set| goes_by_target(set))),
            "has EvaluateTargetHealth: should DR's targets fail while the primary is down, Route 53 answers with the primary",
            "set EvaluateTargetHealth to false, so that DR is always an answer",
        );
        let others = names.iter().flat_map(|view| view.left_alone.iter().map(|kind| (&view.name, kind.as_str())));
        if let Some(pairs) = named("failover pair", others) {
            let seen = format!(
                "is left alone: Holdfast pins {} records only. Route 53 moves it by its own health check, and back as soon as that recovers",
                PINNED_TYPES.join(", ")
            );
            let remedy = "nothing, if either site may serve it at any time; else make it a simple record whose values name hosts that Holdfast \
                          protects";
            self.advise(pairs, seen, remedy);
        }
        let warnings = || names.iter().flat_map(|view| &view.warnings);
        let hints = warnings().filter_map(|warning| match warning {
            Warning::Hints { name, kind } => Some((name, kind.as_str())),
            _ => None,
        });
        self.report(
            named("record", hints),
            "tells browsers addresses (ipv4hint, ipv6hint), which stay when the name is pinned",
            "take the hints out of it",
        );
        let nowhere = warnings().filter_map(|warning| match warning {
            Warning::LeadsNowhere { name, kind } => Some((name, kind.as_str())),
            _ => None,
        });
        self.report(
            named("PRIMARY record", nowhere),
            "is an alias that leads to no record of its zone: nobody knows how long resolvers keep the answer",
            "create the record that it leads to",
        );
    }
}

fn goes_by_target(set: &RecordSet) -> bool {
    matches!(set.target, Target::Alias { evaluate_health: true, .. })
}

/// Record sets in words: the first of them, and how many more there are; nothing if there are none.
pub(super) fn records<'a>(role: &str, sets: impl Iterator<Item = &'a RecordSet>) -> Option<String> {
    named(&format!("{role} record"), sets.map(|set| (&set.name, set.kind.as_str())))
}

/// The same of whatever has a name and a type.
fn named<'a>(what: &str, sets: impl Iterator<Item = (&'a Name, &'a str)>) -> Option<String> {
    let mut of_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    sets.for_each(|(name, kind)| of_name.entry(name.to_string()).or_default().push(kind));
    let (name, kinds) = of_name.first_key_value()?;
    let more = if of_name.len() > 1 { format!(" and of {} more names", of_name.len() - 1) } else { String::new() };
    Some(format!("{what} of {name} {}{more}", kinds.join(", ")))
}

#[cfg(test)]
mod tests {
    use failover::record::{Role, Routing};

    use super::super::Weight;
    use super::super::tests::{judged_by, judged_with, only, plan, set};
    use super::*;

    fn view(sets: &[RecordSet]) -> NameView {
        NameView::of_name("Z1", &"a.example.com".parse().unwrap(), sets)
    }

    fn alias(role: Role, evaluate_health: bool) -> RecordSet {
        let name = format!("{role:?}.elb.amazonaws.com");
        let target = Target::Alias { zone: "Z2".to_owned(), name, evaluate_health };
        RecordSet { target, ..set("a.example.com", role, (role == Role::Primary).then_some("hc")) }
    }

    fn beside(kind: &str, value: &str) -> RecordSet {
        let target = Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] };
        RecordSet {
            kind: kind.to_owned(),
            routing: Routing::Simple,
            target,
            ..set("a.example.com", Role::Primary, None)
        }
    }

    #[test]
    fn whatever_moves_a_name_besides_its_health_check_or_keeps_it_from_being_armed_is_a_shortcoming() {
        let pair = |primary, secondary| vec![alias(Role::Primary, primary), alias(Role::Secondary, secondary)];
        let same = [Role::Primary, Role::Secondary]
            .map(|role| set("a.example.com", role, (role == Role::Primary).then_some("hc")));
        let same = same.map(|set| RecordSet {
            target: Target::Values { ttl_seconds: 30, values: vec!["192.0.2.1".to_owned()] },
            ..set
        });
        for (sets, words) in [
            (pair(true, false), ["PRIMARY record of a.example.com A", "moves DNS within a minute"]),
            (pair(false, true), ["SECONDARY record of a.example.com A", "answers with the primary"]),
            (vec![alias(Role::Primary, false)], ["can be neither armed nor pinned", "no Secondary record"]),
            (same.to_vec(), ["can be neither armed nor pinned", "both lead to 192.0.2.1"]),
            (
                [pair(false, false), vec![beside("HTTPS", "1 . ipv4hint=192.0.2.1")]].concat(),
                ["record of a.example.com HTTPS", "browsers"],
            ),
            (
                [pair(false, false), vec![beside("HTTPS", "1 primary.example.com.")]].concat(),
                ["neither armed nor pinned", "HTTPS"],
            ),
        ] {
            let readiness = judged_with(|around| around.names = vec![view(&sets)]);
            let told = only(&readiness);
            assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told}");
            assert_eq!(readiness.promotion_seconds, None);
        }
    }

    #[test]
    fn failover_pairs_of_types_that_nobody_pins_are_told_in_peace_and_keep_nothing_from_failing_over() {
        let halves = |kind: &str| {
            [Role::Primary, Role::Secondary].map(|role| {
                let check = (role == Role::Primary).then_some("hc");
                RecordSet { kind: kind.to_owned(), ..set("a.example.com", role, check) }
            })
        };
        for kind in ["CAA", "MX", "SRV", "TXT"] {
            let sets =
                [vec![alias(Role::Primary, false), alias(Role::Secondary, false)], halves(kind).to_vec()].concat();
            let readiness = judged_with(|around| around.names = vec![view(&sets)]);
            let told = only(&readiness);
            let pair = format!("failover pair of a.example.com {kind}");
            let words = [pair.as_str(), "left alone", "A, AAAA, CNAME"];
            assert!(words.iter().all(|word| told.contains(*word)), "{words:?} in {told}");
            assert_eq!(readiness.shortcomings[0].weight, Weight::Advises);
            assert!(readiness.promotion_seconds.is_some(), "A and AAAA are failed over all the same");
        }
    }

    #[test]
    fn a_zone_of_which_every_pair_is_protected_has_one() {
        let zone = |id: &str, names| Zone { id: id.to_owned(), names };
        let listed = Names::Listed(vec!["a.example.com".parse().unwrap()]);
        let zones = vec![zone("Z1", Names::EveryPair), zone("Z2", listed), zone("Z3", Names::EveryPair)];
        let plan = Plan { zones, ..plan() };
        let told = only(&judged_by(&plan, |_| {}));
        assert!(told.contains("zone Z3 has no failover pair"), "{told}");
    }

    #[test]
    fn what_nobody_finds_an_address_by_may_stand_beside_a_pair() {
        let sets = vec![
            alias(Role::Primary, false),
            alias(Role::Secondary, false),
            beside("MX", "10 mail."),
            beside("HTTPS", "1 ."),
        ];
        let readiness = judged_with(|around| around.names = vec![view(&sets)]);
        assert_eq!(readiness.shortcomings, []);
    }
}
