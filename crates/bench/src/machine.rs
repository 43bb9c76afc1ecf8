//! What it was measured on.

use std::process::Command;

use serde::Serialize;

use crate::Failure;
use crate::python::{Python, run};

/// The machine and the versions.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's name and how many cores there are.
    pub processor: String,
    /// The kernel.
    pub kernel: String,
    /// The compiler.
    pub rust: String,
    /// Python and its packages.
    pub python: String,
    /// How many processes wanted a core in the minute before.
    pub load: String,
}

impl Machine {
    /// Looks.
    ///
    /// # Errors
    /// If something is not told.
    pub fn describe(python: &Python) -> Result<Self, Failure> {
        let processors = std::fs::read_to_string("/proc/cpuinfo")?;
        let mut names = processors.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let name = names.next().map_or("unknown processor", |(_, name)| name);
        let cores = std::thread::available_parallelism()?;
        let load = std::fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            processor: format!("{cores} cores of {name}"),
            kernel: run(Command::new("uname").arg("-sr"))?.trim().to_owned(),
            rust: run(Command::new("rustc").arg("--version"))?.trim().to_owned(),
            python: python.versions()?,
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}
