//! The board of a running lab, kept up to date on a terminal.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Stderr};
use std::sync::Arc;
use std::time::Duration;

use failover::register::Register;
use jiff::Timestamp;
use lab::journal::{Entry, What};
use lab::{Lab, rds};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use tokio::sync::broadcast::error::TryRecvError;

use super::board::{Board, Item, Mood, draw};
use super::line;
use crate::client::ask;
use crate::stage::{DR_ADDRESS, PRIMARY_ADDRESS, Stage, Workload};

/// More than a tall terminal shows.
const EVENTS_MAX: usize = 200;

const DRAW_EVERY: Duration = Duration::from_millis(500);

/// The other screen of the terminal, given back at the end.
#[derive(Debug)]
pub struct Screen(Terminal<CrosstermBackend<Stderr>>);

impl Screen {
    /// Takes the terminal's other screen.
    ///
    /// # Errors
    /// If standard error is no terminal that has one.
    pub fn open() -> io::Result<Self> {
        execute!(io::stderr(), EnterAlternateScreen)?;
        Ok(Self(Terminal::new(CrosstermBackend::new(io::stderr()))?))
    }

    /// Shows the lab for as long as this is polled.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub async fn show(&mut self, lab: &Arc<Lab>, stage: Option<&Stage>) -> io::Result<()> {
        // Followed before it is read, so that nothing falls in between; what is seen twice changes nothing but a line.
        let mut journal = lab.journal.follow();
        let mut seen = Seen::of(stage.map_or_else(Workload::usual, |stage| (*stage.workload).clone()));
        lab.journal.entries().iter().for_each(|entry| seen.note(entry));
        loop {
            loop {
                match journal.try_recv() {
                    Ok(entry) => seen.note(&entry),
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            let board = observe(lab, stage, &seen).await;
            self.0.draw(|frame| draw(frame, &board))?;
            tokio::time::sleep(DRAW_EVERY).await;
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = self.0.show_cursor();
        let _ = execute!(io::stderr(), LeaveAlternateScreen);
    }
}

/// What the journal has told so far.
#[derive(Debug)]
struct Seen {
    workload: Workload,
    start: Option<Timestamp>,
    alarms: BTreeMap<String, String>,
    /// Status and whether it takes writes, by region and identifier.
    databases: BTreeMap<(String, String), (String, bool)>,
    events: VecDeque<String>,
}

impl Seen {
    fn of(workload: Workload) -> Self {
        let (alarms, databases) = (BTreeMap::new(), BTreeMap::new());
        Self { workload, start: None, alarms, databases, events: VecDeque::new() }
    }

    fn note(&mut self, entry: &Entry) {
        match &entry.what {
            What::Alarm { name, to, .. } => drop(self.alarms.insert(name.clone(), to.clone())),
            What::Database { region, id, status, writable } => {
                self.databases.insert((region.clone(), id.clone()), (status.clone(), *writable));
            }
            _ => {}
        }
        let seconds = entry.at.duration_since(*self.start.get_or_insert(entry.at)).as_secs();
        if let Some(line) = line(entry, &self.workload) {
            self.events.push_back(format!("{:>3}:{:02}  {line}", seconds / 60, seconds % 60));
            let excess = self.events.len().saturating_sub(EVENTS_MAX);
            self.events.drain(..excess);
        }
    }
}

async fn observe(lab: &Arc<Lab>, stage: Option<&Stage>, seen: &Seen) -> Board {
    Board {
        now: lab.clock.now(),
        broken: lab.faults.in_force(),
        names: match stage {
            Some(stage) => names(lab, stage).await,
            None => Vec::new(),
        },
        checks: lab.route53.health().into_iter().collect(),
        alarms: seen.alarms.clone(),
        databases: seen.databases.iter().map(|(key, state)| database(lab, key, state)).collect(),
        events: seen.events.iter().cloned().collect(),
    }
}

fn database(lab: &Lab, (region, id): &(String, String), (status, writable): &(String, bool)) -> Item {
    if lab.faults.is_down(region) {
        return Item::new(format!("{id} in {region}"), "its region is down", Mood::Bad);
    }
    let role = match (writable, rds::lag(lab, region, id)) {
        (true, _) => "takes writes".to_owned(),
        (false, Some(lag)) => format!("replica, {:.0} s behind", lag.as_secs_f64()),
        (false, None) => "no writes, no replication".to_owned(),
    };
    let mood = if *writable { Mood::Good } else { Mood::Plain };
    Item::new(format!("{id} in {region}"), format!("{status}, {role}"), mood)
}

async fn names(lab: &Arc<Lab>, stage: &Stage) -> Vec<Item> {
    let registers = stage.registers();
    let mut items = Vec::new();
    for (name, typed) in stage.workload.names.iter().zip(&stage.workload.typed) {
        let (state, mood) = match registers.get(name) {
            None => ("not armed yet", Mood::Plain),
            Some(Register::Disarmed { .. }) => ("disarmed", Mood::Bad),
            Some(Register::Armed { .. }) => ("armed", Mood::Good),
            Some(Register::Paused { .. }) => ("paused", Mood::Plain),
            Some(Register::Pinned { .. }) => ("pinned", Mood::Bad),
            Some(Register::FailedOver { .. }) => ("failed over", Mood::Bad),
        };
        let answer = match ask(lab.dns, typed).await.map(|(address, _)| address) {
            Some(PRIMARY_ADDRESS) => "primary".to_owned(),
            Some(DR_ADDRESS) => "DR".to_owned(),
            Some(other) => other.to_string(),
            None => "no answer".to_owned(),
        };
        items.push(Item::new(name, format!("{state}, DNS {answer}"), mood));
    }
    items
}
