//! Whose the time was that users waited.

use std::collections::BTreeMap;

use failover::register::Register;
use jiff::{SignedDuration, Timestamp};

use super::{Evidence, is_outcome};
use lab::journal::What;
use lab::route53::{RecordSet, Target};

/// Within which the pin's arrival is on record, in a few calls a name: the wait begins after it.
const RECORDED: SignedDuration = SignedDuration::from_secs(10);

impl Evidence {
    /// How long a resolver may keep an answer: the longest TTL of the records that carry users, which are the failover pairs and what their
    /// aliases lead to.
    pub(crate) fn ttl(&self) -> SignedDuration {
        let pairs = || self.original.iter().filter(|set| set.failover().is_some() && carries_users(set));
        let behind_alias = |set: &RecordSet| {
            pairs().any(|pair| matches!(&pair.target, Target::Alias { name, .. } if *name == set.key.name))
        };
        let carriers = self.original.iter().filter(|set| set.failover().is_some() || behind_alias(set));
        let kept = carriers.filter(|set| carries_users(set)).filter_map(|set| match set.target {
            Target::Values { ttl, .. } => Some(i64::from(ttl)),
            Target::Alias { .. } | Target::TrafficPolicy => None,
        });
        SignedDuration::from_secs(kept.max().unwrap_or_default())
    }

    /// When clients had drained, by what Route 53 knew of the pin and the user's own limits; nothing where promotion did not wait for
    /// the pin.
    #[must_use]
    pub fn drained_at(&self) -> Option<Timestamp> {
        let of_pins = self.registers.values().filter_map(Register::pin).map(|pin| i64::from(pin.drain_ttl_seconds()));
        let ttl = of_pins.max().map_or_else(|| self.ttl(), SignedDuration::from_secs);
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

    /// How many calls a minute functions made of AWS while they waited for clients to drain, and then for RDS, each by its function and
    /// action: of the two waits the busier. A minute that has begun counts whole, as its tick does.
    #[must_use]
    pub fn calls_a_minute(&self) -> BTreeMap<String, f64> {
        let call = |what: &What| match what {
            What::Call { caller, action, .. } => Some(format!("{} {action}", caller.strip_prefix("holdfast-")?)),
            _ => None,
        };
        let asked = self.promotions().first().map(|(at, _)| *at);
        let recorded = self.pinned_at().map(|at| at + RECORDED);
        let waits = [(recorded, asked), (asked, self.takes_writes_at(&self.workload.databases[0].id))];
        let rates = waits.into_iter().filter_map(|(from, to)| {
            let (from, to) = (from?, to?);
            let during = self.entries().iter().filter(|entry| (from..to).contains(&entry.at));
            let one = 1.0 / (to.duration_since(from).as_secs_f64() / 60.0).ceil();
            let mut rates = BTreeMap::new();
            for call in during.filter_map(|entry| call(&entry.what)) {
                *rates.entry(call).or_default() += one;
            }
            Some(rates)
        });
        let sum = |rates: &BTreeMap<String, f64>| rates.values().sum::<f64>();
        rates.max_by(|one, other| sum(one).total_cmp(&sum(other))).unwrap_or_default()
    }

    /// When every database took writes.
    #[must_use]
    pub fn every_writer_at(&self) -> Option<Timestamp> {
        let databases = self.workload.databases.iter().map(|database| self.takes_writes_at(&database.id));
        databases.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// From the last database's first write to the word that the failover is over, in seconds.
    #[must_use]
    pub fn told_seconds(&self) -> Option<f64> {
        let available = self.every_writer_at()?;
        let told = self.first(|what| is_outcome(what, "FailedOver"))?;
        Some(told.duration_since(available).as_secs_f64())
    }
}

/// True of the types by which clients find an address; others that have a failover pair are nobody's traffic.
pub(crate) fn carries_users(set: &RecordSet) -> bool {
    ["A", "AAAA", "CNAME"].contains(&set.key.kind.to_string().as_str())
}
