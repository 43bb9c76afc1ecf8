//! Builds the Lambdas that a drill runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The functions, by package and binary name.
pub const LAMBDAS: [&str; 4] = ["alarm-handler", "replica-promoter", "fencer", "notifier"];

/// Why the Lambdas could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("cargo could not be started: {0}; run the drill as `cargo drill`")]
    NoCargo(std::io::Error),
    /// Cargo failed; it has said why.
    #[error("the Lambdas do not build; cargo said why above")]
    Failed,
}

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The operators' command line, by package and binary name.
pub const COMMAND_LINE: &str = "holdfast";

/// Builds all programs, the Lambdas and the command line among them; the folder that holds them. All of them: a build of some
/// would ask other features of their dependencies, and compile AWS's SDKs once more.
///
/// # Errors
/// If cargo cannot be started, or fails.
pub fn build() -> Result<PathBuf, BuildError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--workspace", "--bins"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if !command.status().map_err(BuildError::NoCargo)?.success() {
        return Err(BuildError::Failed);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    Ok(target.join("debug"))
}
