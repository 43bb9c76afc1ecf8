//! Whether databases may be promoted at all, said a second time.

use super::Sentence;
use crate::common::{self, DR, PRIMARY, at, name, pair, values};
use failover::incident::Incident;
use failover::observation::Attention::{self, None as Quiet, Page};
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::promotion::Gate;
use failover::register::{ArmedBy, Pin, Register, Spread};
use failover::rule::Id;
use proptest::prelude::*;
use proptest::sample::select;

/// The plan's time for clients to leave the primary, beside the TTL.
const DRAIN_SECONDS: i64 = 60;

#[derive(Clone, Debug)]
pub struct Workload {
    pub now: i64,
    names: Vec<Protected>,
    /// What Route 53 says of changes `C0` and `C1`.
    changes: [Option<ChangeStatus>; 2],
}

#[derive(Clone, Debug)]
struct Protected {
    state: State,
    /// Where the PRIMARY and the SECONDARY record lead.
    leads: (&'static str, &'static str),
}

#[derive(Clone, Debug)]
enum State {
    /// Its users are where they always were, or nobody knows.
    NotMoved(Option<Register>),
    Unreadable,
    Pinned {
        at: i64,
        began: i64,
        how: How,
        original_ttl: u32,
        recorded_ttl: Option<u32>,
    },
    FailedOver,
}

#[derive(Clone, Copy, Debug)]
enum How {
    /// Or edited by somebody, which is later than it was made.
    Written {
        at: i64,
    },
    Asked(usize),
    InSync {
        at: i64,
    },
}

pub const SENTENCES: &[Sentence<Workload, Gate>] = &[
    (Gate::Closed, |w| !w.is_under_way()),
    (Gate::Open, |w| w.is_under_way() && w.is_all_on_dr() && w.pins().all(|pin| w.has_drained(pin))),
    (Gate::RecordInSync, |w| {
        let is_news = w.pins().any(|pin| !matches!(pin.how(), How::InSync { .. }));
        w.is_all_on_dr() && is_news && w.pins().all(|pin| w.has_arrived(pin))
    }),
    (Gate::Wait, |w| {
        let arrives = w.pins().any(|pin| !w.has_arrived(pin));
        let is_all_recorded = w.pins().all(|pin| matches!(pin.how(), How::InSync { .. }));
        let drains = is_all_recorded && w.pins().any(|pin| !w.has_drained(pin));
        w.is_under_way() && (!w.is_all_on_dr() || arrives || drains)
    }),
];

impl Workload {
    pub fn views(&self) -> Vec<NameView> {
        self.names.iter().enumerate().map(|(nth, name)| name.view(nth)).collect()
    }

    pub fn changes(&self) -> Changes {
        let told = self.changes.iter().enumerate().filter_map(|(nth, status)| Some((format!("C{nth}"), (*status)?)));
        told.collect()
    }

    fn pins(&self) -> impl Iterator<Item = &Protected> {
        self.names.iter().filter(|name| matches!(name.state, State::Pinned { .. }))
    }

    /// A failover is, until every database has been promoted.
    fn is_under_way(&self) -> bool {
        self.pins().next().is_some()
    }

    fn is_all_pinned(&self) -> bool {
        self.names.iter().all(|name| matches!(name.state, State::Pinned { .. } | State::FailedOver))
    }

    fn is_all_led_to_dr(&self) -> bool {
        self.names.iter().all(|name| name.leads == (DR, DR))
    }

    /// No client is sent to the primary, by any name.
    fn is_all_on_dr(&self) -> bool {
        self.is_all_pinned() && self.is_all_led_to_dr()
    }

    /// Route 53 has said that every name server has it.
    fn has_arrived(&self, pin: &Protected) -> bool {
        match pin.how() {
            How::Written { .. } => false,
            How::Asked(nth) => self.changes[nth] == Some(ChangeStatus::InSync),
            How::InSync { .. } => true,
        }
    }

    /// Nobody has an answer of before the pin any more, and connections have had their time to end.
    fn has_drained(&self, pin: &Protected) -> bool {
        let (How::InSync { at }, State::Pinned { original_ttl, recorded_ttl, .. }) = (pin.how(), &pin.state) else {
            return false;
        };
        let ttl = (*original_ttl).max(recorded_ttl.unwrap_or_default());
        self.now >= at + i64::from(ttl) + DRAIN_SECONDS
    }

    /// The newest that a name is on DR for.
    pub fn incident(&self) -> Option<Incident> {
        let began = self.names.iter().filter_map(|name| match name.state {
            State::Pinned { began, .. } => Some(began),
            State::FailedOver => Some(0),
            State::NotMoved(_) | State::Unreadable => None,
        });
        began.max().map(common::incident)
    }

    /// Whoever must pin a name, or see why a pin takes ten minutes (three, where Route 53 cannot even be asked about it), is woken. A change by
    /// hand is told by the function that pins.
    pub fn attention(&self, gate: Gate) -> Attention {
        let is_late = |pin: &Protected| match pin.state {
            State::Pinned { at, how: How::Written { at: written }, .. } if written <= at => self.now >= written + 180,
            State::Pinned { at, .. } => self.now >= at + 600,
            _ => false,
        };
        let is_overdue = self.pins().any(|pin| !self.has_arrived(pin) && is_late(pin));
        let is_stuck = !self.is_all_pinned() || self.is_all_led_to_dr() && is_overdue;
        if gate == Gate::Wait && is_stuck { Page } else { Quiet }
    }

    /// True unless `row` tells of something that is not so.
    pub fn is_so(&self, row: Id) -> bool {
        let has_failed_over = self.names.iter().any(|name| matches!(name.state, State::FailedOver));
        match row.to_string().as_str() {
            "R01a" => !has_failed_over,
            "R01b" => has_failed_over,
            "R01c" => !self.is_all_pinned(),
            "R01d" => !self.is_all_led_to_dr(),
            "R02a" | "R02b" => self.pins().any(|pin| !self.has_arrived(pin)),
            "R02d" => self.pins().all(|pin| self.has_arrived(pin)),
            _ => true,
        }
    }
}

impl Protected {
    fn how(&self) -> How {
        match self.state {
            State::Pinned { how, .. } => how,
            State::NotMoved(_) | State::Unreadable | State::FailedOver => How::Written { at: 0 },
        }
    }

    fn view(&self, nth: usize) -> NameView {
        let name = name(&format!("name-{nth}.example.com"));
        let (primary, secondary) = self.leads;
        let mut sets = pair(&name, "A", values(60, &[primary]), values(60, &[secondary]));
        let register = match &self.state {
            State::NotMoved(register) => register.clone(),
            State::Unreadable => Some(common::disarmed()),
            State::Pinned { at: since, began, how, original_ttl, recorded_ttl } => {
                let original = [("A".to_owned(), values(*original_ttl, &[PRIMARY]))].into();
                let pin =
                    Pin { ttl_seconds: *recorded_ttl, ..Pin::new(at(*since), common::incident(*began), original) };
                let spread = match how {
                    How::Written { at } => common::unrecorded(*at),
                    How::Asked(nth) => common::change(&format!("C{nth}")),
                    How::InSync { at: seen } => Spread::InSync { at: at(*seen) },
                };
                Some(Register::Pinned { pin, spread })
            }
            State::FailedOver => Some(common::failed_over(0)),
        };
        let mut register = register.map(|register| register.record_set(&name).unwrap());
        if let (State::Unreadable, Some(set)) = (&self.state, &mut register) {
            set.target = values(60, &["\"v=9 asleep\""]);
        }
        sets.extend(register);
        NameView::of_name("Z1", &name, &sets)
    }
}

fn names() -> impl Strategy<Value = Protected> {
    let not_moved = select(vec![
        None,
        Some(common::disarmed()),
        Some(common::armed(-7_200, ArmedBy::Operator)),
        Some(common::paused(9_000)),
    ]);
    let how = prop_oneof![
        2 => select(vec![20_i64, 30, 31, 99]).prop_map(|at| How::Written { at }),
        3 => (0_usize..2).prop_map(How::Asked),
        5 => select(vec![99_i64, 100, 101]).prop_map(|at| How::InSync { at }),
    ];
    let ttls = (select(vec![1_u32, 60, 300]), prop::option::of(select(vec![1_u32, 60, 300])));
    let pinned = (select(vec![20_i64, 30, 31]), select(vec![0_i64, 10]), how, ttls);
    let pinned = pinned.prop_map(|(at, began, how, (original_ttl, recorded_ttl))| State::Pinned {
        at,
        began,
        how,
        original_ttl,
        recorded_ttl,
    });
    let state = prop_oneof![
        2 => not_moved.prop_map(State::NotMoved),
        1 => Just(State::Unreadable),
        20 => pinned,
        3 => Just(State::FailedOver),
    ];
    let leads = prop_oneof![8 => Just((DR, DR)), 1 => select(vec![(PRIMARY, DR), (PRIMARY, PRIMARY), (DR, PRIMARY)])];
    (state, leads).prop_map(|(state, leads)| Protected { state, leads })
}

pub fn workloads() -> impl Strategy<Value = Workload> {
    let now = select(vec![90_i64, 161, 199, 200, 209, 210, 211, 219, 220, 221, 459, 460, 461, 619, 620, 629, 630, 631]);
    let pending = || {
        prop_oneof![
            3 => Just(Some(ChangeStatus::InSync)),
            2 => select(vec![None, Some(ChangeStatus::Pending), Some(ChangeStatus::Lost)]),
        ]
    };
    (now, prop::collection::vec(names(), 0..4), pending(), pending()).prop_map(|(now, names, first, second)| Workload {
        now,
        names,
        changes: [first, second],
    })
}
