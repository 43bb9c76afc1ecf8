//! What can be seen from outside: the journal of the lab, what users saw, and the records before and after.

mod parts;
mod rows;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use failover::name::Name;
use failover::register::Register;
use jiff::Timestamp;
use lab::journal::{Entry, What};
use lab::rds;
use lab::route53::RecordSet;

use crate::client::{Answer, Seen, Write};
use crate::permissions::Permissions;
use crate::plan::{DRAIN_SECONDS, number};
use crate::stage::shop::Facts;
use crate::stage::steps::Stepped;
use crate::stage::{DR, DR_ADDRESS, Database, PRIMARY, PRIMARY_ADDRESS, Stage, Workload};

pub use parts::{Mail, Pinning, Reached};
pub use rows::Rows;
pub(crate) use waits::carries_users;

/// Everything a check may look at.
#[derive(Debug)]
pub struct Evidence {
    entries: Vec<Arc<Entry>>,
    pub(crate) seen: Seen,
    /// What was protected.
    pub workload: Arc<Workload>,
    /// The records before anything happened.
    pub original: Vec<RecordSet>,
    /// The records at the end.
    pub finals: Vec<RecordSet>,
    /// The registers at the end, by protected name.
    pub registers: BTreeMap<String, Register>,
    /// When the trouble began, if there was any.
    pub outage_at: Option<Timestamp>,
    /// Whether that was no outage but a person's plan.
    pub is_planned: bool,
    /// When it ended.
    pub healed_at: Option<Timestamp>,
    /// When the drill ended.
    pub ended_at: Timestamp,
    /// The records after each failback.
    pub restored: Vec<Vec<RecordSet>>,
    /// When users were sent home, by each failback.
    pub homes: Vec<Timestamp>,
    /// What the command line answered where it had to refuse.
    pub refusals: Vec<String>,
    /// The security groups of the old writers before the fence was lifted, and after.
    pub old_groups: Vec<Vec<String>>,
    /// What steps around the failover change, at the moments that a scenario looks at.
    pub stepped: Vec<Stepped>,
    /// What was granted and used.
    pub permissions: Permissions,
    /// The plan's DrainSeconds.
    pub drain_seconds: u32,
    /// What is known of the application, where there is one.
    pub shop: Option<Facts>,
    /// What is in the servers, where they are real.
    pub rows: Option<Rows>,
    pub(crate) in_dr: BTreeSet<String>,
    pub(crate) in_primary: BTreeSet<String>,
    endpoint_check: String,
    /// The health check that the PRIMARY records stand on.
    failover_check: String,
    /// When that was put on them, if it was the switch.
    adopted_at: Option<Timestamp>,
}

/// How the journal notes an outage.
pub(crate) const OUTAGE: &str = "the primary region goes down";

impl Evidence {
    /// Gathers what there is at the end of a drill.
    #[must_use]
    pub fn gather(stage: &Stage, outage_at: Option<Timestamp>, healed_at: Option<Timestamp>) -> Self {
        let lab = &stage.lab;
        let Database { id, source, .. } = &stage.workload.databases[0];
        let ids = |region, id| rds::writes(lab, region, id).into_iter().map(|write| write.id).collect();
        Self {
            entries: lab.journal.entries(),
            seen: stage.clients.seen(),
            workload: stage.workload.clone(),
            original: stage.original.clone(),
            finals: stage.records(),
            registers: stage.registers(),
            outage_at,
            is_planned: false,
            healed_at,
            ended_at: lab.clock.now(),
            restored: Vec::new(),
            homes: Vec::new(),
            refusals: Vec::new(),
            old_groups: Vec::new(),
            stepped: Vec::new(),
            permissions: Permissions::default(),
            drain_seconds: number(&stage.responder, "DrainSeconds", DRAIN_SECONDS),
            shop: None,
            rows: None,
            in_dr: ids(DR, id),
            in_primary: ids(PRIMARY, source),
            endpoint_check: stage.endpoint_check.clone(),
            failover_check: stage.switch.clone().unwrap_or_else(|| stage.failover_check.clone()),
            adopted_at: stage.adopted_at,
        }
    }

    /// The lab's journal.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// When something first happened after the trouble began.
    pub fn first(&self, happened: impl Fn(&What) -> bool) -> Option<Timestamp> {
        let from = self.outage_at?;
        self.entries.iter().find(|entry| entry.at >= from && happened(&entry.what)).map(|entry| entry.at)
    }

    /// When the primary region went down.
    pub fn outages(&self) -> impl Iterator<Item = Timestamp> {
        let is_outage = |what: &What| matches!(what, What::Fault { what } if what == OUTAGE);
        self.entries.iter().filter(move |entry| is_outage(&entry.what)).map(|entry| entry.at)
    }

    /// When something last happened.
    pub fn last(&self, happened: impl Fn(&What) -> bool) -> Option<Timestamp> {
        self.entries.iter().rev().find(|entry| happened(&entry.what)).map(|entry| entry.at)
    }

    /// How many batches after a moment altered records other than registers, and when the first and the last was made.
    #[must_use]
    pub fn batches_after(&self, moment: Timestamp) -> Option<(usize, Timestamp, Timestamp)> {
        let batches = self.entries.iter().filter(|entry| match &entry.what {
            What::Change { status, names, .. } if entry.at > moment && status == "PENDING" => {
                names.iter().any(|name| !name.starts_with("_holdfast."))
            }
            _ => false,
        });
        let at: Vec<_> = batches.map(|entry| entry.at).collect();
        Some((at.len(), *at.first()?, *at.last()?))
    }

    /// How many calls functions made of a service after a moment, and how many were refused.
    #[must_use]
    pub fn calls_after(&self, moment: Timestamp, of: &str) -> (usize, usize) {
        let calls = self.entries.iter().filter_map(|entry| match &entry.what {
            What::Call { service, error, .. } if entry.at > moment && service == of => Some(error.is_some()),
            _ => None,
        });
        calls.fold((0, 0), |(calls, refused), is_refused| (calls + 1, refused + usize::from(is_refused)))
    }

    /// How often something happened.
    pub fn count(&self, happened: impl Fn(&What) -> bool) -> usize {
        self.entries.iter().filter(|entry| happened(&entry.what)).count()
    }

    /// Changes by which a protected name's own records (not its register) were touched after the stage was set, and when
    /// each was in sync.
    #[must_use]
    pub fn pins(&self) -> Vec<Pinning> {
        let mut pins: Vec<Pinning> = Vec::new();
        let set_at = self.adopted_at.or_else(|| self.armed_at());
        for entry in &self.entries {
            let What::Change { id, status, names, .. } = &entry.what else { continue };
            if status == "INSYNC" {
                for pin in pins.iter_mut().filter(|pin| pin.change == *id) {
                    pin.in_sync_at = Some(entry.at);
                }
                continue;
            }
            let after_setup = set_at.is_some_and(|set| entry.at >= set);
            let touched = names.iter().filter_map(|name| name.parse::<Name>().ok()).map(|name| name.to_string());
            for name in touched.filter(|name| after_setup && self.workload.names.contains(name)) {
                pins.push(Pinning { name, change: id.clone(), requested_at: entry.at, in_sync_at: None });
            }
        }
        pins
    }

    /// When Holdfast first armed a name.
    #[must_use]
    pub fn armed_at(&self) -> Option<Timestamp> {
        self.entries.iter().find(|entry| is_outcome(&entry.what, "Armed")).map(|entry| entry.at)
    }

    /// When the pin of every name was in sync.
    #[must_use]
    pub fn pinned_at(&self) -> Option<Timestamp> {
        let pins = self.pins();
        let each = self
            .workload
            .names
            .iter()
            .map(|name| pins.iter().find(|pin| pin.name == *name).and_then(|pin| pin.in_sync_at));
        each.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// When RDS accepted each promotion, with what was promoted.
    #[must_use]
    pub fn promotions(&self) -> Vec<(Timestamp, String)> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Call { action, resource, status: 200, .. }
                    if action.starts_with("Promote") || action == "FailoverGlobalCluster" =>
                {
                    Some((entry.at, resource.clone()))
                }
                _ => None,
            })
            .collect()
    }

    /// What the operators received.
    #[must_use]
    pub fn mailbox(&self) -> Vec<Mail> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Mail { subject, body, .. } => {
                    Some(Mail { at: entry.at, subject: subject.clone().unwrap_or_default(), body: body.clone() })
                }
                _ => None,
            })
            .collect()
    }

    /// What DNS answered to users after a moment.
    pub fn answers_after(&self, at: Timestamp) -> impl Iterator<Item = &Answer> {
        self.seen.answers.iter().filter(move |answer| answer.at > at)
    }

    /// What users wrote after a moment.
    pub fn writes_after(&self, at: Timestamp) -> impl Iterator<Item = &Write> {
        self.seen.writes.iter().filter(move |write| write.at > at)
    }

    /// What those who do not follow DNS wrote after a moment.
    pub fn strays_after(&self, at: Timestamp) -> impl Iterator<Item = &Write> {
        self.seen.strays.iter().filter(move |write| write.at > at)
    }

    /// How many acknowledged writes of one kind of straggler DR's database does not have.
    #[must_use]
    pub fn strays_lost(&self, kind: &str) -> usize {
        let of_kind = self.seen.strays.iter().filter(|write| write.id.starts_with(kind));
        of_kind.filter(|write| write.acknowledged && !self.in_dr.contains(&write.id)).count()
    }

    /// When RDS carried out an action that a caller asked for, with what it was about.
    #[must_use]
    pub fn done_by(&self, by: &str, of: &str) -> Vec<(Timestamp, String)> {
        let done = self.entries.iter().filter_map(|entry| match &entry.what {
            What::Call { caller, action, resource, status: 200, .. } if caller == by && action.starts_with(of) => {
                Some((entry.at, resource.clone()))
            }
            _ => None,
        });
        done.collect()
    }

    /// Every write that was acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Write> {
        self.seen.writes.iter().filter(|write| write.acknowledged)
    }

    /// Acknowledged writes that the surviving database does not have.
    #[must_use]
    pub fn lost(&self) -> Vec<&Write> {
        let is_home = self.homes.last().is_some_and(|home| self.outages().all(|outage| outage < *home));
        let survivor = if self.promotions().is_empty() || is_home { &self.in_primary } else { &self.in_dr };
        self.acknowledged().filter(|write| !survivor.contains(&write.id)).collect()
    }

    /// RTO: seconds from the beginning of the trouble to the first write that DR accepted. Nobody recovers from what was planned.
    #[must_use]
    pub fn rto_seconds(&self) -> Option<f64> {
        self.without_writes_seconds().filter(|_| !self.is_planned)
    }

    /// For how long a planned move kept users from writing.
    #[must_use]
    pub fn interruption_seconds(&self) -> Option<f64> {
        self.without_writes_seconds().filter(|_| self.is_planned)
    }

    fn without_writes_seconds(&self) -> Option<f64> {
        self.since_outage(self.first_write_in_dr()?)
    }

    /// RPO: seconds between the oldest acknowledged write that is lost and the beginning of the trouble; 0 if none is.
    #[must_use]
    pub fn rpo_seconds(&self) -> Option<f64> {
        let outage = self.outage_at.filter(|_| !self.promotions().is_empty())?;
        let oldest = self.lost().iter().map(|write| write.at).min();
        Some(oldest.map_or(0.0, |oldest| outage.duration_since(oldest).as_secs_f64().max(0.0)))
    }

    fn first_write_in_dr(&self) -> Option<Timestamp> {
        let outage = self.outage_at?;
        self.writes_after(outage).find(|write| write.acknowledged && write.address == Some(DR_ADDRESS)).map(|w| w.at)
    }

    /// When a database of DR first took writes.
    fn takes_writes_at(&self, wanted: &str) -> Option<Timestamp> {
        self.first(|what| matches!(what, What::Database { id, writable: true, .. } if id == wanted))
    }

    /// Seconds from the beginning of the trouble until DR had accepted a write of every user, and every database there took writes.
    #[must_use]
    pub fn all_served_seconds(&self) -> Option<f64> {
        let outage = self.outage_at?;
        let served = |user: usize| {
            let id = format!("user-{user}-");
            let is_served =
                |write: &&Write| write.acknowledged && write.address == Some(DR_ADDRESS) && write.id.starts_with(&id);
            self.writes_after(outage).find(is_served).map(|write| write.at)
        };
        let users = (0..self.workload.typed.len()).map(served);
        let databases = self.workload.databases.iter().map(|database| self.takes_writes_at(&database.id));
        let all: Option<Vec<_>> = users.chain(databases).collect();
        self.since_outage(all?.into_iter().max()?)
    }

    fn since_outage(&self, at: Timestamp) -> Option<f64> {
        Some(at.duration_since(self.outage_at?).as_secs_f64())
    }

    /// The stages that were reached, as they came.
    #[must_use]
    pub fn stages(&self) -> Vec<Reached> {
        let turned = |check: &str| {
            let check = check.to_owned();
            self.first(move |what| matches!(what, What::HealthCheck { id, healthy: false, .. } if *id == check))
        };
        let alarm = |infix: &'static str| {
            self.first(
                move |what| matches!(what, What::Alarm { name, to, .. } if name.contains(infix) && to == "ALARM"),
            )
        };
        let dr_answer = self.outage_at.and_then(|at| self.answers_after(at).find(|a| a.address == Some(DR_ADDRESS)));
        let reached = [
            ("detected", turned(&self.endpoint_check)),
            ("site-down alarm", alarm("-site-down")),
            ("prolonged-outage alarm", alarm("-prolonged-outage")),
            ("DNS answers DR", turned(&self.failover_check)),
            ("failover-started alarm", alarm("-failover-started")),
            ("first client on DR", dr_answer.map(|answer| answer.at)),
            ("DR prepared", self.first(|what| is_outcome(what, "Prepared"))),
            ("pin requested", self.pins().first().map(|pin| pin.requested_at)),
            ("pin in sync", self.pinned_at()),
            ("clients drained", self.drained_at()),
            ("promotion asked", self.promotions().first().map(|(at, _)| *at)),
            ("writer available", self.takes_writes_at(&self.workload.databases[0].id)),
            ("first accepted write", self.first_write_in_dr()),
            ("failed over", self.first(|what| is_outcome(what, "FailedOver"))),
            ("after-steps done", self.first(|what| is_outcome(what, "AfterDone"))),
        ];
        let mut reached: Vec<_> = reached.into_iter().filter_map(|(name, at)| Some((name, at?))).collect();
        reached.sort_by_key(|(_, at)| *at);
        reached
            .into_iter()
            .filter_map(|(name, at)| Some(Reached { name, at_seconds: self.since_outage(at)? }))
            .collect()
    }
}

/// True if a function returned this outcome.
#[must_use]
pub fn is_outcome(what: &What, outcome: &str) -> bool {
    matches!(what, What::Invocation { response, succeeded: true, .. } if response["outcome"] == outcome)
}

/// The name of a site, for people.
#[must_use]
pub fn site(address: Option<IpAddr>) -> &'static str {
    match address {
        Some(PRIMARY_ADDRESS) => "primary",
        Some(DR_ADDRESS) => "DR",
        Some(_) => "an unknown address",
        None => "nothing",
    }
}
