//! A user's own plan: the parameters that they deploy, what the lab cannot know, and what an outage may cost at most.

mod error;
mod overrides;
mod own;
mod samconfig;
mod summary;
#[cfg(test)]
mod tests;
mod zones;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use lab::template::{self, DeployError};
use serde::{Deserialize, Serialize};

use crate::databases::{Database, Kind};
use crate::files::{DETECTOR_TEMPLATE, TEMPLATE};
use crate::regions::{DETECTOR, DR};
pub use error::PlanError;
use error::within;
use samconfig::Samconfig;
pub use summary::Summary;
pub use zones::Zone;

/// A stack's parameters, by name.
pub type Parameters = BTreeMap<String, String>;

/// What an outage may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Minutes from its beginning until all users write in DR.
    pub rto_minutes_max: u32,
    /// Seconds before its beginning from which acknowledged writes may be lost.
    pub rpo_seconds_max: u32,
}

impl Budget {
    /// The first of them.
    #[must_use]
    pub fn rto_max(&self) -> SignedDuration {
        SignedDuration::from_mins(self.rto_minutes_max.into())
    }
}

/// What the lab cannot know of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Of each protected record.
    pub record_ttl_seconds: u32,
    /// How far each replica is behind.
    pub replica_lag_seconds: u32,
    /// How long RDS takes to promote; as the seed has it unless given.
    pub promotion_minutes: Option<u32>,
    /// How long it takes until a person approves what Holdfast asks about; unless given nobody does.
    pub approval_minutes: Option<u32>,
}

/// What is played in the lab, and what it is held to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file that says all this.
    pub file: PathBuf,
    /// The user's samconfig.
    pub samconfig: PathBuf,
    /// Its environments: of the one stack, or of the responder and then the detector.
    pub environments: Vec<String>,
    /// What it may cost at most.
    pub budget: Budget,
    /// What the lab cannot know.
    pub facts: Facts,
    /// The hosted zones with the protected names, one or two.
    pub zones: Vec<Zone>,
    /// The replicas to promote; never empty.
    pub databases: Vec<Database>,
    /// Parameters of template.yaml, as the user has them.
    pub responder: Parameters,
    /// The same of detector.yaml; none if there is one stack.
    pub detector: Option<Parameters>,
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    samconfig: PathBuf,
    environment: String,
    detector_environment: Option<String>,
    #[serde(default)]
    budget: WrittenBudget,
    #[serde(default)]
    facts: WrittenFacts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBudget {
    rto_minutes_max: Option<u32>,
    rpo_seconds_max: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFacts {
    record_ttl_seconds: Option<u32>,
    replica_lag_seconds: Option<u32>,
    promotion_minutes: Option<u32>,
    approval_minutes: Option<u32>,
    record_names: Option<Vec<String>>,
    second_record_names: Option<Vec<String>>,
}

/// A failover pair's usual TTL; an alias to a load balancer has the same.
const RECORD_TTL_SECONDS: u32 = 60;
/// A replica that keeps up.
const REPLICA_LAG_SECONDS: u32 = 5;

/// What the template has, where a parameter is not given.
const OUTAGE_MINUTES: u32 = 30;
const LAG_SECONDS_MAX: u32 = 60;
pub(crate) const DRAIN_SECONDS: u32 = 120;

const A_DAY_MINUTES: u32 = 24 * 60;
const A_DAY_SECONDS: u32 = 24 * 60 * 60;

impl Plan {
    /// Reads the file, and the samconfig that it names.
    ///
    /// # Errors
    /// The first thing in either that cannot be played, with its remedy.
    pub fn read(file: &Path) -> Result<Self, PlanError> {
        let text = error::read(file, "the path of a plan such as examples/ci/drill.toml")?;
        let written: Written = toml::from_str(&text).map_err(|error| PlanError::Shape {
            file: file.to_owned(),
            why: error.to_string(),
            remedy: "docs/drills.md lists the keys of a plan",
        })?;
        let budget = written.budget.given(file)?;
        let facts = written.facts.given(file)?;
        let samconfig = Samconfig::read(file, &written.samconfig)?;
        let responder = samconfig.parameters(&written.environment)?;
        let wanted = written.detector_environment.as_deref();
        let environment = detector_environment(file, &written.environment, &responder, wanted)?;
        let detector = environment.map(|name| samconfig.parameters(name)).transpose()?;
        let place = samconfig.place(&written.environment);
        refuse_mode(&place, &responder, &facts)?;
        refuse_what_is_not_there(&place, &responder)?;
        let zones = zones::of(file, &place, &responder, &written.facts)?;
        let databases = databases(&place, &responder)?;
        template::check(DR, TEMPLATE, &responder).map_err(|error| place.refused(&error))?;
        if let (Some(name), Some(detector)) = (environment, &detector) {
            let checked = template::check(DETECTOR, DETECTOR_TEMPLATE, detector);
            checked.map_err(|error| samconfig.place(name).refused(&error))?;
        }
        let environments = std::iter::once(written.environment.as_str()).chain(environment).map(str::to_owned);
        Ok(Self {
            file: file.to_owned(),
            samconfig: written.samconfig,
            environments: environments.collect(),
            budget,
            facts,
            zones,
            databases,
            responder,
            detector,
        })
    }

    /// True if DNS moves by Holdfast alone.
    #[must_use]
    pub fn is_on_switch(&self) -> bool {
        self.responder.get("DnsMoves").is_some_and(|by| by == "by-holdfast")
    }

    /// How many seconds of writes may be lost by the plan's own limit, or by what a person approves.
    #[must_use]
    pub fn loss_seconds_max(&self) -> u32 {
        let approved = self.facts.approval_minutes.map_or(0, |_| self.facts.replica_lag_seconds);
        number(&self.responder, "LagSecondsMax", LAG_SECONDS_MAX).max(approved)
    }

    /// How many minutes the plan itself makes people wait: what a drill must wait for beyond what all else takes.
    #[must_use]
    pub fn waits_minutes(&self) -> u32 {
        let watching = self.detector.as_ref().unwrap_or(&self.responder);
        let outage = number(watching, "OutageMinutes", OUTAGE_MINUTES);
        let drain = number(&self.responder, "DrainSeconds", DRAIN_SECONDS) + self.facts.record_ttl_seconds;
        outage
            + drain.div_ceil(60)
            + self.facts.promotion_minutes.unwrap_or_default()
            // The pin may need an approval, and the promotion another.
            + 2 * self.facts.approval_minutes.unwrap_or_default()
    }
}

impl WrittenBudget {
    fn given(&self, file: &Path) -> Result<Budget, PlanError> {
        const REMEDY: &str = "set it: a drill without a budget cannot fail";
        let rto = within(file, "budget.rto_minutes_max", self.rto_minutes_max, 1..=2 * A_DAY_MINUTES)?;
        let rpo = within(file, "budget.rpo_seconds_max", self.rpo_seconds_max, 0..=A_DAY_SECONDS)?;
        let unset = |field| PlanError::field(file, field, "is not set", REMEDY);
        Ok(Budget {
            rto_minutes_max: rto.ok_or_else(|| unset("budget.rto_minutes_max"))?,
            rpo_seconds_max: rpo.ok_or_else(|| unset("budget.rpo_seconds_max"))?,
        })
    }
}

impl WrittenFacts {
    fn given(&self, file: &Path) -> Result<Facts, PlanError> {
        let ttl = within(file, "facts.record_ttl_seconds", self.record_ttl_seconds, 1..=A_DAY_SECONDS)?;
        let lag = within(file, "facts.replica_lag_seconds", self.replica_lag_seconds, 0..=A_DAY_SECONDS)?;
        Ok(Facts {
            record_ttl_seconds: ttl.unwrap_or(RECORD_TTL_SECONDS),
            replica_lag_seconds: lag.unwrap_or(REPLICA_LAG_SECONDS),
            promotion_minutes: within(file, "facts.promotion_minutes", self.promotion_minutes, 1..=A_DAY_MINUTES)?,
            approval_minutes: within(file, "facts.approval_minutes", self.approval_minutes, 0..=A_DAY_MINUTES)?,
        })
    }
}

/// The environment of the detector; none if there is one stack.
fn detector_environment<'a>(
    file: &Path,
    environment: &str,
    responder: &Parameters,
    given: Option<&'a str>,
) -> Result<Option<&'a str>, PlanError> {
    const FIELD: &str = "detector_environment";
    let is_one_stack = responder.get("Detection").is_some_and(|detection| detection == "dr-region");
    match given {
        Some(_) if is_one_stack => {
            let fault = format!("is set, and {environment} has Detection=dr-region, which has no detector");
            Err(PlanError::field(file, FIELD, fault, "take it out"))
        }
        None if !is_one_stack => {
            let fault = format!("is not set, and {environment} is not with Detection=dr-region");
            let remedy = "name the environment of the second stack, as in detector_environment = \"detector\"";
            Err(PlanError::field(file, FIELD, fault, remedy))
        }
        given => Ok(given),
    }
}

/// What the mode says of an RTO.
fn refuse_mode(place: &Place, responder: &Parameters, facts: &Facts) -> Result<(), PlanError> {
    match responder.get("Mode").map(String::as_str) {
        Some("shadow") => Err(place.fault(
            "Mode",
            "is shadow, in which nothing is failed over, so there is no RTO to judge",
            "change it to Mode=approval or automatic, as you will deploy it in the end; or name an environment in the plan that has one of them: a \
             copy of this one will do",
        )),
        Some("approval") if facts.approval_minutes.is_none() => Err(place.fault(
            "Mode",
            "is approval, and how long a person takes is a part of the RTO",
            "say in the plan after how many minutes somebody approves: facts.approval_minutes",
        )),
        _ => Ok(()),
    }
}

/// What a failover would wait for, or ask, and the lab has not.
fn refuse_what_is_not_there(place: &Place, responder: &Parameters) -> Result<(), PlanError> {
    let given = |name: &&&str| responder.get(**name).is_some_and(|value| !value.trim().is_empty());
    match ["Prepare", "After", "DrHealthyAlarmName"].iter().find(given) {
        Some(name) => Err(place.fault(
            name,
            "names resources of yours, and the lab has none of them",
            "leave it out of the copy that is played; cargo drill --scenario prepare shows the lab's own",
        )),
        None => Ok(()),
    }
}

/// The replicas, each with the primary's database that it replicates. What is to be fenced is the primary's, in the same order.
fn databases(place: &Place, responder: &Parameters) -> Result<Vec<Database>, PlanError> {
    let mut databases = Vec::new();
    for (replicas, fenced, kind) in [
        ("AuroraClusters", "FenceAuroraClusters", Kind::Cluster),
        ("RdsInstances", "FenceRdsInstances", Kind::Instance),
    ] {
        let (ids, sources) = (list(responder, replicas), list(responder, fenced));
        if sources.len() > ids.len() {
            return Err(place.fault(
                fenced,
                format!("names more databases than {replicas} has replicas of them"),
                "name those alone that the replicas replicate, in their order: the lab has no others",
            ));
        }
        for (nth, id) in ids.into_iter().enumerate() {
            let source = sources.get(nth).cloned().unwrap_or_else(|| format!("{id}-source"));
            databases.push(Database { id, source, kind: kind.clone() });
        }
    }
    // The template has checked that each is GLOBAL/CLUSTER.
    for text in list(responder, "AuroraGlobalClusters") {
        let (global, id) = text.split_once('/').unwrap_or_default();
        let (source, kind) = (format!("{id}-source"), Kind::Global(global.to_owned()));
        databases.push(Database { id: id.to_owned(), source, kind });
    }
    if databases.is_empty() {
        return Err(place.fault(
            "AuroraClusters",
            "is empty, and RdsInstances and AuroraGlobalClusters too: without a database there is neither a promotion nor an RPO to judge",
            "name a replica; a plan without databases cannot be drilled",
        ));
    }
    Ok(databases)
}

/// Where parameters are written.
struct Place {
    file: PathBuf,
    table: String,
}

impl Place {
    /// Something is wrong with one of them.
    fn fault(&self, parameter: &str, fault: impl Into<String>, remedy: &str) -> PlanError {
        PlanError::field(&self.file, &format!("{}: {parameter}", self.table), fault, remedy)
    }

    /// A template refuses them.
    fn refused(&self, error: &DeployError) -> PlanError {
        const REMEDY: &str = "docs/deploying.md lists the parameters";
        match error {
            DeployError::Parameter { name, why } => self.fault(&format!("{name}:"), why.as_str(), REMEDY),
            other => PlanError::field(&self.file, &self.table, other.to_string(), REMEDY),
        }
    }
}

/// A parameter that is a list.
fn list(parameters: &Parameters, name: &str) -> Vec<String> {
    let text = parameters.get(name).map(String::as_str).unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A parameter that is a number, which the template has checked.
pub(crate) fn number(parameters: &Parameters, name: &str, default: u32) -> u32 {
    parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}
