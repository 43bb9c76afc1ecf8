//! Proof by position: what a person asks the databases themselves, since a lag of 0 does not show what the link still holds.
//!
//! Behind a slow link a replica says 0 in nearly every sample while hundreds of rows are missing: it counts from what has
//! arrived. The source's position, waited for on the replica, is exact on every engine.

use jiff::{SignedDuration, Timestamp};

/// How long a replica is given to come to a position.
const PATIENCE_SECONDS: u32 = 60;

/// An event carries the time at which its statement began, and what was open then is committed later.
const EARLIER: SignedDuration = SignedDuration::from_mins(5);

/// Which statements a database understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// MySQL, and Aurora MySQL. Since 8.2 `SHOW MASTER STATUS` is `SHOW BINARY LOG STATUS`; 8.4 has the new name alone.
    MySql {
        /// Whether it has the new names.
        new_names: bool,
    },
    /// MariaDB.
    MariaDb,
    /// PostgreSQL.
    Postgres,
    /// Any other.
    Other,
}

impl Engine {
    /// As RDS names engine and version: `aurora-mysql` and `8.0.mysql_aurora.3.05.2`, `mariadb` and `10.11.6`.
    pub fn of(engine: &str, version: &str) -> Self {
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        match engine {
            "mysql" | "aurora-mysql" | "aurora" => Self::MySql { new_names: version >= (8, 2) },
            "mariadb" => Self::MariaDb,
            "postgres" | "aurora-postgresql" => Self::Postgres,
            _ => Self::Other,
        }
    }
}

/// The commands that prove that the successor at `to` has all that the database at `from` has, one a line.
pub fn proof(engine: &Engine, from: &str, to: &str) -> Vec<String> {
    let ask = |client: &str, host: &str, query: String| format!("{client} -h {host} -u USER -p -N -e \"{query}\"");
    let wait = PATIENCE_SECONDS;
    match engine {
        Engine::MySql { new_names } => {
            let (status, wait_for) = match new_names {
                true => ("SHOW BINARY LOG STATUS", "SOURCE_POS_WAIT"),
                false => ("SHOW MASTER STATUS", "MASTER_POS_WAIT"),
            };
            vec![
                format!("# with GTIDs ({} says ON): 0 is proof, 1 is not", "SELECT @@global.gtid_mode"),
                ask("mysql", from, "SELECT REPLACE(@@global.gtid_executed, '\\n', '')".to_owned()),
                ask("mysql", to, format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('GTIDS', {wait})")),
                "# without: 0 or more is proof, -1 and NULL are not; FILE and POSITION are the first answer's"
                    .to_owned(),
                ask("mysql", from, status.to_owned()),
                ask("mysql", to, format!("SELECT {wait_for}('FILE', POSITION, {wait})")),
            ]
        }
        Engine::MariaDb => vec![
            "# 0 is proof, -1 is not; GTIDS is the first answer".to_owned(),
            ask("mariadb", from, "SELECT @@gtid_binlog_pos".to_owned()),
            ask("mariadb", to, format!("SELECT MASTER_GTID_WAIT('GTIDS', {wait})")),
            "# if the first answer is empty: 0 or more is proof, -1 and NULL are not".to_owned(),
            ask("mariadb", from, "SHOW MASTER STATUS".to_owned()),
            ask("mariadb", to, format!("SELECT MASTER_POS_WAIT('FILE', POSITION, {wait})")),
        ],
        Engine::Postgres => vec![
            "# t is proof; LSN is the first answer".to_owned(),
            format!("psql -h {from} -U USER -A -t -c \"SELECT pg_current_wal_lsn()\""),
            format!("psql -h {to} -U USER -A -t -c \"SELECT pg_last_wal_replay_lsn() >= 'LSN'::pg_lsn\""),
        ],
        Engine::Other => vec![format!(
            "# Holdfast has no commands for this engine: ask {from} for its position, and {to} whether it has come to it"
        )],
    }
}

/// The commands that list what only the old primary holds, the exact ones first, one a line. `complete_until` is up to when the
/// promoted database probably had everything.
pub fn old_only(engine: &Engine, promoted: &str, complete_until: Option<Timestamp>) -> Vec<String> {
    let from =
        complete_until.map_or("YYYY-MM-DD HH:MM:SS".to_owned(), |at| (at - EARLIER).strftime("%F %T").to_string());
    // mysqlbinlog reads times as those of its own zone, and finds nothing, with exit code 0, if that is another.
    let read = |client: &str, which: String| {
        format!(
            "TZ=UTC {client} --read-from-remote-server -h OLD -u USER -p --base64-output=decode-rows --verbose {which} \
             --to-last-log FIRST_LOG"
        )
    };
    let logs = |client: &str| {
        vec![
            "# by time, without GTIDs; FIRST_LOG is the oldest of the list, since nothing says which log has what"
                .to_owned(),
            format!("{client} -h OLD -u USER -p -e 'SHOW BINARY LOGS'"),
        ]
    };
    let mysql = || {
        let by_gtid = [
            "# by GTID: exact, and independent of clocks; GTIDS is the first answer, the second says how many are missing"
                .to_owned(),
            format!("mysql -h {promoted} -u USER -p -N -e \"SELECT REPLACE(@@global.gtid_executed, '\\n', '')\""),
            "mysql -h OLD -u USER -p -N -e \"SELECT GTID_SUBTRACT(@@global.gtid_executed, 'GTIDS')\"".to_owned(),
            read("mysqlbinlog", "--exclude-gtids='GTIDS'".to_owned()),
        ];
        let by_time = [read("mysqlbinlog", format!("--start-datetime='{from}'"))];
        let client = "# the client must be Oracle's, of the server's version: MariaDB's mysqlbinlog cannot read MySQL 8 or Aurora";
        [&by_gtid[..], &logs("mysql"), &by_time, &[client.to_owned()]].concat()
    };
    let mariadb = || {
        let by_gtid = [
            "# by GTID: exact, and independent of clocks; GTIDS is the first answer".to_owned(),
            format!("mariadb -h {promoted} -u USER -p -N -e \"SELECT @@gtid_slave_pos\""),
            read("mariadb-binlog", "--start-position=GTIDS".to_owned()),
        ];
        let by_time = [read("mariadb-binlog", format!("--start-datetime='{from}'"))];
        [&by_gtid[..], &logs("mariadb"), &by_time].concat()
    };
    match engine {
        Engine::MySql { .. } => mysql(),
        Engine::MariaDb => mariadb(),
        Engine::Postgres | Engine::Other => vec![
            "# no binary log that mysqlbinlog reads: compare the tables themselves, or let logical decoding tell, if it was on"
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_told_by_rds_name_and_version() {
        for (engine, version, is) in [
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2", Engine::MySql { new_names: false }),
            ("mysql", "8.0.36", Engine::MySql { new_names: false }),
            ("mysql", "8.4.3", Engine::MySql { new_names: true }),
            ("mysql", "9.7.0", Engine::MySql { new_names: true }),
            ("mariadb", "10.11.6", Engine::MariaDb),
            ("postgres", "16.4", Engine::Postgres),
            ("oracle-ee", "19.0.0.0", Engine::Other),
        ] {
            assert_eq!(Engine::of(engine, version), is, "{engine} {version}");
        }
    }

    #[test]
    fn a_successor_is_proved_complete_by_commands_that_can_be_typed_as_they_are() {
        let old = proof(&Engine::MySql { new_names: false }, "dr.rds", "new.rds");
        assert_eq!(
            old,
            [
                "# with GTIDs (SELECT @@global.gtid_mode says ON): 0 is proof, 1 is not",
                r#"mysql -h dr.rds -u USER -p -N -e "SELECT REPLACE(@@global.gtid_executed, '\n', '')""#,
                r#"mysql -h new.rds -u USER -p -N -e "SELECT WAIT_FOR_EXECUTED_GTID_SET('GTIDS', 60)""#,
                "# without: 0 or more is proof, -1 and NULL are not; FILE and POSITION are the first answer's",
                r#"mysql -h dr.rds -u USER -p -N -e "SHOW MASTER STATUS""#,
                r#"mysql -h new.rds -u USER -p -N -e "SELECT MASTER_POS_WAIT('FILE', POSITION, 60)""#,
            ]
        );
        let new = proof(&Engine::MySql { new_names: true }, "dr.rds", "new.rds").join("\n");
        assert!(new.contains("SHOW BINARY LOG STATUS") && new.contains("SOURCE_POS_WAIT"), "{new}");
        assert!(!new.contains("MASTER"), "{new}");
        assert_eq!(
            proof(&Engine::MariaDb, "dr.rds", "new.rds")[1..3],
            [
                r#"mariadb -h dr.rds -u USER -p -N -e "SELECT @@gtid_binlog_pos""#,
                r#"mariadb -h new.rds -u USER -p -N -e "SELECT MASTER_GTID_WAIT('GTIDS', 60)""#,
            ]
        );
        let postgres = proof(&Engine::Postgres, "dr.rds", "new.rds").join("\n");
        assert!(postgres.contains("pg_last_wal_replay_lsn() >= 'LSN'::pg_lsn"), "{postgres}");
    }

    #[test]
    fn what_only_the_old_primary_holds_is_listed_by_gtid_first_and_by_time_in_utc_through_to_the_last_log() {
        let until = Some("2026-01-05T09:32:00Z".parse().unwrap());
        let listed = old_only(&Engine::MySql { new_names: false }, "dr.rds", until);
        assert_eq!(
            listed[2..],
            [
                r#"mysql -h OLD -u USER -p -N -e "SELECT GTID_SUBTRACT(@@global.gtid_executed, 'GTIDS')""#,
                "TZ=UTC mysqlbinlog --read-from-remote-server -h OLD -u USER -p --base64-output=decode-rows --verbose \
                 --exclude-gtids='GTIDS' --to-last-log FIRST_LOG",
                "# by time, without GTIDs; FIRST_LOG is the oldest of the list, since nothing says which log has what",
                "mysql -h OLD -u USER -p -e 'SHOW BINARY LOGS'",
                "TZ=UTC mysqlbinlog --read-from-remote-server -h OLD -u USER -p --base64-output=decode-rows --verbose \
                 --start-datetime='2026-01-05 09:27:00' --to-last-log FIRST_LOG",
                "# the client must be Oracle's, of the server's version: MariaDB's mysqlbinlog cannot read MySQL 8 or Aurora",
            ]
        );
        let mariadb = old_only(&Engine::MariaDb, "dr.rds", until);
        assert_eq!(mariadb[1], r#"mariadb -h dr.rds -u USER -p -N -e "SELECT @@gtid_slave_pos""#);
        assert!(mariadb[2].contains("mariadb-binlog") && mariadb[2].contains("--start-position=GTIDS --to-last-log"));
        assert!(old_only(&Engine::Postgres, "dr.rds", until).concat().contains("no binary log"));
    }
}
