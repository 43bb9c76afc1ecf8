//! The file of `--workload`: what no plan and no record names.

use std::path::Path;

use failover::standby::wanted::Wanted;

use crate::failure::Failure;

/// Reads it.
pub fn read(path: &Path) -> Result<Wanted, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("--workload {}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    toml::from_str(&text).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use failover::standby::Limits;

    use super::*;

    #[test]
    fn the_example_is_read_and_names_what_the_templates_make() {
        let file: Wanted = toml::from_str(include_str!("../../../../examples/warm-standby/readiness.toml")).unwrap();
        assert_eq!(file.secrets, ["shop/database-app", "shop/database-admin"].map(str::to_owned).into());
        let parameters = ["/shop/assets-bucket", "/shop/database-endpoint", "/shop/image"];
        assert_eq!(file.parameters, parameters.map(str::to_owned).into());
        assert!(file.buckets.iter().all(|bucket| bucket.rule == "to-eu-central-1") && file.buckets.len() == 1);
        assert_eq!(file.pipelines, ["shop".parse().unwrap()].into());
        assert_eq!(file.limits, Limits::default(), "the example shows the defaults");
    }

    #[test]
    fn a_word_that_is_none_of_the_files_is_refused_by_name() {
        let error = toml::from_str::<Wanted>("secret = ['shop/app']").unwrap_err().to_string();
        assert!(error.contains("unknown field `secret`"), "{error}");
        let error = toml::from_str::<Wanted>("pipelines = ['shop=']").unwrap_err().to_string();
        assert!(error.contains("write PRIMARY=DR"), "{error}");
        let error = toml::from_str::<Wanted>("[limits]\ncertificate_days = 3").unwrap_err().to_string();
        assert!(error.contains("unknown field `certificate_days`"), "{error}");
    }
}
