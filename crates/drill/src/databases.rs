//! The databases of a drill: the replicas in DR, and what stands behind RDS.

use std::fmt;
use std::sync::Arc;

use lab::servers::{self, Brand};
use lab::{Lab, rds};

/// A replica in DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// What it is called.
    pub id: String,
    /// The primary's database that it replicates.
    pub source: String,
    /// What it is.
    pub kind: Kind,
}

/// What a replica is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An RDS instance.
    Instance,
    /// An Aurora cluster that replicates by binlog.
    Cluster,
    /// The secondary Aurora cluster of this global database.
    Global(String),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance => f.write_str("RDS instance"),
            Self::Cluster => f.write_str("Aurora cluster"),
            Self::Global(global) => write!(f, "cluster of global database {global}"),
        }
    }
}

/// What stands behind each of the lab's databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Databases {
    /// Nothing: a list of writes, and replication by rule.
    #[default]
    Simulated,
    /// A `mariadbd` each (docs/databases.md).
    Mariadb,
    /// A `mysqld` of MySQL's own each (docs/databases.md).
    Mysql,
}

impl Databases {
    /// Puts them behind an empty lab.
    ///
    /// # Errors
    /// If they are not installed, or do not start.
    pub async fn stand_behind(self, lab: &Arc<Lab>) -> Result<(), servers::Error> {
        match self {
            Self::Simulated => Ok(()),
            Self::Mariadb => rds::use_servers(lab, Brand::MariaDb).await,
            Self::Mysql => rds::use_servers(lab, Brand::MySql).await,
        }
    }
}
