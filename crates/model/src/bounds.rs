//! How far each exploration goes. Each step more of one thing makes several times as many states: so there are many
//! bounds, each wide in something else.

use failover::plan::Mode;

use crate::people::Deed;
use crate::setting::{ONE, Workload};
use crate::world::Trouble;

/// What must happen, where AWS and the tick keep their promises.
pub const LASTS: &str = "an outage that lasts ends failed over";

/// What must happen, where Route 53 refuses a batch for one of its names.
pub const HELD_BACK: &str = "a refused name holds back no other name's pin";

/// How far an exploration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What they are called.
    pub name: &'static str,
    /// What is within them, in words.
    pub about: &'static str,
    /// What is protected.
    pub workload: Workload,
    /// Steps of time.
    pub time: u8,
    /// Invocations of alarm-handler at once.
    pub handlers: usize,
    /// Invocations of replica-promoter at once.
    pub promoters: usize,
    /// How many invocations of alarm-handler may begin in a step of time, and of replica-promoter.
    pub starts: (u8, u8),
    /// How many die, in all of the time; any number, if nothing is said.
    pub crashes: Option<u8>,
    /// Whether an invocation runs whole, so that nothing comes between its calls: for long stories.
    pub is_whole: bool,
    /// How many things people do.
    pub people: u8,
    /// Which.
    pub deeds: &'static [Deed],
    /// Whether the databases in the primary region must be rebuilt, step by step, before a failback; else they are.
    pub rebuilds: bool,
    /// How many outages there are.
    pub outages: u8,
    /// Whether an alarm may ring though the primary is up, and the primary may come back.
    pub recovers: bool,
    /// How many other things go wrong.
    pub trouble: u8,
    /// Which.
    pub troubles: &'static [Trouble],
    /// How many calls are answered from before the newest change, or are refused, to no effect.
    pub faults: u8,
    /// Whether calls that were given up may take effect later.
    pub late: bool,
    /// Whether time stands still until each function has completed an invocation and all is propagated, as the tick and AWS
    /// promise. Only then, and if not every invocation dies, can anything be said of what must happen.
    pub is_fair: bool,
}

mod by_hand;

impl Bounds {
    const NONE: Self = Self {
        name: "",
        about: "",
        workload: ONE,
        time: 1,
        handlers: 1,
        promoters: 1,
        starts: (1, 1),
        crashes: None,
        is_whole: false,
        people: 0,
        deeds: &[],
        rebuilds: false,
        outages: 1,
        recovers: true,
        trouble: 0,
        troubles: &[],
        faults: 0,
        late: false,
        is_fair: false,
    };

    /// Two invocations of each function at once, any of them dying anywhere, lost answers and late effects.
    pub const RACES: Self = Self {
        name: "races",
        about: "two invocations of each function at once, effects that nobody hears of and effects that come late",
        handlers: 2,
        promoters: 2,
        starts: (2, 2),
        late: true,
        ..Self::NONE
    };

    /// One invocation of each at a time, dying anywhere, and two things that people do at any moment.
    pub const PEOPLE: Self = Self {
        name: "people",
        about: "any two things that people do, at any moment",
        time: 2,
        people: 2,
        deeds: &[Deed::Disarm, Deed::Pause, Deed::Arm, Deed::Reject, Deed::FailBack, Deed::Undo],
        ..Self::NONE
    };

    /// Reads that lag behind, and calls that are refused.
    pub const CALLS: Self = Self {
        name: "calls",
        about: "any two calls answered from before the newest change, or refused",
        starts: (2, 2),
        people: 1,
        deeds: &[Deed::Disarm, Deed::Undo],
        faults: 2,
        ..Self::NONE
    };

    /// Two names in one batch, one of whose pairs may be broken.
    pub const NAMES: Self = Self {
        name: "names",
        about: "two names in one zone, one of which somebody breaks and mends",
        workload: Workload { names: &[2], ..ONE },
        time: 2,
        recovers: false,
        trouble: 1,
        troubles: &[Trouble::PairBroken],
        ..Self::NONE
    };

    /// Two zones, and so two batches: a workload may be half pinned.
    pub const ZONES: Self = Self {
        name: "zones",
        about: "two zones, each with a batch of its own, where a call may be refused, or answered from before",
        workload: Workload { names: &[1, 1], ..ONE },
        faults: 1,
        people: 1,
        deeds: &[Deed::Disarm, Deed::Undo],
        ..Self::NONE
    };

    /// There and back, and there again.
    pub const RETURN: Self = Self {
        name: "return",
        about: "the primary comes back, its databases are rebuilt, users go home, and there is another outage",
        time: 5,
        is_whole: true,
        people: 3,
        deeds: &[Deed::FailBack, Deed::FailBackUnsaid, Deed::Arm],
        rebuilds: true,
        outages: 2,
        ..Self::NONE
    };

    /// A workload without databases: a failback arms it.
    pub const ROUTING: Self = Self {
        name: "routing",
        about: "no databases: a failback arms the name again, the cool-down runs, and there is another outage",
        workload: Workload { databases: 0, ..ONE },
        time: 4,
        is_whole: true,
        people: 2,
        deeds: &[Deed::Approve, Deed::Reject, Deed::FailBack],
        outages: 2,
        ..Self::NONE
    };

    /// Maintenances, with the health check they disable.
    pub const MAINTENANCE: Self = Self {
        name: "maintenance",
        about: "maintenances begun, made longer, ended, interrupted, with the health check that they disable",
        workload: Workload { disables_check: true, ..ONE },
        time: 3,
        promoters: 0,
        starts: (2, 0),
        people: 3,
        deeds: &[Deed::Begin, Deed::End, Deed::Arm, Deed::Disarm],
        ..Self::NONE
    };

    /// What else goes wrong around an outage.
    pub const TROUBLE: Self = Self {
        name: "trouble",
        about: "any two of: DR, CloudWatch or RDS silent, changes forgotten, the pair broken, too much lag or none known",
        time: 3,
        is_whole: true,
        people: 1,
        deeds: &[Deed::Approve],
        trouble: 2,
        troubles: &[
            Trouble::DrSilent,
            Trouble::CloudWatchSilent,
            Trouble::ChangesForgotten,
            Trouble::PairBroken,
            Trouble::LagTooGreat,
            Trouble::ReplicationStopped,
            Trouble::LagUnknown,
        ],
        recovers: false,
        ..Self::NONE
    };

    /// DR is not ready for users.
    pub const TARGETS: Self = Self {
        name: "targets",
        about: "too few of DR's targets healthy, or the alarm on them gone, at any moment; a person approves",
        time: 3,
        promoters: 0,
        starts: (2, 0),
        people: 1,
        deeds: &[Deed::Approve],
        trouble: 1,
        troubles: &[Trouble::TargetsTooFew, Trouble::TargetsUnknown],
        recovers: false,
        ..Self::NONE
    };

    /// Two databases, one of which has trouble.
    pub const DATABASES: Self = Self {
        name: "databases",
        about: "two databases, one of which is gone, stopped, behind, or not described",
        workload: Workload { databases: 2, ..ONE },
        time: 2,
        people: 1,
        deeds: &[Deed::Approve],
        trouble: 1,
        troubles: &[
            Trouble::RdsSilent,
            Trouble::DatabaseGone,
            Trouble::DatabaseStopped,
            Trouble::LagTooGreat,
            Trouble::ReplicationStopped,
        ],
        recovers: false,
        ..Self::NONE
    };

    /// Holdfast only says what it would do.
    pub const SHADOW: Self = Self {
        name: "shadow",
        about: "shadow mode, whatever people do",
        workload: Workload { mode: Mode::Shadow, ..ONE },
        people: 2,
        deeds: &[Deed::Approve, Deed::Disarm, Deed::Pause, Deed::Arm, Deed::Reject],
        ..Self::NONE
    };

    /// Holdfast asks.
    pub const APPROVAL: Self = Self {
        name: "approval",
        about: "approval mode; approvals that come late, again, and in the next incident",
        workload: Workload { mode: Mode::Approval, ..ONE },
        time: 2,
        people: 2,
        deeds: &[Deed::Approve, Deed::Reject, Deed::Disarm],
        outages: 2,
        ..Self::NONE
    };

    /// Nobody has armed it yet.
    pub const SETTLING: Self = Self {
        name: "settling",
        about: "a name that nobody has armed, which the tick arms once all has been well",
        workload: Workload { is_armed: false, ..ONE },
        time: 3,
        people: 1,
        deeds: &[Deed::Approve, Deed::Arm, Deed::Disarm],
        ..Self::NONE
    };

    /// AWS takes its time.
    pub const PATIENCE: Self = Self {
        name: "patience",
        about: "changes and promotions that take longer than they should",
        time: 6,
        is_whole: true,
        recovers: false,
        ..Self::NONE
    };

    /// Nobody interferes, two invocations die, and AWS keeps its promises: what must happen does.
    pub const LIVENESS: Self = Self {
        name: "liveness",
        about: "fair: each function completes an invocation a step, two die, AWS propagates",
        time: 8,
        starts: (3, 3),
        recovers: false,
        crashes: Some(2),
        is_fair: true,
        ..Self::NONE
    };

    /// The same of two zones and two databases.
    pub const LIVENESS_OF_ZONES: Self = Self {
        name: "liveness of zones",
        about: "the same with two zones and two databases, where one invocation dies",
        workload: Workload { names: &[1, 1], databases: 2, ..ONE },
        time: 7,
        starts: (2, 2),
        crashes: Some(1),
        ..Self::LIVENESS
    };

    /// Somebody keeps undoing the pin until Holdfast leaves it to them, and then puts it back.
    pub const DRIFT: Self = Self {
        name: "drift",
        about: "somebody undoes the pin until Holdfast leaves the records to them, and puts it back",
        starts: (5, 1),
        crashes: Some(0),
        people: 4,
        deeds: &[Deed::Undo, Deed::Redo],
        recovers: false,
        ..Self::NONE
    };

    /// Whether within them time suffices for a failover, and nothing keeps it from ending.
    #[must_use]
    pub fn may_end_failed_over(&self) -> bool {
        self.promoters > 0 && self.time >= 1 && (self.starts.1 > 2 || self.time >= 2)
    }

    /// What the tests explore.
    #[must_use]
    pub fn of_the_tests() -> Vec<Self> {
        vec![
            Self::RACES,
            Self::PEOPLE,
            Self::CALLS,
            Self::NAMES,
            Self::ZONES,
            Self::RETURN,
            Self::ROUTING,
            Self::MAINTENANCE,
            Self::TROUBLE,
            Self::TARGETS,
            Self::DATABASES,
            Self::SHADOW,
            Self::APPROVAL,
            Self::SETTLING,
            Self::DRIFT,
            Self::RECORDS,
            Self::REPLICAS,
            Self::GLOBAL,
            Self::GUARDS,
            Self::REHEARSALS,
            Self::PATIENCE,
            Self::LIVENESS,
            Self::LIVENESS_OF_ZONES,
        ]
    }

    /// The same, with more of what matters most.
    #[must_use]
    pub fn deep() -> Vec<Self> {
        vec![
            Self {
                name: "races, deep",
                about: "the same, where four alarm-handlers and three replica-promoters begin in a step of time",
                starts: (4, 3),
                ..Self::RACES
            },
            Self {
                name: "people, deep",
                about: "any four things that people do, at any moment",
                people: 4,
                ..Self::PEOPLE
            },
            Self {
                name: "calls, deep",
                about: "any four calls answered from before the newest change, or refused",
                faults: 4,
                ..Self::CALLS
            },
            Self {
                name: "zones, deep",
                about: "two zones, where any three calls may be refused, or answered from before",
                faults: 3,
                ..Self::ZONES
            },
            Self {
                name: "return, deep",
                about: "out and back and out again, with any four things that people do",
                time: 8,
                people: 4,
                ..Self::RETURN
            },
            Self {
                name: "liveness, deep",
                about: "fair: the same where four die, each of which may cost a step of time",
                time: 10,
                starts: (4, 4),
                crashes: Some(4),
                ..Self::LIVENESS
            },
        ]
    }
}
