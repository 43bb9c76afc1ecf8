//! `cargo drill` and `cargo lab`: builds all programs of the workspace, and starts one of them.
//!
//! `cargo run --package drill` would build the SDKs once with the features that the drill's packages ask of them, and the functions
//! once more with their own; and `cargo test` has a third set. With one set nothing is compiled twice.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("launch: which program? Run it as `cargo drill` or `cargo lab`.");
        return ExitCode::from(2);
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let build = Command::new(cargo)
        .args(["build", "--workspace", "--bins"])
        .current_dir(&repository)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match build {
        Ok(status) if status.success() => {}
        Ok(_) => return ExitCode::from(2),
        Err(error) => {
            eprintln!("launch: cargo could not be started: {error}");
            return ExitCode::from(2);
        }
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from);
    let program = target.join("debug").join(program);
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("launch: {} could not be started: {error}", program.display());
    ExitCode::from(2)
}
