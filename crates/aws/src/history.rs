//! What AWS keeps of the past: alarms' turns (30 days), databases' events (14 days), what functions logged (as long as
//! their log groups say). A report of an incident is made of nothing else.

use aws_sdk_cloudwatch::types::{HistoryItemType, ScanBy};
use aws_sdk_rds::types::SourceType;
use aws_smithy_types::DateTime;
use failover::plan::{ReplicaId, alarm_name, arn_region};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::CallError;
use crate::rds;
use crate::session::Session;
use crate::telemetry::Record;
use crate::watch::{ABOUT_THE_SITE, detector_of};

/// An alarm changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// The alarm's name.
    pub alarm: String,
    /// The state it entered: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub to: String,
    /// Why, in CloudWatch's words.
    pub reason: String,
}

/// RDS told of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The database.
    pub database: ReplicaId,
    /// What, in RDS's words.
    pub message: String,
}

/// Looks at the past.
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

    /// Turns of the alarm, and of the alarms that the same detector has, the oldest first.
    ///
    /// # Errors
    /// If CloudWatch does not say.
    pub async fn turns(&self, alarm_arn: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Turn>, CallError> {
        let session = arn_region(alarm_arn).map_or_else(|| self.session.clone(), |it| self.session.in_region(it));
        let config = aws_sdk_cloudwatch::config::Builder::from(session.config())
            .retry_partition(session.retries())
            .interceptor(session.clock().clone());
        let client = aws_sdk_cloudwatch::Client::from_conf(config.build());
        let name = alarm_name(alarm_arn).unwrap_or_default();
        let detector = detector_of(name);
        let mut pages = client
            .describe_alarm_history()
            .set_alarm_name(detector.is_none().then(|| name.to_owned()))
            .history_item_type(HistoryItemType::StateUpdate)
            .start_date(DateTime::from_secs(from.as_second()))
            .end_date(DateTime::from_secs(to.as_second()))
            .scan_by(ScanBy::TimestampAscending)
            .into_paginator()
            .items()
            .send();
        let mut turns = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| CallError::of("DescribeAlarmHistory", error))?;
            let (Some(alarm), Some(at)) = (item.alarm_name(), item.timestamp().and_then(timestamp)) else { continue };
            let is_of_detector = detector.is_none_or(|detector| {
                let rest = alarm.strip_prefix(detector);
                rest.is_some_and(|rest| ABOUT_THE_SITE.iter().any(|about| rest.starts_with(about)))
            });
            // "HistoryData: data about the alarm, in JSON format" (AlarmHistoryItem).
            let data: Value = serde_json::from_str(item.history_data().unwrap_or_default()).unwrap_or_default();
            let word = |name: &str| data["newState"][name].as_str().unwrap_or_default().to_owned();
            if is_of_detector {
                turns.push(Turn { at, alarm: alarm.to_owned(), to: word("stateValue"), reason: word("stateReason") });
            }
        }
        Ok(turns)
    }

    /// What RDS told of a database in the session's region, the oldest first.
    ///
    /// # Errors
    /// If RDS does not say.
    pub async fn told(&self, database: &ReplicaId, from: Timestamp, to: Timestamp) -> Result<Vec<Told>, CallError> {
        let (id, kind) = match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => (id, SourceType::DbCluster),
            ReplicaId::RdsInstance(id) => (id, SourceType::DbInstance),
        };
        let mut pages = rds::client(&self.session)
            .describe_events()
            .source_identifier(id)
            .source_type(kind)
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .into_paginator()
            .items()
            .send();
        let mut told = Vec::new();
        while let Some(event) = pages.next().await {
            let event = event.map_err(|error| CallError::of("DescribeEvents", error))?;
            if let Some(at) = event.date().and_then(timestamp) {
                let message = event.message().unwrap_or_default().to_owned();
                told.push(Told { at, database: database.clone(), message });
            }
        }
        Ok(told)
    }

    /// What a function put on record about a phrase, the oldest first.
    ///
    /// # Errors
    /// If CloudWatch Logs does not say.
    pub async fn records(
        &self,
        function: &str,
        phrase: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, Record)>, CallError> {
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(self.session.config())
            .retry_partition(self.session.retries())
            .interceptor(self.session.clock().clone());
        let mut pages = aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
            .filter_log_events()
            .log_group_name(format!("/aws/lambda/{function}"))
            .filter_pattern(format!("\"{phrase}\""))
            .start_time(from.as_millisecond())
            .end_time(to.as_millisecond())
            .into_paginator()
            .send();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of("FilterLogEvents", error))?;
            records.extend(page.events().iter().filter_map(|event| {
                let at = Timestamp::from_millisecond(event.timestamp()?).ok()?;
                Some((at, Record::parse(event.message()?)?))
            }));
        }
        Ok(records)
    }
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}
