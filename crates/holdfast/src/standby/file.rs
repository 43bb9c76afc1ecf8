//! The file of `--workload`: what no plan and no record names.

use std::path::Path;

use failover::standby::Limits;
use serde::Deserialize;

use crate::failure::Failure;

/// What only people can name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The primary region, where neither a record nor the fence says it.
    pub primary_region: Option<String>,
    /// DNS name of the primary's load balancer, where the PRIMARY record leads to something else, as to an address.
    pub primary_load_balancer: Option<String>,
    /// DNS name of DR's load balancer, where the SECONDARY record leads to something else.
    pub dr_load_balancer: Option<String>,
    /// Names of secrets that the application in DR reads.
    pub secrets: Vec<String>,
    /// Rules of S3 that copy a bucket to DR.
    pub buckets: Vec<Bucket>,
    /// How far DR may be from the primary.
    pub limits: Limits,
}

/// A rule of S3 that copies a bucket to DR.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The bucket in the primary region.
    pub source: String,
    /// The bucket in DR.
    pub destination: String,
    /// The id of the replication rule.
    pub rule: String,
}

impl File {
    /// Reads it.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("--workload {}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        toml::from_str(&text).map_err(|error| wrong(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_read_and_names_what_the_templates_make() {
        let file: File = toml::from_str(include_str!("../../../../examples/warm-standby/readiness.toml")).unwrap();
        assert_eq!(file.secrets, ["shop/database-app", "shop/database-admin"]);
        assert_eq!(file.buckets[0].rule, "to-eu-central-1");
        assert_eq!(file.limits, Limits::default(), "the example shows the defaults");
    }

    #[test]
    fn a_word_that_is_none_of_the_files_is_refused_by_name() {
        let error = toml::from_str::<File>("secret = ['shop/app']").unwrap_err().to_string();
        assert!(error.contains("unknown field `secret`"), "{error}");
        let error = toml::from_str::<File>("[limits]\ncertificate_days = 3").unwrap_err().to_string();
        assert!(error.contains("unknown field `certificate_days`"), "{error}");
    }
}
