//! CloudWatch: what the alarms say, and the replicas' lag.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Region;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StateValue};
use aws_smithy_types::DateTime;
use failover::incident::{AlarmSighting, AlarmState};
use failover::plan::{ReplicaId, alarm_name, arn_region};
use failover::promotion::LagSample;
use jiff::Timestamp;

use crate::error::CallError;
use crate::session::{GrowingAttempts, Session};

/// One sample a minute, as RDS publishes them.
const PERIOD_SECONDS: i32 = 60;

/// Someone who can ask for the alarms.
pub trait AlarmReader {
    /// What each of the alarms says; alarms that do not exist are left out.
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError>;
}

/// Someone who can ask for a replica's lag.
pub trait LagReader {
    /// The newest sample between the two times that is not −1.
    async fn last_good_lag(
        &self,
        replica: &ReplicaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<LagSample>, CallError>;
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

    /// The samples between the two times that are not −1, the oldest first.
    ///
    /// # Errors
    /// If CloudWatch does not say.
    pub async fn good_lags(
        &self,
        replica: &ReplicaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<LagSample>, CallError> {
        let answer = self
            .client(None)
            .get_metric_data()
            .metric_data_queries(lag_query(replica))
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .scan_by(ScanBy::TimestampDescending)
            .send()
            .await
            .map_err(|error| CallError::of("GetMetricData", error))?;
        let samples = answer.metric_data_results().iter().flat_map(|r| r.timestamps().iter().zip(r.values()));
        let good = samples.filter_map(|(at, &value)| {
            Some(LagSample { seconds: whole_seconds(value)?, at: Timestamp::from_second(at.secs()).ok()? })
        });
        let mut good: Vec<_> = good.collect();
        good.sort_by_key(|sample| sample.at);
        Ok(good)
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
                .set_alarm_names(Some(names.into_iter().map(str::to_owned).collect()))
                .send()
                .await
                .map_err(|error| CallError::of("DescribeAlarms", error))?;
            let metric = answer.metric_alarms().iter().map(|alarm| {
                let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
                sighting(alarm.alarm_arn(), alarm.alarm_name(), alarm.state_value(), since)
            });
            let composite = answer.composite_alarms().iter().map(|alarm| {
                let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
                sighting(alarm.alarm_arn(), alarm.alarm_name(), alarm.state_value(), since)
            });
            sightings.extend(metric.chain(composite).flatten());
        }
        Ok(sightings)
    }
}

fn sighting(
    arn: Option<&str>,
    name: Option<&str>,
    state: Option<&StateValue>,
    since: Option<&DateTime>,
) -> Option<AlarmSighting> {
    let state = match state? {
        StateValue::Ok => AlarmState::Ok,
        StateValue::Alarm => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let since = Timestamp::from_second(since?.secs()).ok()?;
    Some(AlarmSighting { arn: arn?.to_owned(), name: name?.to_owned(), state, since })
}

impl LagReader for Reader {
    async fn last_good_lag(
        &self,
        replica: &ReplicaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<LagSample>, CallError> {
        Ok(self.good_lags(replica, from, to).await?.pop())
    }
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

fn lag_query(replica: &ReplicaId) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let (metric, dimensions) = match replica {
        ReplicaId::AuroraCluster(id) => {
            ("AuroraBinlogReplicaLag", vec![dimension("DBClusterIdentifier", id), dimension("Role", "WRITER")])
        }
        ReplicaId::RdsInstance(id) => ("ReplicaLag", vec![dimension("DBInstanceIdentifier", id)]),
    };
    let metric = Metric::builder().namespace("AWS/RDS").metric_name(metric).set_dimensions(Some(dimensions)).build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD_SECONDS).stat("Maximum").build();
    MetricDataQuery::builder().id("lag").metric_stat(stat).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_is_no_lag_but_ignorance() {
        let cases = [(-1.0, None), (f64::NAN, None), (0.0, Some(0)), (0.2, Some(1)), (61.0, Some(61))];
        for (value, seconds) in cases {
            assert_eq!(whole_seconds(value), seconds, "{value}");
        }
    }
}
