//! STS: who signed this, and as whom may it go on?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::api::{Call, Reply};
use crate::wire::Refusal;
use crate::wire::query::{Form, reply};
use crate::{ACCOUNT, Lab};

/// "The default is one hour" (AssumeRole, DurationSeconds).
const SESSION: SignedDuration = SignedDuration::from_hours(1);

/// The service's state.
#[derive(Debug, Default)]
pub struct Sts(Mutex<BTreeMap<String, Session>>);

/// What somebody does as a role.
#[derive(Clone, Debug)]
pub struct Session {
    /// The access key id of whoever assumed it.
    pub key: String,
    /// ARN of the role.
    pub role: String,
}

impl Sts {
    /// The session whose credentials carry this access key id.
    pub fn session(&self, key: &str) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn begin(&self, session: Session) -> String {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("ASIALABSESSION{:06}", sessions.len());
        sessions.insert(key.clone(), session);
        key
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    arn: String,
    user_id: String,
    account: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: &'static str,
    session_token: &'static str,
    expiration: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let mut form = Form::read(call);
    let action = form.take("Action").unwrap_or_default();
    match action.as_str() {
        "GetCallerIdentity" => reply(&action, form.finish().map(|()| (String::new(), identity(lab, call)))),
        "AssumeRole" => reply(&action, assume_role(lab, call, form)),
        other => reply::<()>(other, Err(Refusal::unsupported(format!("the STS action {other}")))),
    }
}

fn identity(lab: &Lab, call: &Call) -> Identity {
    let caller = &call.caller;
    let (arn, account) = match &call.role {
        Some(role) => (assumed(role, caller), account(role).unwrap_or(ACCOUNT)),
        None if lab.has_function_named(caller) => {
            (format!("arn:aws:sts::{ACCOUNT}:assumed-role/{caller}/{caller}"), ACCOUNT)
        }
        None => (format!("arn:aws:iam::{ACCOUNT}:user/{caller}"), ACCOUNT),
    };
    Identity { arn, user_id: caller.clone(), account: account.to_owned() }
}

fn assume_role(lab: &Lab, call: &Call, mut form: Form) -> Result<(String, Assumed), Refusal> {
    let (role, session) = (form.required("RoleArn")?, form.required("RoleSessionName")?);
    form.finish()?;
    let is_role = account(&role).is_some() && role.contains(":role/");
    // "Characters consisting of upper- and lower-case alphanumeric characters with no spaces … =,.@-", 2 to 64 of them.
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    if !is_role || !(2..=64).contains(&session.len()) || !session.chars().all(is_name) {
        return Err(Refusal::bad_request("ValidationError", format!("{role} or {session} is invalid")));
    }
    let key = call.key.clone();
    let access_key_id = lab.sts.begin(Session { key, role: role.clone() });
    let credentials = Credentials {
        access_key_id,
        secret_access_key: "the-lab-checks-no-signatures",
        session_token: "the-lab-checks-no-tokens",
        // Processes compare it with their own clock, which is not the lab's.
        expiration: Timestamp::now() + SESSION,
    };
    let user = AssumedRoleUser { arn: assumed(&role, &session), assumed_role_id: format!("AROALAB:{session}") };
    Ok((role, Assumed { credentials, assumed_role_user: user }))
}

fn account(role: &str) -> Option<&str> {
    role.strip_prefix("arn:aws:iam::")?.split(':').next()
}

/// `arn:aws:iam::ACCOUNT:role/NAME` as its sessions are called.
fn assumed(role: &str, session: &str) -> String {
    let name = role.rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{}:assumed-role/{name}/{session}", account(role).unwrap_or(ACCOUNT))
}
