//! Model-checks Holdfast's decisions, or lets one walk through them in a browser.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use model::{Bounds, Checked, Subject, every_fault, every_row};
use serde_json::{Value, json};

/// Model-checks the decisions that ship.
#[derive(Debug, Parser)]
#[command(after_help = "Exit status: 0 if everything is as it should be, 1 if not, 2 if the command line is wrong.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explores everything within each of the bounds.
    Check {
        /// Only these bounds.
        #[arg(long, value_parser = names())]
        only: Option<String>,
        /// Larger bounds: some minutes and some GB; docs/proof.md has the numbers.
        #[arg(long)]
        deep: bool,
        /// For machines: one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Shows, for each deliberate fault, the property that notices it, and the shortest way there.
    Mutations {
        /// Only the faults whose name has this in it.
        #[arg(long, default_value = "")]
        only: String,
        /// Without the way there.
        #[arg(long)]
        brief: bool,
    },
    /// Serves an explorer to walk through the states in a browser.
    Explore {
        /// Within which bounds.
        #[arg(long, value_parser = names(), default_value = Bounds::PEOPLE.name)]
        only: String,
        /// Where.
        #[arg(long, default_value = "localhost:3000")]
        at: String,
    },
}

fn names() -> PossibleValuesParser {
    Subject::of_the_tests().into_iter().chain(Subject::deep()).map(Subject::name).collect::<BTreeSet<_>>().into()
}

fn main() -> ExitCode {
    let holds = match Arguments::parse().command {
        Command::Check { only, deep, json } => check(only.as_deref(), deep, json),
        Command::Mutations { only, brief } => mutations(&only, brief),
        Command::Explore { only, at } => {
            println!("http://{at}");
            let mut all = Subject::of_the_tests().into_iter().chain(Subject::deep());
            all.find(|subject| subject.name() == only).unwrap_or(Subject::Decisions(Bounds::PEOPLE)).explore(&at);
            true
        }
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check(only: Option<&str>, deep: bool, as_json: bool) -> bool {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let all = if deep { Subject::deep() } else { Subject::of_the_tests() };
    let chosen: Vec<_> = all.into_iter().filter(|subject| only.is_none_or(|only| only == subject.name())).collect();
    let (mut told, mut holds, mut rows) = (Vec::new(), !chosen.is_empty(), BTreeSet::new());
    for subject in chosen {
        let began = Instant::now();
        let checked = subject.check(threads, progress(subject.name()));
        holds &= checked.broken.is_empty() && checked.never.is_empty();
        rows.extend(checked.rows.iter().copied());
        match as_json {
            true => told.push(in_json(subject, &checked, began.elapsed())),
            false => tell(subject, &checked, began.elapsed()),
        }
    }
    let is_complete = only.is_none() && !deep;
    let missing: Vec<_> = every_row().into_iter().filter(|row| is_complete && !rows.contains(row)).collect();
    if as_json {
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        println!("{}", json!({"bounds": told, "rules_that_never_decide": missing}));
    } else if is_complete {
        missing.iter().for_each(|row| println!("NEVER DECIDES {row}"));
        println!(
            "{} of {} rows of the rules' tables decide somewhere",
            every_row().len() - missing.len(),
            every_row().len()
        );
    }
    holds && missing.is_empty()
}

/// Tells people how far it has come, where somebody looks on.
fn progress(name: &'static str) -> impl FnMut(usize) {
    let mut told = Instant::now();
    move |states| {
        if std::io::stderr().is_terminal() && told.elapsed() > Duration::from_millis(500) {
            eprint!("\r{name}: {states} states so far ");
            told = Instant::now();
        }
    }
}

fn tell(subject: Subject, checked: &Checked, took: Duration) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{:60}\r", "");
    }
    println!("{}: {}", subject.name(), subject.about());
    println!("  {} states, {} steps deep, {:.0} s", checked.states, checked.depth, took.as_secs_f64());
    let rules: Vec<_> = checked.rules().iter().map(ToString::to_string).collect();
    if !rules.is_empty() {
        println!("  rules that decided: {}", rules.join(" "));
    }
    checked.broken.iter().for_each(|broken| println!("  BROKEN {}\n{}", broken.property, indented(&broken.story)));
    checked.never.iter().for_each(|property| println!("  NEVER {property}"));
}

fn in_json(subject: Subject, checked: &Checked, took: Duration) -> Value {
    let broken = checked.broken.iter().map(|broken| {
        json!({"property": broken.property, "steps": broken.steps, "story": broken.story.lines().collect::<Vec<_>>()})
    });
    json!({
        "name": subject.name(), "about": subject.about(), "states": checked.states, "depth": checked.depth,
        "seconds": took.as_secs_f64(), "rules": checked.rules(), "broken": broken.collect::<Vec<_>>(),
        "never": checked.never,
    })
}

fn mutations(only: &str, brief: bool) -> bool {
    let (mut all_noticed, mut count) = (true, 0);
    for mutation in every_fault().filter(|mutation| mutation.name.contains(only)) {
        count += 1;
        let checked = mutation.check();
        println!("{} (within {})", mutation.name, mutation.within);
        match checked.broken.iter().find(|broken| broken.property == mutation.noticed_by) {
            Some(broken) => {
                println!("  noticed after {} steps by: {}", broken.steps, broken.property);
                (!brief).then(|| println!("{}", indented(&broken.story)));
            }
            None => {
                all_noticed = false;
                println!("  NOT NOTICED by: {}", mutation.noticed_by);
            }
        }
    }
    println!("{count} deliberate faults");
    all_noticed && count > 0
}

fn indented(story: &str) -> String {
    story.lines().map(|line| format!("      {line}\n")).collect()
}
