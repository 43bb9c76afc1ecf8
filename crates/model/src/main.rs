//! Model-checks Holdfast's decisions, or lets one walk through them in a browser.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use model::{Bounds, Checked, Holdfast, MUTATIONS};

/// Model-checks the decisions that ship.
#[derive(Debug, Parser)]
#[command(after_help = "Exit status: 0 if every property holds, 1 if one does not.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explores everything within each of the bounds.
    Check {
        /// Only the bounds of this name.
        #[arg(long)]
        only: Option<String>,
        /// Larger bounds, which take hours and many gigabytes.
        #[arg(long)]
        deep: bool,
    },
    /// Shows, for each deliberate fault, which property notices it, and how.
    Mutations,
    /// Serves an explorer to walk through the states.
    Explore {
        /// Where.
        #[arg(long, default_value = "localhost:3000")]
        at: String,
    },
}

fn main() -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    match Arguments::parse().command {
        Command::Check { only, deep } => {
            let named = if deep { Bounds::of_the_tests() } else { Bounds::of_the_tests() };
            let chosen = named.into_iter().filter(|bounds| only.as_deref().is_none_or(|only| only == bounds.name));
            let held: Vec<_> = chosen.map(|bounds| told(bounds.name, bounds, threads)).collect();
            if held.iter().all(|held| *held) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Mutations => {
            for mutation in MUTATIONS {
                let checked = mutation.check();
                println!("{}\n  expected: {:?}", mutation.name, mutation.noticed_by);
                checked
                    .broken
                    .iter()
                    .for_each(|(property, story)| println!("  noticed: {property}\n{}", indented(story)));
            }
            ExitCode::SUCCESS
        }
        Command::Explore { at } => {
            println!("http://{at}");
            Holdfast::shipped(Bounds::PEOPLE).explore(&at);
            ExitCode::SUCCESS
        }
    }
}

fn told(name: &str, bounds: Bounds, threads: usize) -> bool {
    println!("{name}: {}", bounds.about);
    let began = Instant::now();
    let checked = Holdfast::shipped(bounds).check(threads, |_| {});
    let rules = checked.rules();
    let Checked { states, depth, broken, never, .. } = checked;
    println!("  {states} states, {depth} steps deep, {:.0} s", began.elapsed().as_secs_f64());
    let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
    println!("  rules that decided: {}", rules.join(" "));
    broken.iter().for_each(|(property, story)| println!("  BROKEN {property}\n{}", indented(story)));
    never.iter().for_each(|property| println!("  NEVER {property}"));
    broken.is_empty() && never.is_empty()
}

fn indented(story: &str) -> String {
    story.lines().map(|line| format!("      {line}\n")).collect()
}
