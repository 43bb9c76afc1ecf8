//! Before a database is promoted or a health check disabled: whether Route 53 would take the records at all.
//!
//! A zone may be locked, a name protected; then a failback would leave a promoted database behind it, and users elsewhere.

use aws::zone::{self, Features, Protection};
use failover::observation::NameView;
use failover::order::Order;
use failover::pin::Observation;

use crate::failure::Failure;
use crate::readiness::{doubtful_guardrails, in_the_way, in_words, lift};
use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// Refuses an order that would take names out of a failover that the latch has committed and no pin holds yet: the switch sends their users
/// to DR whatever registers say, and nobody would pin them any more.
pub fn uncommitted(seen: &Observation, order: &Order) -> Result<(), Failure> {
    let takes_out = matches!(order, Order::Arm | Order::Disarm { .. } | Order::Pause { .. } | Order::Reject { .. });
    let unpinned = seen.names.iter().filter(|view| view.pin().is_none()).count();
    match seen.latch.closed().filter(|_| takes_out && unpinned > 0) {
        None => Ok(()),
        Some(latch) => Err(Failure::Refused(format!(
            "nothing was changed: the failover of {} is committed by the latch, and {unpinned} names wait for their pins; Holdfast writes them \
             as soon as Route 53 takes them, and holdfast failback brings users home (or holdfast unlatch takes it back, while nothing is promoted)",
            latch.incident
        ))),
    }
}

/// Refuses if Route 53 would refuse; says so where that is not known.
pub async fn writable(workload: &Workload, terminal: &Terminal, names: &[NameView]) -> Result<(), Failure> {
    let mut refusals = Vec::new();
    for zone in workload.plan.zones.iter().map(|zone| &zone.id) {
        match zone::protections(&workload.session, zone).await {
            Ok(protections) => refusals.extend(protected(names, zone, &protections)),
            Err(error) => not_known(terminal, zone, "whether its records are protected", &error),
        }
        match zone::features(&workload.session, zone).await {
            Ok(features) => {
                refusals.extend(locked(zone, &features));
                for guardrail in doubtful_guardrails(&features) {
                    terminal.say(format!(
                        "{WARNING}zone {zone}{WARNING:#} has the change guardrail {guardrail}, which may refuse the records: switch it \
                         off before a database is promoted"
                    ));
                }
            }
            Err(error) => not_known(terminal, zone, "whether it is locked", &error),
        }
    }
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(Failure::Refused(format!(
            "nothing was changed: Route 53 would not take the records\n{}",
            refusals.join("\n")
        ))),
    }
}

fn not_known(terminal: &Terminal, zone: &str, what: &str, error: &aws::CallError) {
    terminal.say(format!("{WARNING}zone {zone}{WARNING:#}: {what} is not known: {error}"));
}

fn protected(names: &[NameView], zone: &str, protections: &[Protection]) -> Vec<String> {
    let refusal = |protection| format!("  {}; {}", in_words(protection), lift(zone, protection));
    in_the_way(names, zone, protections).into_iter().map(refusal).collect()
}

fn locked(zone: &str, features: &Features) -> Option<String> {
    let status = features.accelerated_recovery.as_ref().filter(|status| status.ends_with("_LOCKED"))?;
    Some(format!("  zone {zone} is locked ({status}); wait until accelerated recovery is ENABLED or DISABLED"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_zone_and_a_protected_register_are_refusals_and_others_protections_are_not() {
        let locked_zone =
            Features { accelerated_recovery: Some("DISABLING_HOSTED_ZONE_LOCKED".to_owned()), ..Features::default() };
        assert!(locked("Z1", &locked_zone).is_some_and(|said| said.contains("zone Z1 is locked")));
        let enabled = Features { accelerated_recovery: Some("ENABLED".to_owned()), ..Features::default() };
        assert_eq!(locked("Z1", &enabled), None);
        let names = [NameView::of_name("Z1", &"a.example.com".parse().unwrap(), &[])];
        let of = |record_name: &str, record_type: &str| Protection {
            record_name: record_name.to_owned(),
            record_type: record_type.to_owned(),
            comment: String::new(),
        };
        let protections = [of("_holdfast.a.example.com.", "TXT"), of("mail.example.com.", "MX")];
        let refusals = protected(&names, "Z1", &protections);
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        assert!(refusals[0].contains("delete-resource-record-set-protections"), "{refusals:?}");
        assert_eq!(protected(&names, "Z2", &protections), [""; 0]);
    }
}
