//! Runs simulated outages by the million, tells one of them, or breaks rules on purpose to show who notices.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use simulation::campaign::{self, Tally};
use simulation::property::Property;
use simulation::sabotage::{NOTICED_BY, Sabotage};
use simulation::shrink::{self, Shrunk};

/// Simulates outages over the Lambdas' whole handlers.
#[derive(Debug, Parser)]
#[command(
    after_help = "Exit status: 0 if every property holds, 1 if one does not, 2 if the command is not understood."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs random outages; of the first failure it tells the smallest story.
    Run {
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// As many threads as cores, unless this says otherwise.
        #[arg(long, default_value_t = campaign::threads())]
        threads: usize,
        /// A rule that the functions break on purpose.
        #[arg(long)]
        sabotage: Option<Sabotage>,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Tells the story of one outage.
    Replay {
        /// Its seed.
        seed: u64,
        /// Of all that goes otherwise than in a quiet outage only these, by their place, as in 3,17.
        #[arg(long, value_delimiter = ',')]
        keep: Option<Vec<String>>,
        /// Shrinks the failure first.
        #[arg(long, conflicts_with = "keep")]
        shrink: bool,
        /// A rule that the functions break on purpose.
        #[arg(long)]
        sabotage: Option<Sabotage>,
        /// For machines: the deviations, the story, what failed.
        #[arg(long)]
        json: bool,
    },
    /// Breaks each rule on purpose, and tells which property notices and how little that takes.
    Sabotages {
        /// How many outages each may take to be noticed.
        #[arg(long, default_value_t = 5_000)]
        seeds: u64,
        /// Tells the stories, too.
        #[arg(long)]
        stories: bool,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let holds = match Arguments::parse().command {
        Command::Run { seeds, from, threads, sabotage, json } => run(from, seeds, threads, sabotage, json),
        Command::Replay { seed, keep, shrink, sabotage, json } => match places(keep) {
            Ok(keep) => replay(seed, keep, shrink, sabotage, json),
            Err(error) => {
                eprintln!("--keep takes places separated by commas, as in 3,17: {error}");
                return ExitCode::from(2);
            }
        },
        Command::Sabotages { seeds, stories, json } => sabotages(seeds, stories, json),
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An empty list is one, too: the quiet outage.
fn places(keep: Option<Vec<String>>) -> Result<Option<Vec<usize>>, std::num::ParseIntError> {
    let parse =
        |places: Vec<String>| places.iter().filter(|place| !place.is_empty()).map(|place| place.parse()).collect();
    keep.map(parse).transpose()
}

fn progress(outages: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} outages, {per_sec}, {eta} to go");
    ProgressBar::new(outages).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn run(from: u64, seeds: u64, threads: usize, sabotage: Option<Sabotage>, is_json: bool) -> bool {
    let (bar, began) = (progress(seeds), Instant::now());
    let tally = campaign::run(from..from.saturating_add(seeds), sabotage, threads, &|more| bar.inc(more));
    bar.finish_and_clear();
    let failure = tally.first_bad_seed().and_then(|seed| shrink::shrink(seed, sabotage));
    let seconds = began.elapsed().as_secs_f64();
    if is_json {
        let story = failure.as_ref().map(|shrunk| json!({"story": shrunk.story(), "again": shrunk.command()}));
        println!("{}", json!({"seconds": seconds, "threads": threads, "tally": tally, "failure": story}));
    } else {
        print_tally(&tally, seconds, threads);
        failure.iter().for_each(|shrunk| println!("\n{}", shrunk.story()));
    }
    tally.broken.is_empty()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn print_tally(tally: &Tally, seconds: f64, threads: usize) {
    let Tally { outages, failed_over, messages, kinds, faults, recovered_minutes, broken } = tally;
    let rate = *outages as f64 / seconds;
    println!("{outages} outages in {seconds:.0} s on {threads} threads, {rate:.0} a second");
    println!("{failed_over} ended failed over; people got {messages} messages");
    println!("\nminutes from the end of the faults, or the first approval, to failed over: outages");
    let recovered: Vec<_> = recovered_minutes.iter().map(|(minutes, times)| format!("{minutes}: {times}")).collect();
    println!("  {}", recovered.join(", "));
    println!("\noutages in which a function returned");
    kinds.iter().for_each(|(kind, times)| println!("  {times:>9} {kind:?}"));
    println!("\ncalls of which one");
    faults.iter().for_each(|(fault, times)| println!("  {times:>9} {fault}"));
    println!("\nproperties");
    for property in Property::ALL {
        match broken.get(&property) {
            None => println!("     held  {}", property.in_words()),
            Some((times, seed)) => println!("  BROKEN {times} times, first in seed {seed}: {}", property.in_words()),
        }
    }
}

fn replay(seed: u64, keep: Option<Vec<usize>>, is_shrunk: bool, sabotage: Option<Sabotage>, is_json: bool) -> bool {
    let shrunk = is_shrunk.then(|| shrink::shrink(seed, sabotage)).flatten();
    let keep = shrunk.as_ref().map(|shrunk| shrunk.kept.clone()).or(keep);
    let report = shrink::replay(seed, sabotage, keep.as_deref());
    if is_json {
        let broken: Vec<_> =
            report.broken.iter().map(|breach| json!([breach.at, breach.property, breach.what])).collect();
        println!("{}", json!({"deviations": report.deviations, "story": report.story, "broken": broken}));
    } else if let Some(shrunk) = &shrunk {
        println!("{}", shrunk.story());
    } else {
        println!("{}", shrink::tell(&report, None));
        println!("{} deviations, {} properties broken", report.deviations.len(), report.broken.len());
    }
    report.broken.is_empty()
}

fn sabotages(seeds: u64, has_stories: bool, is_json: bool) -> bool {
    let noticed = NOTICED_BY.map(|(sabotage, property)| {
        let found = Shrunk::search(sabotage, property, seeds);
        if !is_json {
            match &found {
                None => println!("{:<26} NOT NOTICED within {seeds} outages: {}", sabotage.name(), property.in_words()),
                Some(shrunk) => println!(
                    "{:<26} seed {:>4}, {:>2} of {:>3} deviations: {}",
                    sabotage.name(),
                    shrunk.seed,
                    shrunk.kept.len(),
                    shrunk.deviations,
                    property.in_words()
                ),
            }
            found.iter().filter(|_| has_stories).for_each(|shrunk| println!("{}\n", shrunk.story()));
        }
        (sabotage, property, found)
    });
    if is_json {
        let lines = noticed.iter().map(|(sabotage, property, found)| {
            let found = found.as_ref().map(|it| json!({"seed": it.seed, "kept": it.kept, "again": it.command()}));
            json!({"sabotage": sabotage, "property": property, "noticed": found})
        });
        println!("{}", json!(lines.collect::<Vec<_>>()));
    }
    noticed.iter().all(|(.., found)| found.is_some())
}
