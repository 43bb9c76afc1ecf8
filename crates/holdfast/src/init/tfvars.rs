//! The same parameters for the Terraform module of a release (terraform/).

use super::pair::FILL_IN;
use super::parameters::{self, Parameter};

/// The file's name: Terraform reads it by itself in the folder of the root module.
pub const FILE: &str = "holdfast.auto.tfvars";

/// What samconfig.toml says for the one stack whatever is found.
const FIXED: [(&str, &str); 2] = [("Detection", "dr-region"), ("DnsMoves", "by-holdfast")];
/// Parameters that are lists there, and those that are numbers.
const LISTS: [&str; 5] = ["RecordNames", "SecondRecordNames", "AuroraClusters", "RdsInstances", "AuroraGlobalClusters"];
const NUMBERS: [&str; 1] = ["EndpointPort"];
/// The provider's, and no variable.
const REGION: &str = "region";

/// The file.
#[must_use]
pub fn written(parameters: &[Parameter]) -> String {
    let region = parameters.iter().find(|one| one.name == REGION).and_then(|one| one.value.as_deref());
    let mut lines = vec![("artifact_bucket".to_owned(), quoted(FILL_IN))];
    lines.push(("stack_name".to_owned(), quoted(&parameters::stack_name(parameters))));
    lines.extend(FIXED.map(|(name, value)| (variable(name), quoted(value))));
    let given = parameters.iter().filter(|one| one.name != REGION);
    lines.extend(given.map(|one| (variable(one.name), value(one))));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let body: String = lines.iter().map(|(name, value)| format!("{name:width$} = {value}\n")).collect();
    format!(
        "# For the Terraform module of a release (terraform/README.md), by holdfast init. Run it in that folder with AWS_REGION={}, or copy the\n\
         # lines into your own module block. artifact_bucket is a bucket in that region, which the release's files are uploaded to. What says\n\
         # {FILL_IN} is refused by the plan.\n{body}",
        region.unwrap_or(FILL_IN)
    )
}

/// `HostedZoneId` is `hosted_zone_id`.
fn variable(parameter: &str) -> String {
    let mut name = String::new();
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn value(parameter: &Parameter) -> String {
    match parameter.value.as_deref() {
        Some(number) if NUMBERS.contains(&parameter.name) => number.to_owned(),
        value if LISTS.contains(&parameter.name) => {
            let items: Vec<_> = value.unwrap_or(FILL_IN).split(',').map(quoted).collect();
            format!("[{}]", items.join(", "))
        }
        value => quoted(value.unwrap_or(FILL_IN)),
    }
}

/// A string of HCL.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::super::samconfig::SHIPPED;
    use super::*;

    /// What a variable of the module is declared as.
    fn declared(name: &str) -> String {
        let module = |file: &str| {
            std::fs::read_to_string(format!("{}/../../terraform/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let text = module("parameters.tf") + &module("main.tf");
        let (_, rest) =
            text.split_once(&format!("variable \"{name}\" {{")).unwrap_or_else(|| panic!("no variable {name}"));
        let (_, kind) = rest.split_once("type").unwrap();
        kind.lines().next().unwrap().trim_start_matches([' ', '=']).to_owned()
    }

    #[test]
    fn every_line_sets_a_variable_of_the_module_in_its_own_type() {
        let names = [
            "region",
            "Mode",
            "HostedZoneId",
            "DomainName",
            "RecordNames",
            "SecondHostedZoneId",
            "SecondRecordNames",
            "EndpointDomain",
            "EndpointIpAddress",
            "EndpointPort",
            "EndpointType",
            "EndpointPath",
            "AuroraClusters",
            "RdsInstances",
            "OperatorEmail",
            "PrimaryProbeUrl",
            "DrProbeUrl",
            "BusName",
        ];
        let one = |name| Parameter { name, value: Some("1".to_owned()), why: String::new() };
        let text = written(&names.map(one));
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), names.len() + 3, "{text}");
        for line in lines {
            let (name, value) = line.split_once('=').unwrap();
            let kind = match value.trim() {
                list if list.starts_with('[') => "list(string)",
                text if text.starts_with('"') => "string",
                _ => "number",
            };
            assert_eq!(declared(name.trim()), kind, "{line}");
        }
        for (name, value) in FIXED {
            assert!(SHIPPED.contains(&format!("\"{name}={value}\"")), "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_the_plan_and_nothing_is_interpolated() {
        let given = |name, value: Option<&str>| Parameter { name, value: value.map(str::to_owned), why: String::new() };
        let text = written(&[
            given("region", Some("eu-central-1")),
            given("RecordNames", Some("app.example.com,*.example.com")),
            given("AuroraClusters", None),
            given("BusName", Some("shop")),
            given("PrimaryProbeUrl", Some("https://p.example.com/${x}\"")),
        ]);
        for line in [
            "artifact_bucket   = \"FILL IN\"",
            "stack_name        = \"holdfast-shop\"",
            "detection         = \"dr-region\"",
            "record_names      = [\"app.example.com\", \"*.example.com\"]",
            "aurora_clusters   = [\"FILL IN\"]",
            "primary_probe_url = \"https://p.example.com/$${x}\\\"\"",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(text.contains("AWS_REGION=eu-central-1"));
    }
}
