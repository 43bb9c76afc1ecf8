//! How much an account may have, and how much of it there is. The lab tells it, and refuses nothing for it.

use serde::Serialize;

use super::wire::ok;
use super::{Outcome, Refusal};
use crate::Lab;
use crate::api::Call;

/// "Health checks: 200 active health checks per AWS account", "Hosted zones: 500 per account", "Records: 10,000 per hosted zone" (Route 53
/// developer guide, "Quotas"), until somebody sets another.
pub(super) const HEALTH_CHECKS_MAX: usize = 200;
const ZONES_MAX: usize = 500;
const RECORDS_MAX: usize = 10_000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    limit: Limit<'a>,
    count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limit<'a> {
    r#type: &'a str,
    value: usize,
}

/// What is asked for: the last part of the path.
fn kind_of(call: &Call) -> &str {
    call.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

pub(super) fn of_account(lab: &Lab, call: &Call) -> Outcome {
    let kind = kind_of(call);
    let state = lab.route53.state();
    let (count, value) = match kind {
        "MAX_HEALTH_CHECKS_BY_OWNER" => {
            (state.checks.iter().filter(|check| !check.config.is_of_aws).count(), state.health_checks_max)
        }
        "MAX_HOSTED_ZONES_BY_OWNER" => (state.zones.len(), ZONES_MAX),
        other => return Err(Refusal::NotImplemented(format!("the account limit {other}"))),
    };
    ok("GetAccountLimitResponse", Answer { limit: Limit { r#type: kind, value }, count })
}

pub(super) fn of_zone(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    let kind = kind_of(call);
    let state = lab.route53.state();
    let count = state.zone(zone)?.records.len();
    match kind {
        "MAX_RRSETS_BY_ZONE" => {
            ok("GetHostedZoneLimitResponse", Answer { limit: Limit { r#type: kind, value: RECORDS_MAX }, count })
        }
        other => Err(Refusal::NotImplemented(format!("the hosted zone limit {other}"))),
    }
}
