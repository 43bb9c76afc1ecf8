//! What proves that a successor has everything that DR has.

use std::fmt;

use super::gtid::{Domains, GtidSet};
use super::server::{Server, kin};
use super::{Side, Step, Stop, Transcript, step};

/// How long a successor is given to come to a position, in one look of several.
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

/// Whether a successor has all that DR has, by the word of the two servers.
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
        /// Where DR is.
        dr: Position,
        /// How many transactions it lacks, where they have numbers.
        missing: Option<u64>,
    },
    /// They did not say, or nothing that can be understood: no proof of anything.
    NotKnown {
        /// Why.
        why: String,
    },
}

/// Decides whether the successor has everything, or what must be asked for that.
#[must_use]
pub fn prove(known: &Transcript) -> Step<Proof> {
    step(decide(known), |why| Proof::NotKnown { why })
}

fn decide(known: &Transcript) -> Result<Proof, Stop> {
    let (dr, successor) = kin(known)?;
    let position = position(known, dr.server)?;
    match (follows(known, successor.server)?, &position) {
        (Follows::Server(id), _) if id == dr.id => wait(known, successor.server, position),
        (Follows::Server(id), _) => Err(Stop::NotKnown(format!(
            "the successor replicates the server with the id {id}, and DR's database has {}: a position there means nothing here",
            dr.id
        ))),
        (Follows::NotTold(why), Position::Log { .. }) => Err(Stop::NotKnown(why)),
        // It takes writes already: an interrupted run promoted it, or somebody restored it. Or the user has no right to see what it
        // replicates (MariaDB: SLAVE MONITOR): a GTID says whose transaction it is.
        (Follows::NoServer | Follows::NotTold(_), _) => compare(known, position),
    }
}

/// Where DR is. Without GTIDs by file and position.
fn position(known: &Transcript, server: Server) -> Result<Position, Stop> {
    match server {
        Server::MySql { .. } => {
            if let Some(set) = executed(known, Side::Dr)? {
                return match set.is_empty() {
                    true => {
                        Err(Stop::NotKnown("DR's database has GTIDs on, and says that it executed nothing".to_owned()))
                    }
                    false => Ok(Position::Gtids(set)),
                };
            }
        }
        Server::MariaDb => {
            let domains = domains(known, Side::Dr, "SELECT @@gtid_binlog_pos")?;
            if !domains.is_empty() {
                return Ok(Position::Domains(domains));
            }
        }
    }
    let status = known.answer(Side::Dr, server.log_status())?;
    let (file, position) = (status.value("File"), status.value("Position").and_then(|it| it.parse().ok()));
    match (file.filter(|file| is_plain(file)), position) {
        (Some(file), Some(position)) => Ok(Position::Log { file: file.to_owned(), position }),
        _ => Err(Stop::NotKnown("DR's database does not tell its position: is its binary log on?".to_owned())),
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

/// What the successor replicates.
enum Follows {
    /// The server with that id.
    Server(u64),
    /// Nothing.
    NoServer,
    /// It does not tell this user, and why.
    NotTold(String),
}

fn follows(known: &Transcript, server: Server) -> Result<Follows, Stop> {
    let (status, column) = server.replication();
    let answer = match known.answer(Side::Primary, status) {
        Ok(answer) => answer,
        Err(Stop::NotKnown(why)) => return Ok(Follows::NotTold(why)),
        Err(ask) => return Err(ask),
    };
    if answer.rows.is_empty() {
        return Ok(Follows::NoServer);
    }
    let id = answer.value(column).and_then(|id| id.parse().ok());
    id.map(Follows::Server)
        .ok_or_else(|| Stop::NotKnown(format!("{status} does not say which server the successor replicates")))
}

fn wait(known: &Transcript, server: Server, dr: Position) -> Result<Proof, Stop> {
    let seconds = WAIT_SECONDS;
    let sql = match &dr {
        Position::Gtids(set) => format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', {seconds})"),
        Position::Domains(domains) => format!("SELECT MASTER_GTID_WAIT('{domains}', {seconds})"),
        Position::Log { file, position } => {
            format!("SELECT {}('{file}', {position}, {seconds})", server.wait_for_log())
        }
    };
    let [said] = known.row(Side::Primary, &sql)?;
    match (&dr, said.parse::<i64>()) {
        (Position::Gtids(_) | Position::Domains(_), Ok(0)) | (Position::Log { .. }, Ok(0..)) => arrived(known, dr),
        (Position::Gtids(_), Ok(1)) | (Position::Domains(_) | Position::Log { .. }, Ok(-1)) => {
            let missing = lacks(known, &dr)?;
            Ok(Proof::Behind { dr, missing })
        }
        _ => Err(Stop::NotKnown(format!("the successor answered {sql} with {said}"))),
    }
}

/// MariaDB's wait counts numbers alone, whoever gave them.
fn arrived(known: &Transcript, dr: Position) -> Result<Proof, Stop> {
    match &dr {
        Position::Domains(_) => compare(known, dr),
        Position::Gtids(_) | Position::Log { .. } => Ok(Proof::Everything { at: dr }),
    }
}

/// By what the successor has executed, whether it replicates or not: both survive its promotion.
fn compare(known: &Transcript, dr: Position) -> Result<Proof, Stop> {
    match lacks(known, &dr)? {
        Some(0) => Ok(Proof::Everything { at: dr }),
        Some(missing) => Ok(Proof::Behind { dr, missing: Some(missing) }),
        None => Err(Stop::NotKnown(
            "the successor replicates nothing any more, and without GTIDs nothing tells what it has".to_owned(),
        )),
    }
}

/// How many transactions the successor lacks; `None` where they have no numbers.
fn lacks(known: &Transcript, dr: &Position) -> Result<Option<u64>, Stop> {
    match dr {
        Position::Gtids(set) => {
            let sql = format!("SELECT @@global.gtid_mode, GTID_SUBTRACT('{set}', @@global.gtid_executed)");
            let [mode, missing] = known.row(Side::Primary, &sql)?;
            match GtidSet::parse(missing).filter(|_| mode.eq_ignore_ascii_case("ON")) {
                Some(missing) => Ok(Some(missing.count())),
                None => Err(Stop::NotKnown(format!("the successor answered {sql} with {mode}, {missing:?}"))),
            }
        }
        Position::Domains(dr) => {
            let has = domains(known, Side::Primary, "SELECT @@gtid_slave_pos")?;
            dr.beyond(&has).map(Some).map_err(Stop::NotKnown)
        }
        Position::Log { .. } => Ok(None),
    }
}
