//! The switch among everything else.

use aws::store::Item;
use aws::telemetry::Metric;
use failover::incident::{AlarmSighting, AlarmState};
use failover::observation::Probes;
use failover::plan::alarm_name;
use jiff::Timestamp;

use super::World;
use crate::switch::{Checks, SERVERS, Switch};
use crate::watch::AskedToLatch;

impl World {
    /// What each name server shows of the switch; nothing where there is none.
    pub(super) fn shows(&self) -> Vec<Checks> {
        self.switch.iter().flat_map(Switch::shows).collect()
    }

    pub(super) fn switch_goes_on(&mut self) {
        let Some(switch) = &mut self.switch else { return };
        let (was, is_outage) = (switch.shows(), self.alarm.state == AlarmState::Alarm);
        switch.go_on(self.now, is_outage);
        let is = switch.shows();
        // Users of pinned names are on DR already.
        if self.store.contains_key(&Item::Latch) || !self.watch.pins().is_empty() {
            switch.moved.retain(|at| *at != self.now);
        }
        if is != was {
            let each = |shows: [Checks; SERVERS]| {
                shows.map(|it| {
                    format!(
                        "{}{}",
                        if it.is_primary() { "primary" } else { "dr" },
                        if it.is_latched() { "!" } else { "" }
                    )
                })
            };
            self.tell(|| format!("name servers show {}", each(is).join(", ")));
        }
    }

    /// A function emits a metric.
    pub fn hear(&mut self, at: Timestamp, metric: Metric) {
        let now = self.now;
        self.switch.iter_mut().for_each(|switch| switch.hear(now, at, metric));
    }

    /// The alarm by which the switch's hold goes.
    #[must_use]
    pub fn hold_alarm(&self, arn: &str) -> Option<AlarmSighting> {
        let state = if self.switch.as_ref()?.is_held() { AlarmState::Ok } else { AlarmState::Alarm };
        let name = alarm_name(arn)?.to_owned();
        Some(AlarmSighting { arn: arn.to_owned(), name, state, since: self.now, trouble: None })
    }

    /// The alarm on DR's targets.
    #[must_use]
    pub fn targets_alarm(&self, arn: &str) -> Option<AlarmSighting> {
        let name = alarm_name(arn)?.to_owned();
        Some(AlarmSighting { arn: arn.to_owned(), name, state: self.targets, since: self.now, trouble: None })
    }

    /// Somebody asks the store for a commit now, whenever it hears of it.
    #[must_use]
    pub fn asked_to_latch(&self, saw: Probes, text: &str) -> AskedToLatch {
        self.watch.asked_to_latch(self.now, saw, text, &self.route53)
    }
}
