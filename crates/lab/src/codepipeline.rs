//! CodePipeline: what pipelines did lately, as people say it; nothing here deploys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::id::uuid;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// What each pipeline did, the oldest first, by region and name.
#[derive(Debug, Default)]
pub struct CodePipeline(Mutex<BTreeMap<(String, String), Vec<Execution>>>);

/// An execution.
#[derive(Clone, Debug)]
pub struct Execution {
    /// AWS's word for how far it came.
    pub status: &'static str,
    /// When it changed last.
    pub changed: Timestamp,
    /// The source action, the revision that it brought, and what is said of that.
    pub revision: (&'static str, String, Option<String>),
}

impl CodePipeline {
    /// Changes what a pipeline did; one that is not there yet is made.
    pub fn change(&self, region: &str, name: &str, change: impl FnOnce(&mut Vec<Execution>)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry((region.to_owned(), name.to_owned())).or_default());
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    pipeline_name: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// "Default value is 100", which is the most (ListPipelineExecutions).
const PAGE_MAX: usize = 100;

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "ListPipelineExecutions" => list(lab, call),
        other => Err(Refusal::unsupported(format!("the CodePipeline action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// The ARN of the pipeline that a call is about.
pub(crate) fn arn_of(call: &Call) -> Option<String> {
    Some(arn("codepipeline", &call.region, &input::<List>(call).ok()?.pipeline_name))
}

fn list(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let List { pipeline_name: name, max_results, next_token } = input(call)?;
    let most = max_results.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(Refusal::bad_request("ValidationException", "maxResults must be between 1 and 100"));
    }
    let seen: usize = match next_token.map(|token| token.parse()) {
        None => 0,
        Some(Ok(seen)) => seen,
        Some(Err(_)) => return Err(Refusal::bad_request("InvalidNextTokenException", "The next token is not valid")),
    };
    let all = lab.codepipeline.0.lock().unwrap_or_else(PoisonError::into_inner);
    let executions = all.get(&(call.region.clone(), name.clone())).ok_or_else(|| {
        let why = format!("Account '{}' does not have a pipeline with name '{name}'", crate::ACCOUNT);
        Refusal::bad_request("PipelineNotFoundException", why)
    })?;
    let summary = |(nth, execution): (u64, &Execution)| {
        let Execution { status, changed, revision: (action, id, said) } = execution;
        let mut revision = json!({"actionName": action, "revisionId": id});
        if let Some(said) = said {
            revision["revisionSummary"] = said.as_str().into();
        }
        let at = changed.as_second();
        json!({"pipelineExecutionId": uuid(&name, nth), "status": status, "startTime": at, "lastUpdateTime": at, "sourceRevisions": [revision]})
    };
    let page: Vec<_> =
        (0..).zip(executions).collect::<Vec<_>>().into_iter().rev().skip(seen).take(most).map(summary).collect();
    let told = seen + page.len();
    let mut answer = json!({"pipelineExecutionSummaries": page});
    if told < executions.len() {
        answer["nextToken"] = told.to_string().into();
    }
    Ok((name, answer))
}
