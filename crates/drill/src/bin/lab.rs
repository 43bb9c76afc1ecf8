//! `cargo lab serve`: the lab by itself, for whatever speaks to AWS.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use drill::stage::{DR, Layout, Settings, SetupError, Stage, start_lab};
use drill::{lambdas, live};
use lab::Lab;
use lab::arn::arn;

/// Two AWS regions on this machine.
#[derive(Debug, Parser)]
#[command(name = "lab")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a lab until Ctrl-C: a workload in two regions, Holdfast deployed from its templates, users who write.
    ///
    /// What to export for the AWS CLI, SDKs and `cargo lambda watch` goes to standard output, what happens to standard
    /// error.
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// Port of the AWS endpoint; 0 takes any free one.
    #[arg(long, default_value_t = 4580)]
    port: u16,
    /// Port of the DNS server, UDP and TCP; 0 takes any free one.
    #[arg(long, default_value_t = 5380)]
    dns_port: u16,
    /// How many times faster than real time the lab runs while nobody works.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
    /// Decides everything left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nothing in it: no workload, no Holdfast.
    #[arg(long)]
    empty: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(arguments) = Arguments::parse().command;
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(arguments: &Serve) -> Result<(), SetupError> {
    let settings = Settings { seed: arguments.seed, speed: f64::from(arguments.speed) };
    // Lab time runs from the start of the lab, so all that takes long comes before it.
    let lambdas = match arguments.empty {
        true => None,
        false => Some(tokio::task::spawn_blocking(lambdas::build).await??),
    };
    let (port, dns_port) = (arguments.port, arguments.dns_port);
    let lab = start_lab(settings, port, dns_port)
        .await
        .map_err(|error| format!("ports {port} and {dns_port} (--port, --dns-port): {error}"))?;
    tokio::spawn(live::follow(lab.clone(), std::io::stderr().is_terminal()));
    if let Some(lambdas) = lambdas {
        let stage = Stage::set_in(lab.clone(), arguments.seed, &Layout::default(), &lambdas).await?;
        print_environment(&lab, holdfast_settings(&lab));
        for (name, id) in &stage.zones {
            println!("# hosted zone {name}: {id}");
        }
    } else {
        print_environment(&lab, BTreeMap::new());
    }
    println!("# DNS: {}", lab.dns);
    eprintln!("Ctrl-C ends the lab; lab time, minutes:seconds:");
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// What the deployed functions are told of the plan, so that a function run by hand follows the same.
fn holdfast_settings(lab: &Lab) -> BTreeMap<String, String> {
    let notifier = arn("lambda", DR, "function:holdfast-notifier");
    let mut settings = lab.functions.environment(&notifier).unwrap_or_default();
    settings.retain(|name, _| ["HOLDFAST_PLAN", "HOLDFAST_TOPIC_ARN", "HOLDFAST_BUS"].contains(&name.as_str()));
    settings
}

fn print_environment(lab: &Arc<Lab>, holdfast: BTreeMap<String, String>) {
    let aws = [
        ("AWS_ENDPOINT_URL", lab.endpoint_url()),
        // SDKs read the one, the AWS CLI the other.
        ("AWS_REGION", DR.to_owned()),
        ("AWS_DEFAULT_REGION", DR.to_owned()),
        // The lab checks no signatures, but SDKs sign.
        ("AWS_ACCESS_KEY_ID", "operator".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures".to_owned()),
    ];
    let aws = aws.map(|(name, value)| (name.to_owned(), value));
    for (name, value) in aws.into_iter().chain(holdfast) {
        // The shell takes all between single quotes as it is.
        println!("export {name}='{}'", value.replace('\'', r"'\''"));
    }
}
