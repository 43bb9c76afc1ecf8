//! What differs between MariaDB and MySQL: the program, how its first files are made, its options and its words for replication.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whose server stands behind a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Replicates by MariaDB's GTIDs.
    MariaDb,
    /// MySQL 8.4 or later, which knows the new words only. Replicates by log and position, since `gtid_mode` is off by default in RDS
    /// and Aurora.
    MySql,
}

/// Statements about replication, and columns of what its status says.
pub(super) struct Words {
    pub start: &'static str,
    pub stop: &'static str,
    pub forget_source: &'static str,
    pub status: &'static str,
    pub seconds_behind: &'static str,
    pub is_applying: &'static str,
    pub applied_position: &'static str,
}

/// Small, since a lab has four and more of them; what a commit writes is safe when the process is killed, not when the machine is.
const OF_BOTH: [&str; 9] = [
    "--no-defaults",
    "--innodb-buffer-pool-size=16M",
    "--innodb-data-file-path=ibdata1:12M:autoextend",
    "--innodb-flush-log-at-trx-commit=2",
    "--key-buffer-size=1M",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--lower-case-table-names=0",
    "--max-allowed-packet=16M",
];

/// Of a server that serves. Who notices silence after a minute of lab time is the link: the server counts real seconds.
const SERVING_OF_BOTH: [&str; 4] = [
    "--log-bin=binlog",
    "--relay-log=relay",
    "--binlog-format=ROW",
    // Nobody writes before the lab says so.
    "--read-only",
];

impl Brand {
    /// Where the server is, if it is installed.
    pub(super) fn program(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Debian's is where only root's PATH leads.
        let mut folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        folders.find_map(|folder| {
            let file = folder.join(self.to_string());
            (file.is_file() && (self == Self::MariaDb || is_mysql(&file))).then_some(file)
        })
    }

    pub(super) fn options(self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = match self {
            Self::MariaDb => {
                &["--innodb-log-file-size=4M", "--innodb-undo-tablespaces=0", "--aria-pagecache-buffer-size=1M"]
            }
            Self::MySql => &[
                "--innodb-redo-log-capacity=32M",
                "--mysqlx=OFF",
                "--secure-file-priv=NULL",
                "--caching-sha2-password-auto-generate-rsa-keys=OFF",
            ],
        };
        OF_BOTH.iter().chain(own).copied()
    }

    pub(super) fn serving_options(self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = match self {
            // A replica can be promoted, and then have replicas that need all it ever had.
            Self::MariaDb => &["--log-slave-updates", "--slave-net-timeout=86400"],
            // How far it has come it tells once a period, 300 ms by default: minutes, where the lab's clock runs.
            Self::MySql => &[
                "--log-replica-updates",
                "--replica-net-timeout=86400",
                "--gtid-mode=OFF",
                "--replica-checkpoint-period=1",
            ],
        };
        SERVING_OF_BOTH.iter().chain(own).copied()
    }

    /// What RDS's master user may besides what both call alike: to see logs, and how replication stands.
    pub(super) fn rights_to_replication(self) -> &'static str {
        match self {
            Self::MariaDb => "BINLOG MONITOR, SLAVE MONITOR",
            Self::MySql => "REPLICATION CLIENT",
        }
    }

    /// Makes a server a replica of all that ever was in its source.
    pub(super) fn follow(self, port: u16) -> String {
        match self {
            Self::MariaDb => format!(
                "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'replica', MASTER_USE_GTID = slave_pos, \
                 MASTER_CONNECT_RETRY = 1"
            ),
            // The source is given up after ten attempts by default, and a drill's outage takes many.
            Self::MySql => format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'replica', SOURCE_SSL = 0, \
                 SOURCE_LOG_FILE = 'binlog.000001', SOURCE_LOG_POS = 4, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400"
            ),
        }
    }

    /// Its words for replication.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::MariaDb => &Words {
                start: "START SLAVE",
                stop: "STOP SLAVE",
                forget_source: "RESET SLAVE ALL",
                status: "SHOW SLAVE STATUS",
                seconds_behind: "Seconds_Behind_Master",
                is_applying: "Slave_SQL_Running",
                applied_position: "Exec_Master_Log_Pos",
            },
            Self::MySql => &Words {
                start: "START REPLICA",
                stop: "STOP REPLICA",
                forget_source: "RESET REPLICA ALL",
                status: "SHOW REPLICA STATUS",
                seconds_behind: "Seconds_Behind_Source",
                is_applying: "Replica_SQL_Running",
                applied_position: "Exec_Source_Log_Pos",
            },
        }
    }
}

/// Its program's name.
impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "mariadbd",
            Self::MySql => "mysqld",
        })
    }
}

/// MariaDB's packages have a `mysqld` too.
fn is_mysql(program: &Path) -> bool {
    let told = Command::new(program).arg("--version").output();
    told.is_ok_and(|told| told.status.success() && !String::from_utf8_lossy(&told.stdout).contains("MariaDB"))
}
