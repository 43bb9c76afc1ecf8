//! The tables, in Markdown.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::Failure;
use crate::machine::Machine;
use crate::pins::{By, MEMORY_MB, Pinned};
use crate::spread::figure;
use crate::start::{Extent, Maker, Measured, SHARES};

const BEGIN: &str = "<!-- bench: begin -->\n";
const END: &str = "<!-- bench: end -->\n";

/// Everything that was measured in one run.
#[derive(Debug, Serialize)]
pub struct Results {
    /// On what.
    pub machine: Machine,
    /// How often.
    #[serde(skip)]
    pub extent: Extent,
    /// The functions.
    pub start: Vec<Measured>,
    /// Pins of many records.
    pub pins: Vec<Pinned>,
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, kernel, rust, python, load } = &self.machine;
        writeln!(f, "{processor}; {kernel}; {rust}; {python}; load {load} before.")?;
        for share in SHARES.into_iter().rev().filter(|_| !self.start.is_empty()) {
            let measured: Vec<_> = self.start.iter().filter(|one| one.share == share).collect();
            let Extent { processes, warm } = self.extent;
            writeln!(
                f,
                "\nCPU of {share}: median (10th–90th percentile) of {processes} processes, each with {warm} warm invocations.\n"
            )?;
            let head = ["function", "by", "init ms", "first ms", "cold path ms", "warm ms", "memory MiB", "package MB"];
            writeln!(f, "| {} |\n|---|---|{}", head.join(" | "), "---:|".repeat(head.len() - 2))?;
            for pair in measured.chunks(2) {
                pair.iter().try_for_each(|one| write_row(f, one))?;
                if let [ours, twin] = pair {
                    write_ratio(f, ours, twin)?;
                }
            }
        }
        if !self.pins.is_empty() {
            write_pins(f, &self.pins)?;
        }
        Ok(())
    }
}

fn write_pins(f: &mut fmt::Formatter<'_>, pins: &[Pinned]) -> fmt::Result {
    writeln!(f, "\nPins at Route 53's five requests a second, CPU of {MEMORY_MB} MB.\n")?;
    let head = [
        "records",
        "by",
        "list calls",
        "write calls",
        "refused",
        "s to the last pin",
        "floor s",
        "× floor",
        "s to the end",
        "memory MiB",
    ];
    writeln!(f, "| {} |\n|---:|---|{}", head.join(" | "), "---:|".repeat(head.len() - 2))?;
    for pin in pins {
        let by = match pin.by {
            By::Holdfast => "Holdfast",
            By::OneCallARecord => "one call a record",
            By::OneCallARecordCalculated => "one call a record (calculated)",
        };
        let optional = |value: Option<f64>| value.map(figure).unwrap_or_default();
        writeln!(
            f,
            "| {} | {by} | {} | {} | {} | {} | {} | {} | {} | {} |",
            pin.records,
            pin.lists,
            pin.writes,
            pin.refused,
            figure(pin.pinned_seconds),
            optional(pin.floor_seconds),
            optional(pin.floor_seconds.filter(|floor| *floor > 0.0).map(|floor| pin.pinned_seconds / floor)),
            optional(pin.end_seconds),
            optional(pin.memory_mib),
        )?;
    }
    Ok(())
}

fn write_row(f: &mut fmt::Formatter<'_>, one: &Measured) -> fmt::Result {
    let maker = match one.maker {
        Maker::Holdfast => "Holdfast",
        Maker::Python => "Python",
    };
    let package = match one.package_with_boto3_mb {
        None => figure(one.package_mb),
        Some(vendored) => format!("{:.3}; {} with boto3", one.package_mb, figure(vendored)),
    };
    writeln!(
        f,
        "| {} | {maker} | {} | {} | {} | {} | {} | {package} |",
        one.function, one.init_ms, one.first_ms, one.cold_path_ms, one.warm_ms, one.memory_mib
    )
}

fn write_ratio(f: &mut fmt::Formatter<'_>, ours: &Measured, twin: &Measured) -> fmt::Result {
    let times = |pick: fn(&Measured) -> f64| figure(pick(twin) / pick(ours));
    writeln!(
        f,
        "| | Python / Holdfast | {}× | {}× | **{}×** | {}× | **{}×** | |",
        times(|one| one.init_ms.median),
        times(|one| one.first_ms.median),
        times(|one| one.cold_path_ms.median),
        times(|one| one.warm_ms.median),
        times(|one| one.memory_mib.median)
    )
}

/// Replaces what stands between a file's two marks.
///
/// # Errors
/// If the file cannot be read or written, or has no marks.
pub fn write_between_marks(file: &Path, tables: &str) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)?;
    let marked = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marked.ok_or_else(|| format!("{} has no marks {BEGIN}… {END}", file.display()))?;
    Ok(std::fs::write(file, format!("{before}{BEGIN}{tables}{END}{after}"))?)
}
