//! What stands between an outage and the alarm that starts a failover.

use aws::detector::{Detector, Evaluation, Follows};
use aws::watch::is_observed;
use failover::plan::{Plan, arn_region};
use failover::record::Pair;
use failover::register::Register;

use super::records::records;
use super::{Around, Readiness, Responder};

/// The detector counts an outage from the first probes that fail; the alarm's own period and late metrics come after it.
const DETECTION_ALLOWANCE_SECONDS: u32 = 600;
/// Of the failover-started alarm.
const ALARM_PERIOD_SECONDS: u32 = 60;
/// "Changes generally propagate to all Route 53 name servers within 60 seconds" (GetChange).
const IN_SYNC_SECONDS: u32 = 60;

/// From the beginning of an outage until promotion is asked for: the outage itself, the alarm, the pin, the records' TTL and the drain time.
#[must_use]
pub fn until_promotion(outage_seconds: u32, ttl_seconds: u32, drain_seconds: u32) -> u32 {
    let all = [outage_seconds, ALARM_PERIOD_SECONDS, IN_SYNC_SECONDS, ttl_seconds, drain_seconds];
    all.into_iter().fold(0, u32::saturating_add)
}

impl Readiness {
    pub(super) fn judge_detector(
        &mut self,
        plan: &Plan,
        around: &Around,
        pairs: &[&Pair],
        responder: Responder<'_>,
        (alarm, detector): (&str, &Detector),
    ) {
        let (names, Responder { region, bus }) = (around.names.as_slice(), responder);
        // By way of our bus from elsewhere, straight to the function from here.
        let ours = [format!(":event-bus/{bus}"), format!(":function:{bus}-alarm-handler")];
        let is_ours = |arn: &String| arn_region(arn) == Some(region) && ours.iter().any(|ours| arn.ends_with(ours));
        if !detector.forwards_to.iter().any(is_ours) {
            let seen = match detector.forwards_to.as_slice() {
                [] => "no rule of its name takes its event anywhere: only the tick sees it, up to a minute later"
                    .to_owned(),
                others => format!("its event goes to {}, not to the bus {bus} in {region}", others.join(", ")),
            };
            let remedy = match is_observed(alarm) {
                true => "deploy the stack again: its rule of the alarm's name wakes alarm-handler".to_owned(),
                false => format!("deploy the detector with ResponderRegion={region} and ResponderBusName={bus}"),
            };
            self.report(Some(format!("alarm {alarm}")), seen, remedy);
        }
        if detector.is_composite {
            return self.unknown(
                format!("alarm {alarm}"),
                "is a composite alarm: whether an alarm below it watches the PRIMARY records' health check is not looked at",
                "give the responder the detector's failover-started alarm as FailoverAlarmName, to have its wiring looked at",
            );
        }
        self.judge_evaluation(alarm, &detector.evaluation);
        let Some(watched) = &detector.watched else {
            let (seen, remedy) = match is_observed(alarm) {
                true => (
                    "is not what the plan's failover health check follows: the two would begin at different times",
                    "deploy the stack again: both are its own",
                ),
                false => (
                    "watches no health check: it says nothing of what Route 53 answers",
                    "give the responder the detector's failover-started alarm as FailoverAlarmName",
                ),
            };
            return self.report(Some(format!("alarm {alarm}")), seen, remedy);
        };
        let planned = [Some(watched), plan.switch.as_ref()];
        let others =
            pairs.iter().map(|pair| pair.primary()).filter(|set| !planned.contains(&set.health_check.as_ref()));
        self.report(
            records("PRIMARY", others),
            format!("has another health check than the one that {alarm} watches"),
            format!("put the health check {watched} on every PRIMARY record, and no other"),
        );
        if plan.failover_health_check.as_ref() != Some(watched) {
            self.report(
                Some("a maintenance".to_owned()),
                "keeps Holdfast still, but could not keep Route 53 from answering with DR",
                format!("deploy the responder with FailoverHealthCheckId={watched}"),
            );
        }
        let Some(check) = &detector.check else {
            return self.report(
                Some(format!("health check {watched}")),
                "does not exist: the alarm can never ring",
                "deploy the detector again, and put its FailoverHealthCheckId on every PRIMARY record",
            );
        };
        let in_maintenance = names.iter().any(|view| matches!(view.register(), Some(Register::Paused { .. })));
        self.report(
            (check.disabled && !in_maintenance).then(|| format!("health check {watched}")),
            "is disabled, though there is no maintenance: Route 53 takes the primary for healthy whatever happens",
            format!("aws route53 update-health-check --no-disabled --health-check-id {watched}"),
        );
        match &check.follows {
            Some(follows) => self.judge_copy(plan, around, watched, follows),
            None => self.report(
                Some(format!("health check {watched}")),
                "follows no alarm: it moves DNS as soon as its own probes fail",
                "put the output FailoverHealthCheckId on the PRIMARY records, not EndpointHealthCheckId",
            ),
        }
    }

    /// Whether CloudWatch evaluates an alarm as its settings say.
    fn judge_evaluation(&mut self, alarm: &str, evaluation: &Evaluation) {
        let Evaluation { trouble, warm_up_minutes, wall_clock } = evaluation;
        let about = || Some(format!("alarm {alarm}"));
        if let Some(trouble) = trouble {
            let remedy =
                "watch the site yourself until CloudWatch evaluates it again; EVALUATION_ERROR: its settings are wrong";
            self.report(about(), format!("is not evaluated as it should be: CloudWatch says {trouble}"), remedy);
        }
        if let Some(minutes) = warm_up_minutes {
            let seen = format!(
                "warms up: it says nothing for {minutes} minutes after each change of it, and Route 53's copy does"
            );
            self.report(about(), seen, "deploy the detector again: its alarms have no warm-up");
        }
        if *wall_clock {
            let seen =
                "counts its periods by the wall clock, and Route 53's copy does not: the two ring at different times";
            self.report(about(), seen, "deploy the detector again: its alarms have a sliding window");
        }
    }

    /// The health check's copy of the alarm against the alarm, and what follows for times.
    fn judge_copy(&mut self, plan: &Plan, around: &Around, check: &str, follows: &Follows) {
        let Follows { alarm, copy, now, evaluation } = follows;
        self.judge_evaluation(alarm, evaluation);
        let about = Some(format!("health check {check}"));
        match now {
            None => self.report(
                about.clone(),
                format!("follows the alarm {alarm}, which is gone"),
                "deploy the detector again",
            ),
            Some(now) if now != copy => self.report(
                about.clone(),
                format!("goes by its own copy of {alarm}, and they differ: {copy:?} is copied, {now:?} is said now"),
                "change the detector's parameters in place of the alarm; to copy it anew: aws route53 update-health-check \
                 with the same --alarm-identifier",
            ),
            Some(_) => {}
        }
        let outage = copy.period_seconds.saturating_mul(copy.periods);
        let needed = outage.saturating_add(DETECTION_ALLOWANCE_SECONDS);
        let given = plan.limits.detection_seconds_max;
        self.report(
            (given < needed).then(|| "DetectionSecondsMax".to_owned()),
            format!(
                "is {given}, but an outage takes up to {needed} s to become an alarm: the lag before it goes unseen"
            ),
            format!("deploy the responder with DetectionSecondsMax={needed} or more"),
        );
        if let Some(too_many @ 1..) = given.checked_sub(needed.saturating_add(DETECTION_ALLOWANCE_SECONDS)) {
            let spared = too_many.saturating_add(DETECTION_ALLOWANCE_SECONDS);
            let seen = format!(
                "is {given}, and an outage takes {needed} s at most to become an alarm: what a replica did not receive in the {spared} s \
                 between counts as not lost"
            );
            self.advise(
                "DetectionSecondsMax".to_owned(),
                seen,
                format!("deploy the responder with DetectionSecondsMax={needed}"),
            );
        }
        let ttl = around.names.iter().map(|view| view.kept_seconds(around.now)).max().unwrap_or_default();
        let drained = until_promotion(outage, ttl, plan.limits.drain_seconds);
        self.dns_seconds = self.dns_seconds.max(Some(outage));
        self.promotion_seconds = self.promotion_seconds.max(Some(drained));
    }
}
