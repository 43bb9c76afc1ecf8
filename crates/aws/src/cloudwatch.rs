//! CloudWatch: what the alarms say, and the replicas' lag.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Region;
use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, EvaluationState, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StateValue,
};
use aws_smithy_types::DateTime;
use failover::incident::{AlarmSighting, AlarmState, EvaluationTrouble};
use failover::plan::{Heartbeat, Plan, ReplicaId, alarm_name, arn_region};
use failover::promotion::{Database, LagSample, Source};
use jiff::Timestamp;

use crate::error::CallError;
use crate::session::{GrowingAttempts, Session};

/// One sample a minute, as RDS publishes them. "Data points with a period of 60 seconds … are available for 15 days …, 300
/// seconds … for 63 days …, 3600 seconds … for 455 days" (CloudWatch user guide, "Metrics retention"), counted here a day
/// short: a window that begins earlier has none of the finer ones.
const PERIODS: [(i64, i32); 2] = [(14, 60), (62, 300)];
const LONGEST_PERIOD_SECONDS: i32 = 3_600;

/// Someone who can ask for the alarms.
pub trait AlarmReader {
    /// What each of the alarms says; alarms that do not exist are left out.
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError>;
}

/// Someone who can ask for a replica's lag.
pub trait LagReader {
    /// The samples between the two times that are not −1, oldest first.
    async fn good_lags(&self, of: LagOf<'_>, from: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError>;

    /// The newest of a database's own samples between the two times that is not −1.
    async fn last_good_lag(
        &self,
        of: LagOf<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<LagSample>, CallError> {
        Ok(self.good_lags(of, from, to).await?.pop())
    }
}

/// Whose samples.
#[derive(Clone, Copy, Debug)]
pub enum LagOf<'a> {
    /// RDS's own of a database; where CloudWatch has none under a cluster's name, those of these instances of it.
    Rds {
        /// The database.
        replica: &'a ReplicaId,
        /// As RDS describes it, if it does: a cluster's instances, and where a global database's other clusters are.
        database: Option<&'a Database>,
    },
    /// Those of the metric that the plan names for it.
    Heartbeat(&'a Heartbeat),
}

impl<'a> LagOf<'a> {
    /// By the plan.
    #[must_use]
    pub fn planned(plan: &'a Plan, replica: &'a ReplicaId, database: Option<&'a Database>) -> Self {
        plan.heartbeats.get(replica).map_or(Self::Rds { replica, database }, Self::Heartbeat)
    }

    /// How many of its metric's units are a second.
    fn units_a_second(&self) -> f64 {
        match self {
            Self::Rds { replica: ReplicaId::GlobalMember { .. }, .. } => 1_000.0,
            Self::Rds { .. } | Self::Heartbeat(_) => 1.0,
        }
    }
}

/// Looks at CloudWatch in whichever region an ARN names.
#[derive(Clone, Debug)]
pub struct Reader {
    session: Session,
}

impl Reader {
    /// A reader with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { session: session.clone() }
    }

    fn client(&self, region: Option<&str>) -> Client {
        client(&self.session, region)
    }
}

/// A client in a region; in the session's own if none is given.
pub(crate) fn client(session: &Session, region: Option<&str>) -> Client {
    let mut config = aws_sdk_cloudwatch::config::Builder::from(session.config())
        .retry_partition(session.retries())
        .timeout_config(session.limits_of_looks())
        .interceptor(GrowingAttempts)
        .interceptor(session.clock().clone());
    if let Some(region) = region {
        config = config.region(Region::new(region.to_owned()));
    }
    Client::from_conf(config.build())
}

impl AlarmReader for Reader {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let mut by_region: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
        for arn in arns {
            by_region.entry(arn_region(arn)).or_default().extend(alarm_name(arn));
        }
        let mut sightings = Vec::new();
        for (region, names) in by_region {
            let answer = self
                .client(region)
                .describe_alarms()
                // "If you omit this parameter, only metric alarms are returned, even if composite alarms … exist"
                // (DescribeAlarms).
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .alarm_types(AlarmType::LogAlarm)
                .set_alarm_names(Some(names.into_iter().map(str::to_owned).collect()))
                .send()
                .await
                .map_err(|error| CallError::of("DescribeAlarms", error))?;
            // The transition names the incident. The update is later wherever anything else changed: the evaluation state, or
            // a composite alarm that says ALARM again after its suppressor's wait. It counts only where nothing else is told.
            let metric = answer.metric_alarms().iter().map(|alarm| {
                let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
                let trouble = alarm.evaluation_state().and_then(trouble);
                sighting(alarm.alarm_arn(), alarm.alarm_name(), alarm.state_value(), since, trouble)
            });
            let composite = answer.composite_alarms().iter().map(|alarm| {
                let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
                sighting(alarm.alarm_arn(), alarm.alarm_name(), alarm.state_value(), since, None)
            });
            let log = answer.log_alarms().iter().map(|alarm| {
                let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
                let trouble = alarm.evaluation_state().and_then(trouble);
                sighting(alarm.alarm_arn(), alarm.alarm_name(), alarm.state_value(), since, trouble)
            });
            sightings.extend(metric.chain(composite).chain(log).flatten());
        }
        Ok(sightings)
    }
}

fn sighting(
    arn: Option<&str>,
    name: Option<&str>,
    state: Option<&StateValue>,
    since: Option<&DateTime>,
    trouble: Option<EvaluationTrouble>,
) -> Option<AlarmSighting> {
    let state = match state? {
        StateValue::Ok => AlarmState::Ok,
        StateValue::Alarm => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let since = Timestamp::from_second(since?.secs()).ok()?;
    Some(AlarmSighting { arn: arn?.to_owned(), name: name?.to_owned(), state, since, trouble })
}

fn trouble(state: &EvaluationState) -> Option<EvaluationTrouble> {
    match state {
        EvaluationState::PartialData => Some(EvaluationTrouble::PartialData),
        EvaluationState::EvaluationError => Some(EvaluationTrouble::Error),
        EvaluationState::EvaluationFailure => Some(EvaluationTrouble::Failure),
        _ => None,
    }
}

impl LagReader for Reader {
    async fn good_lags(&self, of: LagOf<'_>, from: Timestamp, to: Timestamp) -> Result<Vec<LagSample>, CallError> {
        let answer = self
            .client(None)
            .get_metric_data()
            .set_metric_data_queries(Some(lag_queries(of, period_seconds(from, to))))
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .scan_by(ScanBy::TimestampDescending)
            .send()
            .await
            .map_err(|error| CallError::of("GetMetricData", error))?;
        let of_one = |result: &MetricDataResult| {
            let values = result.values().iter().map(|value| value / of.units_a_second());
            let samples = result.timestamps().iter().map(DateTime::secs).zip(values);
            samples.collect::<Vec<_>>()
        };
        let (own, others): (Vec<_>, Vec<_>) =
            answer.metric_data_results().iter().partition(|result| result.id().is_some_and(|id| id.starts_with(OWN)));
        let own: Vec<(i64, f64)> = own.into_iter().flat_map(of_one).collect();
        let samples = if own.is_empty() { others.into_iter().flat_map(of_one).collect() } else { own };
        Ok(good(&samples))
    }
}

/// Of each time the greatest, if any is not −1; oldest first.
fn good(samples: &[(i64, f64)]) -> Vec<LagSample> {
    let mut greatest = BTreeMap::new();
    for (at, value) in samples {
        if let Some(seconds) = whole_seconds(*value) {
            let known = greatest.entry(*at).or_insert(seconds);
            *known = seconds.max(*known);
        }
    }
    let sample = |(at, seconds)| Some(LagSample { seconds, at: Timestamp::from_second(at).ok()? });
    greatest.into_iter().filter_map(sample).collect()
}

/// The shortest period of which CloudWatch still has data points at the window's beginning.
fn period_seconds(from: Timestamp, to: Timestamp) -> i32 {
    let days = to.duration_since(from).as_hours() / 24;
    PERIODS.iter().find(|(most, _)| days < *most).map_or(LONGEST_PERIOD_SECONDS, |(_, period)| *period)
}

/// "−1 … replication lag can't be determined or the replica is not replicating" (Aurora user guide, troubleshooting).
fn whole_seconds(value: f64) -> Option<u64> {
    (value.is_finite() && value >= 0.0).then(|| whole(value))
}

/// A count or a time in whole units, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and nothing here is negative"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value.ceil() as u64
}

/// What the ids of the queries for a database's own metric begin with, and those of the metrics that are taken where that has no data.
const OWN: &str = "lag";
const OTHER: &str = "other";

/// The database's own metric; and an Aurora cluster's instances', since it is not documented that a replica cluster's lag
/// is to be had by the role of its writer.
fn lag_queries(of: LagOf<'_>, period_seconds: i32) -> Vec<MetricDataQuery> {
    let query_of = |namespace: &str, id: String, metric: &str, dimensions: &[(&str, &str)]| {
        let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
        let dimensions = dimensions.iter().map(dimension).collect();
        let metric =
            Metric::builder().namespace(namespace).metric_name(metric).set_dimensions(Some(dimensions)).build();
        let stat = MetricStat::builder().metric(metric).period(period_seconds).stat("Maximum").build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    };
    let query = |id: String, metric: &str, dimensions: &[(&str, &str)]| query_of("AWS/RDS", id, metric, dimensions);
    match of {
        LagOf::Heartbeat(Heartbeat { namespace, metric, dimensions }) => {
            let dimensions: Vec<_> = dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            vec![query_of(namespace, OWN.to_owned(), metric, &dimensions)]
        }
        LagOf::Rds { replica: ReplicaId::AuroraCluster(id), database } => {
            let own = [("DBClusterIdentifier", id.as_str()), ("Role", "WRITER")];
            let own = query(OWN.to_owned(), AURORA_LAG, &own);
            let members = database.map_or(&[][..], |database| &database.members);
            let member = |(nth, member): (usize, &String)| {
                query(format!("{OTHER}{nth}"), AURORA_LAG, &[("DBInstanceIdentifier", member)])
            };
            std::iter::once(own).chain(members.iter().enumerate().map(member)).collect()
        }
        LagOf::Rds { replica: ReplicaId::RdsInstance(id), .. } => {
            vec![query(OWN.to_owned(), "ReplicaLag", &[("DBInstanceIdentifier", id)])]
        }
        LagOf::Rds { replica: ReplicaId::GlobalMember { cluster, .. }, database } => {
            global_queries(cluster, database, query)
        }
    }
}

const AURORA_LAG: &str = "AuroraBinlogReplicaLag";

/// The lag of a secondary cluster. "For Aurora MySQL … 3.04.0 and higher or 2.12.0 and higher, use … `AuroraGlobalDBRPOLag` … For lower minor
/// versions …, view the `AuroraGlobalDBReplicationLag` metric instead" (Aurora user guide, global databases). The console lists both in
/// the secondary's region under "DBClusterIdentifier, SourceRegion" (AWS's Aurora labs); the reference names no dimensions, so they are
/// asked for without the region too. Where AWS has them under another name yet, the plan's heartbeats can say so.
fn global_queries(
    cluster: &str,
    database: Option<&Database>,
    query: impl Fn(String, &str, &[(&str, &str)]) -> MetricDataQuery,
) -> Vec<MetricDataQuery> {
    let regions = match database.map(|database| &database.source) {
        Some(Source::InGlobal(place)) => place.other_regions.as_slice(),
        _ => &[],
    };
    let by_cluster = ("DBClusterIdentifier", cluster);
    let each = [(OWN, "AuroraGlobalDBRPOLag"), (OTHER, "AuroraGlobalDBReplicationLag")].into_iter().flat_map(
        |(id, metric)| {
            let alone = query(id.to_owned(), metric, &[by_cluster]);
            let of_region = |(nth, region): (usize, &String)| {
                query(format!("{id}{nth}"), metric, &[by_cluster, ("SourceRegion", region)])
            };
            std::iter::once(alone).chain(regions.iter().enumerate().map(of_region)).collect::<Vec<_>>()
        },
    );
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use failover::promotion::{Instances, Membership};

    #[test]
    fn minus_one_is_no_lag_but_ignorance() {
        let cases = [(-1.0, None), (f64::NAN, None), (0.0, Some(0)), (0.2, Some(1)), (61.0, Some(61))];
        for (value, seconds) in cases {
            assert_eq!(whole_seconds(value), seconds, "{value}");
        }
    }

    #[test]
    fn of_each_minute_the_greatest_lag_counts_and_minus_one_never() {
        let seen = good(&[(120, -1.0), (60, 3.0), (0, 0.0), (60, 7.2), (60, -1.0)]);
        let sample = |at, seconds| LagSample { seconds, at: Timestamp::from_second(at).unwrap() };
        assert_eq!(seen, [sample(0, 0), sample(60, 8)]);
    }

    #[test]
    fn what_has_waited_for_weeks_is_asked_for_in_periods_that_cloudwatch_keeps() {
        let at = |days: i64| Timestamp::from_second(days * 86_400).unwrap();
        let cases = [(0, 60), (13, 60), (14, 300), (61, 300), (62, 3_600), (400, 3_600)];
        for (days, period) in cases {
            assert_eq!(period_seconds(at(0), at(days)), period, "{days}");
        }
    }

    #[test]
    fn a_cluster_is_asked_for_by_the_role_of_its_writer_and_by_its_instances() {
        let place = Membership {
            global: "world".to_owned(),
            arn: String::new(),
            is_writer: false,
            other_regions: vec!["eu-west-1".to_owned()],
            operation: None,
        };
        let database = Database {
            status: "available".to_owned(),
            source: Source::InGlobal(place),
            instances: Instances::Reader,
            created: None,
            engine: String::new(),
            members: vec!["app-dr-1".to_owned()],
        };
        let asked = |replica: &ReplicaId| {
            let dimension = |it: &Dimension| format!("{}={}", it.name().unwrap(), it.value().unwrap());
            let dimensions = |query: &MetricDataQuery| {
                let metric = query.metric_stat().unwrap().metric().unwrap();
                metric.dimensions().iter().map(dimension).collect::<Vec<_>>().join(" ")
            };
            lag_queries(LagOf::Rds { replica, database: Some(&database) }, 60)
                .iter()
                .map(dimensions)
                .collect::<Vec<_>>()
        };
        let cluster = asked(&ReplicaId::AuroraCluster("app-dr".to_owned()));
        assert_eq!(cluster, ["DBClusterIdentifier=app-dr Role=WRITER", "DBInstanceIdentifier=app-dr-1"]);
        assert_eq!(asked(&ReplicaId::RdsInstance("orders-dr".to_owned())), ["DBInstanceIdentifier=orders-dr"]);
        let global = asked(&ReplicaId::GlobalMember { global: "world".to_owned(), cluster: "w-dr".to_owned() });
        let both = ["DBClusterIdentifier=w-dr", "DBClusterIdentifier=w-dr SourceRegion=eu-west-1"];
        assert_eq!(global, [both, both].concat());
    }

    #[test]
    fn a_heartbeat_is_asked_for_by_the_names_that_the_plan_gives() {
        let dimensions = [("Database".to_owned(), "app-dr".to_owned())].into();
        let heartbeat = Heartbeat { namespace: "Ours".to_owned(), metric: "Age".to_owned(), dimensions };
        let queries = lag_queries(LagOf::Heartbeat(&heartbeat), 60);
        let metric = queries[0].metric_stat().unwrap().metric().unwrap();
        assert_eq!((queries.len(), metric.namespace(), metric.metric_name()), (1, Some("Ours"), Some("Age")));
        assert_eq!((metric.dimensions()[0].name(), metric.dimensions()[0].value()), (Some("Database"), Some("app-dr")));
    }
}
