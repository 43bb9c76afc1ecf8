//! `cargo drill`: an outage in the lab, from the first failed health check to the report.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use drill::databases::Databases;
use drill::permissions::Permissions;
use drill::plan::Plan;
use drill::progress::Progress;
use drill::report::{Report, Verdict};
use drill::run::{Drill, Ended, table};
use drill::scenario::{self, ON_SERVERS, SCENARIOS, Scenario};
use drill::stage::{Settings, SetupError};
use drill::{fleet, lambdas, live, run};

/// What one watches runs at a pace that can be watched; what runs for its verdict runs as fast as a lab can.
const SPEED_TO_WATCH: u32 = 240;
const SPEED_MAX: u32 = 3_600;

/// See `--jobs`.
const JOBS_A_CORE: usize = 4;

/// Fails the primary region over in a lab of two AWS regions on this machine, and judges what Holdfast did.
#[derive(Debug, Parser)]
#[command(
    name = "drill",
    version,
    after_help = "Exit status: 0 if every check held, 1 if one did not, 2 if the drill could not run."
)]
struct Arguments {
    /// What happens.
    #[arg(long, default_value = SCENARIOS[0].name, value_name = "NAME")]
    scenario: String,
    /// Play your own plan through a region outage, and hold it to its budget (docs/drills.md, "Your own plan").
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "all", "list", "permissions"])]
    plan: Option<PathBuf>,
    /// The folder of the functions' programs and of `holdfast`; else they are built, or are beside a released drill.
    #[arg(long, value_name = "DIRECTORY")]
    functions: Option<PathBuf>,
    /// Every scenario, side by side.
    #[arg(long, conflicts_with = "scenario")]
    all: bool,
    /// Many workloads in one account: a stack each, all names in one zone, all failing over at once.
    #[arg(long, conflicts_with_all = ["scenario", "all", "seeds", "plan"], value_name = "N", value_parser = clap::value_parser!(u16).range(2..=59))]
    workloads: Option<u16>,
    /// List the scenarios.
    #[arg(long)]
    list: bool,
    /// Decides everything left to chance; the same seed gives the same drill.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Repeat with so many seeds, from --seed on.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// How many drills run at a time; most of a drill is waiting, so more than there are cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// How many times faster than real time the lab runs while nobody works [default: 240 for one drill on a terminal, else 3600].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(SPEED_MAX)))]
    speed: Option<u32>,
    /// Write each drill's page, SCENARIO-SEED.html, to this directory.
    #[arg(long, value_name = "DIRECTORY")]
    pages: Option<PathBuf>,
    /// Play every scenario, and print who was granted what, why, and in which scenario it was used.
    #[arg(long, conflicts_with_all = ["scenario", "json"])]
    permissions: bool,
    /// What stands behind RDS: nothing, or a real MariaDB or MySQL server for each database (docs/databases.md).
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["workloads", "permissions"])]
    databases: Databases,
    /// Print the report as a JSON object, of several drills one a line.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        for scenario in SCENARIOS.iter().chain(ON_SERVERS) {
            println!("{:<28} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    let verdict = match (arguments.workloads, drills(&arguments)) {
        (Some(count), _) => run_fleet(&arguments, count),
        (None, Ok(drills)) if drills.len() == 1 => run_one(&arguments, drills[0]),
        (None, Ok(drills)) => run_many(&arguments, &drills),
        (None, Err(error)) => Err(error),
    };
    match verdict {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("drill: {error}");
            ExitCode::from(2)
        }
    }
}

fn drills(arguments: &Arguments) -> Result<Vec<Drill>, SetupError> {
    let scenarios: Vec<&'static Scenario> = if let Some(file) = &arguments.plan {
        vec![Scenario::of_plan(Plan::read(file)?)]
    } else if arguments.all || arguments.permissions {
        SCENARIOS.iter().collect()
    } else {
        let name = &arguments.scenario;
        let known = scenario::named(name);
        vec![known.ok_or_else(|| format!("there is no scenario {name:?}; --list shows those there are"))?]
    };
    let scenarios: Vec<_> = match arguments.databases {
        Databases::Simulated => scenarios,
        databases => scenarios.into_iter().map(|scenario| scenario.with(databases)).collect(),
    };
    let is_watched = scenarios.len() == 1 && arguments.seeds == 1 && std::io::stderr().is_terminal();
    let speed = arguments.speed.unwrap_or(if is_watched { SPEED_TO_WATCH } else { SPEED_MAX });
    let seeds = arguments.seed..arguments.seed.saturating_add(arguments.seeds);
    let of_seed = |seed| {
        let settings = Settings { seed, speed: f64::from(speed) };
        scenarios.iter().map(move |scenario| Drill { scenario, settings })
    };
    Ok(seeds.flat_map(of_seed).collect())
}

fn build_lambdas(arguments: &Arguments) -> Result<PathBuf, SetupError> {
    if arguments.functions.is_none() && cfg!(debug_assertions) {
        eprintln!("building the Lambdas …");
    }
    Ok(lambdas::find_or_build(arguments.functions.as_deref())?)
}

fn run_one(arguments: &Arguments, drill: Drill) -> Result<Verdict, SetupError> {
    eprintln!("{}: {}", drill.scenario.name, drill.scenario.about);
    let lambdas = build_lambdas(arguments)?;
    let report = run::one(drill, &lambdas, |lab| {
        eprintln!("the lab answers at {}, its DNS at {}; lab time, minutes:seconds:", lab.endpoint_url(), lab.dns);
        tokio::spawn(live::follow(lab.clone(), drill.scenario.layout.workload(), std::io::stderr().is_terminal()));
    })
    .map_err(|error| format!("{error}\n{}", drill.replay()))?;
    write_page(arguments, &report)?;
    print(arguments, &report)?;
    Ok(report.verdict)
}

fn run_fleet(arguments: &Arguments, count: u16) -> Result<Verdict, SetupError> {
    let settings = Settings { seed: arguments.seed, speed: f64::from(arguments.speed.unwrap_or(SPEED_MAX)) };
    let report = fleet::play(count, settings, &build_lambdas(arguments)?)?;
    print(arguments, &report)?;
    Ok(report.verdict)
}

fn print(arguments: &Arguments, report: &Report) -> Result<(), SetupError> {
    match arguments.json {
        true => println!("{}", serde_json::to_string(report)?),
        false => println!("{}", report.text(std::io::stdout().is_terminal())),
    }
    Ok(())
}

fn write_page(arguments: &Arguments, report: &Report) -> Result<(), SetupError> {
    let Some(directory) = &arguments.pages else { return Ok(()) };
    std::fs::create_dir_all(directory)?;
    let file = directory.join(format!("{}-{}.html", report.scenario, report.seed));
    std::fs::write(&file, report.page.html())?;
    eprintln!("the page is in {}", file.display());
    Ok(())
}

/// The tables, and what was granted for nothing.
fn print_permissions(drills: &[Drill], ends: &[Ended]) -> Verdict {
    let permissions = Permissions::of_steady(ends.iter().flatten());
    println!("{}", permissions.markdown());
    let (missing, spare) = (permissions.missing(), permissions.spare());
    missing.iter().for_each(|denied| eprintln!("asked for, and not granted: {denied}"));
    spare.iter().for_each(|grant| eprintln!("granted, and never used: {grant}"));
    let all_passed = ends.iter().all(|ended| matches!(ended, Ok(report) if report.verdict == Verdict::Passed));
    if !all_passed {
        eprintln!("{}", table(drills, ends, false));
    }
    if all_passed && spare.is_empty() { Verdict::Passed } else { Verdict::Failed }
}

fn run_many(arguments: &Arguments, drills: &[Drill]) -> Result<Verdict, SetupError> {
    let lambdas = build_lambdas(arguments)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.map_or(cores * JOBS_A_CORE, usize::from);
    eprintln!("{} drills, {jobs} at a time:", drills.len());
    let ends = run::many(drills, jobs, &lambdas, &Progress::of(drills.len()));
    for report in ends.iter().flatten() {
        write_page(arguments, report)?;
    }
    if arguments.permissions {
        return Ok(print_permissions(drills, &ends));
    }
    if arguments.json {
        for report in ends.iter().flatten() {
            println!("{}", serde_json::to_string(report)?);
        }
    } else {
        println!("{}", table(drills, &ends, std::io::stdout().is_terminal()));
    }
    if ends.iter().any(Ended::is_err) {
        return Err("a drill could not run to its end; see above".into());
    }
    let passed = ends.iter().flatten().all(|report| report.verdict == Verdict::Passed);
    Ok(if passed { Verdict::Passed } else { Verdict::Failed })
}
