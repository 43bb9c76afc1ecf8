//! What the functions find in AWS, whatever wakes them.

use std::cell::RefCell;

use aws::CallError;
use aws::cloudwatch::{AlarmReader, LagOf, LagReader};
use aws::probe::Prober;
use aws::rds::{ReplicaReader, ReplicaWriter};
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use failover::change::Batch;
use failover::incident::{AlarmSighting, AlarmState};
use failover::observation::{ChangeStatus, Probe};
use failover::plan::{Names, ReplicaId};
use failover::promotion::{Database, Instances, LagSample, PromotionCall, ReplicaState, Source};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::Register;
use jiff::Timestamp;

use crate::workload::{app, noon, ringing};

/// Answers every look at once, and keeps what was done.
pub struct World {
    sets: Vec<RecordSet>,
    acts: RefCell<Vec<String>>,
}

impl World {
    /// The name's A pair, pinned if its register says so.
    pub fn new(register: &Register) -> Self {
        let values = |value: &str| Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] };
        let primary = if register.pin().is_some() { "198.51.100.1" } else { "192.0.2.1" };
        let half = |role, target| RecordSet {
            name: app(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target,
            health_check: (role == Role::Primary).then(|| "hc".to_owned()),
        };
        let mut sets = vec![half(Role::Primary, values(primary)), half(Role::Secondary, values("198.51.100.1"))];
        sets.push(register.record_set(&app()).expect("it fits"));
        Self { sets, acts: RefCell::default() }
    }

    /// What was changed, in order.
    pub fn acts(self) -> Vec<String> {
        self.acts.into_inner()
    }

    fn act(&self, what: String) {
        self.acts.borrow_mut().push(what);
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        Ok(self.sets.clone())
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::InSync)
    }

    fn now(&self) -> Timestamp {
        noon(60)
    }

    async fn wait(&self, _: u32) {}
}

impl RecordWriter for &World {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        self.act(format!("{batch:?}"));
        Ok("C1".to_owned())
    }
}

impl HealthCheckWriter for &World {
    async fn set_disabled(&self, check: &str, disabled: bool) -> Result<(), CallError> {
        self.act(format!("health check {check} disabled {disabled}"));
        Ok(())
    }
}

impl AlarmReader for &World {
    async fn alarms(&self, _: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        Ok(vec![AlarmSighting { state: AlarmState::Ok, since: noon(-7_000), ..ringing() }])
    }
}

impl Prober for &World {
    async fn probe(&self, url: Option<&str>) -> Probe {
        if url.is_some() { Probe::Answers } else { Probe::NotAsked }
    }
}

impl ReplicaReader for &World {
    async fn state(&self, _: &ReplicaId) -> Result<ReplicaState, CallError> {
        Ok(ReplicaState::Present(Database {
            status: "available".to_owned(),
            source: Source::ReplicaOf("arn:aws:rds:eu-west-1:1:cluster:app".to_owned()),
            instances: Instances::Writer,
            created: Some(noon(-90_000)),
            engine: "aurora-mysql".to_owned(),
            members: Vec::new(),
        }))
    }
}

impl ReplicaWriter for &World {
    async fn promote(&self, call: &PromotionCall) -> Result<(), CallError> {
        self.act(format!("promote {}", call.replica()));
        Ok(())
    }
}

impl LagReader for &World {
    async fn good_lags(&self, _: LagOf<'_>, _: Timestamp, _: Timestamp) -> Result<Vec<LagSample>, CallError> {
        Ok(vec![LagSample { seconds: 10_000, at: noon(0) }])
    }
}
