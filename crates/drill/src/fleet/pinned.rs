//! How long thirty pins at once take, against the least that the account's rate allows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::check::Checked;

/// "Five requests per second per AWS account" (Route 53 developer guide, "Quotas").
const ROUTE53_REQUESTS_A_SECOND: f64 = 5.0;

/// What an alarm's event and the pin of one name take: list the records, change them.
const CALLS_A_PIN: usize = 2;

/// How many times the least time that Route 53's rate allows the last pin may take.
const PIN_RATIO_MAX: f64 = 1.3;

/// A claim about lab time, which is real time while functions work: to be looked at where nothing else runs.
pub const PINNED_IN_TIME: &str = "the last pin is requested within 1.3 times what Route 53's rate allows";

/// A function's call of Route 53's API.
pub(super) struct Asked {
    pub function: String,
    pub action: String,
    pub is_refused: bool,
}

/// One workload's failover.
pub(super) struct Pinned {
    /// When its alarm rang.
    pub alarm: Timestamp,
    /// When its pin was requested.
    pub pin: Timestamp,
}

/// Alarms whose pins wait for one another's calls.
struct Burst {
    alarms: usize,
    began: Timestamp,
    /// When the last of the fewest possible calls can leave: as soon as its alarm has rung and Route 53's rate allows.
    floor: f64,
    /// When the last pin was requested.
    took: f64,
}

const A_CALL: f64 = 1.0 / ROUTE53_REQUESTS_A_SECOND;

impl Burst {
    fn of(one: &Pinned) -> Self {
        let mut burst = Self { alarms: 0, began: one.alarm, floor: -A_CALL, took: 0.0 };
        burst.add(one);
        burst
    }

    fn since(&self, at: Timestamp) -> f64 {
        at.duration_since(self.began).as_secs_f64()
    }

    /// Whether an alarm comes before the calls of those before can be done.
    fn has(&self, one: &Pinned) -> bool {
        self.since(one.alarm) <= self.floor + A_CALL
    }

    fn add(&mut self, one: &Pinned) {
        self.alarms += 1;
        for _ in 0..CALLS_A_PIN {
            self.floor = (self.floor + A_CALL).max(self.since(one.alarm));
        }
        self.took = self.took.max(self.since(one.pin));
    }
}

fn bursts(pinned: &[Pinned]) -> Vec<Burst> {
    let mut bursts: Vec<Burst> = Vec::new();
    for one in pinned {
        match bursts.last_mut() {
            Some(burst) if burst.has(one) => burst.add(one),
            _ => bursts.push(Burst::of(one)),
        }
    }
    bursts
}

/// Judges the largest burst: in a small one functions' own seconds are longer than the calls.
pub(super) fn in_time(pinned: &[Pinned], workloads: usize, calls: &[Asked]) -> Checked {
    let all = bursts(pinned);
    let Some(Burst { alarms, floor, took, .. }) = all.iter().max_by_key(|burst| burst.alarms) else {
        let detail = "no alarm rang, or nothing was pinned".to_owned();
        return Checked { name: PINNED_IN_TIME, held: false, detail };
    };
    let detail = format!(
        "{} of {workloads} pinned; alarms came in {} bursts, the largest of {alarms}: {took:.1} s to its last pin, of {floor:.1} s that {} calls \
         take: {:.2} times; {} calls were made from the first alarm to the last pin, {} of them refused; the others: {}",
        pinned.len(),
        all.len(),
        CALLS_A_PIN * alarms,
        took / floor,
        calls.len(),
        calls.iter().filter(|call| call.is_refused).count(),
        by_function(calls.iter().filter(|call| !call.is_refused))
    );
    let held = pinned.len() == workloads && *took <= floor * PIN_RATIO_MAX;
    Checked { name: PINNED_IN_TIME, held, detail }
}

/// How many calls of each kind the functions of all workloads made.
fn by_function<'a>(calls: impl Iterator<Item = &'a Asked>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Asked { function, action, .. } in calls {
        let function = function.split_once('-').map_or(&**function, |(_, function)| function);
        *counts.entry(format!("{function} {action}")).or_default() += 1;
    }
    counts.iter().map(|(call, count)| format!("{count} {call}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn alarms_that_come_later_do_not_hide_how_long_a_burst_took() {
        let at = |seconds: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let early = (0..7).map(|_| Pinned { alarm: at(0), pin: at(3) });
        let late = (0..23).map(|nth| Pinned { alarm: at(60), pin: at(60 + nth) });
        let pinned: Vec<_> = early.chain(late).collect();
        let told: Vec<_> =
            bursts(&pinned).iter().map(|burst| (burst.alarms, burst.floor.round(), burst.took)).collect();
        assert_eq!(told, [(7, 3.0, 3.0), (23, 9.0, 22.0)]);
        assert!(!in_time(&pinned, 30, &[]).held);
        assert!(in_time(&pinned[..7], 7, &[]).held && !in_time(&pinned[..7], 8, &[]).held);
    }
}
