//! Invocations under way, and what they know.

use failover::incident::{AlarmState, Approval};
use failover::latch::{Latch, Reading};
use failover::listing::Listing;
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::plan::Plan;
use failover::register::{Register, Spread};
use failover::rule::Rule;

use super::setting::{at, incident};
use super::world::{Text, World};
use crate::setting::Zone;
use crate::shared::Shared;
use crate::world::SharedBatch;

/// What woke a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The tick.
    Tick,
    /// A person's approval of the incident that began at a step.
    Approved(u8),
}

impl Signal {
    /// The approval, if it is one.
    pub fn approval(self, plan: &Plan) -> Option<Approval> {
        let Self::Approved(began) = self else { return None };
        let despite = [Rule::P08, Rule::P09, Rule::P10, Rule::P12, Rule::P15].into_iter().collect();
        Some(Approval { incident: incident(plan, began), by: "p".to_owned(), reason: String::new(), despite })
    }
}

/// What was learnt of the records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// By Route 53's API.
    Listed(Zone),
    /// By the store's listing, with the registers that name servers told.
    Remembered(Zone, Zone),
    /// Nothing.
    Unknown,
}

impl Names {
    /// The names.
    pub fn views(&self) -> Option<Vec<NameView>> {
        match self {
            Self::Listed(zone) => Some(zone.views.clone()),
            Self::Unknown => None,
            Self::Remembered(listing, told) => {
                let register = |view: &NameView| {
                    let told = told.views.iter().find(|told| told.name == view.name)?;
                    told.register().map(ToString::to_string)
                };
                let views = Listing::of(&listing.views, at(0))?.views();
                Some(views.iter().map(|view| view.with_register(register(view).as_deref())).collect())
            }
        }
    }

    /// By the API.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// What was learnt of the latch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// The store did not answer a question of this step.
    Failed(u8),
    /// This was its text when it was asked.
    Text(Option<Text>, u8),
}

impl Read {
    /// As the functions read it.
    pub fn reading(&self) -> Reading {
        match self {
            Self::Failed(_) => Reading::NotKnown("no answer".to_owned()),
            Self::Text(text, asked) => World::reading(text.as_ref(), *asked),
        }
    }

    /// The text of a latch that is closed.
    pub fn closed(&self) -> Option<&Text> {
        match self {
            Self::Text(text, _) => text.as_ref(),
            Self::Failed(_) => None,
        }
    }
}

/// An invocation asks for the records and for the latch at once; either answer may be of earlier than the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum First {
    /// It has heard of the records.
    Names(Names),
    /// It has heard of the latch.
    Latch(Read),
}

/// All that alarm-handler decides by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sight {
    /// When.
    pub time: u8,
    /// What woke it.
    pub signal: Signal,
    /// The records.
    pub names: Names,
    /// The latch.
    pub read: Read,
    /// The outage alarm, and since when it says so.
    pub alarm: (AlarmState, u8),
    /// Whether the hold's alarm is quiet.
    pub holds: bool,
    /// Whether the primary answers its probe.
    pub primary_answers: bool,
    /// What GetChange says, name by name.
    pub statuses: Vec<Option<ChangeStatus>>,
}

/// All that replica-promoter decides by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ground {
    /// When.
    pub time: u8,
    /// The records.
    pub names: Names,
    /// The latch, if it is closed.
    pub latch: Option<Text>,
    /// That name servers did not show it in this look, whatever the store says, since the store did not take it.
    pub counts_for_nothing: bool,
    /// The latch stands in for pins.
    pub is_by_latch: bool,
    /// Name servers were asked, and do not show it.
    pub is_unproven: bool,
    /// What GetChange says, name by name.
    pub statuses: Vec<Option<ChangeStatus>>,
    /// Whether RDS says that the database is a replica.
    pub is_replica: bool,
}

impl Ground {
    /// The latch as this look may use it.
    pub fn latch(&self) -> Option<Latch> {
        let latch = Latch::parse(self.latch.as_ref()?).ok()?;
        Some(if self.counts_for_nothing { Latch { shown: None, ..latch } } else { latch })
    }
}

/// How far an invocation has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// There is none.
    Idle,
    /// It has heard the first of its answers.
    Began(First, Signal),
    /// alarm-handler is about to close the latch.
    Commits(Shared<Sight>),
    /// It is about to write the pin; with the latch, if that is closed.
    Writes(Shared<Sight>, Option<Text>),
    /// It has pinned, and is about to put the change's id on record.
    Records(Shared<Sight>, Option<Text>, SharedBatch),
    /// replica-promoter has looked at the name servers, and is about to put on record what they show.
    Shows(Shared<Ground>, Text),
    /// The same of a look that heard nothing: no more comes of it.
    ShowsNothing(Shared<Ground>, Text),
    /// It has found the gate open, and is about to say `promoting`.
    Starts(Shared<Ground>),
    /// It is about to look at the database.
    Opened(Shared<Ground>),
    /// It is about to keep something in the latch; then it promotes, if that is true.
    Keeps(Shared<Ground>, Text, bool),
    /// It is about to write registers; then it promotes, if that is true.
    Registers(Shared<Ground>, SharedBatch, bool),
    /// It is about to ask RDS to promote.
    Promotes(Shared<Ground>),
}

/// What Route 53 said of the changes that registers name.
pub fn changes(views: &[NameView], statuses: &[Option<ChangeStatus>]) -> Changes {
    let known = views.iter().zip(statuses).filter_map(|(view, status)| match view.register()? {
        Register::Pinned { spread: Spread::Change { id }, .. } => Some((id.clone(), (*status)?)),
        _ => None,
    });
    known.collect()
}
