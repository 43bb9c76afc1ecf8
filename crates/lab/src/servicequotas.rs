//! Service Quotas: how many vCPUs of On-Demand instances may run in a region. The lab launches nothing, and holds nobody to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// What was applied, by region: of most quotas an account has only AWS's default.
#[derive(Debug, Default)]
pub struct ServiceQuotas(Mutex<BTreeMap<String, f64>>);

impl ServiceQuotas {
    /// AWS applies a quota in a region; nothing leaves it at the default.
    pub fn apply(&self, region: &str, vcpus: Option<f64>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match vcpus {
            Some(vcpus) => drop(all.insert(region.to_owned(), vcpus)),
            None => drop(all.remove(region)),
        }
    }
}

/// The one quota that there is here, and AWS's default of it ("Amazon EC2 endpoints and quotas").
const SERVICE: &str = "ec2";
const CODE: &str = "L-1216C47A";
const NAME: &str = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances";
const DEFAULT_VCPUS: f64 = 5.0;

/// The dimensions of `ResourceCount` in `AWS/Usage` by which its use is seen (AWS CLI reference, get-service-quota).
pub const USAGE: [(&str, &str); 4] =
    [("Class", "Standard/OnDemand"), ("Resource", "vCPU"), ("Service", "EC2"), ("Type", "Resource")];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    service_code: String,
    quota_code: String,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "GetServiceQuota" => {
            let applied = lab.servicequotas.0.lock().unwrap_or_else(PoisonError::into_inner).get(&call.region).copied();
            quota(call, applied)
        }
        "GetAWSDefaultServiceQuota" => quota(call, Some(DEFAULT_VCPUS)),
        other => Err(Refusal::unsupported(format!("the Service Quotas action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

/// "If the applied quota value is not available for a quota, the quota is not retrieved" (GetServiceQuota).
fn quota(call: &Call, value: Option<f64>) -> Result<(String, Value), Refusal> {
    let Get { service_code, quota_code } = input(call)?;
    let value = value.filter(|_| (service_code.as_str(), quota_code.as_str()) == (SERVICE, CODE)).ok_or_else(|| {
        Refusal::bad_request(
            "NoSuchResourceException",
            "The request failed because the specified resource does not exist",
        )
    })?;
    let dimensions: BTreeMap<_, _> = USAGE.into();
    let metric = json!({
        "MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount", "MetricDimensions": dimensions,
        "MetricStatisticRecommendation": "Maximum",
    });
    let quota = json!({
        "ServiceCode": SERVICE, "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)", "QuotaCode": CODE, "QuotaName": NAME,
        "Value": value, "Unit": "None", "Adjustable": true, "GlobalQuota": false, "UsageMetric": metric,
    });
    Ok((quota_code, json!({"Quota": quota})))
}
