//! The minimum Rust version: one number, true of every dependency, and told to people.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// `1.95` and `1.95.0` are one version.
fn version(text: &str) -> [u32; 3] {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// Every package of Cargo.lock with the Rust version that it asks for, ours first.
fn asked_for() -> Vec<(String, Option<String>, bool)> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let text = |package: &Value, member: &str| package[member].as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().unwrap();
    let asked = packages
        .iter()
        .map(|package| (text(package, "name").unwrap(), text(package, "rust_version"), package["source"].is_null()));
    asked.collect()
}

#[test]
fn the_minimum_rust_version_is_one_number_that_every_dependency_keeps_to() {
    let asked = asked_for();
    let ours: Vec<_> = asked.iter().filter(|(.., is_ours)| *is_ours).collect();
    let minimum = ours[0].1.clone().unwrap();
    for (name, asks, _) in &ours {
        assert_eq!(asks.as_deref(), Some(minimum.as_str()), "{name}");
    }
    for (name, asks, _) in &asked {
        let Some(asks) = asks else { continue };
        assert!(version(asks) <= version(&minimum), "{name} needs Rust {asks}, Cargo.toml says {minimum}");
    }
    for page in ["README.md", "docs/supply-chain.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page)).unwrap();
        assert!(text.contains(&format!("Rust {minimum} or newer")), "{page} does not say Rust {minimum} or newer");
    }
}

#[test]
fn the_version_is_told_in_the_changelog_and_the_licences_that_the_manifest_names_are_here() {
    let read = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("CHANGELOG.md").contains(&format!("\n## {version}")), "CHANGELOG.md does not tell of {version}");
    for licence in read("Cargo.toml").lines().find_map(|line| line.strip_prefix("license = ")).unwrap().split(" OR ") {
        let name = licence.trim_matches('"').trim_end_matches("-2.0").to_uppercase();
        assert!(read(&format!("LICENSE-{name}")).contains("License"), "LICENSE-{name}");
    }
}
