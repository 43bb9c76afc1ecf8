//! Which kind of server answers.

use super::{Side, Stop, Transcript};

/// A server, by what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// MySQL, and Aurora MySQL.
    MySql {
        /// Major, minor and patch of `@@version`.
        version: (u32, u32, u32),
    },
    /// MariaDB.
    MariaDb,
}

/// A server and its number in replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its kind.
    pub server: Server,
    /// `@@server_id`.
    pub id: u64,
}

impl Server {
    /// By `@@version`: `8.0.36`, `10.11.19-MariaDB-log`. `None` if it is neither MySQL's nor MariaDB's.
    #[must_use]
    pub fn of(version: &str) -> Option<Self> {
        if version.to_ascii_lowercase().contains("mariadb") {
            return Some(Self::MariaDb);
        }
        let mut numbers = version.split(['.', '-', '_']).map_while(|number| number.parse::<u32>().ok());
        let (major, minor) = (numbers.next()?, numbers.next()?);
        Some(Self::MySql { version: (major, minor, numbers.next().unwrap_or(0)) })
    }

    /// Tells the current binary log and its end. `SHOW BINARY LOG STATUS` came with MySQL 8.2, and the old name went with 8.4.
    #[must_use]
    pub fn log_status(self) -> &'static str {
        match self {
            Self::MySql { version } if version >= (8, 2, 0) => "SHOW BINARY LOG STATUS",
            Self::MySql { .. } | Self::MariaDb => "SHOW MASTER STATUS",
        }
    }

    /// Waits for a file and position of the source's binary log.
    #[must_use]
    pub fn wait_for_log(self) -> &'static str {
        match self {
            Self::MySql { version } if version >= (8, 2, 0) => "SOURCE_POS_WAIT",
            Self::MySql { .. } | Self::MariaDb => "MASTER_POS_WAIT",
        }
    }

    /// Tells up to where of its source's binary log it has executed: the statement, and the columns with file and position.
    pub(super) fn executed_of_source(self) -> (&'static str, [&'static str; 2]) {
        match self.replication() {
            (status @ "SHOW REPLICA STATUS", _) => (status, ["Relay_Source_Log_File", "Exec_Source_Log_Pos"]),
            (status, _) => (status, ["Relay_Master_Log_File", "Exec_Master_Log_Pos"]),
        }
    }

    /// Tells what it replicates, and the column with the source's `@@server_id`. The new words came with MySQL 8.0.22; 8.4 has no others.
    pub(super) fn replication(self) -> (&'static str, &'static str) {
        match self {
            Self::MySql { version } if version >= (8, 0, 22) => ("SHOW REPLICA STATUS", "Source_Server_Id"),
            Self::MySql { .. } | Self::MariaDb => ("SHOW SLAVE STATUS", "Master_Server_Id"),
        }
    }
}

/// Asks a server who it is.
pub(super) fn identity(known: &Transcript, of: Side) -> Result<Identity, Stop> {
    let [version, id] = known.row(of, "SELECT @@version, @@server_id")?;
    let unheard = || Stop::NotKnown(format!("{} is neither MySQL nor MariaDB, but {version}", of.in_words()));
    let server = Server::of(version).ok_or_else(unheard)?;
    let id = id.parse().map_err(|_| Stop::NotKnown(format!("{} has the server id {id}", of.in_words())))?;
    Ok(Identity { server, id })
}

/// Asks both; positions of one kind of server mean nothing to the other.
pub(super) fn kin(known: &Transcript) -> Result<(Identity, Identity), Stop> {
    let (dr, primary) = (identity(known, Side::Dr)?, identity(known, Side::Primary)?);
    match (dr.server, primary.server) {
        (Server::MariaDb, Server::MariaDb) | (Server::MySql { .. }, Server::MySql { .. }) => Ok((dr, primary)),
        _ => Err(Stop::NotKnown("one of the two is MySQL and the other MariaDB".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_what_it_says_of_its_version() {
        for (version, is) in [
            ("10.11.19-MariaDB-0+deb12u1-log", Some(Server::MariaDb)),
            ("5.5.5-10.6.14-MariaDB", Some(Server::MariaDb)),
            ("8.0.36", Some(Server::MySql { version: (8, 0, 36) })),
            ("5.7.44-log", Some(Server::MySql { version: (5, 7, 44) })),
            ("8.0.mysql_aurora.3.05.2", Some(Server::MySql { version: (8, 0, 0) })),
            ("9.7.4", Some(Server::MySql { version: (9, 7, 4) })),
            ("PostgreSQL 16.4", None),
            ("8", None),
            ("", None),
        ] {
            assert_eq!(Server::of(version), is, "{version}");
        }
    }

    #[test]
    fn each_version_is_asked_in_its_own_words() {
        let words = |version| {
            let server = Server::MySql { version };
            (server.log_status(), server.wait_for_log(), server.replication().0)
        };
        assert_eq!(words((5, 7, 44)), ("SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW SLAVE STATUS"));
        assert_eq!(words((8, 0, 21)), ("SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW SLAVE STATUS"));
        assert_eq!(words((8, 0, 22)), ("SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW REPLICA STATUS"));
        assert_eq!(words((8, 1, 9)), ("SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW REPLICA STATUS"));
        assert_eq!(words((8, 2, 0)), ("SHOW BINARY LOG STATUS", "SOURCE_POS_WAIT", "SHOW REPLICA STATUS"));
        let mariadb = Server::MariaDb;
        assert_eq!(
            (mariadb.log_status(), mariadb.wait_for_log(), mariadb.replication()),
            ("SHOW MASTER STATUS", "MASTER_POS_WAIT", ("SHOW SLAVE STATUS", "Master_Server_Id"))
        );
    }
}
