//! What the account may run in DR, and what it runs in both regions.

use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::types::{MetricInfo, ServiceQuota};
use failover::standby::Look;
use failover::standby::quota::{QUOTA, Quota, SERVICE};
use jiff::{SignedDuration, Timestamp};

use super::metrics::{Series, values};
use crate::cloudwatch::whole;
use crate::error::CallError;
use crate::session::Session;

/// How far back is looked for the most that ran.
const NEED: SignedDuration = SignedDuration::from_hours(24);

/// The quota of On-Demand instances in DR, the session's region, and its use there and in the primary region.
pub async fn quota(session: &Session, primary: &Look<String>, now: Timestamp) -> Quota {
    let dr_region = session.region().to_owned();
    let quota = match described(session).await {
        Ok(quota) => quota,
        Err(why) => return Quota { dr_region, allowed: Err(why.clone()), primary: Err(why.clone()), dr: Err(why) },
    };
    let metric = quota.usage_metric();
    let (primary, dr) = tokio::join!(
        async { most(&session.in_region(primary.as_ref().map_err(Clone::clone)?), metric, now).await },
        most(session, metric, now),
    );
    Quota { dr_region, allowed: allowed(&quota), primary, dr }
}

/// "For some quotas, only the default values are available. If the applied quota value is not available for a quota, the quota is not
/// retrieved" (GetServiceQuota): then AWS's default holds.
async fn described(session: &Session) -> Look<ServiceQuota> {
    let config = aws_sdk_servicequotas::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = Client::from_conf(config.build());
    let applied = client.get_service_quota().service_code(SERVICE).quota_code(QUOTA).send().await;
    let quota = match applied.map_err(|error| CallError::of("GetServiceQuota", error)) {
        Ok(found) => found.quota,
        Err(error) if error.is_refused_with("NoSuchResourceException") => {
            let default = client.get_aws_default_service_quota().service_code(SERVICE).quota_code(QUOTA).send().await;
            default.map_err(|error| CallError::of("GetAWSDefaultServiceQuota", error).to_string())?.quota
        }
        Err(error) => return Err(error.to_string()),
    };
    quota.ok_or_else(|| format!("Service Quotas tells nothing of {QUOTA}"))
}

fn allowed(quota: &ServiceQuota) -> Look<u64> {
    if let Some(reason) = quota.error_reason() {
        return Err(format!("Service Quotas cannot tell: {}", reason.error_message().unwrap_or_default()));
    }
    let value = quota.value().ok_or("Service Quotas does not say how much is allowed")?;
    Ok(whole(value.floor()))
}

/// The most of the last day by the metric that the quota itself names ("Information about the CloudWatch metric that reflects quota usage",
/// MetricInfo); of this one `AWS/Usage` `ResourceCount`, Class Standard/OnDemand (AWS CLI reference, get-service-quota).
async fn most(session: &Session, metric: Option<&MetricInfo>, now: Timestamp) -> Look<Option<u64>> {
    let unnamed = "Service Quotas does not say by which metric its use is seen";
    let metric = metric.ok_or(unnamed)?;
    let dimensions = metric.metric_dimensions().ok_or(unnamed)?;
    let dimensions: Vec<_> = dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let series = Series {
        namespace: metric.metric_namespace().ok_or(unnamed)?,
        metric: metric.metric_name().ok_or(unnamed)?,
        dimensions: &dimensions,
        stat: "Maximum",
        lookback: NEED,
    };
    Ok(values(session, &series, now).await?.into_iter().max())
}
