//! Which names would not fail over if the alarm rang now: counted every minute, so that an alarm of AWS's own can ring.

use crate::incident::{AlarmSighting, AlarmState};
use crate::observation::{NameView, Probe, Probes, Silence, Targets};
use crate::pin::{Observation, Verdict, decide_among};
use crate::plan::{Plan, alarm_name};
use crate::register::Register;

/// The names that would not be pinned in an outage that began now, by the pin rules themselves: not armed, malformed, held by
/// a probe, or watched by no alarm that can ring. A name in maintenance is none of them, nor one that would ask a person.
#[must_use]
pub fn unready<'a>(plan: &Plan, seen: &'a Observation) -> Vec<&'a NameView> {
    let ringing = plan.alarms.iter().filter_map(|arn| {
        let name = alarm_name(arn)?.to_owned();
        Some(AlarmSighting { arn: arn.clone(), name, state: AlarmState::Alarm, since: seen.now, trouble: None })
    });
    // In an outage the primary is silent; a probe that tells nothing now will tell nothing then.
    let primary = match seen.probes.primary {
        Probe::Answers => Probe::Silent(Silence::TimedOut),
        probe => probe,
    };
    // What steps may raise is raised by then.
    let targets = seen.probes.targets;
    let targets = if targets.would_hold(plan.prepares) { targets } else { Targets::NotAsked };
    let outage = Observation {
        alarms: Some(ringing.collect()),
        probes: Probes { primary, dr: seen.probes.dr, targets },
        approval: None,
        hold: None,
        foreign_alarm: false,
        ..seen.clone()
    };
    let committed = seen.committed();
    let is_watched = is_watched(plan, seen);
    let is_unready = |view: &&NameView| match decide_among(plan, &outage, view, &committed).row.verdict {
        Verdict::Refuse | Verdict::Nothing | Verdict::Wait => true,
        Verdict::Hold => !matches!(view.register(), Some(Register::Paused { .. })),
        Verdict::Pin | Verdict::WouldPin | Verdict::Ask => !is_watched,
        Verdict::Stay | Verdict::Confirm | Verdict::Follow | Verdict::Repin => false,
        Verdict::Yield | Verdict::LeaveSwapped | Verdict::Warn | Verdict::Remember => false,
        Verdict::Arm(_) | Verdict::ArmRehearsing(_) | Verdict::Rehearse => false,
    };
    seen.names.iter().filter(is_unready).collect()
}

/// True if some alarm is known to be able to ring. While CloudWatch does not answer, nobody knows; the alarm waits for half an hour of that.
fn is_watched(plan: &Plan, seen: &Observation) -> bool {
    let can_ring =
        |alarm: &AlarmSighting| alarm.watches(plan) && matches!(alarm.state, AlarmState::Ok | AlarmState::Alarm);
    seen.alarms.as_ref().is_some_and(|alarms| alarms.iter().any(can_ring))
}
