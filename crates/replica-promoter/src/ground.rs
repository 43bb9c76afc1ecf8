//! What promotion stands on: the pins in Route 53, or the latch in DR's own store where Route 53's API has not taken them.

use std::collections::BTreeSet;

use aws::CallError;
use aws::beside;
use aws::cloudwatch::LagReader;
use aws::dns::NameServers;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter, protected_names, spreading_changes};
use aws::store::{StoreReader, StoreWriter, Swap};
use failover::change::Write;
use failover::latch::{self, Latch, Stage};
use failover::name::Name;
use failover::observation::{Changes, Fact, NameView};
use failover::outcome::Finding;
use failover::plan::{self, Mode, Plan, Shown};
use failover::promotion;
use failover::register::{Evidence, Register};
use failover::users::{Place, Users};

use crate::calls::Calls;

/// No pin, and no word of the latch, arrives at the name servers sooner.
const ARRIVAL_SECONDS_MIN: u32 = 10;

/// What was seen, and what keeps what is to be put on record.
pub(crate) struct Ground {
    /// The protected names; where the latch stands in, as it makes them.
    pub names: Vec<NameView>,
    /// The changes that carry pins.
    pub changes: Changes,
    /// The latch, if it is closed.
    pub latch: Option<Latch>,
    /// Not every pin is in Route 53: the latch stands in, and keeps the record.
    pub is_by_latch: bool,
    /// Where the latch stands in: the names whose own register in Route 53 says that they are pinned. Only theirs are rewritten.
    pub written: BTreeSet<Name>,
    /// Why the name servers do not show the latch, if they were asked and do not.
    unproven: Option<String>,
    /// Where the latch stands in: the names as they are.
    pub listed: Option<Vec<NameView>>,
}

impl<Records, Registers, Databases, Promoter, Lag, Beside> Calls<Records, Registers, Databases, Promoter, Lag, Beside>
where
    Records: RecordReader,
    Registers: RecordWriter,
    Databases: ReplicaReader,
    Promoter: ReplicaWriter,
    Lag: LagReader,
    Beside: StoreReader + StoreWriter + NameServers,
{
    /// Looks at the records, the latch, and where it must stand in, at the name servers. Unless this look `lists`, Route 53's API need not be
    /// asked where name servers say that nothing is pinned: no promotion begins within the minutes in which they do not know of a pin.
    pub(crate) async fn ground(&self, plan: &Plan, lists: bool) -> Result<Ground, Finding> {
        let read = self.latch_once_pinned(plan).await;
        let is_open = matches!(read, latch::Reading::Open { .. } | latch::Reading::NoStore);
        if is_open && let Some(names) = self.unpinned(plan, lists).await {
            return Ok(Ground::of_pins(names, None));
        }
        let names = protected_names(plan, &self.records).await;
        let latch = read.closed().cloned();
        let shown = plan.latch.as_ref().and_then(|latch| latch.shown.as_ref()).filter(|_| plan.mode != Mode::Shadow);
        let is_pinned = |names: &[NameView]| names.iter().all(|view| view.pin().is_some());
        let ground = match (names, latch, shown) {
            (Ok(names), Some(latch), Some(shown)) if !is_pinned(&names) => {
                let written = names.iter().filter(|view| view.pin().is_some()).map(|view| view.name.clone()).collect();
                Ground { written, ..self.by_latch(plan, shown, names, latch).await }
            }
            (Ok(names), latch, _) => Ground::of_pins(names, latch),
            (Err(error), Some(latch), Some(shown)) if !error.is_refused_on_purpose() => {
                match beside::remembered(plan, &self.beside, || self.records.now()).await {
                    Ok(names) => self.by_latch(plan, shown, names, latch).await.remembered(),
                    Err(why) => {
                        self.begin_anew(plan, &latch).await;
                        return Err(blind(&error, Some(why)));
                    }
                }
            }
            (Err(error), ..) => return Err(blind(&error, None)),
        };
        if ground.is_by_latch {
            return Ok(ground);
        }
        let changes = spreading_changes(&self.records, &ground.names).await;
        self.note_end_in_latch(plan, &ground).await;
        Ok(Ground { changes, ..ground })
    }

    /// The latch. Of one that was just closed the pins are being written now, and none has arrived: to look at them would only take from
    /// other workloads' pins of the account's five requests a second.
    async fn latch_once_pinned(&self, plan: &Plan) -> latch::Reading {
        let read = beside::latch(plan, &self.beside, self.records.now()).await;
        let Some(Latch { at, .. }) = read.closed() else { return read };
        let age_seconds = u32::try_from(self.records.now().duration_since(*at).as_secs().max(0)).unwrap_or(u32::MAX);
        match ARRIVAL_SECONDS_MIN.saturating_sub(age_seconds) {
            0 => read,
            seconds => {
                self.records.wait(seconds).await;
                beside::latch(plan, &self.beside, self.records.now()).await
            }
        }
    }

    async fn unpinned(&self, plan: &Plan, lists: bool) -> Option<Vec<NameView>> {
        if lists {
            return None;
        }
        let names = beside::unpinned(plan, &self.beside).await;
        names.inspect_err(|why| tracing::debug!(why, "the records are listed")).ok()
    }

    /// Where the latch stands in for pins. Once databases are being promoted nothing lifts it, and no name server is asked any more.
    async fn by_latch(&self, plan: &Plan, shown: &Shown, names: Vec<NameView>, latch: Latch) -> Ground {
        let (mut latch, mut unproven) = (latch, None);
        if latch.stage == Stage::Committed {
            let look = beside::look(shown, &self.beside, &names).await;
            let proof = latch::proves(plan, &names, &look);
            unproven = proof.err().map(|not_proven| not_proven.to_string());
            if let Some(why) = &unproven {
                tracing::warn!(why, "the name servers do not show the latch");
            }
            let next = latch.looked_at(unproven.is_none(), self.records.now());
            if next != latch {
                match beside::swap_latch(plan, &self.beside, Some(&latch), &next).await {
                    Ok(Swap::Done) => latch = next,
                    // Whatever came between: this look counts for nothing.
                    Ok(Swap::Overtaken) | Err(_) => latch.shown = None,
                }
            }
        }
        let listed = Some(names);
        let names = listed.iter().flatten().map(|view| latch::stands_in(plan, &latch, view)).collect();
        let (changes, written) = (Changes::new(), BTreeSet::new());
        Ground { names, changes, latch: Some(latch), is_by_latch: true, written, unproven, listed }
    }

    /// A look that hears nothing is a look that does not show it.
    async fn begin_anew(&self, plan: &Plan, latch: &Latch) {
        if latch.stage == Stage::Committed && latch.shown.is_some() {
            let next = latch.looked_at(false, self.records.now());
            // Should this fail too, the time between looks tells.
            let _ = beside::swap_latch(plan, &self.beside, Some(latch), &next).await;
        }
    }

    /// By the latch nothing is promoted before the store says so: from then on nobody can lift the latch. A pin in sync holds users by itself,
    /// and waits for no store.
    pub(crate) async fn begin(&self, plan: &Plan, ground: &mut Ground) -> Result<(), CallError> {
        let Some(latch) = ground.latch.clone().filter(|latch| latch.stage == Stage::Committed) else { return Ok(()) };
        let next = latch.promoting();
        let swapped = beside::swap_latch(plan, &self.beside, Some(&latch), &next).await;
        match swapped {
            Ok(Swap::Done) => ground.latch = Some(next),
            other if ground.is_by_latch => return Err(other.err().unwrap_or_else(overtaken)),
            Ok(Swap::Overtaken) => {}
            Err(error) => tracing::warn!(%error, "the latch does not say that databases are being promoted"),
        }
        Ok(())
    }

    /// Keeps in the latch what registers would say.
    pub(crate) async fn keep(&self, plan: &Plan, latch: &Latch, writes: &[Write]) -> Result<(), CallError> {
        let pins = writes.iter().filter_map(|write| write.register.pin());
        let mut next = latch.knowing(&pins.map(|pin| pin.evidence.clone()).collect::<Evidence>());
        if writes.iter().any(|write| matches!(write.register, Register::FailedOver { .. })) {
            next = next.failed_over(self.records.now());
        }
        if next == *latch {
            return Ok(());
        }
        match beside::swap_latch(plan, &self.beside, Some(latch), &next).await? {
            Swap::Done => Ok(()),
            Swap::Overtaken => Err(overtaken()),
        }
    }

    /// Once every register says that the failover is over the latch says so too; that it fails is no failure, since the tick tries again.
    async fn note_end_in_latch(&self, plan: &Plan, ground: &Ground) {
        let unfinished = ground.latch.as_ref().filter(|latch| !matches!(latch.stage, Stage::FailedOver { .. }));
        let is_its_own = |latch: &&Latch| ground.names.iter().all(|view| latch.takes_along(view));
        let Some(latch) = unfinished.filter(is_its_own).filter(|_| promotion::is_over(&ground.names)) else { return };
        let next = latch.failed_over(self.records.now());
        if let Err(error) = beside::swap_latch(plan, &self.beside, Some(latch), &next).await {
            tracing::warn!(%error, "the latch does not say that the failover is over");
        }
    }
}

impl Ground {
    /// The same, where the names are those that the store remembers.
    fn remembered(mut self) -> Self {
        if let (Some(_), Some(latch)) = (&self.unproven, &self.latch) {
            self.names = self.names.iter().map(|view| latch::in_doubt(latch, view)).collect();
        }
        self
    }

    pub(crate) fn of_pins(names: Vec<NameView>, latch: Option<Latch>) -> Self {
        let names = match &latch {
            Some(latch) => names.iter().map(|view| latch::knowing(latch, view)).collect(),
            None => names,
        };
        let (changes, written) = (Changes::new(), BTreeSet::new());
        Self { names, changes, latch, is_by_latch: false, written, unproven: None, listed: None }
    }

    /// The plan, with the margin that name servers' answers need.
    pub(crate) fn plan(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        if let (true, Some(plan::Latch { shown: Some(shown), .. })) = (self.is_by_latch, &plan.latch) {
            plan.limits.drain_seconds = plan.limits.drain_seconds.saturating_add(shown.margin_seconds);
        }
        plan
    }

    /// Where users are while names are pinned, or the latch stands in.
    pub(crate) fn users(&self, plan: &Plan) -> Option<Users> {
        let users = Users::kept(plan, &self.names)?;
        Some(match &self.unproven {
            Some(_) => Users { place: Place::LatchUnseen, ..users },
            None if self.is_by_latch => Users { place: Place::Latched, ..users },
            None => users,
        })
    }

    /// What is to be said of it beside what the rules saw.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let latch = self.latch.as_ref().filter(|_| self.is_by_latch);
        let by = latch
            .map(|latch| Fact::new("by", format!("the name servers' answers; not every pin is written ({latch})")));
        by.into_iter().chain(self.unproven.as_ref().map(|why| Fact::new("name servers", why))).collect()
    }

    /// True if people were told that the failover is over, by an earlier look that stood on the latch.
    pub(crate) fn was_told(&self) -> bool {
        self.latch.as_ref().is_some_and(|latch| matches!(latch.stage, Stage::FailedOver { .. }))
    }
}

fn blind(error: &CallError, unremembered: Option<String>) -> Finding {
    let mut finding = Finding::interrupted("the records".to_owned(), error.fate(), error, None, None);
    finding.facts.extend(unremembered.map(|why| Fact::new("DR's listing", why)));
    finding
}

fn overtaken() -> CallError {
    CallError::Unknown { call: "PutItem", why: "another invocation changed the latch first".to_owned() }
}
