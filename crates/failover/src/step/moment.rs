//! Whether steps are due now, by what is known of the outage and of the failover.

use jiff::Timestamp;

use super::{List, Steps};
use crate::incident::{AlarmSighting, AlarmState, EvaluationTrouble, Incident};
use crate::latch::{self, Reading};
use crate::observation::{Alarms, Fact, NameView, elapsed, in_alarm};
use crate::plan::{Mode, Plan, alarm_name};
use crate::register::Register;

/// How long the primary must have been well, and every name armed or disarmed, before what was prepared is undone: one that comes and
/// goes must not scale DR up and down all the while. Tags know no compare-and-swap, so it is also longer than any invocation may last that decided by
/// what was before: none can change a resource whose record another has just taken off.
pub const CALM_SECONDS: u32 = 300;

/// The same where the observer feeds the site-down alarm, which stays OK if the observer hears nothing any more. Its blindness rings only
/// after five minutes, and a minute or two more until CloudWatch has judged them.
pub const CALM_SECONDS_OF_OBSERVER: u32 = 480;

/// What was seen of the outage and of the failover.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// AWS's time.
    pub now: Timestamp,
    /// The alarms that start a failover, and the site-down alarm, as far as CloudWatch told.
    pub alarms: &'a Alarms,
    /// The protected names, or why they are not known.
    pub names: Result<&'a [NameView], &'a str>,
    /// The latch.
    pub latch: &'a Reading,
}

/// Whether the steps of a list are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its resources are to be as they are wanted.
    Yes(Incident),
    /// All is well with the primary, and nobody is on DR: what was changed is undone.
    No,
    /// Neither: nothing is changed.
    Undecided,
}

impl Due {
    pub(super) fn incident(&self) -> Option<&Incident> {
        match self {
            Self::Yes(incident) => Some(incident),
            Self::No | Self::Undecided => None,
        }
    }
}

/// Why nothing is changed though it would be.
///
/// In the order in which one of them is told where names differ: a name that may be armed is to be known first, and a maintenance is
/// what people will remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forbidden {
    /// The plan says shadow.
    Shadow,
    /// It is not known whether some name is armed: neither Route 53 nor name servers told its register.
    NotKnown,
    /// A maintenance is under way.
    Maintenance,
    /// Somebody switched Holdfast off, or it never was on.
    Disarmed,
}

/// What holds for all steps of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Whether the steps of `Prepare` are due.
    pub prepare: Due,
    /// Whether the steps of `After` are due.
    pub after: Due,
    /// Why nothing may be changed, if so.
    pub forbidden: Option<Forbidden>,
    /// CloudWatch has no site-down alarm by that name.
    pub lacks_alarm: bool,
    /// What it was judged by.
    pub facts: Vec<Fact>,
    /// The bus of the stack that looks.
    pub bus: String,
}

impl Moment {
    /// Judges.
    #[must_use]
    pub fn of(plan: &Plan, steps: &Steps, world: &World<'_>) -> Self {
        let committed = committed(world);
        let rests = || if is_calm(plan, steps, world) { Due::No } else { Due::Undecided };
        let down = || outage(plan, steps, world);
        let prepare = committed.clone().or_else(down).map_or_else(rests, Due::Yes);
        let after = match committed.filter(|_| is_over(world)) {
            Some(incident) => Due::Yes(incident),
            None if prepare == Due::No => Due::No,
            None => Due::Undecided,
        };
        let site = sighted(&steps.site_down_alarm, world.alarms);
        Self {
            prepare,
            after,
            forbidden: forbidden(plan, world),
            lacks_alarm: site.is_some_and(|alarm| alarm.state == AlarmState::Missing),
            facts: facts(steps, world),
            bus: steps.bus.clone(),
        }
    }

    /// Whether the steps of a list are due.
    #[must_use]
    pub fn due(&self, list: List) -> &Due {
        match list {
            List::Prepare => &self.prepare,
            List::After => &self.after,
            List::Neither if self.prepare == Due::No => &Due::No,
            List::Neither => &Due::Undecided,
        }
    }
}

/// The failover that is under way or over, by pins and latch.
fn committed(world: &World<'_>) -> Option<Incident> {
    let pins = world.names.unwrap_or_default().iter().filter_map(|view| view.pin().map(|pin| pin.incident.clone()));
    world.latch.closed().map(|latch| latch.incident.clone()).or_else(|| pins.max())
}

/// Every protected name is failed over, by its register, or by the latch where Route 53 cannot write it.
fn is_over(world: &World<'_>) -> bool {
    let latch = world.latch.closed().filter(|latch| matches!(latch.stage, latch::Stage::FailedOver { .. }));
    let is_over = |view: &NameView| {
        matches!(view.register(), Some(Register::FailedOver { .. }))
            || latch.is_some_and(|latch| latch.takes_along(view))
    };
    world.names.is_ok_and(|names| !names.is_empty() && names.iter().all(is_over))
}

/// The outage that DR is prepared for: a failover is about to begin, or the site has been down for as long as the plan waits.
fn outage(plan: &Plan, steps: &Steps, world: &World<'_>) -> Option<Incident> {
    let ringing = in_alarm(world.alarms).into_iter().find(|alarm| alarm.watches(plan));
    let waited = 60 * steps.prepare_after_minutes;
    let site = || sighted(&steps.site_down_alarm, world.alarms).filter(|alarm| alarm.state == AlarmState::Alarm);
    let down = ringing.or_else(|| site().filter(|alarm| elapsed(alarm.since, world.now, waited)))?;
    Some(Incident { alarm: down.name.clone(), began: down.since })
}

/// What an alarm says, if CloudWatch can tell.
fn sighted<'a>(arn: &str, alarms: &'a Alarms) -> Option<&'a AlarmSighting> {
    let alarm = alarms.iter().flatten().find(|alarm| alarm.arn == arn)?;
    Some(alarm).filter(|alarm| !alarm.trouble.is_some_and(EvaluationTrouble::is_blinding))
}

/// The primary is known to be well for a while, and no name is on DR or on its way. What is not known is not well.
fn is_calm(plan: &Plan, steps: &Steps, world: &World<'_>) -> bool {
    let calm = if steps.blind_alarm.is_some() { CALM_SECONDS_OF_OBSERVER } else { CALM_SECONDS };
    let is_well = |alarm: &AlarmSighting| alarm.state == AlarmState::Ok && elapsed(alarm.since, world.now, calm);
    // A failback may have armed or disarmed it, and clients stay on DR for as long as they keep an address or a connection.
    let is_home = |view: &NameView| match view.register() {
        Some(Register::Armed { since, .. } | Register::Disarmed { at: since, .. }) => {
            let leaves = view.kept_seconds(world.now).saturating_add(plan.limits.drain_seconds);
            view.pairs.is_ok() && elapsed(*since, world.now, calm.max(leaves))
        }
        _ => view.is_unpinned(),
    };
    let is_quiet = |arn: &String| {
        let mut known = world.alarms.iter().flatten();
        known.find(|alarm| alarm.arn == *arn).is_some_and(|alarm| is_well(alarm) && alarm.watches(plan))
    };
    plan.alarms.iter().all(is_quiet)
        && steps.alarms().all(|arn| sighted(arn, world.alarms).is_some_and(is_well))
        && world.names.is_ok_and(|names| names.iter().all(is_home))
        && matches!(world.latch, Reading::NoStore | Reading::Open { .. })
}

/// An outage moves each name that is armed, whatever others are: their users need what steps raise. Only where no name is, nothing is
/// changed.
fn forbidden(plan: &Plan, world: &World<'_>) -> Option<Forbidden> {
    if plan.mode == Mode::Shadow {
        return Some(Forbidden::Shadow);
    }
    let Ok(names) = world.names else { return Some(Forbidden::NotKnown) };
    let held = names.iter().map(|view| match view.register() {
        Some(Register::Armed { .. } | Register::Pinned { .. } | Register::FailedOver { .. }) => None,
        Some(Register::Paused { .. }) => Some(Forbidden::Maintenance),
        Some(Register::Disarmed { .. }) => Some(Forbidden::Disarmed),
        None if view.is_unpinned() => Some(Forbidden::Disarmed),
        None => Some(Forbidden::NotKnown),
    });
    // `None` is the least: one that may move is enough.
    held.min().unwrap_or(Some(Forbidden::NotKnown))
}

fn facts(steps: &Steps, world: &World<'_>) -> Vec<Fact> {
    let said = |arn: &String| {
        let said = sighted(arn, world.alarms).map_or_else(|| "not known".to_owned(), AlarmSighting::in_words);
        format!("{}: {said}", alarm_name(arn).unwrap_or(arn))
    };
    let names = match world.names {
        Ok(names) => {
            let on_dr = names.iter().filter(|view| view.pin().is_some()).count();
            format!("{on_dr} of {} on DR", names.len())
        }
        Err(why) => format!("not known: {why}"),
    };
    let mut facts = vec![Fact::new("site-down alarm", said(&steps.site_down_alarm))];
    facts.extend(steps.blind_alarm.iter().map(|arn| Fact::new("observer-blind alarm", said(arn))));
    facts.push(Fact::new("protected names", names));
    facts
}
