//! Where servers stand in what was written: the proof that a successor has everything, and what only the old primary has.
//!
//! A replica's lag counts from what has arrived. Behind a slow link it says 0 while hundreds of rows are missing, so nothing but
//! positions proves that a replica is complete. The servers are asked one question after another; each decision here is a pure function
//! of what they have answered so far, and says either the next question or the verdict.

mod commands;
mod executed;
mod gtid;
mod listing;
mod losses;
mod proof;
mod server;
mod since;

pub use commands::{Endpoint, Engine, old_only_commands, proof_commands};
pub use executed::executed_by_replica;
pub use gtid::{Domains, GtidSet};
pub use listing::{Listing, Transaction};
pub use losses::{OldOnly, Start, old_only};
pub use proof::{Position, Proof, WAIT_SECONDS, prove};
pub use server::Server;
pub use since::{Mark, Written, mark, uncommitted, written_since};

/// Which of two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one in DR, which users write to since the failover.
    Dr,
    /// The one in the primary region: a successor, or the old primary.
    Primary,
}

/// What is to be asked next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of whom.
    pub of: Side,
    /// One statement that changes nothing.
    pub sql: String,
}

/// A table that a server answered with: every value as text, NULL as `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, each with a value a column.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    /// The value of a column of the only row; `None` where it is NULL, or there is not exactly one row.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<&str> {
        let nth = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        match self.rows.as_slice() {
            [row] => row.get(nth)?.as_deref(),
            _ => None,
        }
    }

    /// The values of the only row, if it has so many and none of them is NULL.
    #[must_use]
    pub fn row<const N: usize>(&self) -> Option<[&str; N]> {
        let [row] = self.rows.as_slice() else { return None };
        let values: Option<Vec<&str>> = row.iter().map(Option::as_deref).collect();
        values?.try_into().ok()
    }
}

/// What was asked and answered so far.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Vec<(Question, Result<Answer, String>)>);

/// What follows from a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// This must be asked first.
    Ask(Question),
    /// It is decided.
    Done(T),
}

impl<T> Step<T> {
    /// The same, with another form of what was decided.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Ask(question) => Step::Ask(question),
            Self::Done(decided) => Step::Done(of(decided)),
        }
    }
}

/// Why a decision cannot go on.
#[derive(Debug)]
enum Stop {
    Ask(Question),
    NotKnown(String),
}

impl Transcript {
    /// Notes what a server answered, or why it did not.
    pub fn note(&mut self, question: Question, answer: Result<Answer, String>) {
        self.0.push((question, answer));
    }

    /// What was answered, if it was asked.
    pub(crate) fn said(&self, of: Side, sql: &str) -> Option<&Result<Answer, String>> {
        self.0.iter().find(|(asked, _)| asked.of == of && asked.sql == sql).map(|(_, said)| said)
    }

    /// Which kind of server it is; else the question, or why that is not known.
    pub(crate) fn server(&self, of: Side) -> Result<Server, Step<String>> {
        match server::identity(self, of) {
            Ok(identity) => Ok(identity.server),
            Err(Stop::Ask(question)) => Err(Step::Ask(question)),
            Err(Stop::NotKnown(why)) => Err(Step::Done(why)),
        }
    }

    /// What was answered; else it must be asked.
    fn answer(&self, of: Side, sql: &str) -> Result<&Answer, Stop> {
        match self.said(of, sql) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(why)) => Err(Stop::NotKnown(format!("{} did not answer {sql}: {why}", of.in_words()))),
            None => Err(Stop::Ask(Question { of, sql: sql.to_owned() })),
        }
    }

    /// The only row's values.
    fn row<const N: usize>(&self, of: Side, sql: &str) -> Result<[&str; N], Stop> {
        let answer = self.answer(of, sql)?;
        answer.row().ok_or_else(|| Stop::NotKnown(format!("{} answered {sql} with {}", of.in_words(), shown(answer))))
    }
}

impl Side {
    fn other(self) -> Self {
        if self == Self::Dr { Self::Primary } else { Self::Dr }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Dr => "the database in DR",
            Self::Primary => "the database in the primary region",
        }
    }
}

/// An unexpected answer, for people.
fn shown(answer: &Answer) -> String {
    match answer.rows.as_slice() {
        [] => "nothing".to_owned(),
        [row] => row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", "),
        rows => format!("{} rows", rows.len()),
    }
}

/// The next question, the decision, or what it comes to where something is not known.
fn step<T>(decided: Result<T, Stop>, not_known: impl FnOnce(String) -> T) -> Step<T> {
    match decided {
        Ok(decided) => Step::Done(decided),
        Err(Stop::Ask(question)) => Step::Ask(question),
        Err(Stop::NotKnown(why)) => Step::Done(not_known(why)),
    }
}
