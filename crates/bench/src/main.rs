//! `cargo run -p bench`: Holdfast beside its peers on this machine, in one run.

mod machine;
mod pins;
mod process;
mod python;
mod quota;
mod records;
mod spread;
mod stage;
mod start;
mod tables;
mod tls;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use clap::builder::PossibleValuesParser;

use machine::Machine;
use python::{Python, run};
use stage::{Case, Stage};
use start::Extent;
use tables::Results;

/// Why nothing, or not everything, could be measured; says what to do where somebody can.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures Holdfast beside its peers: each function beside a Python handler that does the same, and pins of many records
/// beside one call a record.
#[derive(Debug, Parser)]
#[command(name = "bench", after_help = "Exit status: 0 if all was measured, 2 if not.")]
struct Arguments {
    /// Processes of each function and of its twin, under each share of a core.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    processes: u16,
    /// Warm invocations of each process.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    warm: u16,
    /// Only this function, and no pins.
    #[arg(long, value_name = "NAME", value_parser = functions())]
    function: Option<String>,
    /// How many records are pinned at once.
    #[arg(long, value_delimiter = ',', default_value = "1,100,1000,10000", value_name = "N,…")]
    records: Vec<u32>,
    /// Measure the functions in this directory as they are, instead of building them.
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
    /// Only the pins.
    #[arg(long, conflicts_with = "function")]
    pins: bool,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
    /// Write the tables to this file too, between its two marks, as in docs/benchmarks.md.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn functions() -> PossibleValuesParser {
    Case::ALL.map(|(_, function)| function).into()
}

/// The repository's root.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::from(2)
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let binaries = match &arguments.binaries {
        Some(directory) => directory.clone(),
        None => build(&target)?,
    };
    let python = Python::installed(&folder)?;
    let bundle = folder.join(format!("ca-bundle-{}.crt", std::process::id()));
    let machine = Machine::describe(&python)?;
    let stage = Stage::set(&bundle).await?;
    let extent = Extent { processes: arguments.processes.into(), warm: arguments.warm.into() };
    let start = match arguments.pins {
        true => Vec::new(),
        false => start::measure(&stage, extent, &binaries, &python, &bundle, arguments.function.as_deref()).await?,
    };
    let pins = match arguments.function {
        Some(_) => Vec::new(),
        None => pins::measure(&stage, &arguments.records, &binaries, &bundle).await?,
    };
    std::fs::remove_file(&bundle)?;
    let results = Results { machine, extent, start, pins };
    let tables = results.to_string();
    match arguments.json {
        true => println!("{}", serde_json::to_string(&results)?),
        false => println!("{tables}"),
    }
    if let Some(file) = &arguments.write {
        tables::write_between_marks(file, &tables)?;
    }
    Ok(())
}

/// Builds the functions as they are shipped: with the workspace's release profile, which the template's builder takes over, and
/// one by one, since built together they would share features.
fn build(target: &Path) -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for (_, function) in Case::ALL {
        eprintln!("bench: building {function} in the release profile");
        run(Command::new(&cargo).args(["build", "--release", "--package", function]).current_dir(repository()))?;
    }
    Ok(target.join("release"))
}
