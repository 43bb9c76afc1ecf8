//! What proves that one server has everything that the other has: a successor what DR has, or DR what the primary has.

use std::fmt;

use super::gtid::{Domains, GtidSet};
use super::server::{Server, kin};
use super::{Side, Step, Stop, Transcript, step};

/// How long a server is given to come to a position, in one look of several.
pub const WAIT_SECONDS: u32 = 2;

/// Where a server stands in its own binary log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// MySQL with GTIDs on: everything that it has executed.
    Gtids(GtidSet),
    /// MariaDB: the last transaction of each domain.
    Domains(Domains),
    /// Without GTIDs.
    Log {
        /// Name of the binary log.
        file: String,
        /// Bytes from its beginning.
        position: u64,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gtids(set) => set.fmt(f),
            Self::Domains(domains) => domains.fmt(f),
            Self::Log { file, position } => write!(f, "{file}:{position}"),
        }
    }
}

/// Whether one server has all that the other has, by the word of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nobody asked them: Holdfast has no credentials, or no client for such a server.
    NotAsked,
    /// They are asked once the successor is available.
    Later,
    /// It has.
    Everything {
        /// Up to there.
        at: Position,
    },
    /// It has not.
    Behind {
        /// Where the other is.
        at: Position,
        /// How many transactions it lacks, where they have numbers.
        missing: Option<u64>,
    },
    /// They did not say, or nothing that can be understood: no proof of anything.
    NotKnown {
        /// Why.
        why: String,
    },
}

/// Decides whether the other server has everything that the one `ahead` has, or what must be asked for that.
#[must_use]
pub fn prove(known: &Transcript, ahead: Side) -> Step<Proof> {
    step(decide(known, ahead), |why| Proof::NotKnown { why })
}

fn decide(known: &Transcript, ahead: Side) -> Result<Proof, Stop> {
    let behind = ahead.other();
    let (dr, primary) = kin(known)?;
    let (source, replica) = if ahead == Side::Dr { (dr, primary) } else { (primary, dr) };
    let position = position(known, ahead, source.server)?;
    match (follows(known, behind, replica.server)?, &position) {
        (Follows::Server(id), _) if id == source.id => wait(known, behind, replica.server, position),
        (Follows::Server(id), _) => Err(Stop::NotKnown(format!(
            "{} replicates the server with the id {id}, and {} has {}: a position there means nothing here",
            behind.in_words(),
            ahead.in_words(),
            source.id
        ))),
        (Follows::NotTold(why), Position::Log { .. }) => Err(Stop::NotKnown(why)),
        // It takes writes already: an interrupted run promoted it, or somebody restored it. Or the user has no right to see what it
        // replicates (MariaDB: SLAVE MONITOR): a GTID says whose transaction it is.
        (Follows::NoServer | Follows::NotTold(_), _) => compare(known, behind, position),
    }
}

/// Where a server is. Without GTIDs by file and position.
fn position(known: &Transcript, of: Side, server: Server) -> Result<Position, Stop> {
    match server {
        Server::MySql { .. } => {
            if let Some(set) = executed(known, of)? {
                let none = || format!("{} has GTIDs on, and says that it executed nothing", of.in_words());
                return if set.is_empty() { Err(Stop::NotKnown(none())) } else { Ok(Position::Gtids(set)) };
            }
        }
        Server::MariaDb => {
            let domains = domains(known, of, "SELECT @@gtid_binlog_pos")?;
            if !domains.is_empty() {
                return Ok(Position::Domains(domains));
            }
        }
    }
    let (file, position) = log_end(known, of, server)?;
    Ok(Position::Log { file, position })
}

/// Where a server's binary log ends.
pub(super) fn log_end(known: &Transcript, of: Side, server: Server) -> Result<(String, u64), Stop> {
    let status = known.answer(of, server.log_status())?;
    let (file, position) = (status.value("File"), status.value("Position").and_then(|it| it.parse().ok()));
    match (file.filter(|file| is_plain(file)), position) {
        (Some(file), Some(position)) => Ok((file.to_owned(), position)),
        _ => Err(Stop::NotKnown(format!("{} does not tell its position: is its binary log on?", of.in_words()))),
    }
}

/// A name that goes into a statement between quotes.
pub(super) fn is_plain(file: &str) -> bool {
    !file.is_empty() && file.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// MySQL's executed set; `None` where GTIDs are not on for every transaction.
pub(super) fn executed(known: &Transcript, of: Side) -> Result<Option<GtidSet>, Stop> {
    let [mode, executed] = known.row(of, "SELECT @@global.gtid_mode, @@global.gtid_executed")?;
    let unread = || Stop::NotKnown(format!("{} says that it executed {executed:?}", of.in_words()));
    match mode.eq_ignore_ascii_case("ON") {
        true => GtidSet::parse(executed).ok_or_else(unread).map(Some),
        false => Ok(None),
    }
}

/// A position of MariaDB's.
pub(super) fn domains(known: &Transcript, of: Side, sql: &str) -> Result<Domains, Stop> {
    let [text] = known.row(of, sql)?;
    Domains::parse(text).ok_or_else(|| Stop::NotKnown(format!("{} answered {sql} with {text:?}", of.in_words())))
}

/// What a server replicates.
enum Follows {
    /// The server with that id.
    Server(u64),
    /// Nothing.
    NoServer,
    /// It does not tell this user, and why.
    NotTold(String),
}

fn follows(known: &Transcript, of: Side, server: Server) -> Result<Follows, Stop> {
    let (status, column) = server.replication();
    let answer = match known.answer(of, status) {
        Ok(answer) => answer,
        Err(Stop::NotKnown(why)) => return Ok(Follows::NotTold(why)),
        Err(ask) => return Err(ask),
    };
    if answer.rows.is_empty() {
        return Ok(Follows::NoServer);
    }
    let id = answer.value(column).and_then(|id| id.parse().ok());
    id.map(Follows::Server)
        .ok_or_else(|| Stop::NotKnown(format!("{status} does not say which server {} replicates", of.in_words())))
}

fn wait(known: &Transcript, of: Side, server: Server, at: Position) -> Result<Proof, Stop> {
    let seconds = WAIT_SECONDS;
    let sql = match &at {
        Position::Gtids(set) => format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', {seconds})"),
        Position::Domains(domains) => format!("SELECT MASTER_GTID_WAIT('{domains}', {seconds})"),
        Position::Log { file, position } => {
            format!("SELECT {}('{file}', {position}, {seconds})", server.wait_for_log())
        }
    };
    let [said] = known.row(of, &sql)?;
    match (&at, said.parse::<i64>()) {
        (Position::Gtids(_) | Position::Domains(_), Ok(0)) | (Position::Log { .. }, Ok(0..)) => arrived(known, of, at),
        (Position::Gtids(_), Ok(1)) | (Position::Domains(_) | Position::Log { .. }, Ok(-1)) => {
            let missing = lacks(known, of, &at)?;
            Ok(Proof::Behind { at, missing })
        }
        _ => Err(Stop::NotKnown(format!("{} answered {sql} with {said}", of.in_words()))),
    }
}

/// MariaDB's wait counts numbers alone, whoever gave them.
fn arrived(known: &Transcript, of: Side, at: Position) -> Result<Proof, Stop> {
    match &at {
        Position::Domains(_) => compare(known, of, at),
        Position::Gtids(_) | Position::Log { .. } => Ok(Proof::Everything { at }),
    }
}

/// By what the server has executed, whether it replicates or not: both survive its promotion.
fn compare(known: &Transcript, of: Side, at: Position) -> Result<Proof, Stop> {
    match lacks(known, of, &at)? {
        Some(0) => Ok(Proof::Everything { at }),
        Some(missing) => Ok(Proof::Behind { at, missing: Some(missing) }),
        None => Err(Stop::NotKnown(format!(
            "{} replicates nothing any more, and without GTIDs nothing tells what it has",
            of.in_words()
        ))),
    }
}

/// How many transactions the server lacks; `None` where they have no numbers.
fn lacks(known: &Transcript, of: Side, at: &Position) -> Result<Option<u64>, Stop> {
    match at {
        Position::Gtids(set) => {
            let sql = format!("SELECT @@global.gtid_mode, GTID_SUBTRACT('{set}', @@global.gtid_executed)");
            let [mode, missing] = known.row(of, &sql)?;
            match GtidSet::parse(missing).filter(|_| mode.eq_ignore_ascii_case("ON")) {
                Some(missing) => Ok(Some(missing.count())),
                None => Err(Stop::NotKnown(format!("{} answered {sql} with {mode}, {missing:?}", of.in_words()))),
            }
        }
        Position::Domains(there) => {
            let has = domains(known, of, "SELECT @@gtid_slave_pos")?;
            there.beyond(&has).map(Some).map_err(Stop::NotKnown)
        }
        Position::Log { .. } => Ok(None),
    }
}
