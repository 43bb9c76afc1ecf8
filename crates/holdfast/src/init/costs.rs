//! What a month costs, by the list prices of docs/costs.md: a test holds the figures here to that page, which says where they are from.

use serde::Serialize;

use super::endpoint::Endpoint;

/// US cents a month, without any free tier: one stack on the switch.
const ALARMS: u32 = 24 * 10;
const DASHBOARD: u32 = 300;
const METRICS: u32 = 13 * 30;
const CHECK: u32 = 50;
/// Health checks beside the endpoint's.
const OTHER_CHECKS: u32 = 5;
const HTTPS: u32 = 100;
const LAMBDA: u32 = 20;
const CLOUDWATCH_API: u32 = 90;
const REST: u32 = 40;
/// What an endpoint outside AWS adds: to its check, and to HTTPS.
const OUTSIDE: u32 = 25;

/// What is left out.
const NOT_COUNTED: [&str; 4] = [
    "the DR site itself, which costs most: replicas, their storage and traffic, compute that you keep warm",
    "free tiers: a single workload that has them all to itself costs about 7",
    "a fence (about 1), tracing, data that leaves AWS",
    "taxes, and what your region charges more or less: AWS's pricing pages have the last word",
];

/// A month of Holdfast.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// All parts together, in US dollars.
    pub usd_a_month: f64,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// What is added if the endpoint is not in AWS.
    pub usd_if_outside_aws: f64,
    /// What is left out.
    pub not_counted: Vec<&'static str>,
}

/// A part of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Of what, as docs/costs.md begins its row.
    pub what: &'static str,
    /// In US dollars a month.
    pub usd: f64,
}

/// What the one stack costs; with an endpoint that is not known yet, as over HTTPS.
#[must_use]
pub fn of_stack(endpoint: Option<&Endpoint>) -> Cost {
    let is_https = endpoint.is_none_or(|endpoint| endpoint.is_https);
    let https = if is_https { HTTPS } else { 0 };
    let parts = [
        ("CloudWatch alarms", ALARMS),
        ("dashboard", DASHBOARD),
        ("custom metrics", METRICS),
        ("Route 53 health checks", CHECK * (1 + OTHER_CHECKS) + https),
        ("Lambda", LAMBDA),
        ("CloudWatch's API", CLOUDWATCH_API),
        ("EventBridge, logs (0.2 GB), SNS, DynamoDB, DNS queries", REST),
    ];
    let outside = OUTSIDE + if is_https { HTTPS } else { 0 };
    Cost {
        usd_a_month: usd(parts.iter().map(|(_, cents)| cents).sum()),
        parts: parts.map(|(what, cents)| Part { what, usd: usd(cents) }).into(),
        usd_if_outside_aws: usd(outside),
        not_counted: NOT_COUNTED.into(),
    }
}

fn usd(cents: u32) -> f64 {
    f64::from(cents) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_page() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/costs.md")).unwrap();
        let cost = of_stack(None);
        for part in &cost.parts {
            let row = page.lines().find(|line| line.starts_with(&format!("| {}", part.what))).unwrap();
            let cell = row.split('|').nth(2).unwrap().trim();
            assert_eq!(cell, format!("{:.2}", part.usd), "{row}");
        }
        let sum = page.lines().find(|line| line.starts_with("| **sum**")).unwrap();
        assert!(sum.contains(&format!("**about {:.0}**", cost.usd_a_month)), "{sum}: {}", cost.usd_a_month);
        assert!(
            page.contains(&format!(
                "An endpoint outside AWS adds about {:.2}, a fence about 1",
                cost.usd_if_outside_aws
            ))
        );
        assert!(page.contains("a single workload then costs about 7"));
    }
}
