//! How far each exploration of the switch goes.

use failover::plan::Mode;

use super::people::Deed;

/// How far an exploration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What they are called.
    pub name: &'static str,
    /// What is within them, in words.
    pub about: &'static str,
    /// Who decides.
    pub mode: Mode,
    /// Whether name servers' answers may stand in for a pin.
    pub promotes_by_dns: bool,
    /// Steps of time.
    pub time: u8,
    /// Invocations of alarm-handler at once.
    pub handlers: usize,
    /// Invocations of replica-promoter at once.
    pub promoters: usize,
    /// How many invocations of alarm-handler may begin in a step of time, and of replica-promoter.
    pub starts: (u8, u8),
    /// Whether an invocation of alarm-handler runs whole, so that nothing comes between its calls, and one of replica-promoter.
    pub is_whole: (bool, bool),
    /// Whether a name server hears of each child by itself; else of all at once.
    pub is_fine: bool,
    /// Whether a change of records is at both name servers at once; else at one after the other.
    pub is_together: bool,
    /// Whether CloudWatch hears each heartbeat at once; else late or never, as it does whatever else it is told.
    pub hears_hold: bool,
    /// Whether an outage begins in the first step of time or never; else in any.
    pub begins_with_outage: bool,
    /// How many things people do.
    pub people: u8,
    /// Which.
    pub deeds: &'static [Deed],
    /// How many outages there are.
    pub outages: u8,
    /// Whether the primary may come back.
    pub recovers: bool,
    /// Whether the alarm may ring though the primary is up.
    pub errs: bool,
    /// How often Route 53's API goes dark; it may answer again at any time.
    pub dark: u8,
    /// How many calls to the store come to nothing.
    pub faults: u8,
}

impl Bounds {
    const NONE: Self = Self {
        name: "",
        about: "",
        mode: Mode::Automatic,
        promotes_by_dns: true,
        time: 1,
        handlers: 1,
        promoters: 1,
        starts: (1, 1),
        is_whole: (false, false),
        is_fine: false,
        is_together: false,
        hears_hold: false,
        begins_with_outage: false,
        people: 0,
        deeds: &[],
        outages: 1,
        recovers: true,
        errs: false,
        dark: 0,
        faults: 0,
    };

    /// Two alarm-handlers at once.
    pub const COMMIT: Self = Self {
        name: "commit",
        about: "two alarm-handlers at once, dying anywhere, each word of the latch late or lost",
        handlers: 2,
        promoters: 0,
        starts: (2, 0),
        hears_hold: true,
        begins_with_outage: true,
        ..Self::NONE
    };

    /// Each name server hears of each of the switch's children by itself.
    pub const CHILDREN: Self = Self {
        name: "children",
        about: "each name server hears of each of the four children by itself, sooner or later or never; Route 53's API dark or not",
        is_fine: true,
        is_whole: (true, false),
        dark: 1,
        ..Self::NONE
    };

    /// Route 53's API is dark.
    pub const DARK: Self = Self {
        name: "dark",
        about: "Route 53's API goes dark at any moment and answers again at any moment, or never",
        recovers: false,
        dark: 1,
        ..Self::NONE
    };

    /// Two replica-promoters at once.
    pub const PROMOTERS: Self = Self {
        name: "promoters",
        about: "two replica-promoters at once, Route 53's API dark or not",
        handlers: 1,
        promoters: 2,
        starts: (1, 2),
        is_whole: (true, false),
        is_together: true,
        hears_hold: true,
        begins_with_outage: true,
        recovers: false,
        dark: 1,
        ..Self::NONE
    };

    /// The store.
    pub const STORE: Self = Self {
        name: "store",
        about: "any call to the store that comes to nothing, Route 53's API dark or not",
        recovers: false,
        dark: 1,
        faults: 1,
        is_together: true,
        hears_hold: true,
        begins_with_outage: true,
        ..Self::NONE
    };

    /// A person takes back what is committed.
    pub const UNLATCH: Self = Self {
        name: "unlatch",
        about: "a person unlatches at any moment, Route 53's API dark or not",
        people: 1,
        deeds: &[Deed::Unlatch],
        is_whole: (true, false),
        is_together: true,
        hears_hold: true,
        begins_with_outage: true,
        dark: 1,
        ..Self::NONE
    };

    /// There and back.
    pub const HOME: Self = Self {
        name: "home",
        about: "there and back by a failback, between whose steps anything may come; somebody undoes the pin",
        time: 2,
        starts: (2, 2),
        is_whole: (true, true),
        is_together: true,
        hears_hold: true,
        begins_with_outage: true,
        people: 2,
        deeds: &[Deed::FailBack, Deed::Undo],
        ..Self::NONE
    };

    /// Name servers prove nothing by themselves.
    pub const BY_PIN: Self = Self {
        name: "by pin",
        about: "promote_by: pin; somebody undoes the pin while the latch stands",
        promotes_by_dns: false,
        people: 1,
        deeds: &[Deed::Undo],
        dark: 1,
        recovers: false,
        hears_hold: true,
        begins_with_outage: true,
        ..Self::NONE
    };

    /// Holdfast asks, and holds meanwhile.
    pub const HELD: Self = Self {
        name: "held",
        about: "approval mode, false alarms, a person disarms: whatever holds a failover holds users at the primary",
        mode: Mode::Approval,
        people: 2,
        deeds: &[Deed::Approve, Deed::Disarm],
        errs: true,
        promoters: 0,
        starts: (1, 0),
        begins_with_outage: true,
        ..Self::NONE
    };

    /// Holdfast dead for a while.
    pub const DEAD: Self = Self {
        name: "dead",
        about: "Holdfast dead or not heard for as long as it likes, Route 53's API dark or not",
        time: 3,
        is_whole: (true, true),
        is_together: true,
        begins_with_outage: true,
        recovers: false,
        dark: 1,
        ..Self::NONE
    };

    /// What the tests explore.
    #[must_use]
    pub fn of_the_tests() -> Vec<Self> {
        vec![
            Self::COMMIT,
            Self::CHILDREN,
            Self::DARK,
            Self::PROMOTERS,
            Self::STORE,
            Self::UNLATCH,
            Self::HOME,
            Self::BY_PIN,
            Self::HELD,
            Self::DEAD,
        ]
    }

    /// The same, with more of what matters most.
    #[must_use]
    pub fn deep() -> Vec<Self> {
        vec![
            Self {
                name: "commit, deep",
                about: "the same, where each heartbeat may be late or lost too, and an outage begins whenever it likes",
                hears_hold: false,
                begins_with_outage: false,
                ..Self::COMMIT
            },
            Self {
                name: "dark, deep",
                about: "the same in three steps of time, where nothing comes between the calls of alarm-handler",
                time: 2,
                is_whole: (true, false),
                is_together: true,
                hears_hold: true,
                begins_with_outage: true,
                ..Self::DARK
            },
            Self {
                name: "store, deep",
                about: "any three calls to the store that come to nothing",
                faults: 3,
                ..Self::STORE
            },
            Self {
                name: "unlatch, deep",
                about: "any two of: a person unlatches, a person disarms; between any two calls of both functions",
                is_whole: (false, false),
                people: 2,
                deeds: &[Deed::Unlatch, Deed::Disarm],
                recovers: false,
                ..Self::UNLATCH
            },
        ]
    }
}
