//! The parameters of the one stack, and the plan that it would make of them.

use failover::name::Name;
use failover::plan::{Mode, Plan, PlanError};
use serde::Serialize;
use serde_json::json;

use super::databases;
use super::endpoint::{self, Endpoint};
use super::pair::FILL_IN;
use super::seen::{Origin, Seen, Wishes};

/// Defaults of template.yaml that the proposal is judged and estimated by.
pub const OUTAGE_MINUTES: u32 = 30;
/// See [`OUTAGE_MINUTES`].
pub const DRAIN_SECONDS: u32 = 120;
const LAG_SECONDS_MAX: u32 = 60;
const SETTLE_SECONDS: u32 = 900;
const COOLDOWN_SECONDS: u32 = 3_600;
const DETECTION_SECONDS_MAX: u32 = 2_400;
/// The bus that nobody names.
pub const BUS: &str = "holdfast";
/// "Some 100 names at most (a function's environment ends at 4 KB); beyond that, ALL" (template.yaml, RecordNames).
pub const NAMES_MAX: usize = 100;

/// What the one word means, for whoever reads it.
const ALL_MEANS: &str = "too many names to list: every failover pair of the zone, those that are made later too; its functions may then write any name \
                         of the zone";

/// Who decides, and the value by which nobody does yet.
const MODE: &str = "Mode";
const SHADOW: &str = "shadow";

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name; `region` is none of the template's.
    pub name: &'static str,
    /// Its value; none where a person must fill it in.
    pub value: Option<String>,
    /// How the value is known, or how it comes to be.
    pub why: String,
}

/// All that the stack is given, in the order of samconfig.toml.
#[must_use]
pub fn of(seen: &Seen, wishes: &Wishes, endpoint: Option<&Endpoint>) -> Vec<Parameter> {
    let mut all = Vec::new();
    let mut add = |name, value: Option<String>, why: &str| {
        all.push(Parameter { name, value, why: why.to_owned() });
    };
    add("region", Some(seen.dr_region.clone()), "the DR region");
    let (mode, why) = mode(seen);
    add(MODE, mode.map(str::to_owned), why);
    add("HostedZoneId", Some(seen.zone.id.clone()), "the zone");
    add("DomainName", Some(seen.zone.domain.clone()), "the zone");
    let names = record_names(&wishes.names, wishes.every_pair);
    let why = if takes_all(wishes) { ALL_MEANS } else { "the names; --name says others" };
    add("RecordNames", Some(names.join(",")).filter(|names| !names.is_empty()), why);
    if let Some(second) = &seen.second {
        add(
            "SecondHostedZoneId",
            Some(second.zone.id.clone()),
            "the second zone, which fails over together with the first",
        );
        add(
            "SecondRecordNames",
            Some(record_names(&second.names, second.every_pair).join(",")),
            "its names with a failover pair",
        );
    }
    match endpoint {
        Some(endpoint) => {
            add("EndpointDomain", Some(endpoint.host.clone()), &endpoint.why);
            let why = "as the endpoint is asked";
            let differs = |differs: bool, text: String| differs.then_some(text);
            let kind = if endpoint.is_https { "HTTPS" } else { "HTTP" };
            for (name, value) in [
                ("EndpointIpAddress", endpoint.address.clone()),
                ("EndpointPort", differs(endpoint.port != endpoint::PORT, endpoint.port.to_string())),
                ("EndpointType", differs(!endpoint.is_https, kind.to_owned())),
                ("EndpointPath", differs(endpoint.path != endpoint::PATH, endpoint.path.clone())),
            ] {
                if value.is_some() {
                    add(name, value, why);
                }
            }
        }
        None => add("EndpointDomain", None, "--endpoint: the primary's own host name, never the name that fails over"),
    }
    match &seen.dr_databases {
        Ok(found) => {
            let primary = seen.primary.as_ref().map(|(region, _)| region.as_str());
            let lists = databases::lists(databases::replicas(found, primary));
            for (name, list) in ["AuroraClusters", "RdsInstances", "AuroraGlobalClusters"].into_iter().zip(lists) {
                if !list.is_empty() {
                    add(name, Some(list), "DR's replicas of the primary's");
                }
            }
        }
        Err(_) => add("AuroraClusters", None, "the replicas in DR, which could not be looked at"),
    }
    add("OperatorEmail", wishes.email.clone(), "--email: who is told");
    for (name, tried) in ["PrimaryProbeUrl", "DrProbeUrl"].into_iter().zip(&wishes.probes) {
        if let Some(url) = tried.to_set() {
            let why = match tried.from {
                Origin::Person => "as you gave it",
                Origin::Stack => "as the stack there has it",
                Origin::Records => "it answers here",
            };
            add(name, Some(url.to_owned()), why);
        }
    }
    if wishes.bus != BUS {
        add("BusName", Some(wishes.bus.clone()), "--bus");
    }
    all
}

/// The stack's name: each workload has one of its own, or the second one's deployment would overwrite the first.
#[must_use]
pub fn stack_name(parameters: &[Parameter]) -> String {
    let bus = parameters.iter().find(|one| one.name == "BusName").and_then(|one| one.value.as_deref());
    bus.filter(|bus| *bus != BUS).map_or_else(|| BUS.to_owned(), |bus| format!("{BUS}-{bus}"))
}

/// Shadow to begin with. A stack that is there keeps its own: in shadow mode it would fail nothing over any more.
fn mode(seen: &Seen) -> (Option<&'static str>, &'static str) {
    match &seen.deployed {
        Ok(None) => (Some(SHADOW), "to begin with: it pins and promotes nothing, and tells what it would have done"),
        Ok(Some(stack)) => {
            let name = stack.mode.map(|mode| match mode {
                Mode::Automatic => "automatic",
                Mode::Approval => "approval",
                Mode::Shadow => SHADOW,
            });
            (
                name,
                if name.is_some() {
                    "as the stack there has it"
                } else {
                    "the stack there has one; its plan cannot be read"
                },
            )
        }
        Err(_) => (None, "shadow, unless there is a stack already: that could not be looked at"),
    }
}

/// Whether the stack is to begin in shadow mode.
#[must_use]
pub fn begins_in_shadow(parameters: &[Parameter]) -> bool {
    parameters.iter().any(|one| one.name == MODE && one.value.as_deref() == Some(SHADOW))
}

/// Whether the stack protects every pair of the zone, rather than a list.
#[must_use]
pub fn takes_all(wishes: &Wishes) -> bool {
    wishes.every_pair && wishes.names.len() > NAMES_MAX
}

/// The names as a parameter, or the one word for every pair of a zone where they are too many to be listed.
fn record_names(names: &[Name], every_pair: bool) -> Vec<String> {
    match every_pair && names.len() > NAMES_MAX {
        true => vec!["ALL".to_owned()],
        false => names.iter().map(ToString::to_string).collect(),
    }
}

/// The plan that the functions would get, for the rules to judge by.
///
/// # Errors
/// What the functions would refuse.
pub fn plan(seen: &Seen, wishes: &Wishes) -> Result<Plan, PlanError> {
    let first = (&seen.zone.id, &wishes.names, wishes.every_pair);
    let second = seen.second.as_ref().map(|second| (&second.zone.id, &second.names, second.every_pair));
    let zone = |(id, names, every_pair): (&String, &Vec<Name>, bool)| match every_pair && names.len() > NAMES_MAX {
        true => json!({"id": id, "names": ["ALL"]}),
        false => json!({"id": id, "names": names.iter().map(Name::as_str).collect::<Vec<_>>()}),
    };
    let zones: Vec<_> = std::iter::once(first).chain(second).map(zone).collect();
    let primary = seen.primary.as_ref().map(|(region, _)| region.as_str());
    let found = seen.dr_databases.as_deref().unwrap_or_default();
    let lists = databases::lists(databases::replicas(found, primary));
    let [clusters, instances, globals] = lists.each_ref().map(|list| list.split(',').collect::<Vec<_>>());
    let [primary, dr] = wishes.probes.each_ref().map(|tried| tried.to_set().unwrap_or_default());
    let alarm = format!(
        "arn:aws:cloudwatch:{}:000000000000:alarm:{}-prolonged-outage-{OUTAGE_MINUTES}min",
        seen.dr_region, wishes.bus
    );
    let check = seen.health_check().unwrap_or(FILL_IN);
    let plan = json!({
        "mode": "automatic", "zones": zones,
        "aurora_clusters": clusters, "rds_instances": instances, "aurora_global_clusters": globals,
        "probes": {"primary": primary, "dr": dr}, "failover_health_check": check, "alarms": [alarm],
        "limits": {"lag_seconds_max": LAG_SECONDS_MAX, "settle_seconds": SETTLE_SECONDS, "cooldown_seconds": COOLDOWN_SECONDS,
            "drain_seconds": DRAIN_SECONDS, "detection_seconds_max": DETECTION_SECONDS_MAX},
    });
    Plan::parse(&plan.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::findings::{CHECKS_OF_STACK, RECORDS_OF_STACK};
    use super::*;

    /// What template.yaml says of a parameter.
    fn said(parameter: &str) -> String {
        let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let (_, rest) = template.split_once(&format!("\n  {parameter}:\n    Type:")).unwrap();
        rest.lines()
            .take_while(|line| line.starts_with("    ") || !line.starts_with("  "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_defaults_here_are_the_templates() {
        for (parameter, default) in [
            ("OutageMinutes", OUTAGE_MINUTES.to_string()),
            ("DrainSeconds", DRAIN_SECONDS.to_string()),
            ("LagSecondsMax", LAG_SECONDS_MAX.to_string()),
            ("SettleSeconds", SETTLE_SECONDS.to_string()),
            ("CooldownSeconds", COOLDOWN_SECONDS.to_string()),
            ("DetectionSecondsMax", DETECTION_SECONDS_MAX.to_string()),
            ("EndpointPort", endpoint::PORT.to_string()),
            ("EndpointPath", endpoint::PATH.to_owned()),
            ("BusName", BUS.to_owned()),
        ] {
            let line = format!("Default: {default}");
            assert!(said(parameter).lines().any(|said| said.trim() == line), "{parameter}: {}", said(parameter));
        }
        assert!(said("RecordNames").contains(r"AllowedPattern: '^(ALL|(\*\.)?([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63})$'"));
        let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let count =
            |kind: &str| u64::try_from(template.matches(&format!("Type: AWS::Route53::{kind}\n")).count()).unwrap();
        // The endpoint's check is in it twice, with an address and without.
        assert_eq!(count("HealthCheck"), CHECKS_OF_STACK + 1);
        assert_eq!(count("RecordSet"), RECORDS_OF_STACK);
        assert!(said("RecordNames").contains(&format!("Some {NAMES_MAX} names at most")));
    }
}
