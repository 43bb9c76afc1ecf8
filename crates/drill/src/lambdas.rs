//! Builds the Lambdas that a drill runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The functions, by package and binary name.
pub const LAMBDAS: [&str; 5] = ["alarm-handler", "replica-promoter", "fencer", "preparer", "notifier"];

/// Why the Lambdas could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("cargo could not be started: {0}; run the drill as `cargo drill`")]
    NoCargo(std::io::Error),
    /// Cargo failed; it has said why.
    #[error("the Lambdas do not build; cargo said why above")]
    Failed,
    /// A folder does not have them.
    #[error(
        "{} has no {program}, and the functions and holdfast are started from there: give --functions the folder of a release's drill",
        folder.display()
    )]
    Missing {
        /// Which folder.
        folder: PathBuf,
        /// What is not in it.
        program: &'static str,
    },
}

/// The repository's root; a release was built from none that its user has, and must not name the machine that built it.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(if cfg!(debug_assertions) { env!("CARGO_MANIFEST_DIR") } else { "" }).join("../..")
}

/// The functions that some stacks have besides, by package and binary name; what ails them is that they are silent.
pub const OTHERS: [&str; 2] = ["observer", "readiness"];

/// The operators' command line, by package and binary name.
pub const COMMAND_LINE: &str = "holdfast";

/// The folder of the Lambdas and the command line: the one that is given; in a release the drill's own; else what cargo builds.
///
/// # Errors
/// If one is missing, or cargo fails.
pub fn find_or_build(given: Option<&Path>) -> Result<PathBuf, BuildError> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None if cfg!(debug_assertions) => return build(),
        None => std::env::current_exe().ok().and_then(|me| Some(me.parent()?.to_owned())).unwrap_or_default(),
    };
    match LAMBDAS.into_iter().chain(OTHERS).chain([COMMAND_LINE]).find(|program| !folder.join(program).is_file()) {
        Some(program) => Err(BuildError::Missing { folder, program }),
        None => Ok(std::path::absolute(&folder).unwrap_or(folder)),
    }
}

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
