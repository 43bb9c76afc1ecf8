//! Everything that can go otherwise than in a quiet outage, and who decides that it does: a seed, or a list.
//!
//! Each decision is a number, of which 0 is how it goes when nothing goes wrong. A seed draws the numbers; those that are
//! not 0 are the outage's deviations, and a run that is given them as a list goes the same way. Whatever is taken off the
//! list goes quietly, which is how a failure shrinks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde::Serialize;

use crate::holdfast::Function;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// How many names more than one.
    Names,
    /// How many Aurora clusters more or less than one.
    Clusters,
    /// How many RDS instances.
    Instances,
    /// Approval or shadow instead of automatic.
    Mode,
    /// No probe URLs.
    Probes,
    /// A fence.
    Fence,
    /// What the registers say at first, instead of armed for a day.
    Register,
    /// Lag when the outage begins.
    Lag,
    /// How old the last good sample of it is.
    LagAge,
    /// How long promotions take.
    PromotionTime,
    /// A DR site that does not answer.
    DrSite,
    /// How much later the alarm rings.
    Begins,
    /// When the primary comes back.
    Returns,
    /// Invocations that run side by side.
    Overlaps,
    /// What is out of order for minutes.
    Trouble,
    /// Operators who do not answer for hours.
    Sleep,
    /// How long changes take to arrive, or that they never do.
    Delay,
    /// Late calls that do not land yet.
    Late,
    /// An alarm event that is delivered again.
    EventAgain,
    /// A pin that a person undoes.
    Undo,
    /// A pin that a person undoes once more.
    UndoAgain,
    /// A person who lets go of what was left to people, instead of pinning it again.
    Release,
    /// A person who fails over by hand.
    Declare,
    /// A person who disarms what is not pinned yet.
    Disarm,
    /// A person who points a SECONDARY record at the primary, and not back before the faults have ended.
    Swap,
    /// An alarm that somebody has deleted, in this minute.
    AlarmGone,
    /// A replica that a person promotes.
    PromotedByHand,
    /// A person who gives PRIMARY records another TTL.
    Ttl,
    /// Records that stand on the switch.
    Switch,
    /// When Route 53's API is dark, and how.
    Dark,
    /// Minutes in which CloudWatch hears nothing of hold and latch.
    Deaf,
    /// How late it hears of them.
    Hearing,
    /// A name server that learns late.
    Server,
    /// A name server that answers nothing for a minute.
    Silent,
    /// How the minute is cut.
    Pieces,
    /// Which of the deliveries that are due goes first.
    Order,
    /// A delivery that comes twice or never.
    Delivery(Function),
    /// An invocation that is slow.
    Pace,
    /// Which of the running invocations goes on.
    Turn,
    /// What becomes of a call.
    Call(Function, &'static str),
    /// A cluster of a global database.
    Globals,
    /// A failover of a global database that fails half-way.
    GlobalFails,
    /// A plan by which DR's targets must be healthy.
    TargetsAsked,
    /// Targets that are not healthy yet, or of which nobody knows.
    Targets,
    /// What becomes of them in a minute.
    TargetsTurn,
}

/// One decision of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// In which minute.
    pub minute: i64,
    /// What is decided.
    pub about: About,
    /// For the how-manieth time in that minute, from 0.
    pub nth: u32,
}

/// A decision that was not the quiet one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Deviation {
    /// Which decision.
    pub place: Place,
    /// How it went.
    pub choice: u32,
}

/// Who decides.
enum Decides {
    Seed(Box<Dice>),
    /// A seed, and somebody notes how.
    Noted(Box<Dice>, Vec<Deviation>),
    List(BTreeMap<Place, u32>),
}

/// What a seed throws. Hands and orders have dice of their own, so that most outages go as they did before these were known.
struct Dice {
    hands: SmallRng,
    orders: SmallRng,
    beside: SmallRng,
    globals: SmallRng,
    targets: SmallRng,
    all_else: SmallRng,
    is_on_switch: bool,
    has_globals: bool,
    has_targets: bool,
}

/// From this seed on outages are of workloads on the switch.
pub const ON_SWITCH: u64 = 1_000_000_000;
/// From this seed on they are not, and some have a cluster of a global database.
pub const ON_GLOBALS: u64 = 2_000_000_000;
/// From this seed on they have none, every other is on the switch, and users wait until DR's targets are healthy.
pub const ON_TARGETS: u64 = 3_000_000_000;

impl Dice {
    fn of_seed(seed: u64) -> Box<Self> {
        let others = [32, 16, 48, 8].map(|bits| seed.rotate_left(bits));
        let seeds = [!seed, others[0], others[1], others[2], others[3], seed];
        let [hands, orders, beside, globals, targets, all_else] = seeds.map(SmallRng::seed_from_u64);
        let (has_globals, has_targets) = ((ON_GLOBALS..ON_TARGETS).contains(&seed), seed >= ON_TARGETS);
        let is_on_switch = (ON_SWITCH..ON_GLOBALS).contains(&seed) || has_targets && seed % 2 == 1;
        Box::new(Self { hands, orders, beside, globals, targets, all_else, is_on_switch, has_globals, has_targets })
    }

    fn of(&mut self, about: About) -> &mut SmallRng {
        match about {
            About::Swap | About::AlarmGone | About::PromotedByHand | About::Ttl => &mut self.hands,
            About::UndoAgain | About::Release | About::Declare => &mut self.orders,
            About::Switch | About::Dark | About::Deaf | About::Hearing | About::Server | About::Silent => {
                &mut self.beside
            }
            About::Globals | About::GlobalFails => &mut self.globals,
            About::TargetsAsked | About::Targets | About::TargetsTurn => &mut self.targets,
            _ => &mut self.all_else,
        }
    }
}

/// What decides; clones share it.
#[derive(Clone)]
pub struct Chance(Rc<RefCell<Inner>>);

struct Inner {
    decides: Decides,
    minute: i64,
    /// How often each thing was decided this minute.
    asked: Vec<(About, u32)>,
}

impl Chance {
    fn new(decides: Decides) -> Self {
        Self(Rc::new(RefCell::new(Inner { decides, minute: 0, asked: Vec::new() })))
    }

    /// The seed decides.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self::new(Decides::Seed(Dice::of_seed(seed)))
    }

    /// The seed decides, and the deviations are noted.
    #[must_use]
    pub fn noting(seed: u64) -> Self {
        Self::new(Decides::Noted(Dice::of_seed(seed), Vec::new()))
    }

    /// These deviations and no others.
    #[must_use]
    pub fn of_list(deviations: &[Deviation]) -> Self {
        Self::new(Decides::List(deviations.iter().map(|deviation| (deviation.place, deviation.choice)).collect()))
    }

    /// A minute begins.
    pub fn begin_minute(&self, minute: i64) {
        let mut inner = self.0.borrow_mut();
        inner.minute = minute;
        inner.asked.clear();
    }

    /// Decides; a seed draws by `draw`.
    pub fn choose(&self, about: About, draw: impl FnOnce(&mut SmallRng) -> u32) -> u32 {
        let inner = &mut *self.0.borrow_mut();
        match &mut inner.decides {
            Decides::Seed(dice) => draw(dice.of(about)),
            Decides::Noted(dice, noted) => {
                let choice = draw(dice.of(about));
                let place = place(inner.minute, &mut inner.asked, about);
                if choice != 0 {
                    noted.push(Deviation { place, choice });
                }
                choice
            }
            Decides::List(list) => list.get(&place(inner.minute, &mut inner.asked, about)).copied().unwrap_or(0),
        }
    }

    /// True if the records stand on the switch, which seeds do not leave to chance.
    #[must_use]
    pub fn is_on_switch(&self) -> bool {
        let is_so = match &self.0.borrow().decides {
            Decides::Seed(dice) | Decides::Noted(dice, _) => dice.is_on_switch,
            Decides::List(_) => false,
        };
        self.choose(About::Switch, |_| is_so.into()) != 0
    }

    /// As [`Self::happens`], for what only workloads with global databases have.
    pub fn happens_to_globals(&self, about: About, odds: f64) -> bool {
        let has_globals = match &self.0.borrow().decides {
            Decides::Seed(dice) | Decides::Noted(dice, _) => dice.has_globals,
            Decides::List(_) => false,
        };
        self.choose(about, |rng| (has_globals && rng.random_bool(odds)).into()) != 0
    }

    /// As [`Self::one_of`], for what only workloads have whose users wait for DR's targets.
    pub fn one_of_targets(&self, about: About, odds: f64, choices: u32) -> u32 {
        let has_targets = match &self.0.borrow().decides {
            Decides::Seed(dice) | Decides::Noted(dice, _) => dice.has_targets,
            Decides::List(_) => false,
        };
        let draw = |rng: &mut SmallRng| if rng.random_bool(odds) { rng.random_range(1..=choices) } else { 0 };
        self.choose(about, |rng| if has_targets { draw(rng) } else { 0 })
    }

    /// Decides between yes and no, of which no is quiet.
    pub fn happens(&self, about: About, odds: f64) -> bool {
        self.choose(about, |rng| rng.random_bool(odds).into()) != 0
    }

    /// Decides for one of `1..=choices` with these odds, else 0.
    pub fn one_of(&self, about: About, odds: f64, choices: u32) -> u32 {
        self.choose(about, |rng| if rng.random_bool(odds) { rng.random_range(1..=choices) } else { 0 })
    }

    /// How likely each call is to go wrong: what no list needs, since it says which do.
    #[must_use]
    pub fn odds(&self, odds_max: f64) -> f64 {
        match &mut self.0.borrow_mut().decides {
            Decides::Seed(dice) | Decides::Noted(dice, _) => dice.all_else.random_range(0.0..odds_max),
            Decides::List(_) => 0.0,
        }
    }

    /// What was noted so far.
    #[must_use]
    pub fn noted(&self) -> Vec<Deviation> {
        match &self.0.borrow().decides {
            Decides::Noted(_, noted) => noted.clone(),
            Decides::Seed(_) | Decides::List(_) => Vec::new(),
        }
    }
}

fn place(minute: i64, asked: &mut Vec<(About, u32)>, about: About) -> Place {
    match asked.iter_mut().find(|(known, _)| *known == about) {
        Some((_, times)) => {
            *times += 1;
            Place { minute, about, nth: *times }
        }
        None => {
            asked.push((about, 0));
            Place { minute, about, nth: 0 }
        }
    }
}
