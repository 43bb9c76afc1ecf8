//! What only the old primary has, since it had not been replicated when DR's database was promoted.

use super::gtid::{Domains, GtidSet};
use super::proof::{domains, executed, is_plain};
use super::server::{Server, kin};
use super::{Side, Step, Stop, Transcript, step};

/// What only the old primary has, by the word of the two servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldOnly {
    /// Nobody asked them: Holdfast has no credentials, no client for such a server, or was not told which database that is.
    NotAsked,
    /// DR has everything that it has.
    Nothing,
    /// Transactions that DR lacks.
    Transactions {
        /// How many, where they have numbers.
        count: Option<u64>,
        /// Where its binary log has them.
        start: Start,
    },
    /// They did not say, or nothing that can be understood.
    NotKnown {
        /// Why.
        why: String,
    },
}

/// From where the old primary's binary log is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// MySQL: all but what DR's database has executed.
    Without(GtidSet),
    /// MariaDB: what comes after the last that DR's database got by replication, before it was promoted.
    After(Domains),
    /// Without GTIDs: from where the old primary stood at its last heartbeat that DR's database got. What was written within that heartbeat's
    /// second both may have.
    From {
        /// Name of the binary log.
        file: String,
        /// Bytes from its beginning.
        position: u64,
    },
}

impl Start {
    /// The option of `mysqlbinlog`, or of `mariadb-binlog`.
    #[must_use]
    pub fn option(&self) -> String {
        match self {
            Self::Without(set) => format!("--exclude-gtids={set}"),
            Self::After(domains) => format!("--start-position={domains}"),
            Self::From { position, .. } => format!("--start-position={position}"),
        }
    }

    /// The log to begin with, where that is known; else the oldest.
    #[must_use]
    pub fn first_log(&self) -> Option<&str> {
        match self {
            Self::From { file, .. } => Some(file),
            Self::Without(_) | Self::After(_) => None,
        }
    }

    /// Name of the client that reads such a server's log.
    #[must_use]
    pub fn client(&self) -> &'static str {
        match self {
            Self::Without(_) | Self::From { .. } => "mysqlbinlog",
            Self::After(_) => "mariadb-binlog",
        }
    }
}

/// Decides what only the old primary has, or what must be asked for that. What it needs survives a promotion, weeks and restarts.
#[must_use]
pub fn old_only(known: &Transcript) -> Step<OldOnly> {
    step(decide(known), |why| OldOnly::NotKnown { why })
}

fn decide(known: &Transcript) -> Result<OldOnly, Stop> {
    let (dr, old) = kin(known)?;
    let (count, start) = match dr.server {
        Server::MySql { .. } => match executed(known, Side::Dr)? {
            Some(executed) => without(known, executed)?,
            None => return from_heartbeat(known, old.id),
        },
        Server::MariaDb => after(known)?,
    };
    Ok(if count == 0 { OldOnly::Nothing } else { OldOnly::Transactions { count: Some(count), start } })
}

/// By the row that the old primary wrote each second and DR's database got (examples/heartbeat): nothing else survives a promotion.
fn from_heartbeat(known: &Transcript, old: u64) -> Result<OldOnly, Stop> {
    let sql = format!("SELECT log_file, log_position FROM holdfast.heartbeat WHERE id = {old}");
    let without = || {
        let why = "GTIDs are not on in DR's database, and it has no heartbeat that says where the old primary stood (examples/heartbeat)";
        Stop::NotKnown(why.to_owned())
    };
    let [file, position] = match known.row(Side::Dr, &sql) {
        Ok(row) => row,
        Err(Stop::NotKnown(_)) => return Err(without()),
        Err(ask) => return Err(ask),
    };
    let position = position.parse().ok().filter(|_| is_plain(file)).ok_or_else(without)?;
    Ok(OldOnly::Transactions { count: None, start: Start::From { file: file.to_owned(), position } })
}

fn without(known: &Transcript, dr: GtidSet) -> Result<(u64, Start), Stop> {
    if dr.is_empty() {
        return Err(Stop::NotKnown("DR's database has GTIDs on, and says that it executed nothing".to_owned()));
    }
    let sql = format!("SELECT @@global.gtid_mode, GTID_SUBTRACT(@@global.gtid_executed, '{dr}')");
    let [mode, only] = known.row(Side::Primary, &sql)?;
    if !mode.eq_ignore_ascii_case("ON") {
        let why = "GTIDs are not on in the old primary, so neither knows what the other has";
        return Err(Stop::NotKnown(why.to_owned()));
    }
    let only = GtidSet::parse(only)
        .ok_or_else(|| Stop::NotKnown(format!("the old primary says that only it has executed {only:?}")))?;
    Ok((only.count(), Start::Without(dr)))
}

/// `gtid_binlog_pos` of a promoted server tells what it wrote itself, under numbers that the old primary has given out too.
fn after(known: &Transcript) -> Result<(u64, Start), Stop> {
    let dr = domains(known, Side::Dr, "SELECT @@gtid_slave_pos")?;
    let old = domains(known, Side::Primary, "SELECT @@gtid_binlog_pos")?;
    if dr.is_empty() || old.is_empty() {
        let whose = if dr.is_empty() { "DR's database got nothing" } else { "the old primary wrote nothing" };
        return Err(Stop::NotKnown(format!("{whose} by GTID, so its word says nothing")));
    }
    let count = old.beyond(&dr).map_err(Stop::NotKnown)?;
    Ok((count, Start::After(dr)))
}
