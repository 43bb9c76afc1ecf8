//! The hold: Holdfast's heartbeat, by which the switch keeps DNS at the primary.
//!
//! The switch is a health check of the PRIMARY records that is healthy while no failover is committed, and there is no outage or Holdfast
//! holds. So while Holdfast lives, users move by its commit alone; if it is dead or blind for five minutes, DNS follows the outage.

use crate::finding::{Finding, Kind, Trigger};
use crate::incident::AlarmState;
use crate::observation::{NameView, in_alarm};
use crate::pin::{HELD_TOO_LONG, Observation};
use crate::plan::Plan;
use crate::register::{Register, Spread};
use crate::rule::Rule;
pub use crate::switch::is_on_switch;

/// What the heartbeat is at the end of a look that saw all it needed: true holds, false lets go. Nothing is said where a hold that had
/// lapsed would take users back to a dead primary: while a pin is on its way, and once the outage has moved them.
#[must_use]
pub fn heartbeat(trigger: Trigger, seen: &Observation, findings: &[Finding]) -> Option<bool> {
    let is_committed = |finding: &Finding| matches!(finding.kind, Kind::Pinned | Kind::Latched);
    let is_pinning = findings.iter().any(is_committed) || seen.names.iter().any(is_on_its_way);
    let has_moved = seen.hold == Some(AlarmState::Alarm) && !in_alarm(&seen.alarms).is_empty();
    (seen.alarms.is_some() && !is_pinning && !has_moved).then(|| !lets_go(trigger, findings))
}

/// True if a name's pin is not known to be at every name server.
fn is_on_its_way(view: &NameView) -> bool {
    match view.register() {
        Some(Register::Pinned { spread, .. }) => !matches!(spread, Spread::InSync { .. }),
        _ => false,
    }
}

/// True if users are to move and Holdfast cannot move them: the pin that it decided is not written, and each tick decides it anew; or if a
/// disagreement has outlasted the plan's limit. What a person approved nobody remembers: the next tick asks again, and holds.
#[must_use]
pub(crate) fn lets_go(trigger: Trigger, findings: &[Finding]) -> bool {
    let is_unwritten = |kind| matches!(kind, Kind::Interrupted | Kind::WriteRefused | Kind::Refused);
    let is_pin = |finding: &Finding| finding.rule() == Some(Rule::P13) && finding.incident.is_some();
    let has_run_out = |finding: &Finding| finding.kind == Kind::Held && finding.id == Some(HELD_TOO_LONG);
    trigger != Trigger::Approval
        && findings.iter().any(|finding| is_pin(finding) && is_unwritten(finding.kind) || has_run_out(finding))
}

/// The health check that a maintenance disables as it begins; none where the switch holds every name anyway. Its end enables the plan's
/// check in any case: records may have been given the switch meanwhile.
#[must_use]
pub fn maintained_check<'a>(plan: &'a Plan, names: &[NameView]) -> Option<&'a str> {
    let is_needed = names.iter().any(|view| !is_on_switch(plan, view));
    plan.failover_health_check.as_deref().filter(|_| is_needed)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::fixture::{app, at, values};
    use crate::incident::{AlarmSighting, Incident};
    use crate::latch;
    use crate::observation::{Attention, Changes, Probes};
    use crate::register::Pin;

    fn seen(alarm: AlarmState, hold: Option<AlarmState>, names: Vec<NameView>) -> Observation {
        let (arn, name, since) = ("a".to_owned(), "started".to_owned(), at(0));
        Observation {
            now: at(60),
            alarms: Some(vec![AlarmSighting { arn, name, state: alarm, since, trouble: None }]),
            hold,
            latch: latch::Reading::NoStore,
            source: crate::listing::Source::Listed,
            probes: Probes::default(),
            names,
            changes: Changes::new(),
            approval: None,
            foreign_alarm: false,
        }
    }

    fn found(kind: Kind, rule: Rule, incident: bool) -> Finding {
        Finding {
            subject: String::new(),
            kind,
            id: Some(rule.alone()),
            because: String::new(),
            attention: Attention::None,
            incident: incident.then(|| Incident { alarm: "started".to_owned(), began: at(0) }),
            since: None,
            despite: BTreeSet::new(),
            facts: Vec::new(),
            next: String::new(),
        }
    }

    #[test]
    fn a_hold_that_lapsed_in_an_outage_comes_back_only_after_it() {
        let held = [found(Kind::ApprovalNeeded, Rule::P12, true)];
        for (alarm, hold, said) in [
            (AlarmState::Alarm, Some(AlarmState::Alarm), None),
            (AlarmState::Alarm, Some(AlarmState::Ok), Some(true)),
            (AlarmState::Alarm, None, Some(true)),
            (AlarmState::Ok, Some(AlarmState::Alarm), Some(true)),
        ] {
            assert_eq!(heartbeat(Trigger::Tick, &seen(alarm, hold, Vec::new()), &held), said, "{alarm:?} {hold:?}");
        }
        let blind = Observation { alarms: None, ..seen(AlarmState::Alarm, None, Vec::new()) };
        assert_eq!(heartbeat(Trigger::Tick, &blind, &held), None, "who does not know of an outage does not hold");
    }

    #[test]
    fn nothing_is_said_while_a_pin_is_on_its_way() {
        let incident = Incident { alarm: "started".to_owned(), began: at(0) };
        let view = |spread| {
            let original = BTreeMap::from([("A".to_owned(), values(60, &["192.0.2.1"]))]);
            let register = Register::Pinned { pin: Pin::new(at(30), incident.clone(), original), spread };
            let set = register.record_set(&app()).unwrap();
            NameView::of_name("Z1", &app(), &[set])
        };
        let stays = [found(Kind::StaysOnDr, Rule::P02, true)];
        for (spread, said) in [
            (Spread::Unrecorded { at: at(30) }, None),
            (Spread::Change { id: "C1".to_owned() }, None),
            (Spread::InSync { at: at(60) }, Some(true)),
        ] {
            assert_eq!(
                heartbeat(Trigger::Tick, &seen(AlarmState::Alarm, None, vec![view(spread.clone())]), &stays),
                said,
                "{spread:?}"
            );
        }
    }

    #[test]
    fn it_holds_whatever_holds_a_failover_and_lets_go_of_what_it_should_have_pinned_and_could_not() {
        let (peace, outage) = (false, true);
        for (story, findings, said) in [
            ("in peace", vec![found(Kind::Nothing, Rule::P06, peace)], Some(true)),
            ("a zone without pairs", vec![], Some(true)),
            ("disarmed", vec![found(Kind::Refused, Rule::P04, outage)], Some(true)),
            ("maintenance", vec![found(Kind::Held, Rule::P05, outage)], Some(true)),
            ("records that cannot be pinned", vec![found(Kind::Refused, Rule::P07, outage)], Some(true)),
            ("a question", vec![found(Kind::ApprovalNeeded, Rule::P08, outage)], Some(true)),
            ("the primary is up", vec![found(Kind::Held, Rule::P09, outage)], Some(true)),
            (
                "for too long",
                vec![Finding { id: Some(Rule::P09.row('c')), ..found(Kind::Held, Rule::P09, outage) }],
                Some(false),
            ),
            ("DR is down", vec![found(Kind::Held, Rule::P10, outage)], Some(true)),
            ("shadow", vec![found(Kind::WouldHavePinned, Rule::P11, outage)], Some(true)),
            ("a rehearsal that is refused", vec![found(Kind::WriteRefused, Rule::P14, peace)], Some(true)),
            ("pinned long ago", vec![found(Kind::StaysOnDr, Rule::P02, outage)], Some(true)),
            ("the pin", vec![found(Kind::Pinned, Rule::P13, outage)], None),
            (
                "some are pinned",
                vec![found(Kind::Pinned, Rule::P13, outage), found(Kind::WriteRefused, Rule::P13, outage)],
                None,
            ),
            (
                "the latch is closed, and Route 53 does not answer",
                vec![found(Kind::Interrupted, Rule::P13, outage), found(Kind::Latched, Rule::P13, outage)],
                None,
            ),
            ("Route 53 refuses the pin", vec![found(Kind::WriteRefused, Rule::P13, outage)], Some(false)),
            ("Route 53 does not answer", vec![found(Kind::Interrupted, Rule::P13, outage)], Some(false)),
            ("a maintenance whose end is refused", vec![found(Kind::WriteRefused, Rule::P05, outage)], Some(true)),
            ("what was left to people", vec![found(Kind::WriteRefused, Rule::P03, outage)], Some(true)),
            ("the pin cannot be written", vec![found(Kind::Refused, Rule::P13, outage)], Some(false)),
            (
                "one of two",
                vec![found(Kind::StaysOnDr, Rule::P02, outage), found(Kind::WriteRefused, Rule::P13, outage)],
                Some(false),
            ),
        ] {
            assert_eq!(
                heartbeat(Trigger::Tick, &seen(AlarmState::Alarm, Some(AlarmState::Ok), Vec::new()), &findings),
                said,
                "{story}"
            );
        }
        let refused = [found(Kind::WriteRefused, Rule::P13, outage)];
        let of_approval = heartbeat(Trigger::Approval, &seen(AlarmState::Alarm, None, Vec::new()), &refused);
        assert_eq!(of_approval, Some(true), "the next tick asks again");
    }
}
