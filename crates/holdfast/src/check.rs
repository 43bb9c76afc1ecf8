//! `holdfast status --check`: for cron and CI.

use std::collections::BTreeSet;

use failover::pin::{self, Decision};
use failover::promotion::Verdict;
use failover::rule::Rule;
use failover::users::{Place, Users};
use serde_json::json;

use crate::failure::Failure;
use crate::look::{self, Finding};
use crate::readiness::{Shortcoming, Weight};
use crate::status::{self, ready};
use crate::terminal::{BAD, GOOD, Terminal};
use crate::workload::Workload;

/// Refuses, with every reason, unless an outage that began now would be failed over without a person; in approval mode, with none
/// but the approval.
pub async fn check(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let seen = look::look(workload).await?;
    let mut reasons = Vec::new();
    let users = Users::seen(&workload.plan, &seen.alarms, (seen.hold, &seen.latch), &seen.names);
    if users.place != Place::Primary {
        reasons.push(users.to_string());
    }
    for Shortcoming { about, seen, remedy, weight } in ready(workload, &seen).await.shortcomings {
        match weight {
            Weight::Keeps => reasons.push(format!("{about} {seen}; {remedy}")),
            Weight::Unknown => reasons.push(format!("not known: {about} {seen}; {remedy}")),
            Weight::Advises => {}
        }
    }
    if seen.alarms.is_none() {
        reasons.push("not known: the alarm's state; CloudWatch did not answer".to_owned());
    }
    reasons.extend(look::findings(&refused(look::decide(workload, &seen))).iter().map(in_words));
    let outage = look::in_an_outage(workload, &seen);
    let decisions = look::decide(workload, &outage);
    let goes_on = |finding: &Finding| finding.goes_on || finding.despite == [Rule::P12].into();
    reasons.extend(look::findings(&decisions).iter().filter(|finding| !goes_on(finding)).map(in_words));
    let incident = look::real_or_imagined(workload, &outage, &decisions);
    for replica in look::replicas(workload, &seen, &incident).await {
        if replica.row.verdict != Verdict::Promote {
            reasons
                .push(format!("{}: {}: {}; {}", replica.id, replica.row.id, replica.row.condition, replica.row.next));
        }
    }
    let mut told = BTreeSet::new();
    reasons.retain(|reason| told.insert(reason.clone()));
    if !reasons.is_empty() {
        return Err(Failure::Refused(format!(
            "an outage that began now would not be failed over:\n  {}",
            reasons.join("\n  ")
        )));
    }
    terminal.result(&json!({"ready": true}));
    terminal.say(format!("{GOOD}ready{GOOD:#}: an outage that began now would be failed over"));
    if let Some(since) = status::down_since(workload).await {
        terminal.say(format!(
            "{BAD}the site has been down{BAD:#} since {since}: holdfast status says when the failover starts"
        ));
    }
    Ok(())
}

/// What the rules find wrong as things are, before any alarm: an alarm without data is in no outage that could be imagined.
fn refused(decisions: Vec<Decision>) -> Vec<Decision> {
    decisions.into_iter().filter(|decision| decision.row.verdict == pin::Verdict::Refuse).collect()
}

fn in_words(Finding { names, id, because, next, hint, .. }: &Finding) -> String {
    let hint = hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{}: {id}: {because}; {next}{hint}", names.join(", "))
}
