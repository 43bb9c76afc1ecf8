//! How the detector is wired, as AWS describes it: what stands between an outage and the failover-started alarm, and where its event goes.

use aws_sdk_cloudwatch::types::{AlarmType, EvaluationState, EvaluationWindow, MetricAlarm, WarmUpConfiguration};
use aws_sdk_route53::types::{CloudWatchAlarmConfiguration, HealthCheckConfig, HealthCheckType};
use failover::plan::{alarm_name, arn_region};

use crate::error::CallError;
use crate::session::Session;
use crate::watch::rule_of;
use crate::{cloudwatch, route53};

/// The wiring behind one failover-started alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detector {
    /// The health check whose metric the alarm watches, or that follows the alarm itself; none if it has to do with none.
    pub watched: Option<String>,
    /// That health check; none if there is none.
    pub check: Option<Check>,
    /// ARNs of what gets the alarm's event: the targets of the rule that bears the alarm's name.
    pub forwards_to: Vec<String>,
    /// Whether it is a composite alarm, which watches other alarms.
    pub is_composite: bool,
    /// Whether CloudWatch evaluates it as it says.
    pub evaluation: Evaluation,
}

/// What may keep an alarm silent though its metric says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// What CloudWatch says of its own evaluation: `PARTIAL_DATA`, `EVALUATION_ERROR`, `EVALUATION_FAILURE`; none if all is well.
    pub trouble: Option<String>,
    /// Minutes after each create or update in which it stays in INSUFFICIENT_DATA.
    pub warm_up_minutes: Option<u32>,
    /// Whether its periods are counted by the wall clock, which Route 53's copy knows nothing of.
    pub wall_clock: bool,
}

/// The health check of the PRIMARY records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// "When you disable a health check, Route 53 considers the status … to always be healthy" (developer guide).
    pub disabled: bool,
    /// The alarm it follows; none if it is of another type.
    pub follows: Option<Follows>,
    /// The checks of which so many must be healthy for it to be; none if it is of another type, or inverted.
    pub counts: Option<Counted>,
    /// What it is while CloudWatch has no data, as in `LastKnownStatus`; none if it is of another type.
    pub without_data: Option<String>,
}

/// What a calculated check counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The ids of its children.
    pub children: Vec<String>,
    /// How many of them must be healthy.
    pub healthy_min: u32,
}

/// A health check of type `CLOUDWATCH_METRIC` keeps a copy of an alarm's settings (Route 53 developer guide, "Updating health checks when
/// you change CloudWatch alarm settings").
#[derive(Clone, Debug, PartialEq)]
pub struct Follows {
    /// The alarm's name.
    pub alarm: String,
    /// The settings that Route 53 copied, and goes by.
    pub copy: Settings,
    /// What the alarm says now; none if it is gone.
    pub now: Option<Settings>,
    /// Whether CloudWatch evaluates it as it says.
    pub evaluation: Evaluation,
}

/// When an alarm rings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Namespace, metric, statistic and dimensions, in words.
    pub metric: String,
    /// Operator and threshold, in words.
    pub condition: String,
    /// Seconds of one period.
    pub period_seconds: u32,
    /// Periods in a row.
    pub periods: u32,
}

/// Looks at the wiring behind an alarm; none if there is no such alarm. An alarm on what the observer publishes watches no health check:
/// the plan's check follows it.
///
/// # Errors
/// The first call that failed.
pub async fn look(
    session: &Session,
    alarm_arn: &str,
    failover_check: Option<&str>,
) -> Result<Option<Detector>, CallError> {
    let (region, name) = (arn_region(alarm_arn), alarm_name(alarm_arn).unwrap_or_default());
    let forwards_to = async || targets(session, region, &rule_of(name)).await;
    let alarm = match alarm(session, region, name).await? {
        Found::Metric(alarm) => alarm,
        Found::Composite => {
            return Ok(Some(Detector { is_composite: true, forwards_to: forwards_to().await?, ..Detector::default() }));
        }
        Found::Nothing => return Ok(None),
    };
    let is_check = |metric: &MetricAlarm| metric.namespace() == Some("AWS/Route53");
    let id = alarm.dimensions().iter().find(|dimension| dimension.name() == Some("HealthCheckId"));
    let watched = id.filter(|_| is_check(&alarm)).and_then(|dimension| dimension.value()).map(str::to_owned);
    let (watched, check) = match (watched, failover_check) {
        (Some(id), _) => (Some(id.clone()), check(session, &id).await?),
        (None, Some(id)) => {
            let known = check(session, id).await?;
            let follows = known.as_ref().and_then(|check| check.follows.as_ref());
            match follows.is_some_and(|follows| follows.alarm == name) {
                true => (Some(id.to_owned()), known),
                false => (None, None),
            }
        }
        (None, None) => (None, None),
    };
    let (forwards_to, evaluation) = (forwards_to().await?, evaluation(&alarm));
    Ok(Some(Detector { watched, check, forwards_to, is_composite: false, evaluation }))
}

enum Found {
    Metric(Box<MetricAlarm>),
    Composite,
    Nothing,
}

async fn alarm(session: &Session, region: Option<&str>, name: &str) -> Result<Found, CallError> {
    let answer = cloudwatch::client(session, region)
        .describe_alarms()
        .alarm_names(name)
        // "If you omit this parameter, only metric alarms are returned" (DescribeAlarms).
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm)
        .alarm_types(AlarmType::LogAlarm)
        .send()
        .await
        .map_err(|error| CallError::of("DescribeAlarms", error))?;
    let is_composite = !answer.composite_alarms().is_empty() || !answer.log_alarms().is_empty();
    Ok(match answer.metric_alarms.and_then(|alarms| alarms.into_iter().next()) {
        Some(alarm) => Found::Metric(Box::new(alarm)),
        None if is_composite => Found::Composite,
        None => Found::Nothing,
    })
}

fn evaluation(alarm: &MetricAlarm) -> Evaluation {
    let warm_up = alarm.warm_up_configuration().and_then(WarmUpConfiguration::warm_up_period_duration_in_minutes);
    Evaluation {
        trouble: alarm.evaluation_state().map(EvaluationState::as_str).map(str::to_owned),
        warm_up_minutes: warm_up.map(whole).filter(|minutes| *minutes > 0),
        wall_clock: matches!(alarm.evaluation_window(), Some(EvaluationWindow::WallClockWindow(_))),
    }
}

/// A health check as it is set up; none if there is none of that id.
///
/// # Errors
/// The first call that failed.
pub async fn check(session: &Session, id: &str) -> Result<Option<Check>, CallError> {
    let answer = route53::client(session, session.config()).get_health_check().health_check_id(id).send().await;
    let check = match answer.map_err(|error| CallError::of("GetHealthCheck", error)) {
        Ok(answer) => answer.health_check,
        Err(refused) if refused.is_refused_with("NoSuchHealthCheck") => None,
        Err(error) => return Err(error),
    };
    let Some(check) = check else { return Ok(None) };
    let config = check.health_check_config();
    let follows = match (config.and_then(HealthCheckConfig::alarm_identifier), check.cloud_watch_alarm_configuration())
    {
        (Some(alarm_of), Some(copy)) => {
            let (now, evaluation) = match alarm(session, Some(alarm_of.region().as_str()), alarm_of.name()).await? {
                Found::Metric(now) => (Some(said(&now)), evaluation(&now)),
                Found::Composite | Found::Nothing => (None, Evaluation::default()),
            };
            Some(Follows { alarm: alarm_of.name().to_owned(), copy: copied(copy), now, evaluation })
        }
        _ => None,
    };
    let counted = |config: &HealthCheckConfig| {
        let counts = *config.r#type() == HealthCheckType::Calculated && config.inverted() != Some(true);
        let children = config.child_health_checks().to_vec();
        counts.then(|| Counted { children, healthy_min: whole(config.health_threshold().unwrap_or_default()) })
    };
    Ok(Some(Check {
        disabled: config.and_then(HealthCheckConfig::disabled).unwrap_or_default(),
        follows,
        counts: config.and_then(counted),
        without_data: config
            .and_then(HealthCheckConfig::insufficient_data_health_status)
            .map(|status| status.as_str().to_owned()),
    }))
}

async fn targets(session: &Session, region: Option<&str>, rule: &str) -> Result<Vec<String>, CallError> {
    let session = region.map_or_else(|| session.clone(), |region| session.in_region(region));
    let config = aws_sdk_eventbridge::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_eventbridge::Client::from_conf(config.build());
    let answer = client.list_targets_by_rule().rule(rule).send().await;
    match answer.map_err(|error| CallError::of("ListTargetsByRule", error)) {
        Ok(answer) => Ok(answer.targets().iter().map(|target| target.arn().to_owned()).collect()),
        Err(refused) if refused.is_refused_with("ResourceNotFoundException") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn copied(copy: &CloudWatchAlarmConfiguration) -> Settings {
    let dimensions = copy.dimensions().iter().map(|dimension| (dimension.name(), dimension.value()));
    Settings {
        metric: metric(copy.namespace(), copy.metric_name(), copy.statistic().as_str(), dimensions),
        condition: condition(copy.comparison_operator().as_str(), copy.threshold()),
        period_seconds: whole(copy.period()),
        periods: whole(copy.evaluation_periods()),
    }
}

fn said(alarm: &MetricAlarm) -> Settings {
    let dimensions = alarm.dimensions().iter();
    let dimensions = dimensions.map(|it| (it.name().unwrap_or_default(), it.value().unwrap_or_default()));
    let statistic = alarm.statistic().map_or("no plain statistic", |statistic| statistic.as_str());
    let (namespace, name) = (alarm.namespace().unwrap_or_default(), alarm.metric_name().unwrap_or_default());
    let operator = alarm.comparison_operator().map_or("", |operator| operator.as_str());
    Settings {
        metric: metric(namespace, name, statistic, dimensions),
        condition: condition(operator, alarm.threshold().unwrap_or_default()),
        period_seconds: whole(alarm.period().unwrap_or_default()),
        periods: whole(alarm.evaluation_periods().unwrap_or_default()),
    }
}

fn metric<'a>(
    namespace: &str,
    name: &str,
    statistic: &str,
    dimensions: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut dimensions: Vec<_> = dimensions.map(|(name, value)| format!("{name}={value}")).collect();
    dimensions.sort();
    format!("{statistic} of {namespace} {name} {}", dimensions.join(","))
}

fn condition(operator: &str, threshold: f64) -> String {
    format!("{operator} {threshold}")
}

fn whole(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types as cloudwatch;
    use aws_sdk_route53::types as route53;

    use super::*;

    fn alarm() -> cloudwatch::builders::MetricAlarmBuilder {
        let dimension = |name: &str, value: &str| cloudwatch::Dimension::builder().name(name).value(value).build();
        MetricAlarm::builder()
            .namespace("AWS/Route53")
            .metric_name("HealthCheckStatus")
            .statistic(cloudwatch::Statistic::Minimum)
            .dimensions(dimension("Region", "us-east-1"))
            .dimensions(dimension("HealthCheckId", "hc-1"))
            .comparison_operator(cloudwatch::ComparisonOperator::LessThanThreshold)
            .threshold(1.0)
            .period(60)
            .evaluation_periods(30)
    }

    fn copy(threshold: f64) -> CloudWatchAlarmConfiguration {
        let dimension =
            |name: &str, value: &str| route53::Dimension::builder().name(name).value(value).build().unwrap();
        CloudWatchAlarmConfiguration::builder()
            .namespace("AWS/Route53")
            .metric_name("HealthCheckStatus")
            .statistic(route53::Statistic::Minimum)
            .dimensions(dimension("HealthCheckId", "hc-1"))
            .dimensions(dimension("Region", "us-east-1"))
            .comparison_operator(route53::ComparisonOperator::LessThanThreshold)
            .threshold(threshold)
            .period(60)
            .evaluation_periods(30)
            .build()
            .unwrap()
    }

    #[test]
    fn route_53_s_copy_of_an_alarm_is_told_from_the_alarm_by_what_differs_and_not_by_the_order_of_dimensions() {
        assert_eq!(copied(&copy(1.0)), said(&alarm().build()));
        assert_ne!(copied(&copy(0.5)), said(&alarm().build()));
        assert_ne!(copied(&copy(1.0)), said(&alarm().evaluation_periods(5).build()));
        // An alarm on a percentile has no plain statistic: Route 53's copy of it, whatever it says, is another.
        assert_ne!(copied(&copy(1.0)), said(&alarm().set_statistic(None).extended_statistic("p99").build()));
    }

    #[test]
    fn what_may_keep_an_alarm_silent_is_read_and_nothing_is_read_from_its_absence() {
        assert_eq!(evaluation(&alarm().build()), Evaluation::default());
        let troubled = alarm().evaluation_state(EvaluationState::PartialData).build();
        assert_eq!(evaluation(&troubled).trouble.as_deref(), Some("PARTIAL_DATA"));
        let warming = |minutes| WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(minutes).build();
        let minutes = |minutes| evaluation(&alarm().warm_up_configuration(warming(minutes)).build()).warm_up_minutes;
        assert_eq!([minutes(15), minutes(0)], [Some(15), None]);
    }
}
