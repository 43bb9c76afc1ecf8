//! What must never be, judged at each step from outside.

use std::collections::BTreeSet;

use failover::change::{Batch, Change};
use failover::record::{Role, Routing};

use super::Switched;
use super::checks::Point;
use super::setting::TTL_STEPS;
use super::world::World;
use crate::databases::Database;
use crate::setting::leads_to_dr;
use crate::world::Author;

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Violation {
    /// The switch sent users to DR, and no failover was committed, while Holdfast lived.
    MovedUncommitted,
    /// Every name server had shown the latch, and then one answered with something else than DR.
    WentBack,
    /// A promotion though some name server's answers did not keep users on DR, or clients had not drained.
    PromotedUnproven,
    /// What was heard to be latched was heard to be open, and nobody had lifted it.
    UnlatchedByZero,
    /// The latch was lifted while a database was promoted, and users were not held by the pin.
    LiftedUnderPromotion,
    /// Holdfast let go though it could write the latch or the pin.
    LetGo,
    /// A second promotion in an incident.
    PromotedTwice,
    /// A function wrote a PRIMARY record that does not lead to DR.
    WroteOldPrimary,
}

impl Violation {
    /// The property that says it does not happen.
    #[must_use]
    pub const fn property(self) -> &'static str {
        match self {
            Self::MovedUncommitted => "while Holdfast lives nobody is moved but by a commit",
            Self::WentBack => {
                "once every name server shows the latch, DNS answers DR whatever returns and whoever edits the record"
            }
            Self::PromotedUnproven => "no promotion while some name server's answers do not prove it",
            Self::UnlatchedByZero => "a late zero un-latches nothing",
            Self::LiftedUnderPromotion => "nothing is lifted under a promotion",
            Self::LetGo => "Holdfast lets go only where it can write neither the latch nor the pin",
            Self::PromotedTwice => "with the switch, at most one promotion of a database in an incident",
            Self::WroteOldPrimary => "with the switch, no write of ours names the old primary",
        }
    }
}

/// What was seen so far, as far as a judgement needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Watch {
    /// What must never be, and was.
    pub violations: BTreeSet<Violation>,
    /// Since which step a failover is committed.
    pub committed: Option<u8>,
    /// CloudWatch has heard so.
    is_told: bool,
    /// Every name server has shown it.
    pub stands: bool,
    /// The step at which a person lifted the latch, until each name server shows it open by a word from after that, or a failback has
    /// sent users home.
    lifted: Option<u8>,
    /// alarm-handler saw all it needs in this step of time.
    pub has_looked: bool,
    /// Users may be moved by an outage: Holdfast was dead or not heard for a step, or could write neither latch nor pin.
    pub is_excused: bool,
    /// The first step at which no resolver sends anybody to the primary.
    gone_at: u8,
    promotions: u8,
}

impl Watch {
    /// Something was seen that must never be.
    pub fn accuse(&mut self, violation: Violation) {
        self.violations.insert(violation);
    }

    /// A person lifted the latch.
    pub fn lifted(&mut self, time: u8) {
        (self.committed, self.is_told, self.stands, self.lifted) = (None, false, false, Some(time));
    }

    /// A step of time ends: Holdfast lived in it if it looked, and CloudWatch has heard so.
    pub fn passes(&mut self, time: u8, said: &BTreeSet<Point>) {
        let is_heard = !said.contains(&Point::Hold(time, true));
        self.is_excused |= !(self.has_looked && is_heard);
        self.has_looked = false;
    }

    /// Somebody wrote.
    pub fn wrote(&mut self, author: Author, batch: &Batch) {
        let is_primary = |routing: &Routing| matches!(routing, Routing::Failover { role: Role::Primary, .. });
        match author {
            Author::Holdfast => {
                let names_old = |change: &Change| match change {
                    Change::Create(set) => is_primary(&set.routing) && !leads_to_dr(set),
                    Change::Delete(_) => false,
                };
                if batch.changes().any(names_old) {
                    self.accuse(Violation::WroteOldPrimary);
                }
            }
            Author::Failback => (self.promotions, self.lifted) = (0, None),
            Author::Order | Author::Hand => {}
        }
    }
}

impl World {
    /// RDS is asked to promote, and does so where there is a replica.
    pub fn promote(&mut self, model: &Switched) {
        if self.database != Database::Replica {
            return;
        }
        self.database = Database::Promoting;
        let is_closed = self.latch.is_some();
        let is_held = self.servers.iter().all(|server| {
            let is_latched = is_closed && server.children.is_latched();
            server.leads_away(model.rules.switch) && (server.holds_pin() || is_latched)
        });
        if !is_held || self.time < self.watch.gone_at {
            self.watch.accuse(Violation::PromotedUnproven);
        }
        self.watch.promotions += 1;
        if self.watch.promotions > 1 {
            self.watch.accuse(Violation::PromotedTwice);
        }
    }

    /// CloudWatch hears a point; one may come twice.
    pub fn hear(&mut self, model: &Switched, point: Point) {
        let was_latched = self.heard.latch.1;
        let of = (model.rules.stamp)(point.of(), self.time);
        match point {
            Point::Latch(asked, is_closed) => {
                self.heard.hear(Point::Latch(of, is_closed));
                let is_of_commit = self.watch.committed.is_some_and(|since| since <= asked);
                self.watch.is_told |= is_closed && is_of_commit;
            }
            Point::Hold(_, holds) => self.heard.hear(Point::Hold(of, holds)),
        }
        if was_latched && !self.heard.latch.1 && self.watch.is_told && self.latch.is_some() {
            self.watch.accuse(Violation::UnlatchedByZero);
        }
    }

    /// What a step made of what users see.
    pub fn judge(&mut self, model: &Switched, before: &Self) {
        let switch = model.rules.switch;
        let truth = self.truth(model);
        for (was, is) in before.servers.iter().zip(&self.servers) {
            let has_moved = !was.leads_away(switch) && is.leads_away(switch) && !is.holds_pin();
            if has_moved && self.latch.is_none() && !self.watch.is_excused && self.watch.lifted.is_none() {
                self.watch.violations.insert(Violation::MovedUncommitted);
            }
        }
        let is_latched = self.servers.iter().all(|server| server.children.is_latched() && !switch(server.children));
        self.watch.stands |= is_latched && self.watch.committed.is_some();
        if self.servers.iter().any(|server| !server.leads_away(switch)) {
            self.watch.gone_at = self.time + TTL_STEPS;
            if self.watch.stands {
                self.watch.accuse(Violation::WentBack);
            }
        }
        let is_open = self.servers.iter().all(|server| server.children.latch && server.children.again);
        let is_new = self.watch.lifted.is_some_and(|at| at < self.heard.latch.0);
        self.watch.lifted = self.watch.lifted.filter(|_| !(is_new && truth.latch && is_open));
        let is_well = truth.outage
            && truth.hold
            && self.servers.iter().all(|server| server.children.outage && server.children.hold);
        self.watch.is_excused &= !is_well;
    }
}
