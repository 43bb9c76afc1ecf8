//! What a drill has in place of production: an alarm that it rings itself, and no database.

use std::cell::RefCell;

use aws::CallError;
use aws::cloudwatch::{AlarmReader, LagOf, LagReader};
use aws::rds::{ReplicaReader, ReplicaWriter};
use failover::incident::{AlarmSighting, AlarmState, DRILL};
use failover::plan::ReplicaId;
use failover::promotion::{LagSample, PromotionCall, ReplicaState};
use jiff::Timestamp;

/// An alarm that no CloudWatch has.
#[derive(Debug)]
pub struct Alarm(RefCell<AlarmSighting>);

impl Alarm {
    /// One that has been quiet since then.
    pub fn quiet(arn: &str, since: Timestamp) -> Self {
        let (arn, name) = (arn.to_owned(), DRILL.to_owned());
        Self(RefCell::new(AlarmSighting { arn, name, state: AlarmState::Ok, since, trouble: None }))
    }

    /// It rings from now on.
    pub fn ring(&self, now: Timestamp) {
        let mut alarm = self.0.borrow_mut();
        (alarm.state, alarm.since) = (AlarmState::Alarm, now);
    }
}

impl AlarmReader for &Alarm {
    async fn alarms(&self, _: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        Ok(vec![self.0.borrow().clone()])
    }
}

/// There is none: the drill's plan names no database, and nothing here could reach one.
#[derive(Clone, Copy, Debug)]
pub struct NoDatabase;

fn never(call: &'static str) -> CallError {
    CallError::NeverSent { call, why: "a drill has no database".to_owned() }
}

impl ReplicaReader for NoDatabase {
    async fn state(&self, _: &ReplicaId) -> Result<ReplicaState, CallError> {
        Err(never("DescribeDBInstances"))
    }
}

impl ReplicaWriter for NoDatabase {
    async fn promote(&self, _: &PromotionCall) -> Result<(), CallError> {
        Err(never("PromoteReadReplica"))
    }
}

impl LagReader for NoDatabase {
    async fn good_lags(&self, _: LagOf<'_>, _: Timestamp, _: Timestamp) -> Result<Vec<LagSample>, CallError> {
        Err(never("GetMetricData"))
    }
}
