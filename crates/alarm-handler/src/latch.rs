//! The latch: committed before the pins are written, told to the switch at the end of an invocation that could look.

use std::collections::{BTreeMap, BTreeSet};

use aws::beside;
use aws::dns::NameServers;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use aws::store::{StoreReader, StoreWriter, Swap};
use aws::telemetry::{self, Metric};
use aws::{cloudwatch::AlarmReader, probe::Prober};
use failover::latch::{self, Latch};
use failover::listing::{Source, Unanswered};
use failover::observation::NameView;
use failover::outcome::{Finding, Kind};
use failover::pin::Observation;
use failover::plan::Plan;
use jiff::Timestamp;

use crate::calls::{Calls, Key, Pending, key};

impl<Records, Writes, Alarms, Sites, Beside> Calls<Records, Writes, Alarms, Sites, Beside>
where
    Records: RecordReader,
    Writes: RecordWriter + HealthCheckWriter,
    Alarms: AlarmReader,
    Sites: Prober,
    Beside: StoreReader + StoreWriter + NameServers,
{
    /// The latch that is closed, or is closed now since every name that it moves is to be pinned. It goes before the pins: they follow
    /// it at whatever tick Route 53 takes them, and a failure to close it leaves the failover to them.
    pub(crate) async fn commit(&self, plan: &Plan, seen: &Observation, pending: &Pending) -> Option<Latch> {
        match &seen.latch {
            latch::Reading::Closed { latch, .. } => return Some(latch.clone()),
            latch::Reading::NoStore | latch::Reading::NotKnown(_) => return None,
            latch::Reading::Open { .. } => {}
        }
        let is_pin = |finding: &Finding| finding.kind == Kind::Pinned;
        let pins: BTreeMap<Key, _> = pending
            .iter()
            .filter(|(_, finding)| is_pin(finding))
            .filter_map(|(write, finding)| Some((key(write), finding.incident.clone()?)))
            .collect();
        let pinning = |view: &NameView| pins.get(&(view.zone.clone(), view.name.clone())).cloned();
        let latch = Latch::committed(latch::commits(plan, &seen.names, pinning)?, seen.now);
        if seen.source == Source::Listed {
            // Route 53 may be silent from here on, and a promotion would stand on the store's listing, which may lack what this look saw:
            // a longer TTL that clients drain by.
            beside::remember(plan, &self.beside, &seen.names, seen.now).await;
        }
        let swapped = beside::swap_latch(plan, &self.beside, None, &latch).await;
        let swapped = swapped.inspect_err(|error| tracing::warn!(%error, "the latch may not be closed"));
        let closed = match swapped {
            Ok(Swap::Done) => Some(latch),
            // Another invocation was faster, or nobody knows whether this one was: the store does.
            Ok(Swap::Overtaken) | Err(_) => {
                beside::latch(plan, &self.beside, self.reader.now()).await.closed().cloned()
            }
        };
        // At once, and not after the pins: Route 53 may take a minute to refuse them.
        if closed.is_some() {
            tell_the_switch(self.reader.now(), true);
        }
        closed
    }

    /// Tells the switch of the latch, keeps the listing for a time when Route 53 is silent, and adds what is to be said of the latch.
    pub(crate) async fn conclude(
        &self,
        plan: &Plan,
        seen: &Observation,
        latch: Option<&Latch>,
        findings: &mut Vec<Finding>,
    ) {
        // The time of the question: a word that arrives late must neither un-latch what was committed since nor latch what was lifted.
        match (latch, &seen.latch) {
            (_, latch::Reading::Closed { asked, .. }) => tell_the_switch(*asked, true),
            (None, latch::Reading::Open { asked }) => tell_the_switch(*asked, false),
            (Some(_), _) | (None, latch::Reading::NoStore | latch::Reading::NotKnown(_)) => {}
        }
        if seen.source == Source::Listed {
            beside::remember(plan, &self.beside, &seen.names, seen.now).await;
        }
        let Some(latch) = latch else { return };
        let taken_along = || seen.names.iter().filter(|view| latch.takes_along(view));
        let unpinned = unpinned(taken_along(), findings);
        if unpinned > 0 {
            findings.push(Finding::latched(latch, unpinned));
        } else if taken_along().next().is_none() {
            findings.push(Finding::stray_latch(latch));
        }
    }
}

/// How many names are neither pinned in the last look nor by this invocation: what an earlier pass pinned, the last look may show already.
fn unpinned<'a>(names: impl Iterator<Item = &'a NameView>, findings: &[Finding]) -> usize {
    let written: BTreeSet<_> =
        findings.iter().filter(|it| it.kind == Kind::Pinned).map(|it| it.subject.as_str()).collect();
    names.filter(|view| view.pin().is_none() && !written.contains(view.name.to_string().as_str())).count()
}

/// What is said where Route 53 did not even tell the records, so that nothing was sent to it. With a latch, one interruption; else also each
/// pin that was due, as P13, by which `hold::lets_go` stops the heartbeat and DNS follows the outage.
pub(crate) fn unwritten(pending: Pending, unanswered: &Unanswered, latch: Option<&Latch>) -> Vec<Finding> {
    let Unanswered { fate, error } = unanswered;
    let interrupted = |subject: String, incident, since| Finding::interrupted(subject, *fate, error, incident, since);
    let mut findings = vec![interrupted(
        "the records".to_owned(),
        latch.map(|latch| latch.incident.clone()),
        latch.map(|latch| latch.at),
    )];
    if latch.is_none() {
        let pins = pending.into_iter().filter(|(_, finding)| finding.kind == Kind::Pinned);
        findings.extend(pins.map(|(write, finding)| {
            let Finding { id, incident, since, .. } = finding;
            Finding { id, ..interrupted(write.name.to_string(), incident, since) }
        }));
    }
    findings
}

/// The metric of the template's LatchAlarm, on which two of the switch's four children stand.
fn tell_the_switch(at: Timestamp, is_closed: bool) {
    telemetry::emit(at, &[Metric { name: "Latch", unit: "Count", value: f64::from(u8::from(is_closed)) }]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use failover::incident::Incident;
    use failover::observation::Attention;
    use failover::record::Target;
    use failover::register::{Pin, Register, Spread};

    use super::*;

    fn name(name: &str, is_pinned: bool) -> NameView {
        let (name, at) = (name.parse().unwrap(), Timestamp::UNIX_EPOCH);
        let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
        let pin = Pin::new(at, Incident { alarm: "started".to_owned(), began: at }, [("A".to_owned(), target)].into());
        let register = Register::Pinned { pin, spread: Spread::InSync { at } };
        let sets = is_pinned.then(|| register.record_set(&name).unwrap());
        NameView::of_name("Z1", &name, &sets.into_iter().collect::<Vec<_>>())
    }

    fn written(name: &str) -> Finding {
        Finding {
            subject: name.to_owned(),
            kind: Kind::Pinned,
            id: None,
            because: String::new(),
            attention: Attention::Page,
            incident: None,
            since: None,
            despite: BTreeSet::new(),
            facts: Vec::new(),
            next: String::new(),
        }
    }

    #[test]
    fn a_pin_that_took_effect_though_its_answer_was_lost_counts_once_as_a_second_look_shows_it() {
        let names = [name("a.example.com", true), name("b.example.com", false), name("c.example.com", false)];
        assert_eq!(unpinned(names.iter(), &[written("a.example.com")]), 2);
        assert_eq!(unpinned(names.iter(), &[written("a.example.com"), written("b.example.com")]), 1);
        assert_eq!(unpinned(names[..1].iter(), &[written("a.example.com")]), 0);
    }
}
