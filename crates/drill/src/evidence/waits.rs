//! Whose the time was that users waited.

use failover::register::Register;
use jiff::{SignedDuration, Timestamp};

use super::{Evidence, is_outcome};
use crate::check;
use lab::journal::What;

impl Evidence {
    /// When clients had drained, by what Route 53 knew of the pin and the user's own limits; nothing where promotion did not wait for
    /// the pin.
    #[must_use]
    pub fn drained_at(&self) -> Option<Timestamp> {
        let of_pins = self.registers.values().filter_map(Register::pin).map(|pin| i64::from(pin.drain_ttl_seconds()));
        let ttl = of_pins.max().map_or_else(|| check::ttl(self), SignedDuration::from_secs);
        let drained = self.pinned_at()? + ttl + SignedDuration::from_secs(self.drain_seconds.into());
        self.promotions().first().is_some_and(|(asked, _)| *asked >= drained).then_some(drained)
    }

    /// What Holdfast itself added to the RTO, in seconds: from the alarm to the pin, and from drained clients to the promotion.
    #[must_use]
    pub fn own_seconds(&self) -> Option<(f64, f64)> {
        let stages = self.stages();
        let at = |name| stages.iter().find(|stage| stage.name == name).map(|stage| stage.at_seconds);
        let alarm = at("failover-started alarm").or_else(|| at("prolonged-outage alarm"))?;
        Some((at("pin requested")? - alarm, at("promotion asked")? - at("clients drained")?))
    }

    /// How many calls functions made of AWS in the busiest minute of those in which they waited: from the pin's arrival to the promotion,
    /// and from the minute after it to the databases' first writes.
    #[must_use]
    pub fn calls_a_minute_max(&self) -> usize {
        let calls = |what: &What| matches!(what, What::Call { caller, .. } if caller.starts_with("holdfast-"));
        let at: Vec<_> = self.entries().iter().filter(|entry| calls(&entry.what)).map(|entry| entry.at).collect();
        let asked = self.promotions().first().map(|(at, _)| *at);
        let minute = SignedDuration::from_mins(1);
        let waits = [
            (self.pinned_at(), asked),
            (asked.map(|at| at + minute), self.takes_writes_at(&self.workload.databases[0].id)),
        ];
        let in_minute_from = |from: Timestamp| at.iter().filter(|at| (from..from + minute).contains(at)).count();
        let begins = waits.into_iter().filter_map(|(from, to)| Some((from?, to? - minute)));
        let busiest = begins.flat_map(|(from, to)| at.iter().filter(move |at| (from..=to).contains(at)));
        busiest.map(|from| in_minute_from(*from)).max().unwrap_or_default()
    }

    /// From the last database's first write to the word that the failover is over, in seconds.
    #[must_use]
    pub fn told_seconds(&self) -> Option<f64> {
        let databases = self.workload.databases.iter().map(|database| self.takes_writes_at(&database.id));
        let available = databases.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        let told = self.first(|what| is_outcome(what, "FailedOver"))?;
        Some(told.duration_since(available).as_secs_f64())
    }
}
