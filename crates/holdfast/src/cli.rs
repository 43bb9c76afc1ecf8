//! The command line's grammar.

mod failback;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use failover::incident::Incident;
use failover::rule::{Id, Rule};
use jiff::{SignedDuration, Timestamp};

use crate::workload::{EVERYWHERE, Source};
use crate::{examples, explain};
pub use failback::{Access, Compared, DatabaseSecret, Failback, Homecoming, Named, Placed, Successors};

/// Operates Holdfast, which fails a two-region AWS workload over to its DR region and holds it there.
///
/// Region, profile, credentials and endpoint are taken from the environment as by every AWS SDK; the region is the DR
/// region (--region).
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, max_term_width = 100, after_help = examples::PROGRAM, after_long_help = examples::PROGRAM)]
pub struct Arguments {
    #[command(flatten)]
    pub source: Source,
    /// Machine-readable output on standard output.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Do not ask before something is changed.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub yes: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// What this process was started with. Help and mistakes end it.
    pub fn read() -> Self {
        let matches = plain(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// With usage lines of their own: clap's would show what an environment variable gives as if it had to be said.
fn plain(mut command: clap::Command) -> clap::Command {
    command.build();
    with_usage(command)
}

fn with_usage(mut command: clap::Command) -> clap::Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).trim_end().to_owned();
    command.override_usage(usage).mut_subcommands(with_usage)
}

/// Why, for the record.
#[derive(Clone, Debug, Args)]
pub struct Ask {
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// A planned move to DR.
#[derive(Clone, Debug, Args)]
pub struct Switchover {
    /// Why, for the record.
    #[arg(long)]
    pub reason: String,
    /// You confirm that nothing writes to the primary's databases any more; else you are asked once all else is found well. Either way their
    /// logs are asked, and it is refused while they say otherwise.
    #[arg(long)]
    pub writes_stopped: bool,
    /// Rules to lift besides P09, which holds a failover while the primary answers: P08, P10, P12, P15.
    #[arg(long, value_delimiter = ',', value_parser = Rules, hide_possible_values = true)]
    pub despite: Vec<Rule>,
    #[command(flatten)]
    pub access: Access,
}

/// What if.
#[derive(Clone, Debug, Args)]
pub struct WhatIf {
    /// As if the alarm that starts a failover rang now.
    #[arg(long)]
    pub alarm: bool,
    /// As if it were this time, as in 2026-01-01T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
    /// What the alarms' last 30 days would have started.
    #[arg(long, conflicts_with_all = ["alarm", "at"])]
    pub replay: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Looks at the account, proposes what to protect and how, says what would not work, and writes samconfig.toml, Terraform variables and change batches;
    /// changes nothing of AWS.
    #[command(after_help = examples::INIT, after_long_help = examples::INIT)]
    Init(crate::init::Options),
    /// Shows everything that Holdfast sees now, what it makes of it, and what an alarm would start.
    Status {
        /// Show it again every few seconds.
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        /// Exit with 1, and say why, unless an outage that began now would be failed over without a person.
        #[arg(long, conflicts_with = "watch")]
        check: bool,
        /// Each name with its records and its register.
        #[arg(long, short)]
        verbose: bool,
    },
    /// Looks whether DR's half of the workload could carry users: databases, load balancers, certificates, instances, secrets, parameters,
    /// buckets, pipelines. Exits with 1 unless all is known to be ready; changes nothing.
    #[command(after_help = examples::READINESS, after_long_help = examples::READINESS)]
    Readiness {
        /// A file that names what neither the plan nor a record does: secrets, pipelines, limits (docs/readiness.md).
        #[arg(long = "workload", value_name = "FILE")]
        file: Option<PathBuf>,
        /// What is ready too, and how each fact was looked at.
        #[arg(long, short)]
        verbose: bool,
    },
    /// Shows the exact calls that Holdfast would make; changes nothing.
    Plan(WhatIf),
    /// Fails a throw-away name over and back in your zone, by the functions' own rules, in ten minutes; writes nothing of production.
    Drill(crate::drill::Options),
    /// Lets Holdfast act from now on.
    Arm(Ask),
    /// Keeps Holdfast from acting, until armed again or for a while.
    Disarm {
        /// Act again by itself after this long, as in 2h or 90m.
        #[arg(long = "for", value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
        lasting: Option<SignedDuration>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Lets DNS move by Holdfast alone: puts the switch on the PRIMARY records, in place of the alarm's own health check.
    Adopt {
        /// Gives the records the alarm's own health check back: Route 53 moves users as the alarm rings.
        #[arg(long)]
        off: bool,
    },
    /// Planned work on the primary: DNS stays on it and Holdfast does not act, until the maintenance ends by itself.
    Maintenance {
        #[command(subcommand)]
        command: Maintenance,
    },
    /// Lets Holdfast go on in an incident that it asked about. By itself it lists what waits for you, and asks.
    #[command(after_help = examples::APPROVE)]
    Approve {
        /// The incident, as the message names it; else the one that waits.
        incident: Option<Incident>,
        /// Rules to lift, as the message names them: P08, P09, P10, P12, P15, R07, R09. Else those that it asks about.
        #[arg(long, value_delimiter = ',', value_parser = Rules, hide_possible_values = true)]
        despite: Vec<Rule>,
        #[command(flatten)]
        ask: Ask,
        #[command(flatten)]
        access: Access,
    },
    /// Says that an incident is no reason to fail over; Holdfast acts on the next.
    #[command(after_help = examples::REJECT)]
    Reject {
        /// The incident, as the message names it.
        incident: Incident,
        #[command(flatten)]
        ask: Ask,
    },
    /// Takes back a failover that is committed by the latch and has promoted nothing yet, or opens a latch whose names are in no failover
    /// any more. Pinned names stay on DR; a failback brings them home, and lifts the latch itself.
    Unlatch {
        /// The incident, as the message names it.
        incident: Incident,
        /// You confirm that names which are not pinned go back to the primary, at once or when the alarm is over.
        #[arg(long)]
        users_move_now: bool,
        #[command(flatten)]
        ask: Ask,
    },
    /// Pins again what somebody kept changing back until Holdfast left it to you: it may pin it twice more.
    PinAgain,
    /// Ends the failover of names that Holdfast left to you: users belong where the records send them now. Leaves the records as
    /// they are and the names disarmed.
    Release {
        #[command(flatten)]
        ask: Ask,
    },
    /// Fails over now, by the same path and guards as an alarm.
    Failover {
        /// Rules to lift: P08, P09, P10, P12, P15.
        #[arg(long, value_delimiter = ',', value_parser = Rules, hide_possible_values = true)]
        despite: Vec<Rule>,
        #[command(flatten)]
        ask: Ask,
        #[command(flatten)]
        access: Access,
    },
    /// Moves users to DR in peace, with nothing lost: once writes have stopped and DR's databases provably have everything, it fails over as
    /// `failover` does. May be interrupted and run again at any point.
    #[command(after_help = examples::SWITCHOVER)]
    Switchover(Switchover),
    /// Goes through what a promotion leaves undone in the databases, with the statement that puts each right; changes nothing.
    After(Successors),
    /// Brings users back to the primary.
    Failback {
        #[command(subcommand)]
        command: Failback,
    },
    /// Cuts the old writers in the primary region off, if the plan says which.
    Fence {
        #[command(subcommand)]
        command: Fence,
    },
    /// Tells an incident from AWS's own records: Markdown on standard output, or a page for a browser.
    Report {
        /// The incident, as the message names it; else the one under way, or the last.
        incident: Option<Incident>,
        /// Write a page that needs nothing else to this file.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Explains a rule that a message cites.
    Explain {
        /// Its id, as in P09, or P09b for one of its rows.
        #[arg(value_parser = Rows, hide_possible_values = true)]
        rule: Id,
    },
    /// Prints completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Prints the manual page, or writes that of every command.
    Man {
        /// The folder that all of them are written to.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Maintenance {
    /// Begins one, or makes one longer or shorter.
    #[command(after_help = examples::MAINTENANCE)]
    Begin {
        /// How long, as in 2h or 90m.
        #[arg(long = "for", value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
        lasting: SignedDuration,
        #[command(flatten)]
        ask: Ask,
    },
    /// Ends it before its time.
    End,
    /// Says whether there is one.
    Status,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Fence {
    /// Says how far each has come.
    Status,
    /// Fences now instead of at the next tick, by the same rules.
    Now,
    /// Gives the old writers their security groups back; Holdfast fences them again only in another incident.
    Lift,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>();
    parsed.ok().filter(|duration| duration.is_positive()).ok_or_else(|| "write it as in 2h, 90m or 1h30m".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it as in 2026-01-01T12:00:00Z".to_owned())
}

/// Reads a row's id, and offers the shells every one that there is.
#[derive(Clone)]
struct Rows;

impl TypedValueParser for Rows {
    type Value = Id;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, text: &OsStr) -> Result<Id, clap::Error> {
        (|text: &str| text.parse::<Id>()).parse_ref(command, arg, text)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(explain::every_id().map(|id| PossibleValue::new(id.to_string()))))
    }
}

/// Reads the rule of a row that a message cites, since an approval lifts rules, and offers the shells those that may be lifted.
#[derive(Clone)]
struct Rules;

impl TypedValueParser for Rules {
    type Value = Rule;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, text: &OsStr) -> Result<Rule, clap::Error> {
        Rows.parse_ref(command, arg, text).map(|id| id.rule)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let liftable: BTreeSet<_> = explain::every_id().map(|id| id.rule).filter(|rule| rule.is_liftable()).collect();
        Some(Box::new(liftable.into_iter().map(|rule| PossibleValue::new(rule.to_string()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal has that nobody made wider.
    const COLUMNS: usize = 80;

    fn every(command: &clap::Command, told: &mut Vec<String>) {
        told.extend(command.get_after_help().or(command.get_after_long_help()).map(ToString::to_string));
        command.get_subcommands().for_each(|one| every(one, told));
    }

    /// The commands of a help's examples, whole, as a shell would read them.
    fn commands(help: &str) -> Vec<Vec<String>> {
        let whole = help.replace("\\\n    ", "");
        let lines = whole.lines().map(str::trim).filter(|line| line.starts_with("holdfast "));
        // What is told of a command stands far to its right.
        let bare = lines.map(|line| line.split("  ").next().unwrap_or_default());
        let alone = bare.map(|line| line.split(" ||").next().unwrap_or_default().trim_end_matches([' ', '|']));
        alone.map(words).collect()
    }

    fn words(command: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for character in command.chars() {
            match (character, words.last_mut()) {
                ('\'', _) => is_quoted = !is_quoted,
                (' ', _) if !is_quoted => words.push(String::new()),
                (_, Some(word)) => word.push(character),
                (_, None) => {}
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn an_example_is_whole_on_a_terminal_of_80_columns_and_is_a_command_that_there_is() {
        let mut told = Vec::new();
        every(&Arguments::command(), &mut told);
        assert!(told.len() > 8, "{told:?}");
        for help in told {
            let long = help.lines().find(|line| line.chars().count() > COLUMNS);
            assert_eq!(long, None, "too long");
            for command in commands(&help) {
                let parsed = Arguments::try_parse_from(&command);
                assert!(
                    parsed.is_ok(),
                    "{command:?}: {}",
                    parsed.err().map(|error| error.to_string()).unwrap_or_default()
                );
            }
        }
    }

    #[test]
    fn a_usage_line_asks_for_nothing_that_need_not_be_said() {
        let error = plain(Arguments::command()).try_get_matches_from(["holdfast", "explain"]).unwrap_err().to_string();
        assert!(error.contains("Usage: holdfast explain [OPTIONS] <RULE>"), "{error}");
        // As if the environment named a bus.
        let given = ["holdfast", "--bus", "shop", "reject"];
        let error = plain(Arguments::command()).try_get_matches_from(given).unwrap_err().to_string();
        assert!(error.contains("Usage: holdfast reject [OPTIONS] <INCIDENT>"), "{error}");
    }
}
