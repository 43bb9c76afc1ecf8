//! The invariants of ARCHITECTURE.md that cargo can tell: who depends on whom.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;
use std::process::Command;

use drill::lambdas::repository;

/// Names of all packages that are compiled into `package`, itself included.
fn shipped_in(package: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .expect("cargo starts");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8_lossy(&tree.stdout);
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

const OURS: [&str; 20] = [
    "failover",
    "aws",
    "alarm-handler",
    "replica-promoter",
    "fencer",
    "preparer",
    "notifier",
    "observer",
    "readiness",
    "holdfast",
    "simulation",
    "saboteurs",
    "fuzzing",
    "report",
    "model",
    "lab",
    "drill",
    "bench",
    "launch",
    "orders",
];

fn ours_in(package: &str) -> BTreeSet<String> {
    shipped_in(package).into_iter().filter(|name| name != package && OURS.contains(&name.as_str())).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_domain_does_no_io_and_knows_no_aws() {
    let forbidden = ["tokio", "hyper", "reqwest", "async-trait", "lambda_runtime", "rand"];
    for name in shipped_in("failover") {
        assert!(!name.starts_with("aws") && !forbidden.contains(&name.as_str()), "failover depends on {name}");
    }
    assert_eq!(ours_in("failover"), set(&[]));
}

#[test]
fn a_function_carries_the_sdks_it_calls_and_no_other() {
    // Credentials may come from STS, so the SDK's configuration always brings it along.
    for (lambda, sdks) in [
        ("alarm-handler", set(&["aws-sdk-cloudwatch", "aws-sdk-dynamodb", "aws-sdk-route53", "aws-sdk-sts"])),
        (
            "replica-promoter",
            set(&["aws-sdk-cloudwatch", "aws-sdk-dynamodb", "aws-sdk-rds", "aws-sdk-route53", "aws-sdk-sts"]),
        ),
        ("fencer", set(&["aws-sdk-rds", "aws-sdk-route53", "aws-sdk-sts"])),
        (
            "preparer",
            set(&[
                "aws-sdk-autoscaling",
                "aws-sdk-cloudwatch",
                "aws-sdk-dynamodb",
                "aws-sdk-ecs",
                "aws-sdk-eventbridge",
                "aws-sdk-lambda",
                "aws-sdk-route53",
                "aws-sdk-sts",
            ]),
        ),
        ("notifier", set(&["aws-sdk-sns", "aws-sdk-sts"])),
        ("observer", set(&["aws-sdk-sts"])),
        (
            "readiness",
            set(&[
                "aws-sdk-acm",
                "aws-sdk-autoscaling",
                "aws-sdk-cloudwatch",
                "aws-sdk-codepipeline",
                "aws-sdk-elasticloadbalancingv2",
                "aws-sdk-kms",
                "aws-sdk-rds",
                "aws-sdk-route53",
                "aws-sdk-secretsmanager",
                "aws-sdk-servicequotas",
                "aws-sdk-ssm",
                "aws-sdk-sts",
            ]),
        ),
    ] {
        let shipped = shipped_in(lambda);
        // Only people's own machine asks databases themselves.
        assert!(!shipped.contains("mysql_async"), "{lambda}");
        let carried: BTreeSet<_> = shipped.into_iter().filter(|name| name.starts_with("aws-sdk-")).collect();
        assert_eq!(carried, sdks, "{lambda}");
        assert_eq!(ours_in(lambda), set(&["aws", "failover"]), "{lambda}");
    }
}

#[test]
fn the_command_line_looks_and_decides_with_the_functions_own_code() {
    assert_eq!(ours_in("holdfast"), set(&["aws", "failover", "alarm-handler", "replica-promoter", "fencer", "report"]));
}

#[test]
fn the_lab_knows_nothing_of_holdfast_and_only_the_drill_builds_on_it() {
    assert_eq!(ours_in("lab"), set(&[]));
    assert_eq!(ours_in("drill"), set(&["failover", "lab", "report"]));
    assert_eq!(ours_in("report"), set(&[]));
    assert_eq!(ours_in("orders"), set(&[]));
    assert_eq!(ours_in("model"), set(&["failover"]));
    assert_eq!(ours_in("bench"), set(&["lab", "failover"]));
    assert_eq!(ours_in("launch"), set(&[]));
    assert!(!ours_in("simulation").contains("lab") && !ours_in("fuzzing").contains("lab"));
}

/// Lines before a file's own tests.
fn lines_of(file: &str) -> usize {
    let text = std::fs::read_to_string(repository().join("crates").join(file)).expect(file);
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[test]
fn the_way_from_an_alarm_to_a_message_is_as_long_as_its_page_says() {
    let page = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).expect("the page is there");
    let (_, section) = page.split_once("## From an alarm to a message\n").expect("it has the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let parts: Vec<_> = section.split("\n**").filter(|part| part.contains(" lines")).collect();
    assert_eq!(parts.len(), 2);
    for part in parts {
        let (before, _) = part.split_once(" lines").expect("it says how many");
        let said = before.rsplit(' ').next().unwrap_or_default().replace(',', "");
        let said: usize = said.parse().expect("a number");
        let mut lines = 0;
        for row in part.lines().filter(|line| line.starts_with("| ") && line.contains(".rs`")) {
            let files = row.split(" | ").nth(1).expect("it names files").split(", ");
            let mut folder = "";
            for file in files.map(|file| file.trim_matches('`')) {
                folder = file.split_once("/src/").map_or(folder, |(folder, _)| folder);
                let file = file.split_once("/src/").map_or(file, |(_, file)| file);
                lines += lines_of(&format!("{folder}/src/{file}"));
            }
        }
        assert!(lines.abs_diff(said) <= 50, "{said} are said, and {lines} are there: {}", &part[..40]);
    }
}
