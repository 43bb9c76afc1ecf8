//! `cargo drill`: an outage in the lab, from the first failed health check to the report.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use drill::report::{Report, Verdict};
use drill::scenario::{self, SCENARIOS};
use drill::stage::{Settings, SetupError, Stage};
use drill::{lambdas, live};

/// Fails the primary region over in a lab of two AWS regions on this machine, and judges what Holdfast did.
#[derive(Debug, Parser)]
#[command(
    name = "drill",
    after_help = "Exit status: 0 if every check held, 1 if one did not, 2 if the drill could not run."
)]
struct Arguments {
    /// What happens.
    #[arg(long, default_value = SCENARIOS[0].name, value_name = "NAME")]
    scenario: String,
    /// List the scenarios.
    #[arg(long)]
    list: bool,
    /// Decides everything left to chance; the same seed gives the same drill.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than real time the lab runs while nobody works.
    #[arg(long, default_value_t = 240, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        for scenario in SCENARIOS {
            println!("{:<18} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    match run(&arguments).await {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("drill: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Verdict, SetupError> {
    let scenario = scenario::named(&arguments.scenario)
        .ok_or_else(|| format!("there is no scenario {:?}; --list shows those there are", arguments.scenario))?;
    let settings = Settings { seed: arguments.seed, speed: f64::from(arguments.speed) };
    eprintln!("{}: {}", scenario.name, scenario.about);
    eprintln!("building the Lambdas …");
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await??;
    let stage = Stage::set(settings, &scenario.layout, &lambdas).await?;
    eprintln!(
        "the lab answers at {}, its DNS at {}; lab time, minutes:seconds:",
        stage.lab.endpoint_url(),
        stage.lab.dns
    );
    tokio::spawn(live::follow(stage.lab.clone(), std::io::stderr().is_terminal()));
    let evidence = scenario.play(stage, settings).await?;
    let report = Report::of(scenario, settings, &evidence);
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", report.text(std::io::stdout().is_terminal()));
    }
    Ok(report.verdict)
}
