use std::cell::Cell;

use failover::incident::Incident;
use failover::name::Name;
use failover::observation::{ChangeStatus, NameView};
use failover::plan::Names;
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Pin, Register};
use failover::standby::Look;
use failover::standby::news::{News, Past};
use jiff::SignedDuration;

use super::*;

const PLAN: &str = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],
    "alarms":["arn:aws:cloudwatch:eu-central-1:1:alarm:started"],
    "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;

/// What there is to see.
struct World {
    /// The register of the one name, unless Route 53 does not answer.
    register: Option<Register>,
    verdict: Verdict,
    before: Look<Vec<Past>>,
    looked: Cell<usize>,
}

impl World {
    fn new(verdict: Verdict, before: &[(u64, u64)]) -> Self {
        let hours_ago = (1..).map(|hours| Timestamp::UNIX_EPOCH - SignedDuration::from_hours(hours));
        let looks = before.iter().rev().zip(hours_ago);
        let look = |(&(not_ready, not_known), at)| Past { at, found: Found::Rows(Counts { not_ready, not_known }) };
        let before: Vec<_> = looks.map(look).collect();
        let before = before.into_iter().rev().collect();
        let register = Some(Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator));
        Self { register, verdict, before: Ok(before), looked: Cell::default() }
    }

    fn look(&self) -> Result<Report, NotLooked> {
        let calls = Calls { records: self, standby: self };
        let (plan, wanted) = (Plan::parse(PLAN).unwrap(), Wanted::default());
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(calls.handle(&plan, &wanted))
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        let lost = || CallError::Unknown { call: "ListResourceRecordSets", why: "timed out".to_owned() };
        let register = self.register.as_ref().ok_or_else(lost)?;
        let name: Name = "app.example.com".parse().unwrap();
        let half = |role: Role, address: &str| RecordSet {
            name: name.clone(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target: Target::Values { ttl_seconds: 60, values: vec![address.to_owned()] },
            health_check: None,
        };
        let register = register.record_set(&name).unwrap();
        Ok(vec![half(Role::Primary, "192.0.2.1"), half(Role::Secondary, "198.51.100.1"), register])
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::InSync)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn wait(&self, _: u32) {}
}

impl StandbyReader for &World {
    async fn rows(&self, _: &Plan, _: &Wanted, names: &[NameView], _: Timestamp) -> Vec<Finding> {
        self.looked.set(self.looked.get() + names.len());
        let (about, seen, remedy) = (names[0].name.to_string(), "seen".to_owned(), "do".to_owned());
        vec![Finding {
            row: "targets",
            about,
            verdict: self.verdict,
            seen,
            must_be: "healthy".to_owned(),
            how: "asked",
            remedy,
        }]
    }

    async fn before(&self, _: &str, _: Timestamp) -> Look<Vec<Past>> {
        self.before.clone()
    }
}

#[test]
fn a_row_that_is_red_by_two_looks_is_news_that_pages_and_names_it() {
    let report = World::new(Verdict::NotReady, &[(0, 0), (1, 0)]).look().unwrap();
    assert_eq!((report.readiness, report.rows[0].row.as_str(), report.not_ready), (News::NotReady, "targets", 1));
    let report = World::new(Verdict::NotReady, &[(0, 0), (1, 0), (1, 0)]).look().unwrap();
    assert_eq!((report.readiness, report.rows.len()), (News::Nothing, 1));
}

#[test]
fn what_is_red_while_cloudwatch_does_not_say_what_was_told_is_told() {
    let world = World { before: Err("CloudWatch is silent".to_owned()), ..World::new(Verdict::NotReady, &[]) };
    assert_eq!(world.look().unwrap().readiness, News::NotReady);
    let world = World { before: Err("CloudWatch is silent".to_owned()), ..World::new(Verdict::Ready, &[]) };
    assert_eq!(world.look().unwrap().readiness, News::Nothing);
}

#[test]
fn while_users_are_on_dr_no_row_is_judged_and_nobody_is_told() {
    let incident: Incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
    let was = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
    let at = Timestamp::UNIX_EPOCH;
    let pin = Pin::new(at, incident, [("A".to_owned(), was)].into());
    let world =
        World { register: Some(Register::FailedOver { at, pin }), ..World::new(Verdict::NotReady, &[(1, 0), (1, 0)]) };
    let report = world.look().unwrap();
    assert_eq!((report.readiness, report.not_ready, report.not_known), (News::Nothing, 0, 1));
    assert_eq!(world.looked.get(), 0);
}

#[test]
fn records_that_cannot_be_read_are_no_look() {
    let world = World { register: None, ..World::new(Verdict::Ready, &[]) };
    let error = world.look().unwrap_err().to_string();
    assert!(error.contains("DR was not looked at"), "{error}");
    assert_eq!(world.looked.get(), 0);
}
