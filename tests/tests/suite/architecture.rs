//! The invariants of ARCHITECTURE.md that cargo can tell: who depends on whom.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;
use std::process::Command;

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
    assert!(!ours_in("simulation").contains("lab") && !ours_in("fuzzing").contains("lab"));
}
