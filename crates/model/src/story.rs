//! What happened, in words.

use std::fmt::Write as _;

use stateright::{Model, Path};

use crate::check::Explored;
use crate::hands::{Fate, Hand, Signal};
use crate::people::{Command, Deed};
use crate::setting::Sets;
use crate::steps::{Holdfast, Step};
use crate::world::{Trouble, World};

/// A model whose steps can be told.
pub trait Told: Model {
    /// A step, for people; more of it where the state before it is known.
    fn tells(before: &Self::State, step: &Self::Action) -> String;
    /// What differs after it that people can see.
    fn differs(before: &Self::State, after: &Self::State) -> Vec<String>;
}

impl Told for Holdfast {
    fn tells(before: &World, step: &Step) -> String {
        Self::in_words(Some(before), step)
    }

    fn differs(before: &World, after: &World) -> Vec<String> {
        changed(before, after)
    }
}

/// A way through a model: a line a step, and below it what it changed.
pub fn story<M: Explored>(path: &Path<M::State, M::Action>) -> String {
    let mut story = String::new();
    let way = path.clone().into_vec();
    for (nth, pair) in way.windows(2).enumerate() {
        let [(before, Some(step)), (after, _)] = pair else { continue };
        // Writing to a string does not fail.
        let _ = writeln!(story, "{:>3}. {}", nth + 1, M::tells(before, step));
        M::differs(before, after).iter().for_each(|line| {
            let _ = writeln!(story, "       {line}");
        });
    }
    story
}

/// What differs that people can see.
fn changed(before: &World, after: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for (was, is) in before.zones.iter().zip(&after.zones) {
        lines.extend(differing(&was.records, &is.records));
    }
    for (nth, (was, is)) in before.databases.iter().zip(&after.databases).enumerate() {
        lines.extend((was != is).then(|| format!("database d{nth}: {is:?}")));
    }
    if before.check_is_disabled != after.check_is_disabled {
        lines.push(format!("health check: {}", if after.check_is_disabled { "disabled" } else { "enabled" }));
    }
    lines
}

fn differing(before: &Sets, after: &Sets) -> Vec<String> {
    let said = |zone: &Sets| {
        zone.views
            .iter()
            .map(|view| {
                let register = view.register().map_or_else(|| "no register".to_owned(), ToString::to_string);
                let primary = zone.primary(&view.name).map_or_else(|| "none".to_owned(), |set| set.target.to_string());
                let secondary =
                    zone.secondary(&view.name).map_or_else(|| "none".to_owned(), |set| set.target.to_string());
                format!("{}: PRIMARY {primary}, SECONDARY {secondary}; {register}", view.name)
            })
            .collect::<Vec<_>>()
    };
    said(before).iter().zip(said(after)).filter(|(was, is)| *was != is).map(|(_, is)| is).collect()
}

impl Holdfast {
    /// A step, for people; more of it where the state before it is known.
    pub fn in_words(before: Option<&World>, step: &Step) -> String {
        let handler = |place: usize| before.map(|world| &world.handlers[place]);
        let promoter = |place: usize| before.map(|world| &world.promoters[place]);
        match step {
            Step::Time => "ten minutes pass".to_owned(),
            Step::Outage => "the primary goes down, and the alarm rings".to_owned(),
            Step::FalseAlarm => "the alarm rings, though the primary answers".to_owned(),
            Step::Recovery => "the primary is back, and the alarm says OK".to_owned(),
            Step::Arrival(zone) => format!("zone {zone}: the oldest change on its way is at every name server"),
            Step::Promoted(database) => format!("the promotion of d{database} is complete"),
            Step::Rebuilding => "the databases in the primary region have come further".to_owned(),
            Step::Trouble(trouble) => format!("trouble: {}", trouble_in_words(*trouble)),
            Step::Mended(trouble) => format!("over: {}", trouble_in_words(*trouble)),
            Step::Handler(place, signal, stale) => began("alarm-handler", *place, *signal, *stale, handler(*place)),
            Step::Promoter(place, signal, stale) => {
                began("replica-promoter", *place, *signal, *stale, promoter(*place))
            }
            Step::HandlerGoesOn(place, fate) => goes_on("alarm-handler", *place, *fate, handler(*place)),
            Step::PromoterGoesOn(place, fate) => goes_on("replica-promoter", *place, *fate, promoter(*place)),
            Step::LateBatch => "the batch that was given up takes effect".to_owned(),
            Step::LatePromotion => "the promotion that was given up takes effect".to_owned(),
            Step::Person(deed) => deed_in_words(*deed).to_owned(),
            Step::CommandGoesOn => match before.and_then(|world| world.command.as_ref()) {
                Some(Command::Disable(_)) => "the command goes on: it disables the health check".to_owned(),
                Some(Command::Write(..)) => "the command goes on: it writes".to_owned(),
                None => "the command goes on".to_owned(),
            },
            Step::CommandDies => "the command is interrupted".to_owned(),
        }
    }
}

fn began(function: &str, place: usize, signal: Signal, is_stale: bool, hand: Option<&Hand>) -> String {
    let woken = match signal {
        Signal::Tick => "the tick".to_owned(),
        Signal::Rang(since) => format!("the event of the alarm of step {since}"),
        Signal::Approved(began, given) => {
            format!("the approval, given at step {given}, of the incident of step {began}")
        }
        Signal::Foreign => "the event of an alarm of somebody else".to_owned(),
    };
    let seen = if is_stale { "lists the zones as they were before the newest change" } else { "lists the zones" };
    let died = hand.filter(|hand| **hand != Hand::Idle).map_or("", |_| "; the one under way there has died");
    format!("{function} {place}, woken by {woken}, {seen}{died}")
}

fn goes_on(function: &str, place: usize, fate: Fate, hand: Option<&Hand>) -> String {
    let what = match hand {
        None => "goes on",
        Some(Hand::Idle) => "is done",
        Some(Hand::Looked(..)) => "looks at the rest, and decides",
        Some(Hand::Enables(_)) => "enables the health check",
        Some(Hand::Writes(_)) => "submits a batch",
        Some(Hand::Records(..)) => "puts the change's id on record",
        Some(Hand::Opened(_)) => "looks at a database, and decides",
        Some(Hand::Promotes(_)) => "asks RDS to promote",
    };
    let how = match fate {
        Fate::Answered => "",
        Fate::Stale => ", answered from before the newest change",
        Fate::Refused => ", and is refused",
        Fate::Unanswered => ", which takes effect, and dies",
        Fate::Late => ", gives up on it, and it is still on its way",
    };
    format!("{function} {place} {what}{how}")
}

fn trouble_in_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::DrSilent => "the DR site does not answer",
        Trouble::CloudWatchSilent => "CloudWatch does not answer",
        Trouble::ChangesForgotten => "Route 53 knows nothing of the changes asked for",
        Trouble::RdsSilent => "RDS does not answer",
        Trouble::DatabaseGone => "RDS knows no database d0",
        Trouble::DatabaseStopped => "database d0 is stopped",
        Trouble::LagTooGreat => "d0 is further behind than may be lost",
        Trouble::ReplicationStopped => "d0 stopped replicating hours ago",
        Trouble::LagUnknown => "nobody knows the lag of d0",
        Trouble::PairBroken => "somebody has deleted the first name's SECONDARY record",
        Trouble::RecordProtected => "somebody has protected the first name's PRIMARY record",
        Trouble::AlarmGone => "somebody has deleted the alarm",
        Trouble::AlarmUnevaluated => "CloudWatch cannot evaluate the alarm",
        Trouble::PrimaryUnclear => "our own probe of the primary tells nothing of it",
        Trouble::PrimaryHidden => "the primary answers users, and not our own probe",
        Trouble::DrUnclear => "our own probe of DR tells nothing of it",
        Trouble::TargetsTooFew => "too few of DR's targets are healthy",
        Trouble::TargetsUnknown => "somebody has deleted the alarm on DR's targets",
        Trouble::HintsBeside => "somebody has made an SVCB record beside the first name's pair that tells addresses",
        Trouble::RecordBeside => "somebody has made an HTTPS record beside the first name's pair",
        Trouble::DatabaseIsMember => "d0 is an instance of a cluster",
        Trouble::DatabaseIsGlobal => "d0 is a cluster of a global database",
        Trouble::DatabaseUnknown => "RDS says of the status of d0 what nobody knows",
        Trouble::GlobalOperated => "somebody switches d0's global database over",
        Trouble::GlobalDetached => "somebody has taken d0 out of its global database",
        Trouble::GlobalFails => "failovers of d0's global database fail half-way",
    }
}

fn deed_in_words(deed: Deed) -> &'static str {
    match deed {
        Deed::Approve => "a person approves the incident",
        Deed::Disarm => "a person disarms",
        Deed::Pause => "a person disarms for twenty minutes",
        Deed::Begin => "a person begins a maintenance of twenty minutes",
        Deed::End => "a person ends the maintenance",
        Deed::Arm => "a person arms, once databases are replicas again",
        Deed::Reject => "a person rejects the incident",
        Deed::FailBack => "a person fails back",
        Deed::FailBackUnsaid => "a person tries to fail back, without --writes-stopped and --position-verified",
        Deed::Undo => "somebody rewrites the first name's pinned PRIMARY record",
        Deed::Redo => "somebody puts the pinned PRIMARY record back",
        Deed::SwapRoles => "somebody makes the old primary the first name's SECONDARY",
        Deed::MoveDr => "somebody points the first name's SECONDARY record at another place in DR",
        Deed::MoveByHand => "somebody points the first name's PRIMARY record at DR by hand",
        Deed::RaiseTtl => "an apply writes the first name's PRIMARY record back, with a long TTL",
        Deed::PromoteByHand => "somebody promotes d0 by hand",
        Deed::RestoreUnderName => "somebody restores a snapshot under the name of d0",
    }
}
