//! The world around the switch: DR's store, CloudWatch, two name servers, Route 53's API, one database, and time in steps.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use failover::incident::AlarmState;
use failover::latch::{Latch, Reading};
use failover::observation::{ChangeStatus, NameView};
use failover::record::{RecordSet, Role};
use failover::register::{Register, Spread};

use super::Switched;
use super::bounds::Bounds;
use super::checks::{CHILDREN, Child, Children, Heard, Point};
use super::hands::{Hand, Names};
use super::people::Command;
use super::setting::{at, is_on_switch, zone_at_first};
use super::watch::Watch;
use crate::databases::Database;
use crate::setting::{Sets, Setting, Zone, leads_to_dr};
use crate::shared::Shared;
use crate::world::change_id;

/// A latch's text, as the store has it.
pub type Text = Shared<String>;

/// How many name servers there are: as few as may prove anything.
pub const SERVERS: usize = 2;

/// A name server, or rather all that answer by its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// What it knows of the switch's children.
    pub children: Children,
    /// The records that it answers with.
    pub records: Zone,
    /// Changes that it has not heard of, the oldest first.
    pub due: Vec<(u8, Zone)>,
}

impl Server {
    /// The record that it answers a protected name with.
    pub fn answers(&self, view: &NameView, switch: fn(Children) -> bool) -> Option<&RecordSet> {
        let primary = self.records.primary(&view.name);
        let goes_away = primary.is_some_and(|set| is_on_switch(set) && !switch(self.children));
        if goes_away { self.records.secondary(&view.name) } else { primary }
    }

    /// It sends users to DR.
    pub fn leads_away(&self, switch: fn(Children) -> bool) -> bool {
        self.records.views.iter().all(|view| self.answers(view, switch).is_some_and(leads_to_dr))
    }

    /// It does so by the records alone, whatever the switch says.
    pub fn holds_pin(&self) -> bool {
        let is_held = |view: &NameView| {
            let both = [Role::Primary, Role::Secondary].map(|role| match role {
                Role::Primary => self.records.primary(&view.name),
                Role::Secondary => self.records.secondary(&view.name),
            });
            both.into_iter().all(|set| set.is_some_and(leads_to_dr))
        };
        self.records.views.iter().all(is_held)
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
    /// How often Route 53's API goes dark.
    pub dark: u8,
    /// Calls to the store that come to nothing.
    pub faults: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// How many steps of time have passed.
    pub time: u8,
    /// What the outage alarm says, and since which step.
    pub alarm: (AlarmState, u8),
    /// The newest step at which it began to ring.
    pub rang: Option<u8>,
    /// Whether the primary site answers.
    pub primary_answers: bool,
    /// Whether Route 53's API answers nothing.
    pub is_dark: bool,
    /// The latch, as DR's store has it.
    pub latch: Option<Text>,
    /// The listing that the store remembers.
    pub listing: Zone,
    /// What Route 53's control plane says.
    pub records: Zone,
    /// How many changes it has accepted.
    pub changes: u8,
    /// The zone's name servers.
    pub servers: [Server; SERVERS],
    /// What CloudWatch has heard.
    pub heard: Heard,
    /// Points on their way there. One that never arrives is lost.
    pub said: BTreeSet<Point>,
    /// The database in DR.
    pub database: Database,
    /// Invocations of alarm-handler under way.
    pub handlers: Vec<Hand>,
    /// Invocations of replica-promoter under way.
    pub promoters: Vec<Hand>,
    /// The approval on the bus, by the step at which its incident began.
    pub approved: Option<u8>,
    /// The rest of what a person's command does.
    pub command: Option<Command>,
    /// What may still happen.
    pub left: Left,
    /// What must never be.
    pub watch: Watch,
}

impl World {
    /// All is well.
    pub fn new(bounds: &Bounds, setting: &Setting) -> Self {
        let records = zone_at_first(setting);
        let server = Server { children: Children::WELL, records: records.clone(), due: Vec::new() };
        Self {
            time: 0,
            alarm: (AlarmState::Ok, 0),
            rang: None,
            primary_answers: true,
            is_dark: false,
            latch: None,
            listing: records.clone(),
            records,
            changes: 0,
            servers: [server.clone(), server],
            heard: Heard::WELL,
            said: BTreeSet::new(),
            database: Database::Replica,
            handlers: vec![Hand::Idle; bounds.handlers],
            promoters: vec![Hand::Idle; bounds.promoters],
            approved: None,
            command: None,
            left: Left {
                starts: bounds.starts,
                people: bounds.people,
                outages: bounds.outages,
                dark: bounds.dark,
                faults: bounds.faults,
            },
            watch: Watch::default(),
        }
    }

    /// Invocations of one function are alike, and so are the name servers.
    pub fn canonical(mut self) -> Self {
        fn by_hash(it: &impl Hash) -> u64 {
            let mut hasher = DefaultHasher::new();
            it.hash(&mut hasher);
            hasher.finish()
        }
        self.handlers.sort_by_cached_key(by_hash);
        self.promoters.sort_by_cached_key(by_hash);
        self.servers.sort_by_cached_key(by_hash);
        self
    }

    /// What the alarms say that the switch's children go by.
    pub fn truth(&self, model: &Switched) -> Children {
        let (outage, latch) = (self.alarm.0 != AlarmState::Alarm, !self.heard.latch.1);
        let hold = (model.rules.holds)(self.heard, self.time);
        Children { outage, hold, latch, again: latch }
    }

    /// The children whose newest status a name server has not heard.
    pub fn unheard(&self, model: &Switched, server: usize) -> impl Iterator<Item = Child> {
        let (mut truth, mut known) = (self.truth(model), self.servers[server].children);
        CHILDREN.into_iter().filter(move |child| truth.of(*child) != known.of(*child))
    }

    /// The latch as a strongly consistent read finds it.
    pub fn latch_now(&self) -> Option<Latch> {
        self.latch.as_ref().and_then(|text| Latch::parse(text).ok())
    }

    /// What a function learns of the records now, by the API, or by the store and the name servers.
    pub fn names(&self) -> Names {
        if !self.is_dark {
            return Names::Listed(self.records.clone());
        }
        let [one, other] = &self.servers;
        match registers(&one.records).eq(registers(&other.records)) {
            true => Names::Remembered(self.listing.clone(), one.records.clone()),
            false => Names::Unknown,
        }
    }

    /// What GetChange says of the changes that the registers of a zone name.
    pub fn statuses(&self, zone: &Sets) -> Vec<Option<ChangeStatus>> {
        let travels = |id: &String| {
            self.servers.iter().flat_map(|server| &server.due).any(|(number, _)| *id == change_id(*number))
        };
        let status = |view: &NameView| match view.register() {
            Some(Register::Pinned { spread: Spread::Change { id }, .. }) => {
                Some(if travels(id) { ChangeStatus::Pending } else { ChangeStatus::InSync })
            }
            _ => None,
        };
        zone.views.iter().map(status).collect()
    }

    /// Something is told to CloudWatch, and will arrive some time, or not.
    pub fn say(&mut self, point: Point) {
        self.said.insert(point);
    }

    /// Points that change nothing any more, whenever they arrive, are no part of what is still to come; nor are those of long ago,
    /// which count as lost.
    pub fn forget_what_was_said(&mut self, model: &Switched) {
        let (now, heard) = (self.time, self.heard);
        self.said.retain(|point| {
            let may_matter = model.rules.hear_again || {
                let mut after = heard;
                after.hear(*point);
                after != heard
            };
            may_matter && now <= point.of() + 1
        });
    }

    /// The latch is changed if it still is as it was seen; true if it was.
    pub fn swap(&mut self, seen: Option<&Text>, next: Option<Text>) -> bool {
        let is_it = self.latch.as_ref() == seen;
        if is_it {
            self.latch = next;
        }
        is_it
    }

    /// What a read of the store that was sent off at a step comes to.
    pub fn reading(text: Option<&Text>, asked: u8) -> Reading {
        Reading::of(Ok(text.map(|text| text.to_string())), at(asked))
    }
}

fn registers(zone: &Sets) -> impl Iterator<Item = Option<&Register>> {
    zone.views.iter().map(NameView::register)
}

/// A latch's text, to be kept.
pub fn text(latch: &Latch) -> Text {
    Shared::new(latch.to_string())
}
