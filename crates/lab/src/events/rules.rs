//! Buses, rules and targets: what is stored, and what an event sets off.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pattern::Pattern;
use crate::arn::{Arn, arn};
use crate::wire::Refusal;

/// The bus every region has.
pub const DEFAULT_BUS: &str = "default";
/// "You can have up to 5 targets per rule" (EventBridge quotas).
const TARGETS_MAX: usize = 5;

/// A rule as it is put.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RuleConfig {
    /// Name, unique on its bus.
    pub name: String,
    /// Name or ARN of the bus; the default bus if absent.
    pub event_bus_name: Option<String>,
    /// What events set it off: as JSON, or as its text, which is told as it was given.
    pub event_pattern: Option<Value>,
    /// When it goes off by itself: `rate(…)`.
    pub schedule_expression: Option<String>,
    /// `ENABLED` (also if absent) or `DISABLED`.
    pub state: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// Where a rule sends what set it off.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Target {
    /// Unique in the rule.
    pub id: String,
    /// A Lambda function, event bus, SQS queue or SNS topic.
    pub arn: String,
    /// Role EventBridge takes on for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Constant JSON text sent in the event's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Where undeliverable events go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// How long delivery is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
}

/// A target's dead-letter queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeadLetterConfig {
    /// ARN of a standard SQS queue.
    pub arn: String,
}

/// Limits on retries. "By default, EventBridge retries sending the event for 24 hours and up to 185 times".
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub maximum_retry_attempts: u32,
    /// Age after which an event is given up.
    pub maximum_event_age_in_seconds: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 86_400 }
    }
}

/// A rule as it is kept.
#[derive(Debug)]
pub(super) struct Rule {
    pub arn: String,
    pub config: RuleConfig,
    pub targets: BTreeMap<String, Target>,
    pub tags: BTreeMap<String, String>,
    pattern: Option<Pattern>,
    schedule: Option<Schedule>,
}

#[derive(Clone, Copy, Debug)]
struct Schedule {
    period: SignedDuration,
    next: Timestamp,
}

/// One thing to deliver.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub region: String,
    pub rule_arn: String,
    pub target: Target,
}

/// Every region's buses: name to rules.
#[derive(Debug, Default)]
pub(super) struct State {
    buses: BTreeMap<(String, String), BTreeMap<String, Rule>>,
    /// When the buses that are not the default ones were made.
    made: BTreeMap<(String, String), Timestamp>,
}

type Rules = BTreeMap<String, Rule>;

impl State {
    pub fn create_bus(&mut self, region: &str, name: &str, now: Timestamp) -> String {
        let key = (region.to_owned(), name.to_owned());
        self.made.entry(key.clone()).or_insert(now);
        self.buses.entry(key).or_default();
        bus_arn(region, name)
    }

    /// When a bus was made; nothing for the default bus.
    pub fn made(&self, region: &str, name: &str) -> Option<Timestamp> {
        self.made.get(&(region.to_owned(), name.to_owned())).copied()
    }

    pub fn has_bus(&self, region: &str, name: &str) -> bool {
        name == DEFAULT_BUS || self.buses.contains_key(&(region.to_owned(), name.to_owned()))
    }

    pub fn bus_names(&self, region: &str) -> Vec<String> {
        let named = self.buses.keys().filter(|(of, name)| of == region && name != DEFAULT_BUS);
        std::iter::once(DEFAULT_BUS.to_owned()).chain(named.map(|(_, name)| name.clone())).collect()
    }

    pub fn rules(&mut self, region: &str, bus: Option<&str>) -> Result<&mut Rules, Refusal> {
        let name = bus_name(bus);
        if !self.has_bus(region, name) {
            return Err(not_found(format!("Event bus {name} does not exist.")));
        }
        Ok(self.buses.entry((region.to_owned(), name.to_owned())).or_default())
    }

    pub fn rule(&mut self, region: &str, bus: Option<&str>, name: &str) -> Result<&mut Rule, Refusal> {
        let missing = not_found(format!("Rule {name} does not exist on EventBus {}.", bus_name(bus)));
        self.rules(region, bus)?.get_mut(name).ok_or(missing)
    }

    /// Creates a rule or replaces one, which keeps its targets.
    pub fn put_rule(&mut self, region: &str, config: RuleConfig, now: Timestamp) -> Result<String, Refusal> {
        let bus = bus_name(config.event_bus_name.as_deref()).to_owned();
        if config.event_pattern.is_none() && config.schedule_expression.is_none() {
            return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
        }
        if config.schedule_expression.is_some() && bus != DEFAULT_BUS {
            return Err(invalid("ScheduleExpression is supported only on the default event bus."));
        }
        if let Some(state) = config.state.as_deref().filter(|state| !matches!(*state, "ENABLED" | "DISABLED")) {
            return Err(Refusal::unsupported(format!("rule state {state}")));
        }
        let pattern = config.event_pattern.as_ref().map(Pattern::compile).transpose()?;
        let period = config.schedule_expression.as_deref().map(rate).transpose()?;
        let schedule = period.map(|period| Schedule { period, next: now + period });
        let rules = self.rules(region, Some(&bus))?;
        let (targets, tags) = rules.remove(&config.name).map(|old| (old.targets, old.tags)).unwrap_or_default();
        let arn = rule_arn(region, &bus, &config.name);
        rules.insert(config.name.clone(), Rule { arn: arn.clone(), config, targets, tags, pattern, schedule });
        Ok(arn)
    }

    pub fn put_targets(
        &mut self,
        region: &str,
        bus: Option<&str>,
        rule: &str,
        targets: Vec<Target>,
    ) -> Result<(), Refusal> {
        for target in &targets {
            check_target(region, target)?;
        }
        let kept = &mut self.rule(region, bus, rule)?.targets;
        let added = targets.iter().filter(|target| !kept.contains_key(&target.id)).count();
        if kept.len() + added > TARGETS_MAX {
            return Err(Refusal::bad_request(
                "LimitExceededException",
                "The requested resource exceeds the maximum number allowed.",
            ));
        }
        kept.extend(targets.into_iter().map(|target| (target.id.clone(), target)));
        Ok(())
    }

    /// What an event on a bus sets off.
    pub fn matching(&self, region: &str, bus: &str, event: &Value) -> Vec<Delivery> {
        let rules = self.buses.get(&(region.to_owned(), bus.to_owned()));
        let matching = rules
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|rule| rule.enabled() && rule.pattern.as_ref().is_some_and(|pattern| pattern.matches(event)));
        matching.flat_map(|rule| rule.deliveries(region)).collect()
    }

    /// The next moment a schedule goes off.
    pub fn next_scheduled(&self) -> Option<Timestamp> {
        self.buses.values().flat_map(BTreeMap::values).filter_map(|rule| Some(rule.schedule?.next)).min()
    }

    /// Advances every schedule that is due and says which rules went off: region, rule ARN, moment, deliveries.
    pub fn due(&mut self, now: Timestamp) -> Vec<(String, String, Timestamp, Vec<Delivery>)> {
        let mut due = Vec::new();
        for ((region, _), rules) in &mut self.buses {
            for rule in rules.values_mut() {
                let Some(schedule) = &mut rule.schedule else { continue };
                if schedule.next > now {
                    continue;
                }
                let moment = schedule.next;
                schedule.next += schedule.period;
                if rule.enabled() {
                    due.push((region.clone(), rule.arn.clone(), moment, rule.deliveries(region)));
                }
            }
        }
        due
    }
}

impl Rule {
    pub fn enabled(&self) -> bool {
        self.config.state.as_deref() != Some("DISABLED")
    }

    fn deliveries(&self, region: &str) -> Vec<Delivery> {
        let delivery = |target: &Target| Delivery {
            region: region.to_owned(),
            rule_arn: self.arn.clone(),
            target: target.clone(),
        };
        self.targets.values().map(delivery).collect()
    }
}

/// The name of a bus given by name, by ARN, or not at all.
pub(super) fn bus_name(given: Option<&str>) -> &str {
    let given = given.unwrap_or(DEFAULT_BUS);
    Arn::parse(given).and_then(|arn| arn.named("event-bus/")).unwrap_or(given)
}

pub(super) fn bus_arn(region: &str, name: &str) -> String {
    arn("events", region, &format!("event-bus/{name}"))
}

pub(super) fn rule_arn(region: &str, bus: &str, name: &str) -> String {
    match bus {
        DEFAULT_BUS => arn("events", region, &format!("rule/{name}")),
        _ => arn("events", region, &format!("rule/{bus}/{name}")),
    }
}

fn check_target(region: &str, target: &Target) -> Result<(), Refusal> {
    let Some(arn) = Arn::parse(&target.arn) else {
        return Err(invalid(&format!("Parameter {} is not valid.", target.arn)));
    };
    match arn.service {
        "events" if arn.named("event-bus/").is_some() => {
            if target.role_arn.is_none() {
                return Err(invalid(&format!("RoleArn is required for target {}.", target.arn)));
            }
        }
        "lambda" | "sqs" | "sns" => {
            // Only a bus may be in another region (EventBridge user guide, "Sending events between Regions").
            if arn.region != region {
                return Err(invalid(&format!("Target {} is not in {region}.", target.arn)));
            }
        }
        other => return Err(Refusal::unsupported(format!("targets of service {other}"))),
    }
    if let Some(Err(error)) = target.input.as_ref().map(|input| serde_json::from_str::<Value>(input)) {
        return Err(invalid(&format!("Input of target {} is not JSON: {error}", target.id)));
    }
    Ok(())
}

/// Reads `rate(N unit)`: "the unit is singular for 1, plural for more" (EventBridge user guide, rate expressions).
fn rate(expression: &str) -> Result<SignedDuration, Refusal> {
    let refused = || invalid("Parameter ScheduleExpression is not valid.");
    if expression.starts_with("cron(") {
        return Err(Refusal::unsupported("cron schedules"));
    }
    let inner = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(refused)?;
    let (count, unit) = inner.split_once(' ').ok_or_else(refused)?;
    let count: i64 = count.parse().ok().filter(|count| *count > 0).ok_or_else(refused)?;
    let singular = if count == 1 { unit } else { unit.strip_suffix('s').ok_or_else(refused)? };
    match singular {
        "minute" => Ok(SignedDuration::from_mins(count)),
        "hour" => Ok(SignedDuration::from_hours(count)),
        "day" => Ok(SignedDuration::from_hours(24 * count)),
        _ => Err(refused()),
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::bad_request("ValidationException", message)
}

fn not_found(message: String) -> Refusal {
    Refusal::bad_request("ResourceNotFoundException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn noon() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn function(id: &str) -> Target {
        serde_json::from_value(json!({"Id": id, "Arn": arn("lambda", "us-west-2", "function:f")})).unwrap()
    }

    #[test]
    fn rates_are_read_as_documented() {
        let table = [
            ("rate(1 minute)", Some(60)),
            ("rate(5 minutes)", Some(300)),
            ("rate(1 hour)", Some(3600)),
            ("rate(1 minutes)", None),
            ("rate(5 minute)", None),
            ("rate(0 minutes)", None),
            ("cron(0 12 * * ? *)", None),
        ];
        for (expression, seconds) in table {
            assert_eq!(rate(expression).ok().map(|rate| rate.as_secs()), seconds, "{expression}");
        }
    }

    #[test]
    fn a_schedule_goes_off_at_multiples_of_its_period_however_late_it_is_looked_at() {
        let mut state = State::default();
        let tick = RuleConfig {
            name: "tick".to_owned(),
            schedule_expression: Some("rate(1 minute)".to_owned()),
            ..RuleConfig::default()
        };
        state.put_rule("us-west-2", tick, noon()).unwrap();
        state.put_targets("us-west-2", None, "tick", vec![function("1"), function("2")]).unwrap();
        assert!(state.due(noon() + SignedDuration::from_secs(59)).is_empty());
        let due = state.due(noon() + SignedDuration::from_secs(61));
        assert_eq!((due.len(), due[0].3.len()), (1, 2));
        assert_eq!(state.next_scheduled(), Some(noon() + SignedDuration::from_secs(120)));
    }

    #[test]
    fn a_disabled_rule_matches_nothing_and_a_replaced_rule_keeps_its_targets() {
        let mut state = State::default();
        state.create_bus("us-west-2", "ours", noon());
        let mut rule = RuleConfig {
            name: "r".to_owned(),
            event_bus_name: Some("ours".to_owned()),
            event_pattern: Some(json!({"source": ["x"]})),
            ..RuleConfig::default()
        };
        state.put_rule("us-west-2", rule.clone(), noon()).unwrap();
        state.put_targets("us-west-2", Some("ours"), "r", vec![function("1")]).unwrap();
        let event = json!({"source": "x"});
        assert_eq!(state.matching("us-west-2", "ours", &event).len(), 1);
        assert!(state.matching("us-west-2", DEFAULT_BUS, &event).is_empty());
        rule.state = Some("DISABLED".to_owned());
        state.put_rule("us-west-2", rule, noon()).unwrap();
        assert!(state.matching("us-west-2", "ours", &event).is_empty());
    }

    #[test]
    fn what_eventbridge_refuses_is_refused() {
        let mut state = State::default();
        state.create_bus("us-west-2", "ours", noon());
        let on_custom_bus = RuleConfig {
            name: "r".to_owned(),
            event_bus_name: Some("ours".to_owned()),
            schedule_expression: Some("rate(1 minute)".to_owned()),
            ..RuleConfig::default()
        };
        assert!(state.put_rule("us-west-2", on_custom_bus, noon()).is_err());
        assert!(state.put_targets("us-west-2", None, "absent", vec![]).is_err());
        let elsewhere = arn("lambda", "us-east-1", "function:f");
        let bus = bus_arn("us-east-1", "theirs");
        for target in [json!({"Id": "1", "Arn": elsewhere}), json!({"Id": "1", "Arn": bus})] {
            assert!(check_target("us-west-2", &serde_json::from_value(target).unwrap()).is_err());
        }
        let with_path = json!({"Id": "1", "Arn": bus, "InputPath": "$.detail"});
        assert!(serde_json::from_value::<Target>(with_path).unwrap_err().to_string().contains("InputPath"));
    }
}
