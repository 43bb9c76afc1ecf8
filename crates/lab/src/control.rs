//! What people do to a running lab: `POST /_lab/orders`, one order as JSON. No AWS service has such a path.

use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Lab;
use crate::fault::LinkFault;
use crate::journal::What;

/// The path of orders.
pub const PATH: &str = "/_lab/orders";

/// Services that can be broken by name, by their signing names.
pub const SERVICES: [&str; 18] = [
    "route53",
    "monitoring",
    "dynamodb",
    "events",
    "lambda",
    "rds",
    "sns",
    "sqs",
    "sts",
    "elasticloadbalancing",
    "autoscaling",
    "ecs",
    "acm",
    "kms",
    "secretsmanager",
    "ssm",
    "codepipeline",
    "servicequotas",
];

/// AWS's regions, as its SDKs know them (botocore's endpoints, November 2026): the lab has whichever is spoken to, and one that is not
/// among them is a slip of the pen, which would break nothing.
#[rustfmt::skip]
const REGIONS: [&str; 39] = [
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1",
    "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
    "eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2",
    "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
];

/// Something to do to the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// A region goes down.
    FailRegion {
        /// Its name.
        region: String,
    },
    /// A service's API goes down, in every region.
    FailService {
        /// Its signing name.
        service: String,
    },
    /// Two regions are cut apart.
    Partition {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// A service answers late.
    Slow {
        /// Its signing name.
        service: String,
        /// By so many seconds of lab time.
        seconds: f64,
    },
    /// A service throttles two of three calls.
    Throttle {
        /// Its signing name.
        service: String,
    },
    /// What replicas in one region hear of their sources in the other gets slow, or silent, or is refused; whole again without any.
    Link {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// It carries no more than so much in a second.
        #[serde(default)]
        bytes_per_second: Option<u32>,
        /// It carries nothing, and nobody is told.
        #[serde(default)]
        silent: bool,
        /// Who connects is sent away.
        #[serde(default)]
        refused: bool,
        /// All connections there are now are reset.
        #[serde(default)]
        cut: bool,
    },
    /// Everything is whole again.
    Heal,
    /// Nothing is done; the answer says what is broken.
    Status,
}

/// Carries out an order; the answer says what is broken now.
pub(crate) fn answer(lab: &Lab, body: &[u8]) -> (StatusCode, Value) {
    match serde_json::from_slice(body).map_err(|error| error.to_string()).and_then(|order| carry_out(lab, order)) {
        Ok(()) => (StatusCode::OK, json!({"now": lab.clock.now().to_string(), "broken": lab.faults.in_force()})),
        Err(message) => (StatusCode::BAD_REQUEST, json!({"message": message})),
    }
}

fn carry_out(lab: &Lab, order: Order) -> Result<(), String> {
    let said = serde_json::to_string(&order).unwrap_or_default();
    let is_change = order != Order::Status;
    match order {
        Order::FailRegion { region } => lab.faults.fail_region(there(&region)?),
        Order::FailService { service } => lab.faults.fail_service(&known(service)?),
        Order::Partition { one, other } => {
            let (one, other) = two(&one, &other)?;
            lab.faults.partition(one, other);
        }
        Order::Slow { service, seconds } => {
            let by = Duration::try_from_secs_f64(seconds).map_err(|error| format!("seconds: {error}"))?;
            lab.faults.slow_service(&known(service)?, by);
        }
        Order::Throttle { service } => lab.faults.throttle_service(&known(service)?),
        Order::Link { one, other, bytes_per_second, silent, refused, cut } => {
            let (one, other) = two(&one, &other)?;
            lab.faults.set_link(one, other, LinkFault { bytes_per_second, is_silent: silent, is_refused: refused });
            if cut {
                lab.faults.cut_link(one, other);
            }
        }
        Order::Heal => lab.faults.heal_everything(),
        Order::Status => {}
    }
    if is_change {
        lab.record(What::Fault { what: format!("order: {said}") });
    }
    Ok(())
}

fn known(service: String) -> Result<String, String> {
    match SERVICES.contains(&service.as_str()) {
        true => Ok(service),
        false => Err(format!("there is no service {service}; those there are: {}", SERVICES.join(", "))),
    }
}

fn there(region: &str) -> Result<&str, String> {
    match REGIONS.contains(&region) {
        true => Ok(region),
        false => Err(format!("there is no region {region}; those there are: {}", REGIONS.join(", "))),
    }
}

/// Two regions that something lies between.
fn two<'a>(one: &'a str, other: &'a str) -> Result<(&'a str, &'a str), String> {
    match (there(one)?, there(other)?) {
        (one, other) if one == other => Err(format!("{one} is one region, and it takes two")),
        two => Ok(two),
    }
}
