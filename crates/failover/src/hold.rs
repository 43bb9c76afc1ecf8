//! The hold: Holdfast's heartbeat, by which the switch keeps DNS at the primary.
//!
//! The switch is a health check of the PRIMARY records that is healthy while there is no outage or Holdfast holds. So while Holdfast
//! lives, users move by its pin alone; if it is dead or blind for five minutes, DNS follows the outage.

use crate::observation::NameView;
use crate::outcome::{Finding, Kind};
use crate::plan::Plan;
use crate::record::Pair;
use crate::rule::Rule;

/// What the heartbeat is at the end of a look that saw all it needed: true holds, false lets go, and nothing is said while the pin
/// moves users. Said then, a hold that had lapsed would take them back to the primary until the pin has spread.
#[must_use]
pub fn heartbeat(findings: &[Finding]) -> Option<bool> {
    if findings.iter().any(|finding| finding.kind == Kind::Pinned) {
        return None;
    }
    Some(!lets_go(findings))
}

/// True if users are to move and Holdfast cannot move them: what it decided is not written.
#[must_use]
pub(crate) fn lets_go(findings: &[Finding]) -> bool {
    let is_unwritten = |finding: &Finding| match finding.kind {
        Kind::Interrupted | Kind::WriteRefused => true,
        Kind::Refused => finding.rule == Some(Rule::P13),
        _ => false,
    };
    findings.iter().any(|finding| finding.incident.is_some() && is_unwritten(finding))
}

/// True if the switch decides where the users of all of this name's records go.
#[must_use]
pub fn is_on_switch(plan: &Plan, view: &NameView) -> bool {
    let is_on = |pair: &Pair| pair.primary().health_check == plan.switch;
    plan.switch.is_some() && view.pairs.as_ref().is_ok_and(|pairs| pairs.iter().all(is_on))
}

/// The health check that a maintenance disables; none where the switch holds every name anyway.
#[must_use]
pub fn maintained_check<'a>(plan: &'a Plan, names: &[NameView]) -> Option<&'a str> {
    let is_needed = names.iter().any(|view| !is_on_switch(plan, view));
    plan.failover_health_check.as_deref().filter(|_| is_needed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixture::at;
    use crate::incident::Incident;
    use crate::observation::Attention;

    fn found(kind: Kind, rule: Rule, incident: bool) -> Finding {
        Finding {
            subject: String::new(),
            kind,
            rule: Some(rule),
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
            ("Route 53 refuses the pin", vec![found(Kind::WriteRefused, Rule::P13, outage)], Some(false)),
            ("Route 53 does not answer", vec![found(Kind::Interrupted, Rule::P13, outage)], Some(false)),
            ("the pin cannot be written", vec![found(Kind::Refused, Rule::P13, outage)], Some(false)),
            (
                "one of two",
                vec![found(Kind::StaysOnDr, Rule::P02, outage), found(Kind::WriteRefused, Rule::P13, outage)],
                Some(false),
            ),
        ] {
            assert_eq!(heartbeat(&findings), said, "{story}");
        }
    }
}
