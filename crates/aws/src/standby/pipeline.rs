//! What pipelines deployed lately.

use aws_sdk_codepipeline::types::{PipelineExecutionStatus, PipelineExecutionSummary};
use failover::standby::Look;
use failover::standby::pipeline::{Execution, Pair, Revision};
use failover::standby::wanted::Pipelines;

use crate::error::CallError;
use crate::rds::timestamp;
use crate::session::Session;

/// The pipelines of one application, in DR, the session's region, and in the primary region.
pub async fn pair(session: &Session, primary: &Look<String>, names: &Pipelines) -> Pair {
    let dr_region = session.region().to_owned();
    let (dr, primary) = tokio::join!(executions(session, &names.dr), async {
        executions(&session.in_region(primary.as_ref().map_err(Clone::clone)?), &names.primary).await
    });
    Pair { names: names.clone(), dr_region, primary, dr }
}

/// Its executions, the newest first, to the page that has one that succeeded: a year of them is kept, a hundred a page.
async fn executions(session: &Session, name: &str) -> Look<Vec<Execution>> {
    let config = aws_sdk_codepipeline::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_codepipeline::Client::from_conf(config.build());
    let mut pages = client.list_pipeline_executions().pipeline_name(name).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::of("ListPipelineExecutions", error).to_string())?;
        let summaries = page.pipeline_execution_summaries();
        found.extend(summaries.iter().map(execution));
        if summaries.iter().any(|it| it.status() == Some(&PipelineExecutionStatus::Succeeded)) {
            break;
        }
    }
    Ok(found)
}

fn execution(summary: &PipelineExecutionSummary) -> Execution {
    let revisions = summary.source_revisions().iter().map(|it| {
        let revision =
            Revision { id: it.revision_id().map(str::to_owned), summary: it.revision_summary().map(str::to_owned) };
        (it.action_name().to_owned(), revision)
    });
    Execution {
        status: summary.status().map(|status| status.as_str().to_owned()),
        changed: summary.last_update_time().and_then(timestamp),
        revisions: revisions.collect(),
    }
}
