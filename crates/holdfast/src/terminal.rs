//! Speaking with a person, or with a machine.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use failover::change::{Batch, Change};
use failover::record::{RecordSet, Role, Routing, Target};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::failure::Failure;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const WARNING: Style = AnsiColor::Yellow.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// The version of what `--json` prints: it changes when a field goes away or means something else, and not when one is added.
const FORMAT: u32 = 1;

/// How this run speaks. Colour is left out by `anstream` where there is no terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// JSON on standard output, nothing else there.
    pub json: bool,
    /// Everything is confirmed beforehand.
    pub yes: bool,
}

impl Terminal {
    /// One line for people; on a terminal that is too narrow for it it goes on below, indented, and no word is cut.
    pub fn say(&self, line: impl std::fmt::Display) {
        if self.json {
            return;
        }
        let line = line.to_string();
        match columns() {
            Some(columns) => line.split('\n').for_each(|line| print_line(&wrapped(line, columns))),
            None => print_line(&line),
        }
    }

    /// A line beside what was asked for, on standard error; machines are told by [`Self::result`] alone.
    pub fn note(&self, line: impl std::fmt::Display) {
        if !self.json {
            anstream::eprintln!("{DIM}{line}{DIM:#}");
        }
    }

    /// The result for machines.
    pub fn result(&self, result: &impl Serialize) {
        if self.json {
            #[expect(
                clippy::expect_used,
                reason = "a derived form with texts for keys, of which no variant is skipped"
            )]
            let mut result = serde_json::to_value(result).expect("a result has a form in JSON");
            if let Some(fields) = result.as_object_mut() {
                fields.insert("format".to_owned(), FORMAT.into());
            }
            print_line(&format!("{result:#}"));
        }
    }

    /// The end of a command that failed.
    pub fn failed(&self, failure: &Failure) {
        match self.json {
            true => {
                eprintln!("{}", serde_json::json!({"error": failure.to_string(), "exit_code": failure.exit_code()}))
            }
            false => anstream::eprintln!("{BAD}holdfast:{BAD:#} {failure}"),
        }
    }

    /// Asks before something is changed.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        self.ask(&format!("{question} [y/N]"), &["y", "yes"])
    }

    /// Asks before something that cannot be undone: nobody types its name by habit, or for the question before.
    pub fn confirm_by_name(&self, question: &str, name: &str) -> Result<(), Failure> {
        self.ask(&format!("{question} Type {name} to confirm:"), &[name])
    }

    fn ask(&self, question: &str, wanted: &[&str]) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(Failure::NotConfirmed("; say --yes where nobody can be asked"));
        }
        // What was typed before a question was shown, in the hours that a step may take, answers no question.
        if rustix::termios::tcflush(&input, rustix::termios::QueueSelector::IFlush).is_err() {
            return Err(Failure::NotConfirmed(": what was typed ahead cannot be thrown away; say --yes"));
        }
        anstream::eprint!("{BOLD}{question}{BOLD:#} ");
        // A prompt that cannot be shown is as good as a no.
        let mut answer = String::new();
        let heard = std::io::stderr().flush().and_then(|()| input.lock().read_line(&mut answer));
        let answer = answer.trim().to_lowercase();
        match heard.is_ok() && wanted.iter().any(|wanted| wanted.to_lowercase() == answer) {
            true => Ok(()),
            false => Err(Failure::NotConfirmed("")),
        }
    }

    /// Progress of something that takes long.
    pub fn wait(&self, what: String) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = ProgressBar::new_spinner().with_message(what);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// The batches that a command or a function would submit.
    pub fn show_batches(&self, batches: &[Batch]) {
        for (nth, batch) in batches.iter().enumerate() {
            self.say(format!(
                "{DIM}batch {} of {}, zone {}, applied whole or not at all:{DIM:#}",
                nth + 1,
                batches.len(),
                batch.zone
            ));
            batch.changes().for_each(|change| self.say(format!("  {}", in_words(change))));
        }
    }
}

/// Prints a line. Whoever closes the pipe has read enough, and what the command does goes on.
fn print_line(line: &str) {
    if let Err(error) = writeln!(anstream::stdout(), "{line}")
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("holdfast: standard output takes nothing more: {error}");
    }
}

/// Prints it all. Whoever closes the pipe has read enough, and misses nothing.
pub fn print(bytes: &[u8]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// How wide the terminal is that standard output is, if it is one.
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Programs whose commands Holdfast prints.
const PROGRAMS: [&str; 7] = ["aws ", "dig ", "holdfast ", "mariadb", "mysql", "psql ", "FIRST_LOG="];

/// True of a command with options, long ones or short: cut by the end of a line it would run without them. The terminal itself goes on
/// below, and what is copied from there is whole.
fn has_command(line: &str) -> bool {
    let begins = PROGRAMS.iter().filter_map(|program| line.find(program)).min();
    let is_option = |word: &str| word.strip_prefix('-').is_some_and(|name| !name.is_empty());
    begins.is_some_and(|at| line[at..].split_whitespace().any(is_option))
}

fn wrapped(line: &str, columns: usize) -> String {
    if has_command(line) {
        return line.to_owned();
    }
    let indent = " ".repeat(line.len() - line.trim_start().len() + 4);
    let options = textwrap::Options::new(columns).subsequent_indent(&indent).break_words(false);
    textwrap::fill(line, options.word_splitter(textwrap::WordSplitter::NoHyphenation))
}

/// A change as one line.
pub fn in_words(change: &Change) -> String {
    let (verb, style, set) = match change {
        Change::Delete(set) => ("DELETE", BAD, set),
        Change::Create(set) => ("CREATE", GOOD, set),
    };
    format!("{style}{verb}{style:#} {}", record(set))
}

/// A record set as one line.
pub fn record(set: &RecordSet) -> String {
    let role = match &set.routing {
        Routing::Failover { role: Role::Primary, .. } => " PRIMARY",
        Routing::Failover { role: Role::Secondary, .. } => " SECONDARY",
        Routing::Simple | Routing::Other => "",
    };
    let ttl = match set.target {
        Target::Values { ttl_seconds, .. } => format!(" ttl {ttl_seconds}"),
        Target::Alias { .. } => String::new(),
    };
    format!("{} {}{role}{ttl}  {}", set.name, set.kind, set.target)
}

/// How long ago, as people say it.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A span of time as people write it.
pub fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_below_where_the_terminal_ends_and_no_word_is_cut() {
        let line = format!("  {BOLD}P09a Hold{BOLD:#}  app.example.com and 4 more: the primary answers our own probe");
        let wrapped = wrapped(&line, 40);
        let plain = anstream::adapter::strip_str(&wrapped).to_string();
        assert_eq!(plain, "  P09a Hold  app.example.com and 4 more:\n      the primary answers our own probe");
        assert_eq!(super::wrapped("PRIMARY  127.0.10.1", 5), "PRIMARY\n    127.0.10.1");
    }

    #[test]
    fn a_command_with_options_is_left_whole_so_that_it_can_be_copied() {
        for command in [
            "      aws rds modify-db-instance --db-instance-identifier orders-dr --apply-immediately",
            "FIRST_LOG=$(mysql --host=app.example.com --execute 'SHOW BINARY LOGS' | head -n 1 | cut -f 1)",
            "      to go on: holdfast approve --despite R07",
            "  GTIDS=$(mariadb -h app.example.com -P 3306 -u admin -p -N -e \"SELECT @@gtid_binlog_pos\")",
            "  mysql -h app.example.com -u admin -p -N -e \"SELECT WAIT_FOR_EXECUTED_GTID_SET('${GTIDS:?}', 60)\"",
            "  LSN=$(psql -h app.example.com -p 5432 -U admin -d postgres -A -t -c \"SELECT pg_current_wal_lsn()\")",
        ] {
            assert_eq!(super::wrapped(command, 40), command);
        }
        assert!(super::wrapped("holdfast says in many words what nobody can paste - or so", 40).contains('\n'));
    }
}
