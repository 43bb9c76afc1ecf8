//! Metrics: samples by the minute, and their statistics.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// "When no unit is specified, CloudWatch uses None" (PutMetricData).
const NO_UNIT: &str = "None";

/// A name and a value that tell metrics apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Dimension {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// What tells metrics apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricId {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Dimensions, in order.
    pub dimensions: Vec<Dimension>,
}

impl MetricId {
    /// The metric of this namespace, name and dimensions, whose order does not matter.
    pub fn new(namespace: &str, name: &str, dimensions: &[Dimension]) -> Self {
        let mut dimensions = dimensions.to_vec();
        dimensions.sort_unstable();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// How samples become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Statistic {
    Average,
    Maximum,
    Minimum,
    SampleCount,
    Sum,
}

/// One or more samples of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Samples {
    /// How many.
    pub sample_count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub minimum: f64,
    /// The greatest.
    pub maximum: f64,
}

impl Samples {
    /// `count` samples of one value.
    pub fn of(value: f64, count: f64) -> Self {
        Self { sample_count: count, sum: value * count, minimum: value, maximum: value }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sample_count: self.sample_count + other.sample_count,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
        }
    }

    /// The value of a statistic.
    pub fn value(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Average => self.sum / self.sample_count,
            Statistic::Maximum => self.maximum,
            Statistic::Minimum => self.minimum,
            Statistic::SampleCount => self.sample_count,
            Statistic::Sum => self.sum,
        }
    }
}

/// The metrics of a region.
#[derive(Debug, Default)]
pub struct Metrics(BTreeMap<MetricId, Series>);

#[derive(Debug, Default)]
struct Series {
    /// By the second a minute starts, and by unit: "CloudWatch treats values of different units as separate data streams".
    minutes: BTreeMap<(i64, Option<String>), Samples>,
}

impl Metrics {
    /// Adds samples taken at a moment.
    pub fn put(&mut self, id: MetricId, at: Timestamp, unit: Option<String>, samples: Samples) {
        let second = at.as_second();
        let minute = second - second.rem_euclid(60);
        let minutes = &mut self.0.entry(id).or_default().minutes;
        minutes.entry((minute, unit)).and_modify(|known| *known = known.and(samples)).or_insert(samples);
    }

    /// The metrics that have samples.
    pub fn ids(&self) -> impl Iterator<Item = &MetricId> {
        self.0.keys()
    }

    /// The units of its samples.
    pub fn units(&self, id: &MetricId) -> BTreeSet<String> {
        let minutes = self.0.get(id).into_iter().flat_map(|series| series.minutes.keys());
        minutes.map(|(_, unit)| unit.clone().unwrap_or_else(|| NO_UNIT.to_owned())).collect()
    }

    /// The greatest sample of each minute.
    pub fn maxima(&self, id: &MetricId) -> Vec<(Timestamp, f64)> {
        let minutes = self.0.get(id).into_iter().flat_map(|series| &series.minutes);
        let at = |second| Timestamp::from_second(second).ok();
        minutes.filter_map(|((second, _), samples)| Some((at(*second)?, samples.maximum))).collect()
    }

    /// The samples of one period from `start`; of every unit, unless one is named.
    pub fn over(&self, id: &MetricId, start: Timestamp, period: u32, unit: Option<&str>) -> Option<Samples> {
        let (from, to) = (start.as_second(), start.as_second() + i64::from(period));
        let minutes = self.0.get(id)?.minutes.range((from, None)..(to, None));
        let wanted = minutes.filter(|((_, of), _)| unit.is_none() || Some(of.as_deref().unwrap_or(NO_UNIT)) == unit);
        wanted.map(|(_, samples)| *samples).reduce(Samples::and)
    }

    /// The periods from `start` up to, not including, `end` that have samples: when they start, and the samples.
    pub fn periods(
        &self,
        id: &MetricId,
        (start, end): (Timestamp, Timestamp),
        period: u32,
        unit: Option<&str>,
    ) -> Vec<(Timestamp, Samples)> {
        // "CloudWatch rounds the specified time stamp": periods start at whole multiples of their length.
        let step = i64::from(period);
        let first = start.as_second() - start.as_second().rem_euclid(step);
        let starts = (0..).map(|n| first + n * step).take_while(|second| *second < end.as_second());
        let starts = starts.filter_map(|second| Timestamp::from_second(second).ok());
        starts.filter_map(|start| Some((start, self.over(id, start, period, unit)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_268_800 + seconds).unwrap()
    }

    #[test]
    fn samples_of_a_period_become_one_value_by_statistic() {
        let (mut metrics, id) = (Metrics::default(), MetricId::new("N", "m", &[]));
        for (second, value) in [(0, 4.0), (30, 1.0), (119, 7.0), (120, 100.0)] {
            metrics.put(id.clone(), at(second), None, Samples::of(value, 1.0));
        }
        let samples = metrics.over(&id, at(0), 120, None).unwrap();
        let values = [
            (Statistic::Average, 4.0),
            (Statistic::Maximum, 7.0),
            (Statistic::Minimum, 1.0),
            (Statistic::SampleCount, 3.0),
            (Statistic::Sum, 12.0),
        ];
        for (statistic, value) in values {
            assert_eq!(samples.value(statistic), value, "{statistic:?}");
        }
    }

    #[test]
    fn dimensions_tell_metrics_apart_in_any_order_and_units_are_streams_of_their_own() {
        let dimension = |name: &str| Dimension { name: name.to_owned(), value: "1".to_owned() };
        let id = MetricId::new("N", "m", &[dimension("a"), dimension("b")]);
        assert_eq!(id, MetricId::new("N", "m", &[dimension("b"), dimension("a")]));
        assert_ne!(id, MetricId::new("N", "m", &[dimension("a")]));
        let mut metrics = Metrics::default();
        metrics.put(id.clone(), at(0), Some("Seconds".to_owned()), Samples::of(1.0, 1.0));
        assert!(metrics.over(&id, at(0), 60, Some("Bytes")).is_none());
        assert!(metrics.over(&id, at(0), 60, Some("Seconds")).is_some());
        assert!(metrics.over(&id, at(0), 60, None).is_some());
    }

    #[test]
    fn only_periods_with_samples_are_listed_from_whole_multiples_of_the_period() {
        let (mut metrics, id) = (Metrics::default(), MetricId::new("N", "m", &[]));
        metrics.put(id.clone(), at(60), None, Samples::of(1.0, 1.0));
        metrics.put(id.clone(), at(180), None, Samples::of(2.0, 1.0));
        let starts = |from, to| {
            let periods = metrics.periods(&id, (at(from), at(to)), 60, None);
            periods.into_iter().map(|(start, _)| start).collect::<Vec<_>>()
        };
        assert_eq!(starts(61, 300), [at(60), at(180)]);
        assert_eq!(starts(61, 180), [at(60)], "the end is not included");
    }
}
