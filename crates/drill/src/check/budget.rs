//! Checks of a plan's budget.

use lab::journal::What;

use super::{Check, ensure, minutes};
use crate::evidence::{Evidence, is_outcome};
use crate::plan::Budget;

/// Everybody is served in time, not only the first.
pub const RTO_WITHIN_BUDGET: Check = Check {
    name: "the RTO is within the budget (rto_minutes_max): all users write in DR, and every database there takes writes",
    run: rto_within_budget,
};
/// No more is lost than may be.
pub const RPO_WITHIN_BUDGET: Check = Check {
    name: "the RPO is within the budget (rpo_seconds_max): no older acknowledged write is lost",
    run: rpo_within_budget,
};

fn budget(evidence: &Evidence) -> Result<Budget, String> {
    Ok(evidence.workload.plan.ok_or("there is no plan, and so no budget")?.budget)
}

fn rto_within_budget(evidence: &Evidence) -> Result<String, String> {
    let max = budget(evidence)?.rto_max().as_secs_f64();
    match evidence.all_served_seconds() {
        Some(took) => ensure(took <= max, format!("after {}; the budget is {}", minutes(took), minutes(max))),
        None => Err(format!("not all were served by the end{}; the budget is {}", why_not(evidence), minutes(max))),
    }
}

/// What a person would have had to do.
fn why_not(evidence: &Evidence) -> String {
    let nobody_approves = evidence.workload.plan.is_some_and(|plan| plan.facts.approval_minutes.is_none());
    let asked = |what: &What| matches!(what, What::Invocation { .. } if is_outcome(what, "ApprovalNeeded"));
    match evidence.entries().iter().rev().find(|entry| asked(&entry.what)).map(|entry| &entry.what) {
        Some(What::Invocation { response, .. }) if nobody_approves => format!(
            ": Holdfast asks for an approval ({}: {}), and without facts.approval_minutes nobody approves",
            response["rule"].as_str().unwrap_or_default(),
            response["because"].as_str().unwrap_or_default()
        ),
        _ => String::new(),
    }
}

fn rpo_within_budget(evidence: &Evidence) -> Result<String, String> {
    let max = f64::from(budget(evidence)?.rpo_seconds_max);
    let rpo = evidence.rpo_seconds().ok_or_else(|| format!("nothing was promoted; the budget is {max:.0} s"))?;
    let lost = evidence.lost().len();
    ensure(
        rpo <= max,
        format!("{lost} acknowledged writes lost, the oldest {rpo:.1} s before the outage; the budget is {max:.0} s"),
    )
}
