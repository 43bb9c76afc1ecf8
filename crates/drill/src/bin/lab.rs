//! `cargo lab`: the lab by itself, for whatever speaks to AWS, and what people do to it.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use drill::databases::Databases;
use drill::live::view::Screen;
use drill::stage::{DETECTOR, DR, Layout, PRIMARY, Settings, SetupError, Stage, Workload, name_servers, start_lab};
use drill::{lambdas, live};
use lab::Lab;
use lab::arn::arn;
use lab::control::{Order, PATH, SERVICES};
use lab::functions::SKEW_VARIABLE;

/// Two AWS regions on this machine.
#[derive(Debug, Parser)]
#[command(name = "lab")]
struct Arguments {
    /// Where the lab answers that the other commands speak to [default: AWS_ENDPOINT_URL, or http://127.0.0.1:4580].
    // clap would show what an environment variable gives as if it had to be said.
    #[arg(long, global = true)]
    endpoint: Option<String>,
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
    #[command(flatten)]
    Tell(Tell),
}

/// What is told to a running lab.
#[derive(Debug, Subcommand)]
enum Tell {
    /// Takes a region (primary, dr, detector, or its name) or a service's API down.
    Fail {
        /// Region or service.
        what: String,
    },
    /// Makes everything whole again.
    Heal,
    /// Cuts two regions apart.
    Partition {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// Does something to what replicas hear of their sources between two regions; without an option it is whole again. Only real
    /// databases hear of it.
    Link {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// It carries no more than so many bytes in a second.
        #[arg(long, value_name = "BYTES")]
        rate: Option<u32>,
        /// It carries nothing, and nobody is told.
        #[arg(long)]
        silent: bool,
        /// Who connects is sent away.
        #[arg(long)]
        refuse: bool,
        /// All connections there are now are reset.
        #[arg(long)]
        cut: bool,
    },
    /// Lets a service answer late.
    Slow {
        /// Its name: route53, cloudwatch, rds, …
        service: String,
        /// By so many seconds.
        seconds: f64,
    },
    /// Lets a service throttle two of three calls.
    Throttle {
        /// Its name: route53, cloudwatch, rds, …
        service: String,
    },
    /// Says what is broken.
    Status,
}

/// The port of a lab that nobody gave another one.
const PORT: u16 = 4580;

impl Tell {
    /// The order, of which the lab itself knows whether it can be carried out.
    fn order(self) -> Order {
        match self {
            Self::Fail { what } => match service(&what) {
                service if SERVICES.contains(&service.as_str()) => Order::FailService { service },
                _ => Order::FailRegion { region: region(&what) },
            },
            Self::Heal => Order::Heal,
            Self::Partition { one, other } => Order::Partition { one: region(&one), other: region(&other) },
            Self::Link { one, other, rate, silent, refuse, cut } => Order::Link {
                one: region(&one),
                other: region(&other),
                bytes_per_second: rate,
                silent,
                refused: refuse,
                cut,
            },
            Self::Slow { service: of, seconds } => Order::Slow { service: service(&of), seconds },
            Self::Throttle { service: of } => Order::Throttle { service: service(&of) },
            Self::Status => Order::Status,
        }
    }
}

/// The regions of the workload that is served, by their parts in it.
const PARTS: [(&str, &str); 3] = [("primary", PRIMARY), ("dr", DR), ("detector", DETECTOR)];

/// A region by its part in the workload or by its name.
fn region(name: &str) -> String {
    PARTS.iter().find(|(part, _)| *part == name).map_or(name, |(_, region)| region).to_owned()
}

/// A service's signing name.
fn service(name: &str) -> String {
    if name == "cloudwatch" { "monitoring".to_owned() } else { name.to_owned() }
}

/// Tells a running lab, and prints what is broken in it now.
async fn tell(endpoint: &str, order: &Order) -> Result<(), SetupError> {
    let url = format!("{endpoint}{PATH}");
    let answer = reqwest::Client::new().post(url).body(serde_json::to_string(order)?).send().await;
    let answer = answer.map_err(|_| {
        format!("no lab answers at {endpoint}; start one with lab serve (in a checkout: cargo lab serve)")
    })?;
    let told: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
    if let Some(message) = told["message"].as_str() {
        let parts = PARTS.map(|(part, region)| format!("{part} ({region})"));
        return Err(format!(
            "{message}. Nothing was done. By their parts: {}; services: cloudwatch, {}",
            parts.join(", "),
            SERVICES.join(", ")
        )
        .into());
    }
    let broken: Vec<_> = told["broken"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
    println!(
        "lab time {}: {}",
        told["now"].as_str().unwrap_or("?"),
        match broken.as_slice() {
            [] => "all is whole".to_owned(),
            broken => broken.join("; "),
        }
    );
    Ok(())
}

#[derive(Debug, Args)]
struct Serve {
    /// Port of the AWS endpoint; 0 takes any free one.
    #[arg(long, default_value_t = PORT)]
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
    /// What stands behind RDS: nothing, or a real MariaDB or MySQL server for each database (docs/databases.md).
    #[arg(long, value_enum, default_value_t)]
    databases: Databases,
    /// The folder of the functions' programs and of `holdfast`; else they are built, or are beside a released lab.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "empty")]
    functions: Option<PathBuf>,
    /// Holdfast as one stack in the DR region, with the switch for `holdfast adopt` to put on the records; else as two stacks.
    #[arg(long)]
    one_stack: bool,
    /// A whole warm standby behind the records, for `holdfast readiness`: load balancers, certificates, instances, keys, a secret, a bucket.
    #[arg(long)]
    warm_standby: bool,
    /// Nothing in it: no workload, no Holdfast.
    #[arg(long, conflicts_with_all = ["one_stack", "warm_standby"])]
    empty: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { endpoint, command } = Arguments::parse();
    let ended = match command {
        Command::Serve(arguments) => serve(&arguments).await,
        Command::Tell(told) => {
            let of_environment = || std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
            let endpoint = endpoint.or_else(of_environment).unwrap_or_else(|| format!("http://127.0.0.1:{PORT}"));
            tell(&endpoint, &told.order()).await
        }
    };
    match ended {
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
        false => {
            let given = arguments.functions.clone();
            Some(tokio::task::spawn_blocking(move || lambdas::find_or_build(given.as_deref())).await??)
        }
    };
    let (port, dns_port) = (arguments.port, arguments.dns_port);
    let lab = start_lab(settings, port, dns_port)
        .await
        .map_err(|error| format!("ports {port} and {dns_port} (--port, --dns-port): {error}"))?;
    // A board where there is a terminal for it, and what is to be exported goes elsewhere; lines otherwise.
    let is_terminal = std::io::stderr().is_terminal();
    let has_board = is_terminal && !std::io::stdout().is_terminal();
    if !has_board {
        tokio::spawn(live::follow(lab.clone(), Workload::usual(), is_terminal));
    }
    let databases = arguments.databases;
    let stage = match lambdas {
        Some(lambdas) => {
            let layout = match arguments.one_stack {
                true => Layout {
                    databases,
                    one_stack: true,
                    responder: &[("DnsMoves", "by-holdfast")],
                    ..Layout::default()
                },
                false => Layout { databases, ..Layout::default() },
            };
            let mut stage = Stage::set_in(lab.clone(), arguments.seed, &layout, &lambdas).await?;
            if arguments.warm_standby {
                stage.furnish().await?;
                stage.let_read()?;
            }
            Some(stage)
        }
        None => databases.stand_behind(&lab).await.map(|()| None)?,
    };
    print_environment(&lab, stage.as_ref().map(|_| holdfast_settings(&lab)).unwrap_or_default());
    for (name, id) in stage.iter().flat_map(|stage| &stage.zones) {
        println!("# hosted zone {name}: {id}");
    }
    println!("# DNS: {}", lab.dns);
    print_databases(&lab, stage.as_ref());
    if has_board {
        let mut screen = Screen::open()?;
        tokio::select! {
            shown = screen.show(&lab, stage.as_ref()) => shown?,
            ended = tokio::signal::ctrl_c() => ended?,
        }
        lab::rds::close(&lab);
        return Ok(());
    }
    eprintln!("Ctrl-C ends the lab; lab time, minutes:seconds:");
    tokio::signal::ctrl_c().await?;
    lab::rds::close(&lab);
    Ok(())
}

/// Where real servers are, for clients of MySQL.
fn print_databases(lab: &Lab, stage: Option<&Stage>) {
    for database in stage.iter().flat_map(|stage| &stage.workload.databases) {
        for (region, id) in [(PRIMARY, &database.source), (DR, &database.id)] {
            if let Some(address) = lab::rds::address(lab, region, id) {
                println!("# database {id} in {region}: mysql -h{} -P{} -uapp app", address.ip(), address.port());
            }
        }
    }
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
        (SKEW_VARIABLE, "true".to_owned()),
        // SDKs read the one, the AWS CLI the other.
        ("AWS_REGION", DR.to_owned()),
        ("AWS_DEFAULT_REGION", DR.to_owned()),
        // The lab checks no signatures, but SDKs sign.
        ("AWS_ACCESS_KEY_ID", "operator".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures".to_owned()),
        ("HOLDFAST_DNS", lab.dns.to_string()),
        ("HOLDFAST_NAME_SERVERS", name_servers(lab)),
    ];
    let aws = aws.map(|(name, value)| (name.to_owned(), value));
    for (name, value) in aws.into_iter().chain(holdfast) {
        // The shell takes all between single quotes as it is.
        println!("export {name}='{}'", value.replace('\'', r"'\''"));
    }
}
