//! STS: who signed this?

use std::sync::Arc;

use serde::Serialize;

use crate::api::{Call, Reply};
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};
use crate::{ACCOUNT, Lab};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    arn: String,
    user_id: String,
    account: &'static str,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    let outcome = match action.as_str() {
        "GetCallerIdentity" => form.finish().map(|()| (String::new(), identity(lab, &call.caller))),
        other => Err(Refusal::unsupported(format!("the STS action {other}"))),
    };
    reply(&action, outcome)
}

fn identity(lab: &Lab, caller: &str) -> Identity {
    let arn = if lab.functions.is_named(caller) {
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/{caller}/{caller}")
    } else {
        format!("arn:aws:iam::{ACCOUNT}:user/{caller}")
    };
    Identity { arn, user_id: caller.to_owned(), account: ACCOUNT }
}
