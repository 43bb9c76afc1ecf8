//! What the hosted zones themselves would do to a pin.

use std::collections::BTreeSet;

use aws::CallError;
use aws::zone::{Features, Protection};
use failover::name::Name;
use failover::observation::NameView;

use super::Readiness;

/// Types of which a protected name's pairs and what people put beside them may be; its register is TXT.
const REGISTER_TYPE: &str = "TXT";

/// Guardrails that look at each DELETE by itself. Whether a CREATE of the same set in the same batch excuses it, AWS does not say.
const DOUBTFUL_GUARDRAILS: [&str; 2] = ["ALIAS_TARGET_CHECK", "ACTIVE_RECORD_CHECK"];

/// What Route 53 says of one zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its id.
    pub id: String,
    /// Its record set protections.
    pub protections: Result<Vec<Protection>, CallError>,
    /// What is switched on in it.
    pub features: Result<Features, CallError>,
}

/// A protection that stands in the way of Holdfast's own writes, and of what.
pub fn in_the_way<'a>(names: &[NameView], zone: &str, protections: &'a [Protection]) -> Vec<&'a Protection> {
    let mut written: BTreeSet<(Name, String)> = BTreeSet::new();
    for view in names.iter().filter(|view| view.zone == zone) {
        written.insert((view.name.register(), REGISTER_TYPE.to_owned()));
        written.extend(view.pairs.iter().flatten().map(|pair| (view.name.clone(), pair.primary().kind.clone())));
    }
    let is_written = |protection: &&Protection| {
        let name = protection.record_name.parse::<Name>();
        name.is_ok_and(|name| written.contains(&(name, protection.record_type.clone())))
    };
    protections.iter().filter(is_written).collect()
}

/// How a protection is lifted.
pub fn lift(zone: &str, protection: &Protection) -> String {
    let Protection { record_name, record_type, .. } = protection;
    format!(
        "aws route53 delete-resource-record-set-protections --hosted-zone-id {zone} --protections \
         RecordName={record_name},RecordType={record_type}"
    )
}

/// A protection, and why it is there, in words.
pub fn in_words(protection: &Protection) -> String {
    let Protection { record_name, record_type, comment } = protection;
    let why = if comment.is_empty() { String::new() } else { format!(" (\"{comment}\")") };
    format!("{record_name} {record_type} is protected{why}")
}

/// The guardrails that are on, of those that look at each deletion.
pub fn doubtful_guardrails(features: &Features) -> impl Iterator<Item = &'static str> {
    DOUBTFUL_GUARDRAILS.into_iter().filter(|name| features.guardrails.get(*name).is_some_and(|it| it != "DISABLED"))
}

impl Readiness {
    pub(super) fn judge_zone(&mut self, names: &[NameView], zone: &Zone) {
        let Zone { id, protections, features } = zone;
        match protections {
            Ok(protections) => {
                for protection in in_the_way(names, id, protections) {
                    self.report(
                        Some(format!("zone {id}")),
                        format!(
                            "{}: Route 53 refuses whatever changes it, the pin too, from everybody",
                            in_words(protection)
                        ),
                        lift(id, protection),
                    );
                }
            }
            Err(error) => self.unknown(
                format!("zone {id}"),
                format!("whether its records are protected against changes is not known: {error}"),
                "the command line needs route53:ListResourceRecordSetProtections",
            ),
        }
        match features {
            Ok(features) => self.judge_features(id, features),
            Err(error) => self.unknown(
                format!("zone {id}"),
                format!("its guardrails and accelerated recovery are not known: {error}"),
                "the command line needs route53:GetHostedZone",
            ),
        }
    }

    fn judge_features(&mut self, zone: &str, features: &Features) {
        let Features { is_private, accelerated_recovery, .. } = features;
        for guardrail in doubtful_guardrails(features) {
            self.report(
                Some(format!("zone {zone}")),
                format!("has the change guardrail {guardrail}, which looks at each deletion: it may refuse Holdfast's batches, which \
                         delete a record and create it anew"),
                "arm a name and wait for a rehearsal of the pin, or switch the guardrail off",
            );
        }
        match accelerated_recovery.as_deref() {
            Some(locked) if locked.ends_with("_LOCKED") => self.report(
                Some(format!("zone {zone}")),
                format!("is locked ({locked}): no record of it can be changed now, so no name can be pinned"),
                "wait until it is ENABLED or DISABLED: aws route53 get-hosted-zone",
            ),
            Some("ENABLED" | "ENABLING") => {}
            _ if *is_private => self.advise(
                format!("zone {zone}"),
                "is private, and accelerated recovery is for public zones: while us-east-1 is impaired, a pin waits",
                "nothing is to be done",
            ),
            status => {
                let status = status.map_or(String::new(), |status| format!(" ({status})"));
                self.advise(
                    format!("zone {zone}"),
                    format!("has no accelerated recovery{status}: while us-east-1 is impaired, a pin waits"),
                    format!(
                        "aws route53 update-hosted-zone-features --hosted-zone-id {zone} --enable-accelerated-recovery (in peace: it takes \
                         about an hour, and cannot be switched on in an outage)"
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{judged_with, said};
    use super::*;

    fn protection(record_name: &str, record_type: &str) -> Protection {
        let [record_name, record_type, comment] = [record_name, record_type, "ask ops"].map(str::to_owned);
        Protection { record_name, record_type, comment }
    }

    fn zone(change: impl FnOnce(&mut Zone)) -> Zone {
        let features = Features { accelerated_recovery: Some("ENABLED".to_owned()), ..Features::default() };
        let mut zone = Zone { id: "Z1".to_owned(), protections: Ok(Vec::new()), features: Ok(features) };
        change(&mut zone);
        zone
    }

    fn refused() -> CallError {
        CallError::Refused { call: "X", code: "AccessDenied".to_owned(), message: "no".to_owned() }
    }

    fn with_features(change: impl FnOnce(&mut Features)) -> Zone {
        zone(|zone| change(zone.features.as_mut().unwrap()))
    }

    #[test]
    fn what_would_refuse_the_pin_is_said_before_the_outage_and_no_minutes_are_promised() {
        for (zone, words) in [
            (
                zone(|it| it.protections = Ok(vec![protection("a.example.com.", "A")])),
                [
                    "a.example.com. A is protected (\"ask ops\")",
                    "delete-resource-record-set-protections --hosted-zone-id Z1",
                ],
            ),
            (
                zone(|it| it.protections = Ok(vec![protection("_holdfast.b.example.com.", "TXT")])),
                ["_holdfast.b.example.com.", "RecordType=TXT"],
            ),
            (
                with_features(|it| it.accelerated_recovery = Some("ENABLING_HOSTED_ZONE_LOCKED".to_owned())),
                ["is locked", "no name can be pinned"],
            ),
            (
                with_features(|it| drop(it.guardrails.insert("ACTIVE_RECORD_CHECK".to_owned(), "ENABLED".to_owned()))),
                ["ACTIVE_RECORD_CHECK", "rehearsal"],
            ),
        ] {
            let readiness = judged_with(|around| around.zones = vec![zone]);
            assert_eq!(readiness.promotion_seconds, None, "{words:?}");
            assert!(words.iter().all(|word| said(&readiness).contains(word)), "{words:?} in {}", said(&readiness));
        }
    }

    #[test]
    fn what_is_no_matter_of_the_pins_is_not_said() {
        let others = vec![
            protection("mail.example.com.", "MX"),
            protection("a.example.com.", "MX"),
            protection("c.example.com.", "A"),
        ];
        let off =
            |it: &mut Features| drop(it.guardrails.insert("ALIAS_TARGET_CHECK".to_owned(), "DISABLED".to_owned()));
        for zone in [zone(|it| it.protections = Ok(others)), with_features(off)] {
            assert_eq!(said(&judged_with(|around| around.zones = vec![zone])), "");
        }
    }

    #[test]
    fn accelerated_recovery_is_advised_and_what_cannot_be_asked_is_not_known() {
        for (zone, words) in [
            (with_features(|it| it.accelerated_recovery = None), "--enable-accelerated-recovery"),
            (with_features(|it| it.accelerated_recovery = Some("ENABLE_FAILED".to_owned())), "ENABLE_FAILED"),
            (with_features(|it| *it = Features { is_private: true, ..Features::default() }), "is private"),
            (zone(|it| it.protections = Err(refused())), "not known: X was refused"),
            (zone(|it| it.features = Err(refused())), "accelerated recovery are not known"),
        ] {
            let readiness = judged_with(|around| around.zones = vec![zone]);
            assert!(said(&readiness).contains(words), "{words} in {}", said(&readiness));
            assert!(readiness.promotion_seconds.is_some(), "{words}");
            assert!(!readiness.shortcomings.iter().all(|it| it.weight == super::super::Weight::Keeps));
        }
    }
}
