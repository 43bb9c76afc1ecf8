//! What happened in a drill, as it is written down while it happens.

use std::cell::RefCell;

use jiff::Timestamp;
use report::{Cause, Check, Fact, Figure, Lane, Moment, Page, Section, Stage, Verdict, span};

use super::canary::Canary;
use super::play::{IN_SYNC, ON_DR, PINNED, RANG};
use crate::failure::Failure;

/// What happened. One writes at a time, and nobody keeps a reference while others write.
#[derive(Debug, Default)]
pub struct Log(RefCell<Page>);

impl Log {
    pub fn stage_reached(&self, name: &str, at: Timestamp, cause: Option<Cause>, how: &str) {
        self.0.borrow_mut().stages.push(Stage::new(name, at, cause, how));
    }

    pub fn moment(&self, at: Timestamp, lane: Lane, what: String, details: Vec<String>) {
        self.0.borrow_mut().moments.push(Moment::new(at, lane, what, details));
    }

    pub fn check(&self, held: bool, name: &str, detail: String) {
        self.0.borrow_mut().checks.push(Check { held, name: name.to_owned(), detail });
    }

    pub fn note(&self, note: String) {
        self.0.borrow_mut().notes.push(note);
    }

    /// When a stage was reached.
    pub fn stage(&self, name: &str) -> Option<Timestamp> {
        self.0.borrow().stages.iter().find(|stage| stage.name == name).map(|stage| stage.at)
    }

    /// When the drill began.
    pub fn began(&self) -> Timestamp {
        self.0.borrow().stages.first().map_or(Timestamp::UNIX_EPOCH, |stage| stage.at)
    }

    /// The page. `ended` is why the drill did not go to its end, if it did not.
    pub fn page(self, canary: &Canary, ended: Option<&Failure>) -> Page {
        let figures = [
            self.figure("alarm to pin", RANG, PINNED, "one look of alarm-handler and one batch"),
            self.figure("pin to INSYNC", PINNED, IN_SYNC, "as Route 53's GetChange told"),
            self.figure("pin to every name server", PINNED, ON_DR, "each name server of the zone asked by itself"),
        ];
        let mut page = self.0.into_inner();
        let held = page.checks.iter().filter(|check| check.held).count();
        let count = page.checks.len();
        page.verdict = Some(match ended {
            Some(failure) => Verdict { good: false, text: format!("the drill did not end: {failure}") },
            None => Verdict { good: held == count, text: format!("{held} of {count} checks held") },
        });
        page.title = format!("Drill of {}", canary.name);
        page.summary = "A throw-away name was failed over and back by the functions' own rules, by the command line, in the real zone. \
                        Times are AWS's, in UTC."
            .to_owned();
        let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
        page.about = vec![
            fact("name", canary.name.as_str()),
            fact("hosted zone", &canary.zone),
            fact("health check referred to", &canary.check),
        ];
        page.figures = figures.into_iter().flatten().collect();
        page.sections = vec![not_drilled()];
        page.arrange();
        page
    }

    fn figure(&self, name: &str, from: &str, to: &str, how: &str) -> Option<Figure> {
        let (from, to) = (self.stage(from)?, self.stage(to)?);
        let value = span(to.as_second() - from.as_second());
        Some(Figure { name: name.to_owned(), value, how: how.to_owned() })
    }
}

fn not_drilled() -> Section {
    let not = [
        "the deployed functions, their roles, the alarm, its event and the bus: the command line ran the functions' code by itself",
        "production's records: P14 rehearses those once a day, by the functions themselves (holdfast status)",
        "databases, the latch, the fence, mail",
    ];
    Section { title: "What this drill does not show".to_owned(), entries: not.map(report::Entry::text).into() }
}
