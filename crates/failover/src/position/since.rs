//! What was written to a server since a moment, by its own binary log: the proof that writes have stopped, and what came later if not.
//!
//! A server is never quite still. RDS writes to tables of its own, and a heartbeat writes each second, so that its position says little; its
//! log says which tables were changed.

use std::collections::BTreeSet;

use super::proof::{is_plain, log_end};
use super::server::identity;
use super::{Answer, Side, Step, Stop, Transcript, step};

/// How many events of one log are read: enough for some seconds, and MySQL warns of the work of more.
const EVENTS_MAX: usize = 2_000;

/// True of what is nobody's data: the server's own tables (RDS writes `mysql.rds_heartbeat2`; which else, AWS does not say), and the heartbeat of
/// examples/heartbeat.
fn is_nobodys(table: &str) -> bool {
    table.starts_with("mysql.") || table == "holdfast.heartbeat"
}

/// Events that change nothing by themselves. Rows follow the event that names their table.
const SILENT: [&str; 13] = [
    "Format_desc",
    "Gtid_list",
    "Previous_gtids",
    "Binlog_checkpoint",
    "Start_encryption",
    "Rotate",
    "Stop",
    "Heartbeat",
    "Annotate_rows",
    "Rows_query",
    "Intvar",
    "RAND",
    "User var",
];

/// The end of a server's binary log at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Name of the log.
    pub file: String,
    /// Bytes from its beginning.
    pub position: u64,
}

/// What users and jobs have committed since a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing.
    Nothing,
    /// Transactions.
    Transactions {
        /// How many, at least.
        count: u64,
        /// The tables, and kinds of statements, that they are about.
        changed: BTreeSet<String>,
    },
    /// The server did not say, or nothing that can be understood.
    NotKnown {
        /// Why.
        why: String,
    },
}

/// Where a server's log ends now, or why that is not known.
#[must_use]
pub fn mark(known: &Transcript, of: Side) -> Step<Result<Mark, String>> {
    let end = identity(known, of).and_then(|it| log_end(known, of, it.server));
    step(end.map(|(file, position)| Ok(Mark { file, position })), Err)
}

/// How many transactions have changed rows and are not committed yet, or why that is not known: they would come after any mark.
#[must_use]
pub fn uncommitted(known: &Transcript, of: Side) -> Step<Result<u64, String>> {
    let sql = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0";
    let count = known.row(of, sql).and_then(|[count]| {
        let unread = || Stop::NotKnown(format!("{} answered {sql} with {count}", of.in_words()));
        count.parse().map_err(|_| unread())
    });
    step(count.map(Ok), Err)
}

/// What was committed since a mark.
#[must_use]
pub fn written_since(known: &Transcript, of: Side, mark: &Mark) -> Step<Written> {
    step(decide(known, of, mark), |why| Written::NotKnown { why })
}

fn decide(known: &Transcript, of: Side, mark: &Mark) -> Result<Written, Stop> {
    let (file, position) = log_end(known, of, identity(known, of)?.server)?;
    if (&file, position) == (&mark.file, mark.position) {
        return Ok(Written::Nothing);
    }
    let logs = known.answer(of, "SHOW BINARY LOGS")?;
    let names = logs.rows.iter().filter_map(|row| row.first()?.as_deref());
    let logs: Vec<&str> = names.skip_while(|name| *name != mark.file).filter(|name| is_plain(name)).collect();
    if logs.is_empty() {
        return Err(Stop::NotKnown(format!("{} has no log {} any more", of.in_words(), mark.file)));
    }
    let (mut reader, mut is_whole) = (Reader::default(), true);
    // Needs REPLICATION SLAVE. That Aurora MySQL answers it is not verified; where it does not, a switchover is refused, and a person compares.
    for log in logs {
        let from = if log == mark.file { format!(" FROM {}", mark.position) } else { String::new() };
        let events = known.answer(of, &format!("SHOW BINLOG EVENTS IN '{log}'{from} LIMIT {EVENTS_MAX}"))?;
        is_whole &= events.rows.len() < EVENTS_MAX;
        reader
            .read(events)
            .map_err(|why| Stop::NotKnown(format!("{} tells of its log {log}: {why}", of.in_words())))?;
    }
    reader.end_transaction();
    match (reader.count, is_whole) {
        (0, true) => Ok(Written::Nothing),
        (0, false) => Err(Stop::NotKnown(format!("{} has written too much to read", of.in_words()))),
        (count, _) => Ok(Written::Transactions { count, changed: reader.changed }),
    }
}

/// Goes through the events of a log, one transaction after the other.
#[derive(Debug, Default)]
struct Reader {
    count: u64,
    changed: BTreeSet<String>,
    /// Whether the transaction that is being read changed anybody's data.
    is_somebodys: bool,
}

impl Reader {
    fn read(&mut self, events: &Answer) -> Result<(), String> {
        let column = |name: &str| events.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let (Some(kind), Some(info)) = (column("Event_type"), column("Info")) else {
            return if events.rows.is_empty() { Ok(()) } else { Err("no types of events".to_owned()) };
        };
        for row in &events.rows {
            let text = |nth: usize| row.get(nth).and_then(Option::as_deref).unwrap_or_default();
            self.event(text(kind), text(info));
        }
        Ok(())
    }

    fn event(&mut self, kind: &str, info: &str) {
        let is_of_rows = ["Write_rows", "Update_rows", "Delete_rows"].iter().any(|rows| kind.starts_with(rows));
        match kind {
            "Gtid" | "Gtid_tagged" | "Anonymous_Gtid" | "Xid" => self.end_transaction(),
            "Table_map" => match info.split_once('(').and_then(|(_, rest)| rest.split_once(')')) {
                Some((table, _)) if is_nobodys(table) => {}
                Some((table, _)) => self.note(table.to_owned()),
                None => self.note("a table without a name".to_owned()),
            },
            "Query" | "Query_compressed" => self.statement(info),
            _ if is_of_rows || SILENT.contains(&kind) => {}
            // Whatever it is: it is not known to change nothing.
            other => self.note(format!("an event {other}")),
        }
    }

    /// Told by its first word: the rest may hold a password.
    fn statement(&mut self, info: &str) {
        let statement = info.strip_prefix("use ").and_then(|rest| Some(rest.split_once("; ")?.1)).unwrap_or(info);
        let verb: String = statement.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        match verb.to_ascii_uppercase().as_str() {
            "BEGIN" | "COMMIT" | "ROLLBACK" => self.end_transaction(),
            verb => self.note(format!("{verb} statement")),
        }
    }

    fn note(&mut self, changed: String) {
        self.is_somebodys = true;
        self.changed.insert(changed);
    }

    fn end_transaction(&mut self) {
        self.count += u64::from(std::mem::take(&mut self.is_somebodys));
    }
}
