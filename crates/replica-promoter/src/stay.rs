//! An invocation stays with its incident, so that users do not wait for a tick of ours. The tick remains the truth: whoever stays and is
//! killed costs the time to the next one, and nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws::beside;
use aws::cloudwatch::LagReader;
use aws::dns::NameServers;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{RecordReader, RecordWriter};
use aws::store::{StoreReader, StoreWriter};
use failover::latch;
use failover::observation::{ChangeStatus, NameView};
use failover::outcome::Finding;
use failover::plan::Plan;
use failover::promotion::{self, Awaited, Database, ReplicaState};
use failover::register::{Register, Spread};
use jiff::SignedDuration;

use crate::calls::Calls;
use crate::event::Signal;
use crate::ground::Ground;

/// Then the next tick takes over.
const TICK_SECONDS: u32 = 60;
/// Whoever was woken by a pin stays until a tick may look for its arrival as well. With two looks it fits the function's time limit.
const PINNED_SECONDS: u32 = 110;
/// How often is looked. All functions of a workload together make some twenty calls of AWS a minute while they wait.
const ARRIVAL_LOOK_SECONDS: u32 = 2;
/// Of these looks at name servers one also asks Route 53, whose word it is that counts: in case they cannot be asked, or are not those that
/// users ask.
const LOOKS_A_QUESTION: u32 = 10;
/// For one of the databases on their way. RDS's own word that it is there mostly comes first.
const DATABASE_LOOK_SECONDS: u32 = 20;

/// How much longer an invocation may stay.
pub(crate) struct Stay {
    seconds_left: u32,
    /// For so long after the pin, its arrival is left to whoever the pin woke.
    leaves_arrival_seconds: u32,
    /// The end of the last wait.
    at_work_since: Instant,
}

impl Stay {
    pub fn of(signal: &Signal) -> Self {
        match signal {
            Signal::Tick { .. } => Self::with(TICK_SECONDS, TICK_SECONDS),
            Signal::Pinned => Self::with(PINNED_SECONDS, 0),
            // What RDS tells may come often; the tick stays with databases. A person wants an answer.
            Signal::Hint | Signal::Approval(_) => Self::with(0, 0),
        }
    }

    fn with(seconds_left: u32, leaves_arrival_seconds: u32) -> Self {
        Self { seconds_left, leaves_arrival_seconds, at_work_since: Instant::now() }
    }

    /// Waits, if there is time. Looks take theirs too, most of all at what does not answer.
    async fn wait(&mut self, records: &impl RecordReader, seconds: u32) -> bool {
        let left = left(self.seconds_left, self.at_work_since.elapsed(), seconds);
        self.seconds_left = left.unwrap_or_default();
        if left.is_none() {
            return false;
        }
        records.wait(seconds).await;
        self.at_work_since = Instant::now();
        true
    }
}

/// How many seconds are left after a look and a wait, if there is time for both.
fn left(seconds_left: u32, looked: Duration, waits_seconds: u32) -> Option<u32> {
    let looked_seconds = u32::try_from(looked.as_secs()).unwrap_or(u32::MAX);
    seconds_left.checked_sub(waits_seconds.saturating_add(looked_seconds))
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
    /// Waits for what these findings wait for; true if another look is worth its calls.
    pub(crate) async fn stays(&self, plan: &Plan, ground: &Ground, findings: &[Finding], stay: &mut Stay) -> bool {
        match promotion::awaited(findings) {
            None => false,
            Some(Awaited::Nothing) => stay.seconds_left > 0,
            Some(Awaited::Drained(at)) => {
                let seconds = at.duration_since(self.records.now()).as_secs().max(0);
                stay.wait(&self.records, u32::try_from(seconds).unwrap_or(u32::MAX)).await
            }
            Some(Awaited::Arrival { since }) => {
                let is_left_to_another =
                    self.records.now() < since + SignedDuration::from_secs(stay.leaves_arrival_seconds.into());
                !is_left_to_another && self.until_arrived(plan, ground, stay).await
            }
            Some(Awaited::Databases) => self.until_available(plan, stay).await,
        }
    }

    async fn until_arrived(&self, plan: &Plan, ground: &Ground, stay: &mut Stay) -> bool {
        let changes = on_their_way(&ground.names);
        if changes.is_empty() && ground.listed.is_none() {
            return false;
        }
        let mut looks = 0;
        while stay.wait(&self.records, ARRIVAL_LOOK_SECONDS).await {
            looks += 1;
            let has_arrived = match &ground.listed {
                Some(listed) => self.is_shown(plan, listed).await,
                None => {
                    let is_due = looks % LOOKS_A_QUESTION == 0 || self.is_answered(&changes).await;
                    is_due && self.is_in_sync(&changes).await
                }
            };
            if has_arrived {
                return true;
            }
        }
        false
    }

    /// True if every name server answers with a register of each of these changes. They may be asked as often as one likes, while an account
    /// has five requests a second at Route 53's API, for all the workloads that fail over.
    async fn is_answered(&self, changes: &BTreeMap<&str, &NameView>) -> bool {
        let views: Vec<_> = changes.values().map(|view| NameView::clone(view)).collect();
        let heard = beside::with_registers(&self.beside, &views).await.unwrap_or_default();
        !heard.is_empty()
            && heard
                .iter()
                .zip(&views)
                .all(|(heard, view)| heard.pin().map(|pin| pin.at) == view.pin().map(|pin| pin.at))
    }

    /// Asks Route 53, up to the first change that has not arrived.
    async fn is_in_sync(&self, changes: &BTreeMap<&str, &NameView>) -> bool {
        for id in changes.keys() {
            if self.records.change_status(id).await != Ok(ChangeStatus::InSync) {
                return false;
            }
        }
        true
    }

    /// Asks the name servers whether they show the latch that stands in for pins.
    async fn is_shown(&self, plan: &Plan, listed: &[NameView]) -> bool {
        let Some(shown) = plan.latch.as_ref().and_then(|latch| latch.shown.as_ref()) else { return false };
        latch::proves(plan, listed, &beside::look(shown, &self.beside, listed).await).is_ok()
    }

    async fn until_available(&self, plan: &Plan, stay: &mut Stay) -> bool {
        // The failover ends with the last of them, so that one is asked for until it is there, and then the next.
        let mut on_their_way: Vec<_> = plan.replicas.iter().collect();
        // A look in the second of the next tick would be one too many.
        while stay.seconds_left > DATABASE_LOOK_SECONDS && stay.wait(&self.records, DATABASE_LOOK_SECONDS).await {
            while let Some(id) = on_their_way.last() {
                let state = self.replicas.state(id).await;
                let is_there = |state: &ReplicaState| state.database().is_some_and(Database::is_available_writer);
                if !state.as_ref().is_ok_and(is_there) {
                    break;
                }
                on_their_way.pop();
            }
            if on_their_way.is_empty() {
                return true;
            }
        }
        false
    }
}

/// The changes that carry pins and are not on record as in sync, each with a name that it pins; none if a pin's change is not on record:
/// such a pin alarm-handler makes once more.
fn on_their_way(names: &[NameView]) -> BTreeMap<&str, &NameView> {
    let mut changes = BTreeMap::new();
    for view in names {
        match view.register() {
            Some(Register::Pinned { spread: Spread::Change { id }, .. }) => drop(changes.insert(id.as_str(), view)),
            Some(Register::Pinned { spread: Spread::Unrecorded { .. }, .. }) => return BTreeMap::new(),
            _ => {}
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_what_does_not_answer_end_a_stay_as_waits_do() {
        let look = Duration::from_millis(7_500);
        assert_eq!(left(60, look, 2), Some(51));
        let mut stays = std::iter::successors(Some(60), |seconds| left(*seconds, look, 2));
        assert_eq!(stays.by_ref().count(), 7, "six waits and looks, and not thirty");
        assert_eq!((left(1, Duration::ZERO, 2), left(60, Duration::MAX, 2)), (None, None));
    }
}
