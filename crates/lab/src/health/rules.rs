//! When health checks are healthy.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::config::{CheckType, HealthCheckConfig, InsufficientData};
use crate::cloudwatch::{Alarm, Verdict};
use crate::id;

/// Where the lab's checkers stand. Route 53 has more; three are the fewest it accepts.
pub(crate) const CHECKERS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

/// "If more than 18% of health checkers report that an endpoint is healthy, Route 53 considers it healthy" (Developer
/// Guide, "How Amazon Route 53 determines whether a health check is healthy").
const HEALTHY_PERCENT_MIN: f64 = 18.0;

/// One checker's view of one endpoint.
#[derive(Clone, Debug)]
pub struct Checker {
    /// What it says.
    pub healthy: bool,
    /// Consecutive results that say otherwise.
    contrary: u32,
    /// When it last looked, and what it saw.
    pub last: Option<(Timestamp, String)>,
    /// When it looks next.
    next: Timestamp,
}

/// A health check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// The creator's reference.
    pub caller_reference: String,
    /// Counts up with every update.
    pub version: u64,
    /// Its settings.
    pub config: HealthCheckConfig,
    /// The alarm's settings as they were when the check was created or last updated: "Route 53 doesn't update the
    /// settings in the health check" when the alarm changes (Developer Guide, "Updating health checks when you change
    /// CloudWatch alarm settings").
    pub alarm: Option<Alarm>,
    /// Its checkers, if it has an endpoint.
    pub checkers: Vec<Checker>,
    /// What the metric last said; "a new health check that has no history is healthy".
    metric_healthy: bool,
    /// What was last told of it.
    told: bool,
}

impl Check {
    /// The percentage of checkers that say healthy.
    pub fn percent_healthy(&self) -> f64 {
        let healthy = self.checkers.iter().filter(|checker| checker.healthy).count();
        100.0 * healthy as f64 / self.checkers.len().max(1) as f64
    }

    /// Its `Name` tag, or its id.
    pub fn name(&self) -> &str {
        self.config.name.as_deref().unwrap_or(&self.id)
    }

    /// Takes one checker's result.
    pub fn observe(&mut self, checker: usize, now: Timestamp, result: Result<String, String>) {
        let threshold = self.config.failure_threshold.unwrap_or(3);
        let Some(checker) = self.checkers.get_mut(checker) else { return };
        // "The number of consecutive health checks that an endpoint must pass or fail for Route 53 to change the
        // current status of the endpoint" (API reference, FailureThreshold).
        checker.contrary = if result.is_ok() == checker.healthy { 0 } else { checker.contrary + 1 };
        if checker.contrary >= threshold {
            checker.healthy = result.is_ok();
            checker.contrary = 0;
        }
        let report = match result {
            Ok(seen) => format!("Success: {seen}"),
            Err(seen) => format!("Failure: {seen}"),
        };
        checker.last = Some((now, report));
    }

    /// Takes what the metric says now.
    pub fn observe_metric(&mut self, verdict: Verdict) {
        self.metric_healthy = match (verdict, self.config.insufficient_data_health_status) {
            (Verdict::Ok, _) | (Verdict::InsufficientData, Some(InsufficientData::Healthy)) => true,
            (Verdict::Alarm, _) | (Verdict::InsufficientData, Some(InsufficientData::Unhealthy)) => false,
            (Verdict::InsufficientData, _) => self.metric_healthy,
        };
    }
}

/// A probe that is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// The check's id.
    pub check: String,
    /// The checker's index.
    pub checker: usize,
    /// The check's settings.
    pub config: HealthCheckConfig,
}

/// All health checks.
#[derive(Debug, Default)]
pub struct Checks {
    checks: BTreeMap<String, Check>,
    minted: u64,
}

impl Checks {
    /// The check of this id.
    pub fn get(&self, id: &str) -> Option<&Check> {
        self.checks.get(id)
    }

    /// The check of this id.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Check> {
        self.checks.get_mut(id)
    }

    /// Every check.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// Adds a check, healthy until there is data, and returns its id.
    pub fn create(
        &mut self,
        now: Timestamp,
        caller_reference: String,
        config: HealthCheckConfig,
        alarm: Option<Alarm>,
    ) -> String {
        self.minted += 1;
        let id = id::uuid("health check", self.minted);
        let config = config.with_defaults();
        let spacing = i64::from(config.request_interval.unwrap_or(30)) * 1_000 / CHECKERS.len() as i64;
        // "Route 53 health checkers don't coordinate with one another": here they take turns.
        let checkers = (0..CHECKERS.len() as i64).filter(|_| config.has_endpoint()).map(|turn| Checker {
            healthy: true,
            contrary: 0,
            last: None,
            next: now + SignedDuration::from_millis(turn * spacing),
        });
        let check = Check {
            id: id.clone(),
            caller_reference,
            version: 1,
            checkers: checkers.collect(),
            config,
            alarm,
            metric_healthy: true,
            told: true,
        };
        self.checks.insert(id.clone(), check);
        // How a check starts is no turn.
        let healthy = self.healthy(&id).unwrap_or(true);
        if let Some(check) = self.checks.get_mut(&id) {
            check.told = healthy;
        }
        id
    }

    /// Removes a check.
    pub fn remove(&mut self, id: &str) -> Option<Check> {
        self.checks.remove(id)
    }

    /// What the check says; nothing if there is no such check.
    pub fn healthy(&self, id: &str) -> Option<bool> {
        let check = self.checks.get(id)?;
        let config = &check.config;
        let sees_health = match config.kind {
            // "After you disable a health check, Route 53 considers the status of the health check to always be healthy."
            _ if config.disabled => true,
            CheckType::Http | CheckType::Https | CheckType::Tcp => check.percent_healthy() > HEALTHY_PERCENT_MIN,
            CheckType::CloudwatchMetric => check.metric_healthy,
            CheckType::Calculated => self.healthy_children(check) >= config.health_threshold.unwrap_or(0) as usize,
        };
        Some(sees_health != config.inverted)
    }

    /// How many of a calculated check's children are healthy.
    pub fn healthy_children(&self, check: &Check) -> usize {
        check.config.child_health_checks.iter().filter(|child| self.healthy(child) == Some(true)).count()
    }

    /// The checks that say something else than last told, which this tells: id, name, health.
    pub fn turned(&mut self) -> Vec<(String, String, bool)> {
        let now: Vec<_> = self.checks.keys().map(|id| self.healthy(id)).collect();
        let pairs = self.checks.values_mut().zip(now);
        let turned = pairs.filter_map(|(check, now)| now.filter(|now| *now != check.told).map(|now| (check, now)));
        turned
            .map(|(check, now)| {
                check.told = now;
                (check.id.clone(), check.name().to_owned(), now)
            })
            .collect()
    }

    /// The probes that are due, each scheduled anew, and when the next one is.
    pub fn due(&mut self, now: Timestamp) -> (Vec<Due>, Option<Timestamp>) {
        let (mut due, mut next) = (Vec::new(), None::<Timestamp>);
        for check in self.checks.values_mut().filter(|check| !check.config.disabled) {
            let interval = SignedDuration::from_secs(i64::from(check.config.request_interval.unwrap_or(30)));
            for (index, checker) in check.checkers.iter_mut().enumerate() {
                if checker.next <= now {
                    due.push(Due { check: check.id.clone(), checker: index, config: check.config.clone() });
                }
                while checker.next <= now {
                    checker.next += interval;
                }
                next = Some(next.map_or(checker.next, |next| next.min(checker.next)));
            }
        }
        (due, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn endpoint() -> HealthCheckConfig {
        HealthCheckConfig { ip_address: Some("127.0.0.1".parse().unwrap()), ..HealthCheckConfig::new(CheckType::Http) }
    }

    fn add(checks: &mut Checks, config: HealthCheckConfig) -> String {
        checks.create(noon(), "test".to_owned(), config, None)
    }

    fn fail(checks: &mut Checks, id: &str, checker: usize, times: u32) {
        for _ in 0..times {
            checks.get_mut(id).unwrap().observe(checker, noon(), Err("refused".to_owned()));
        }
    }

    #[test]
    fn an_endpoint_is_unhealthy_only_once_every_checker_failed_often_enough() {
        let mut checks = Checks::default();
        let id = add(&mut checks, endpoint());
        fail(&mut checks, &id, 0, 3);
        fail(&mut checks, &id, 1, 3);
        fail(&mut checks, &id, 2, 2);
        assert_eq!(checks.healthy(&id), Some(true), "one checker of three is more than 18%");
        fail(&mut checks, &id, 2, 1);
        assert_eq!(checks.healthy(&id), Some(false));
        assert_eq!(checks.turned(), [(id.clone(), id.clone(), false)]);
        assert_eq!(checks.turned(), []);
    }

    #[test]
    fn one_good_answer_starts_the_count_of_failures_again() {
        let mut checks = Checks::default();
        let id = add(&mut checks, endpoint());
        for _ in 0..5 {
            for checker in 0..3 {
                fail(&mut checks, &id, checker, 2);
                checks.get_mut(&id).unwrap().observe(checker, noon(), Ok("200".to_owned()));
            }
        }
        assert_eq!(checks.healthy(&id), Some(true));
    }

    #[test]
    fn disabled_is_healthy_and_disabled_and_inverted_is_unhealthy() {
        let mut checks = Checks::default();
        for (disabled, inverted, expected) in
            [(false, false, true), (false, true, false), (true, false, true), (true, true, false)]
        {
            let new = add(&mut checks, HealthCheckConfig { disabled, inverted, ..endpoint() });
            assert_eq!(checks.healthy(&new), Some(expected), "a new check is healthy until there is data");
        }
        let id = add(&mut checks, endpoint());
        (0..3).for_each(|checker| fail(&mut checks, &id, checker, 3));
        checks.get_mut(&id).unwrap().config.disabled = true;
        assert_eq!(checks.healthy(&id), Some(true));
    }

    #[test]
    fn a_metric_without_enough_data_says_what_the_settings_say() {
        let cases = [
            (InsufficientData::Healthy, Verdict::Alarm, true),
            (InsufficientData::Unhealthy, Verdict::Ok, false),
            (InsufficientData::LastKnownStatus, Verdict::Ok, true),
            (InsufficientData::LastKnownStatus, Verdict::Alarm, false),
        ];
        for (status, before, expected) in cases {
            let mut checks = Checks::default();
            let mut config = HealthCheckConfig::new(CheckType::CloudwatchMetric);
            config.insufficient_data_health_status = Some(status);
            let id = add(&mut checks, config);
            let check = checks.get_mut(&id).unwrap();
            check.observe_metric(before);
            check.observe_metric(Verdict::InsufficientData);
            assert_eq!(checks.healthy(&id), Some(expected), "{status:?} after {before:?}");
        }
    }

    #[test]
    fn a_calculated_check_counts_its_healthy_children() {
        let mut checks = Checks::default();
        let children: Vec<_> = (0..3).map(|_| add(&mut checks, endpoint())).collect();
        (0..3).for_each(|checker| fail(&mut checks, &children[0], checker, 3));
        for (threshold, expected) in [(0, true), (1, true), (2, true), (3, false), (4, false)] {
            let config = HealthCheckConfig {
                health_threshold: Some(threshold),
                child_health_checks: children.clone(),
                ..HealthCheckConfig::new(CheckType::Calculated)
            };
            let id = add(&mut checks, config);
            assert_eq!(checks.healthy(&id), Some(expected), "{threshold} of 3 with 2 healthy");
        }
    }

    /// What a metric may have said: now, or last, if it says nothing now.
    const SAID: [(Verdict, bool); 4] =
        [(Verdict::Ok, false), (Verdict::Alarm, false), (Verdict::Ok, true), (Verdict::Alarm, true)];

    /// The 48 states of a switch of three signals: an outage and a latch that are believed until something else is said, and a hold
    /// that lapses when nothing is said. Which of them differ, with so many children healthy as they must be, from
    /// "DR if latched, or if there is an outage that nobody holds".
    fn wrong_states(children: &[usize], threshold: u32) -> Vec<String> {
        let mut wrong = Vec::new();
        for (outage, latch) in SAID.into_iter().flat_map(|outage| SAID.map(|latch| (outage, latch))) {
            for hold in [(Verdict::Ok, false), (Verdict::Alarm, false), (Verdict::Ok, true)] {
                let mut checks = Checks::default();
                let last_known = InsufficientData::LastKnownStatus;
                // The latch is asked by two checks of one metric.
                let signals = [
                    (outage, last_known),
                    (hold, InsufficientData::Unhealthy),
                    (latch, last_known),
                    (latch, last_known),
                ];
                let ids = signals.map(|((said, is_silent), without_data)| {
                    let mut config = HealthCheckConfig::new(CheckType::CloudwatchMetric);
                    config.insufficient_data_health_status = Some(without_data);
                    let id = add(&mut checks, config);
                    let check = checks.get_mut(&id).unwrap();
                    check.observe_metric(said);
                    if is_silent {
                        check.observe_metric(Verdict::InsufficientData);
                    }
                    id
                });
                let config = HealthCheckConfig {
                    health_threshold: Some(threshold),
                    child_health_checks: children.iter().map(|&child| ids[child].clone()).collect(),
                    ..HealthCheckConfig::new(CheckType::Calculated)
                };
                let switch = add(&mut checks, config);
                let bad = |(said, _)| said == Verdict::Alarm;
                let is_held = hold == (Verdict::Ok, false);
                let answers_dr = bad(latch) || (bad(outage) && !is_held);
                if checks.healthy(&switch) == Some(answers_dr) {
                    wrong.push(format!("outage {outage:?}, hold {hold:?}, latch {latch:?}"));
                }
            }
        }
        wrong
    }

    #[test]
    fn three_of_four_with_the_latch_twice_is_right_in_all_48_states_of_the_switch_and_a_majority_is_not() {
        const OUTAGE_HOLD_LATCH: [usize; 3] = [0, 1, 2];
        assert_eq!(wrong_states(&[0, 1, 2, 3], 3), [""; 0]);
        // A latch is outvoted where the outage is healthy, or was when last heard of, and somebody holds.
        let outvoted = wrong_states(&OUTAGE_HOLD_LATCH, 2);
        assert_eq!(outvoted.len(), 4, "{outvoted:?}");
        assert!(outvoted.iter().all(|state| state.contains("hold (Ok, false), latch (Alarm")), "{outvoted:?}");
        assert!(!wrong_states(&OUTAGE_HOLD_LATCH, 3).is_empty(), "all three: an outage moves users though it is held");
    }

    #[test]
    fn each_checker_looks_once_an_interval_and_a_disabled_check_is_left_alone() {
        let mut checks = Checks::default();
        let id = add(&mut checks, endpoint());
        let (mut at, mut looks) = (noon(), Vec::new());
        while at < noon() + SignedDuration::from_mins(2) {
            let (due, next) = checks.due(at);
            looks.extend(due.into_iter().map(|due| due.checker));
            at = next.unwrap();
        }
        assert_eq!(looks, [0, 1, 2].repeat(4));
        checks.get_mut(&id).unwrap().config.disabled = true;
        assert!(checks.due(at).0.is_empty());
    }
}
