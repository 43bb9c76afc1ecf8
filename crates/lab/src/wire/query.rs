//! The AWS query protocol: a form comes in, XML goes out.

use std::collections::BTreeMap;

use quick_xml::se::to_string_with_root;
use serde::Serialize;
use uuid::Uuid;

use super::Refusal;
use crate::api::{Call, Reply};

/// A call's parameters. Every parameter must be taken before the call is carried out, so none is ignored unseen.
#[derive(Debug)]
pub struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    /// Reads the body.
    pub fn read(call: &Call) -> Self {
        let mut fields: BTreeMap<String, String> = form_urlencoded::parse(&call.body).into_owned().collect();
        fields.remove("Version");
        Self { fields }
    }

    /// Takes a parameter that may be absent.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name)
    }

    /// Takes a parameter that must be there.
    pub fn required(&mut self, name: &str) -> Result<String, Refusal> {
        self.take(name).ok_or_else(|| Refusal::bad_request("MissingParameter", format!("{name} is required")))
    }

    /// Takes parameters, or lists of them, that have no effect in the lab.
    pub fn ignore(&mut self, names: &[&str]) {
        self.fields.retain(|field, _| !names.contains(&field.split('.').next().unwrap_or_default()));
    }

    /// The keys of the tags it carries.
    pub fn tag_keys(&self) -> Vec<String> {
        let is_key = |field: &str| field.starts_with("Tags.") && field.ends_with(".Key");
        self.fields.iter().filter(|(field, _)| is_key(field)).map(|(_, key)| key.clone()).collect()
    }

    /// Refuses whatever was not taken, by name.
    pub fn finish(self) -> Result<(), Refusal> {
        match self.fields.into_keys().next() {
            Some(name) => Err(Refusal::unsupported(format!("parameter {name}"))),
            None => Ok(()),
        }
    }
}

/// The action a call names.
pub fn action(call: &Call) -> String {
    form_urlencoded::parse(&call.body)
        .find(|(name, _)| name == "Action")
        .map(|(_, action)| action.into_owned())
        .unwrap_or_default()
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "RequestId")]
    request_id: String,
}

#[derive(Serialize)]
struct ErrorResponse {
    #[serde(rename = "Error")]
    error: ErrorBody,
    #[serde(rename = "RequestId")]
    request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody {
    r#type: &'static str,
    code: String,
    message: String,
}

/// Writes the answer: the resource the call was about and the content of its result element, or the refusal.
pub fn reply<T: Serialize>(action: &str, outcome: Result<(String, T), Refusal>) -> Reply {
    let request_id = Uuid::new_v4().to_string();
    let written = match outcome {
        Ok((resource, result)) => success(action, &result, request_id).map(|body| (resource, body, None)),
        Err(refusal) => {
            let error = ErrorBody { r#type: "Sender", code: refusal.code.clone(), message: refusal.message.clone() };
            to_string_with_root("ErrorResponse", &ErrorResponse { error, request_id })
                .map(|body| (String::new(), body, Some(refusal)))
        }
    };
    match written {
        Ok((resource, body, refusal)) => {
            let reply = Reply::ok(action, resource, "text/xml", body.into_bytes());
            match refusal {
                Some(refusal) => Reply { status: refusal.status, error: Some(refusal.code), ..reply },
                None => reply,
            }
        }
        Err(error) => Reply {
            status: axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            error: Some("InternalFailure".to_owned()),
            ..Reply::ok(action, "", "text/plain", format!("the lab cannot write its answer: {error}").into_bytes())
        },
    }
}

fn success<T: Serialize>(action: &str, result: &T, request_id: String) -> Result<String, quick_xml::SeError> {
    let result = to_string_with_root(&format!("{action}Result"), result)?;
    let metadata = to_string_with_root("ResponseMetadata", &Metadata { request_id })?;
    Ok(format!("<{action}Response>{result}{metadata}</{action}Response>"))
}
