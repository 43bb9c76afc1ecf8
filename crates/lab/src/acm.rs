//! Certificate Manager: certificates that people have, and nothing that issues or renews one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// Certificates, by ARN.
#[derive(Debug, Default)]
pub struct Acm(Mutex<BTreeMap<String, Certificate>>);

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The names it is for.
    pub names: Vec<String>,
    /// AWS's word for its state.
    pub status: &'static str,
    /// Until when it is valid; nothing before it is issued.
    pub not_after: Option<Timestamp>,
}

impl Acm {
    /// Puts a certificate there, or another in its place; its ARN.
    pub fn put(&self, region: &str, id: &str, certificate: Certificate) -> String {
        let arn = arn("acm", region, &format!("certificate/{id}"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.clone(), certificate);
        arn
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    certificate_arn: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "DescribeCertificate" => describe(lab, call),
        other => Err(Refusal::unsupported(format!("the Certificate Manager action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

fn describe(lab: &Lab, call: &Call) -> Result<(String, Value), Refusal> {
    let Describe { certificate_arn: wanted } = input(call)?;
    let all = lab.acm.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.get(&wanted).filter(|_| wanted.starts_with(&arn("acm", &call.region, "")));
    let Certificate { names, status, not_after } = found.ok_or_else(|| {
        Refusal::bad_request("ResourceNotFoundException", format!("Could not find certificate {wanted}."))
    })?;
    let mut certificate = json!({
        "CertificateArn": wanted,
        "DomainName": names.first(),
        "SubjectAlternativeNames": names,
        "Status": status,
    });
    if let Some(not_after) = not_after {
        certificate["NotAfter"] = not_after.as_second().into();
    }
    Ok((wanted, json!({"Certificate": certificate})))
}
