//! The proposal: what was seen, made into what is to be deployed, changed and mended.

use aws::survey::{HostedZone, Quota};
use failover::change::Change;
use failover::observation::NameView;
use failover::plan::Plan;
use failover::record::{RecordSet, Role, Routing, Target};
use serde::Serialize;
use serde_json::Value;

use super::costs::{self, Cost};
use super::databases;
use super::endpoint::Endpoint;
use super::findings::{self, Estimate};
use super::names::LeftOut;
use super::pair::{self, FILL_IN};
use super::parameters::{self, BUS, Parameter};
use super::second::Second;
use super::seen::{Seen, Wishes};
use crate::readiness::Shortcoming;

const FORMAT: u32 = 1;

/// What `holdfast init` proposes; what `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    /// The version of this form: another one once a field goes away or comes to mean something else.
    pub format: u32,
    /// The DR region.
    pub region: String,
    /// The primary region, if it is known.
    pub primary_region: Option<String>,
    /// How it is known.
    pub primary_because: Option<String>,
    /// The hosted zone.
    pub zone: HostedZone,
    /// The second zone, if there is to be one.
    pub second_zone: Option<HostedZone>,
    /// The account's other public zones, which nobody looked at.
    pub other_zones: Vec<HostedZone>,
    /// The names to protect, once the change batches are applied.
    pub names: Vec<Protected>,
    /// Names of the zone that Holdfast cannot move.
    pub left_out: Vec<LeftOut>,
    /// What would be promoted; none if it could not be looked at.
    pub databases: Option<Vec<Promoted>>,
    /// The parameters of the stack.
    pub parameters: Vec<Parameter>,
    /// What would not work, what is not known, and what would be better otherwise.
    pub shortcomings: Vec<Shortcoming>,
    /// Change batches that make pairs of simple records.
    pub batches: Vec<File>,
    /// How long an outage lasts.
    pub estimate: Estimate,
    /// What Holdfast costs a month.
    pub cost: Cost,
    /// Health checks of the account; none if that is not known.
    pub health_checks: Option<Quota>,
    /// Record sets of the zone; none if that is not known.
    pub records: Option<Quota>,
    /// What to do next, in order.
    pub next: Vec<String>,
    /// Files that were written.
    pub written: Vec<String>,
}

/// A name and its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protected {
    /// The name.
    pub name: String,
    /// The domain of the hosted zone that it is in.
    pub zone: String,
    /// Whether it has a pair now; else it has one once its batch is applied.
    pub has_pair: bool,
    /// Its records, by type: where PRIMARY and SECONDARY lead.
    pub records: Vec<Led>,
    /// How long resolvers keep them; none if there is no pair.
    pub ttl_seconds: Option<u32>,
}

/// Where the records of one type lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Led {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where PRIMARY leads.
    pub primary: Option<String>,
    /// Where SECONDARY leads.
    pub dr: Option<String>,
}

/// A database that would be promoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promoted {
    /// What and which.
    pub id: String,
    /// Its engine.
    pub engine: String,
    /// What it replicates.
    pub source: String,
}

/// A change batch and its file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct File {
    /// The file's name.
    pub file: String,
    /// Whether nothing in it must be filled in.
    pub is_complete: bool,
    /// The batch, for `aws route53 change-resource-record-sets`.
    pub batch: Value,
    /// The same, to be told in words.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

/// Makes the proposal.
#[must_use]
pub fn propose(
    seen: &Seen,
    wishes: &Wishes,
    plan: &Plan,
    batches: &[pair::Batch],
    endpoint: Option<&Endpoint>,
    left_out: Vec<LeftOut>,
) -> Proposal {
    let after = pair::applied(&seen.sets, batches);
    let mut views = NameView::of_names(&seen.zone.id, &wishes.names, &after);
    views.extend(seen.second.iter().flat_map(Second::views));
    let shortcomings = findings::all(seen, wishes, plan, &views, batches);
    let estimate = findings::estimate(plan, &views, &shortcomings);
    let primary = seen.primary.clone().unzip();
    let files: Vec<File> = batches.iter().filter(|batch| !batch.changes.is_empty()).map(file_of(seen)).collect();
    let parameters = parameters::of(seen, wishes, endpoint);
    Proposal {
        format: FORMAT,
        region: seen.dr_region.clone(),
        names: views.iter().map(|view| protected(seen, view, &after)).collect(),
        left_out,
        databases: seen.dr_databases.as_ref().ok().map(|found| {
            let promoted = databases::replicas(found, primary.0.as_deref());
            promoted
                .map(|it| Promoted { id: it.id.to_string(), engine: it.engine.clone(), source: it.source.to_string() })
                .collect()
        }),
        primary_region: primary.0,
        primary_because: primary.1,
        zone: seen.zone.clone(),
        second_zone: seen.second.as_ref().map(|second| second.zone.clone()),
        other_zones: seen.other_zones.clone(),
        cost: costs::of_stack(endpoint),
        next: next(seen, wishes, &parameters, &files, &views),
        parameters,
        shortcomings,
        batches: files,
        estimate,
        health_checks: seen.check_quota.as_ref().ok().copied(),
        records: seen.record_quota.as_ref().ok().copied(),
        written: Vec::new(),
    }
}

fn file_of(seen: &Seen) -> impl Fn(&pair::Batch) -> File {
    let is_complete = seen.health_check().is_some();
    move |batch| File { file: pair::file(batch), is_complete, batch: pair::json(batch), changes: batch.changes.clone() }
}

fn protected(seen: &Seen, view: &NameView, after: &[RecordSet]) -> Protected {
    let of_second = seen.second.as_ref().filter(|second| second.zone.id == view.zone);
    let (zone, before, after) = match of_second {
        Some(second) => (&second.zone, &second.sets, second.sets.as_slice()),
        None => (&seen.zone, &seen.sets, after),
    };
    let has_pair = before.iter().any(|set| set.name == view.name && set.is_pinnable());
    let mut records: Vec<Led> = Vec::new();
    for set in after.iter().filter(|set| set.name == view.name && is_of_user(set)) {
        let at = records.iter().position(|led| led.kind == set.kind).unwrap_or_else(|| {
            records.push(Led { kind: set.kind.clone(), primary: None, dr: None });
            records.len() - 1
        });
        match &set.routing {
            Routing::Failover { role: Role::Secondary, .. } => records[at].dr = Some(told(&set.target)),
            _ => records[at].primary = Some(told(&set.target)),
        }
    }
    records.sort_by(|one, other| one.kind.cmp(&other.kind));
    let ttl_seconds = view.pairs.is_ok().then(|| view.ttl_seconds());
    Protected { name: view.name.to_string(), zone: zone.domain.clone(), has_pair, records, ttl_seconds }
}

fn is_of_user(set: &RecordSet) -> bool {
    failover::record::PINNED_TYPES.contains(&set.kind.as_str())
}

fn told(target: &Target) -> String {
    target.to_string().trim_end_matches('.').to_owned()
}

/// The commands, in order.
fn next(seen: &Seen, wishes: &Wishes, parameters: &[Parameter], files: &[File], views: &[NameView]) -> Vec<String> {
    let mut steps = Vec::new();
    let open: Vec<_> = parameters.iter().filter(|one| one.value.is_none()).map(|one| one.name).collect();
    if !open.is_empty() {
        steps.push(format!("fill in {} in samconfig.toml, where it says {FILL_IN}", open.join(", ")));
    }
    steps.push("sam build --config-env one-stack   # not from a release, which is built".to_owned());
    steps.push(
        "sam deploy --config-env one-stack   # or Terraform, with holdfast.auto.tfvars (terraform/README.md)"
            .to_owned(),
    );
    let zone = &seen.zone.id;
    if files.iter().any(|file| !file.is_complete) {
        let said = "the stack's output FailoverHealthCheckId in the change batches, where they say FILL IN (holdfast init reads it from the stack)";
        steps.push(said.to_owned());
    }
    for file in files {
        steps.push(format!(
            "aws route53 change-resource-record-sets --hosted-zone-id {zone} --change-batch file://{}",
            file.file
        ));
    }
    steps.extend(unchecked(seen, views));
    let bus = if wishes.bus == BUS { String::new() } else { format!(" --bus {}", wishes.bus) };
    let with = format!("--region {}{bus}", seen.dr_region);
    steps.push(format!("holdfast status {with}"));
    steps.push(format!("holdfast drill {with}   # if you like: a throw-away name is failed over and back"));
    if parameters::begins_in_shadow(parameters) {
        let said = "once its messages have shown that it would do the right thing: change Mode to approval or automatic, where the file says \
                    shadow, and deploy again";
        steps.push(said.to_owned());
    }
    steps.push(format!("holdfast adopt {with}   # once every name is armed: DNS moves by Holdfast alone"));
    steps
}

/// What to do about PRIMARY records with another health check than the stack's.
fn unchecked(seen: &Seen, views: &[NameView]) -> Option<String> {
    let stack = seen.deployed.as_ref().ok().and_then(Option::as_ref);
    let planned =
        [stack.and_then(|stack| stack.health_check.as_deref()), stack.and_then(|stack| stack.switch.as_deref())];
    let unchecked = views.iter().filter(|view| {
        let primaries = view.pairs.iter().flatten().map(failover::record::Pair::primary);
        let mut checks = primaries.filter_map(|set| set.health_check.as_deref());
        checks.any(|check| check != FILL_IN && !planned.contains(&Some(check)))
    });
    let names: Vec<_> = unchecked.map(|view| view.name.to_string()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the stack's output FailoverHealthCheckId on the PRIMARY records of {}, in place of the health check there",
            names.join(", ")
        )
    })
}
