//! The world: Route 53's zones, one alarm, the databases, both sites, and time in steps.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use failover::change::Batch;
use failover::incident::AlarmState;
use failover::observation::{ChangeStatus, NameView};
use failover::register::{Register, Spread};
use jiff::Timestamp;

use crate::bounds::Bounds;
use crate::databases::{Database, LatePromotion};
use crate::hands::{Hand, Look};
use crate::people::Command;
use crate::setting::{Setting, Zone};
use crate::shared::Shared;
use crate::watch::Watch;

/// A batch, as it is kept in many states.
pub type SharedBatch = Shared<Batch>;

/// Who wrote a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Author {
    /// A function.
    Holdfast,
    /// Somebody who edits records by hand.
    Hand,
    /// An operator's order.
    Order,
    /// An operator's failback.
    Failback,
}

/// A change on its way to the name servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Travelling {
    /// Its number, from which its id is made.
    pub number: u8,
    /// What the zone said after it.
    pub after: Zone,
    /// Whose it is.
    pub author: Author,
}

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hosted {
    /// What Route 53's control plane says.
    pub records: Zone,
    /// What it said before the newest change of this step of time, and how often somebody had undone a pin by then; where
    /// reads may be stale.
    pub before: Option<(Zone, u8)>,
    /// What its name servers say.
    pub published: Zone,
    /// Changes on their way there, the oldest first.
    pub travelling: Vec<Travelling>,
}

/// How far the databases in the primary region have been rebuilt from those in DR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rebuilt {
    /// There is but the old primary.
    Not,
    /// They follow DR, and are behind.
    Behind,
    /// They have all that DR has.
    CaughtUp,
    /// They take writes.
    Writer,
}

/// What else goes wrong. Of databases it befalls the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trouble {
    /// The DR site does not answer.
    DrSilent,
    /// CloudWatch does not answer.
    CloudWatchSilent,
    /// Route 53 does not know the changes it is asked for.
    ChangesForgotten,
    /// RDS does not answer.
    RdsSilent,
    /// RDS knows no such database.
    DatabaseGone,
    /// The database is stopped.
    DatabaseStopped,
    /// The replica was further behind at the outage than may be lost.
    LagTooGreat,
    /// It had stopped replicating long before the outage: lag was −1 since.
    ReplicationStopped,
    /// CloudWatch has no sample of lag that is not −1.
    LagUnknown,
    /// Somebody deletes the first name's SECONDARY record.
    PairBroken,
    /// Somebody protects the first name's PRIMARY record, and Route 53 refuses every batch with it.
    RecordProtected,
    /// Somebody deletes the alarm.
    AlarmGone,
    /// CloudWatch cannot evaluate the alarm.
    AlarmUnevaluated,
    /// What our own probe of the primary comes to tells nothing of it.
    PrimaryUnclear,
    /// The primary answers users, and not our own probe.
    PrimaryHidden,
    /// What our own probe of DR comes to tells nothing of it.
    DrUnclear,
    /// Too few of DR's targets are healthy.
    TargetsTooFew,
    /// Somebody deletes the alarm that says whether they are.
    TargetsUnknown,
    /// A record beside the first name's pair leads its users past it.
    RecordBeside,
    /// A record beside it tells browsers addresses beforehand.
    HintsBeside,
    /// RDS says that the database is an instance of a cluster.
    DatabaseIsMember,
    /// RDS says that it is a cluster of a global database.
    DatabaseIsGlobal,
    /// RDS says of its status what nobody knows.
    DatabaseUnknown,
    /// Somebody switches its global database over.
    GlobalOperated,
    /// Somebody has taken it out of its global database.
    GlobalDetached,
    /// Failovers of its global database fail half-way.
    GlobalFails,
}

impl Trouble {
    /// What was so before the outage stays so after it.
    pub fn is_of_lag(self) -> bool {
        matches!(self, Self::LagTooGreat | Self::ReplicationStopped | Self::LagUnknown)
    }

    /// A database that was named wrongly stays so.
    pub fn is_of_databases(self) -> bool {
        matches!(self, Self::DatabaseIsMember | Self::DatabaseIsGlobal)
    }
}

/// How much of everything may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Invocations of alarm-handler that may begin in this step of time, and of replica-promoter.
    pub starts: (u8, u8),
    /// Things people do.
    pub people: u8,
    /// Outages.
    pub outages: u8,
    /// Troubles.
    pub trouble: u8,
    /// Calls answered from before the newest change, or refused.
    pub faults: u8,
    /// Invocations that die; any number, if nothing is said.
    pub crashes: Option<u8>,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// How many steps of time have passed.
    pub time: u8,
    /// Route 53.
    pub zones: Vec<Hosted>,
    /// How many changes were accepted.
    pub changes: u8,
    /// What the alarm says, and since which step.
    pub alarm: (AlarmState, u8),
    /// Steps at which the alarm began to ring: its events may be delivered at any time, any number of times, or never.
    pub rang: Vec<u8>,
    /// Whether the primary site answers.
    pub primary_answers: bool,
    /// Whether a maintenance has disabled the failover health check.
    pub check_is_disabled: bool,
    /// Whether that maintenance goes on, for all a person knows.
    pub is_maintained: bool,
    /// The databases in DR.
    pub databases: Vec<Database>,
    /// Whether they are clusters of a global database.
    pub is_global: bool,
    /// What the newest of them was before, within this step of time; where reads may be stale.
    pub database_before: Option<(usize, Database)>,
    /// Those in the primary region.
    pub rebuilt: Rebuilt,
    /// alarm-handler has seen what somebody made of the first name's pin, and let it be.
    pub is_left_to_people: bool,
    /// What else is wrong.
    pub troubles: BTreeSet<Trouble>,
    /// Invocations of alarm-handler under way.
    pub handlers: Vec<Hand>,
    /// Invocations of replica-promoter under way.
    pub promoters: Vec<Hand>,
    /// A batch whose caller has given up, and which lands some day.
    pub late_batch: Option<SharedBatch>,
    /// The same of a promotion.
    pub late_promotion: Option<LatePromotion>,
    /// The approval on the bus, which may be delivered at any time, any number of times: the step at which its incident
    /// began, and that at which it was given.
    pub approved: Option<(u8, u8)>,
    /// The rest of what a person's command does.
    pub command: Option<Command>,
    /// Whether each function has completed an invocation in this step of time.
    pub completed: (bool, bool),
    /// What may still happen.
    pub left: Left,
    /// What must never be.
    pub watch: Watch,
}

impl World {
    /// All is well: the primary up, the databases replicating.
    pub fn new(bounds: &Bounds, setting: &Setting) -> Self {
        let workload = &bounds.workload;
        let hosted = |zone| {
            let records = setting.zone_at_first(zone, workload.is_armed);
            Hosted { published: records.clone(), records, before: None, travelling: Vec::new() }
        };
        Self {
            time: 0,
            zones: (0..workload.names.len()).map(hosted).collect(),
            changes: 0,
            alarm: (AlarmState::Ok, 0),
            rang: Vec::new(),
            primary_answers: true,
            check_is_disabled: false,
            is_maintained: false,
            databases: vec![Database::Replica; workload.databases],
            is_global: workload.is_global,
            database_before: None,
            rebuilt: if bounds.rebuilds { Rebuilt::Not } else { Rebuilt::Writer },
            is_left_to_people: false,
            troubles: BTreeSet::new(),
            handlers: vec![Hand::Idle; bounds.handlers],
            promoters: vec![Hand::Idle; bounds.promoters],
            late_batch: None,
            late_promotion: None,
            approved: None,
            command: None,
            completed: (false, false),
            left: Left {
                starts: bounds.starts,
                people: bounds.people,
                outages: bounds.outages,
                trouble: bounds.trouble,
                faults: bounds.faults,
                crashes: bounds.crashes,
            },
            watch: Watch::new(workload.names, workload.databases),
        }
    }

    /// An invocation begins in this place, and one that was under way there dies.
    pub fn dies_in(&mut self, place: &Hand) {
        self.left.crashes = self.left.crashes.map(|left| left - u8::from(*place != Hand::Idle));
    }

    /// Invocations of one function are alike: in whichever place each runs, it is the same world.
    pub fn canonical(mut self) -> Self {
        let by_hash = |hand: &Hand| {
            let mut hasher = DefaultHasher::new();
            hand.hash(&mut hasher);
            hasher.finish()
        };
        if self.handlers.len() > 1 {
            self.handlers.sort_by_cached_key(by_hash);
        }
        if self.promoters.len() > 1 {
            self.promoters.sort_by_cached_key(by_hash);
        }
        self
    }

    /// What somebody sees who lists the zones now, or some of them as they were before their newest change.
    pub fn look(&self, is_stale: bool) -> Look {
        let seen = |hosted: &Hosted| match &hosted.before {
            Some(before) if is_stale => before.clone(),
            _ => (hosted.records.clone(), self.watch.undone()),
        };
        let (zones, undone): (Vec<_>, Vec<_>) = self.zones.iter().map(seen).unzip();
        Look { zones, undone: undone.into_iter().min().unwrap_or_default() }
    }

    /// Every name as the control plane describes it.
    pub fn views(&self) -> impl Iterator<Item = &NameView> {
        self.zones.iter().flat_map(|hosted| &hosted.records.views)
    }

    /// What the registers say now; nothing where there is none.
    pub fn registers(&self) -> impl Iterator<Item = Option<&Register>> {
        self.views().map(NameView::register)
    }

    /// Whether some name is paused, and until when at the earliest.
    pub fn paused_until(&self) -> Option<Timestamp> {
        let until = |register: &Register| match register {
            Register::Paused { until, .. } => Some(*until),
            _ => None,
        };
        self.registers().flatten().filter_map(until).min()
    }

    /// Whether a person has approved the newest incident.
    pub fn has_approved_what_rings(&self) -> bool {
        self.approved.is_some_and(|(began, _)| Some(&began) == self.rang.last())
    }

    /// What GetChange says of the changes that registers name.
    pub fn change_statuses(&self, look: &Look) -> Vec<Option<ChangeStatus>> {
        let travels = |id: &String| {
            self.zones.iter().flat_map(|hosted| &hosted.travelling).any(|change| *id == change_id(change.number))
        };
        let status = |view: &NameView| match view.register() {
            Some(Register::Pinned { spread: Spread::Change { .. }, .. })
                if self.troubles.contains(&Trouble::ChangesForgotten) =>
            {
                Some(ChangeStatus::Lost)
            }
            Some(Register::Pinned { spread: Spread::Change { id }, .. }) if travels(id) => Some(ChangeStatus::Pending),
            Some(Register::Pinned { spread: Spread::Change { .. }, .. }) => Some(ChangeStatus::InSync),
            _ => None,
        };
        look.views().map(status).collect()
    }

    /// The oldest change on its way arrives at every name server of its zone.
    pub fn arrive(&mut self, zone: usize) {
        let hosted = &mut self.zones[zone];
        let change = hosted.travelling.remove(0);
        self.watch.arrives(self.time, zone, change.author, &hosted.published, &change.after);
        hosted.published = change.after;
    }
}

/// A change's id.
pub fn change_id(number: u8) -> String {
    format!("C{number}")
}
