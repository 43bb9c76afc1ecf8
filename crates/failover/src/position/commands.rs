//! The same questions as commands for a shell: for whoever gives Holdfast no credentials, and for engines that it does not ask itself.

use jiff::{SignedDuration, Timestamp};

use super::server::Server;

/// How long a replica is given to come to a position.
const PATIENCE_SECONDS: u32 = 60;

/// An event carries the time at which its statement began, and what was open then is committed later.
const EARLIER: SignedDuration = SignedDuration::from_mins(5);

/// Which statements a database understands, by what RDS says of it: it has not been asked itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// MySQL, Aurora MySQL or MariaDB.
    Known(Server),
    /// PostgreSQL.
    Postgres,
    /// Any other.
    Other,
}

impl Engine {
    /// As RDS names engine and version: `aurora-mysql` and `8.0.mysql_aurora.3.05.2`, `mariadb` and `10.11.6`.
    #[must_use]
    pub fn of(engine: &str, version: &str) -> Self {
        match engine {
            "mysql" | "aurora-mysql" | "aurora" => {
                Self::Known(Server::of(version).unwrap_or(Server::MySql { version: (0, 0, 0) }))
            }
            "mariadb" => Self::Known(Server::MariaDb),
            "postgres" | "aurora-postgresql" => Self::Postgres,
            _ => Self::Other,
        }
    }
}

/// Where clients connect, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name.
    pub host: String,
    /// Port, if RDS says.
    pub port: Option<i32>,
    /// The database's master user, if RDS says.
    pub user: Option<String>,
}

impl Endpoint {
    /// Of a database that nobody has named.
    #[must_use]
    pub fn unnamed(host: &str) -> Self {
        Self { host: host.to_owned(), port: None, user: None }
    }

    fn options(&self) -> String {
        let port = self.port.map_or_else(String::new, |port| format!(" -P {port}"));
        format!("-h {}{port} -u {} -p", self.host, self.user.as_deref().unwrap_or("USER"))
    }

    /// A query whose answer is text without a frame.
    pub(crate) fn ask(&self, client: &str, query: &str) -> String {
        format!("{client} {} -N -e \"{query}\"", self.options())
    }
}

/// The commands that prove that the successor has all that DR's database has, one a line, to be pasted as they are. A variable that got no
/// answer ends them: an empty position is one that every server has come to.
#[must_use]
pub fn proof_commands(engine: Engine, dr: &Endpoint, successor: &Endpoint) -> Vec<String> {
    match engine {
        Engine::Known(server @ Server::MySql { .. }) => {
            let gtids = dr.ask("mysql", "SELECT REPLACE(@@global.gtid_executed, '\\n', '')");
            let wait = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('${{GTIDS:?}}', {PATIENCE_SECONDS})");
            let first = [
                format!(
                    "# with GTIDs ({} says ON): 0 is proof, 1 is not",
                    dr.ask("mysql", "SELECT @@global.gtid_mode")
                ),
                format!("GTIDS=$({gtids})"),
                successor.ask("mysql", &wait),
                "# without: 0 or more is proof, -1 and NULL are not".to_owned(),
            ];
            [&first[..], &by_log("mysql", server, dr, successor)].concat()
        }
        Engine::Known(server @ Server::MariaDb) => {
            let wait = format!("SELECT MASTER_GTID_WAIT('${{GTIDS:?}}', {PATIENCE_SECONDS})");
            let first = [
                "# 0 is proof, -1 is not".to_owned(),
                format!("GTIDS=$({})", dr.ask("mariadb", "SELECT @@gtid_binlog_pos")),
                successor.ask("mariadb", &wait),
                "# if GTIDS is empty: 0 or more is proof, -1 and NULL are not".to_owned(),
            ];
            [&first[..], &by_log("mariadb", server, dr, successor)].concat()
        }
        Engine::Postgres => {
            let ask = |of: &Endpoint, query: &str| {
                let (port, user) = (of.port.unwrap_or(5432), of.user.as_deref().unwrap_or("USER"));
                format!("psql -h {} -p {port} -U {user} -d postgres -A -t -c \"{query}\"", of.host)
            };
            vec![
                "# t is proof".to_owned(),
                format!("LSN=$({})", ask(dr, "SELECT pg_current_wal_lsn()")),
                ask(successor, "SELECT pg_last_wal_replay_lsn() >= '${LSN:?}'::pg_lsn"),
            ]
        }
        Engine::Other => vec![format!(
            "# Holdfast has no commands for this engine: ask {} for its position, and {} whether it has come to it",
            dr.host, successor.host
        )],
    }
}

fn by_log(client: &str, server: Server, dr: &Endpoint, successor: &Endpoint) -> [String; 2] {
    let wait = format!("SELECT {}('${{1:?}}', ${{2:?}}, {PATIENCE_SECONDS})", server.wait_for_log());
    [format!("set -- $({})", dr.ask(client, server.log_status())), successor.ask(client, &wait)]
}

/// The commands that list what only the old primary has, the exact ones first, one a line, to be pasted as they are. `complete_until` is up
/// to when the promoted database probably had everything.
#[must_use]
pub fn old_only_commands(
    engine: Engine,
    promoted: &Endpoint,
    old: &Endpoint,
    complete_until: Option<Timestamp>,
) -> Vec<String> {
    let server = match engine {
        Engine::Known(server) => server,
        Engine::Postgres | Engine::Other => return vec![
            "# no binary log that mysqlbinlog reads: compare the tables themselves, or let logical decoding tell, if it was on"
                .to_owned(),
        ],
    };
    let (client, reader) = match server {
        Server::MySql { .. } => ("mysql", "mysqlbinlog"),
        Server::MariaDb => ("mariadb", "mariadb-binlog"),
    };
    // The reader takes times as those of its own zone, and finds nothing, with exit code 0, if that is another.
    let read = |from: &str| {
        format!(
            "TZ=UTC {reader} --read-from-remote-server {} --base64-output=decode-rows --verbose {from} --to-last-log \"${{FIRST_LOG:?}}\"",
            old.options()
        )
    };
    let since =
        complete_until.map_or("YYYY-MM-DD HH:MM:SS".to_owned(), |at| (at - EARLIER).strftime("%F %T").to_string());
    let mut lines = vec![
        "# nothing says which of its logs has what, so it is read from the oldest on".to_owned(),
        format!("FIRST_LOG=$({} | head -n 1 | cut -f 1)", old.ask(client, "SHOW BINARY LOGS")),
        "# by GTID: exact, and independent of clocks".to_owned(),
    ];
    match server {
        Server::MySql { .. } => lines.extend([
            format!("GTIDS=$({})", promoted.ask(client, "SELECT REPLACE(@@global.gtid_executed, '\\n', '')")),
            old.ask(client, "SELECT GTID_SUBTRACT(@@global.gtid_executed, '${GTIDS:?}')"),
            read("--exclude-gtids=\"${GTIDS:?}\""),
        ]),
        Server::MariaDb => lines.extend([
            format!("GTIDS=$({})", promoted.ask(client, "SELECT @@gtid_slave_pos")),
            read("--start-position=\"${GTIDS:?}\""),
        ]),
    }
    lines.extend([
        "# by time, in UTC, where there are no GTIDs".to_owned(),
        read(&format!("--start-datetime='{since}'")),
    ]);
    if matches!(server, Server::MySql { .. }) {
        lines.push(
            "# the client must be Oracle's, of the server's version: MariaDB's mysqlbinlog cannot read MySQL 8 or Aurora".to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: Some(3307), user: Some("admin".to_owned()) }
    }

    const OLD_MYSQL: Engine = Engine::Known(Server::MySql { version: (8, 0, 36) });
    const NEW_MYSQL: Engine = Engine::Known(Server::MySql { version: (8, 4, 3) });

    #[test]
    fn an_engine_is_told_by_rds_name_and_version() {
        let mysql = |version| Engine::Known(Server::MySql { version });
        for (engine, version, is) in [
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2", mysql((8, 0, 0))),
            ("aurora-mysql", "", mysql((0, 0, 0))),
            ("mysql", "8.0.36", OLD_MYSQL),
            ("mysql", "8.4.3", NEW_MYSQL),
            ("mariadb", "10.11.6", Engine::Known(Server::MariaDb)),
            ("postgres", "16.4", Engine::Postgres),
            ("oracle-ee", "19.0.0.0", Engine::Other),
        ] {
            assert_eq!(Engine::of(engine, version), is, "{engine} {version}");
        }
    }

    #[test]
    fn a_successor_is_proved_complete_by_commands_that_can_be_pasted_as_they_are() {
        assert_eq!(
            proof_commands(OLD_MYSQL, &endpoint("dr.rds"), &endpoint("new.rds")),
            [
                r#"# with GTIDs (mysql -h dr.rds -P 3307 -u admin -p -N -e "SELECT @@global.gtid_mode" says ON): 0 is proof, 1 is not"#,
                r#"GTIDS=$(mysql -h dr.rds -P 3307 -u admin -p -N -e "SELECT REPLACE(@@global.gtid_executed, '\n', '')")"#,
                r#"mysql -h new.rds -P 3307 -u admin -p -N -e "SELECT WAIT_FOR_EXECUTED_GTID_SET('${GTIDS:?}', 60)""#,
                "# without: 0 or more is proof, -1 and NULL are not",
                r#"set -- $(mysql -h dr.rds -P 3307 -u admin -p -N -e "SHOW MASTER STATUS")"#,
                r#"mysql -h new.rds -P 3307 -u admin -p -N -e "SELECT MASTER_POS_WAIT('${1:?}', ${2:?}, 60)""#,
            ]
        );
        let new = proof_commands(NEW_MYSQL, &endpoint("dr.rds"), &endpoint("new.rds")).join("\n");
        assert!(new.contains("SHOW BINARY LOG STATUS") && new.contains("SOURCE_POS_WAIT"), "{new}");
        assert!(!new.contains("MASTER"), "{new}");
        let postgres = proof_commands(Engine::Postgres, &endpoint("dr.rds"), &Endpoint::unnamed("new.rds")).join("\n");
        assert!(postgres.contains("-p 3307 -U admin") && postgres.contains("-p 5432 -U USER"), "{postgres}");
        assert!(postgres.contains("pg_last_wal_replay_lsn() >= '${LSN:?}'::pg_lsn"), "{postgres}");
        let other = proof_commands(Engine::Other, &endpoint("dr.rds"), &endpoint("new.rds"));
        assert!(other[0].contains("dr.rds") && other[0].contains("new.rds"), "{other:?}");
    }

    #[test]
    fn what_only_the_old_primary_has_is_listed_by_gtid_first_and_by_time_in_utc_through_to_the_last_log() {
        let until = Some("2026-01-05T09:32:00Z".parse().unwrap());
        let listed = old_only_commands(OLD_MYSQL, &endpoint("dr.rds"), &Endpoint::unnamed("OLD"), until);
        assert_eq!(
            listed[1..],
            [
                r#"FIRST_LOG=$(mysql -h OLD -u USER -p -N -e "SHOW BINARY LOGS" | head -n 1 | cut -f 1)"#,
                "# by GTID: exact, and independent of clocks",
                r#"GTIDS=$(mysql -h dr.rds -P 3307 -u admin -p -N -e "SELECT REPLACE(@@global.gtid_executed, '\n', '')")"#,
                r#"mysql -h OLD -u USER -p -N -e "SELECT GTID_SUBTRACT(@@global.gtid_executed, '${GTIDS:?}')""#,
                r#"TZ=UTC mysqlbinlog --read-from-remote-server -h OLD -u USER -p --base64-output=decode-rows --verbose --exclude-gtids="${GTIDS:?}" --to-last-log "${FIRST_LOG:?}""#,
                "# by time, in UTC, where there are no GTIDs",
                r#"TZ=UTC mysqlbinlog --read-from-remote-server -h OLD -u USER -p --base64-output=decode-rows --verbose --start-datetime='2026-01-05 09:27:00' --to-last-log "${FIRST_LOG:?}""#,
                "# the client must be Oracle's, of the server's version: MariaDB's mysqlbinlog cannot read MySQL 8 or Aurora",
            ]
        );
        let unknown = old_only_commands(NEW_MYSQL, &endpoint("dr.rds"), &endpoint("old.rds"), None).join("\n");
        assert!(unknown.contains("--start-datetime='YYYY-MM-DD HH:MM:SS'"), "{unknown}");
        assert!(
            old_only_commands(Engine::Postgres, &endpoint("a"), &endpoint("b"), until)
                .concat()
                .contains("no binary log")
        );
    }
}
