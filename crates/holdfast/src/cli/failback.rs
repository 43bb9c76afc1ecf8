//! The grammar of `holdfast failback`.

use std::path::PathBuf;

use aws::rebuild::Placement;
use aws::secret::{NoSecretArn, SecretArn};
use clap::{Args, Subcommand};
use failover::failback::Move;
use failover::incident::Incident;
use failover::plan::ReplicaId;

use crate::examples;

/// How databases themselves are asked: as the user in a secret, or as HOLDFAST_DATABASE_USER with HOLDFAST_DATABASE_PASSWORD. A password in an
/// argument would be seen by every process of this machine.
#[derive(Clone, Debug, Args)]
pub struct Access {
    /// Ask databases as the user in this secret of Secrets Manager, by its ARN: JSON with username and password, as RDS writes it. For one
    /// database alone: its identifier before it, as in app-dr=arn:… Else as HOLDFAST_DATABASE_USER, with HOLDFAST_DATABASE_PASSWORD; else as
    /// the master user, where RDS keeps its password in a secret that you may read.
    #[arg(long, env = "HOLDFAST_DATABASE_SECRET", value_name = "[DATABASE=]ARN", value_delimiter = ',', value_parser = secret)]
    pub database_secret: Vec<DatabaseSecret>,
    /// Ask databases with TLS by these certificates: RDS's global-bundle.pem.
    #[arg(long, env = "HOLDFAST_DATABASE_CA", value_name = "FILE")]
    pub database_ca: Option<PathBuf>,
    /// Ask databases without TLS: whoever is on the way reads what they answer, and can answer in their place.
    #[arg(long, conflicts_with = "database_ca")]
    pub database_without_tls: bool,
}

/// Databases that take over.
#[derive(Clone, Debug, Args)]
pub struct Successors {
    /// For each database in DR the one that takes over, with the region that it is in, the primary's: app-dr=us-east-2/app-2. Not for a global
    /// database's, which Aurora knows.
    #[arg(long = "successor", value_name = "DR=REGION/ID", value_parser = successor)]
    pub successors: Vec<Named>,
    /// You confirm that nothing writes to the databases in DR any more.
    #[arg(long)]
    pub writes_stopped: bool,
    /// You confirm that what only the old primary holds (failback compare) has been dealt with.
    #[arg(long)]
    pub loss_acknowledged: bool,
    /// You confirm that since writes stopped each successor's position was held against DR's, by the commands that `failback check` prints.
    /// With database credentials Holdfast does that itself.
    #[arg(long)]
    pub position_verified: bool,
    #[command(flatten)]
    pub access: Access,
}

impl Successors {
    /// The database that was named for one of DR's.
    pub fn of(&self, database: &ReplicaId) -> Option<&Named> {
        self.successors.iter().find(|one| one.dr == database.name())
    }

    /// Why they are not where users go home to, if so: one stands in the DR region, or two in two regions.
    pub fn misplaced(&self, dr_region: &str) -> Option<String> {
        let first = self.successors.first()?;
        let told = |one: &Named| format!("--successor {}={}/{}", one.dr, one.region, one.id);
        if let Some(one) = self.successors.iter().find(|one| one.region == dr_region) {
            return Some(format!("{}: {dr_region} is the DR region; name a database in the primary's", told(one)));
        }
        let other = self.successors.iter().find(|one| one.region != first.region)?;
        Some(format!(
            "{} and {}: users go home to one region; name databases in the primary's",
            told(first),
            told(other)
        ))
    }
}

/// The way home.
#[derive(Clone, Debug, Args)]
pub struct Homecoming {
    #[command(flatten)]
    pub successors: Successors,
    /// Where the primary site was rebuilt: an address or load balancer that the PRIMARY records had before, and the one they are to
    /// have now.
    #[arg(long = "new-target", value_name = "OLD=NEW", value_parser = moved)]
    pub moves: Vec<Move>,
}

/// Replicas to make, and where.
#[derive(Clone, Debug, Args)]
pub struct Placed {
    #[command(flatten)]
    pub successors: Successors,
    /// Instance class, if not that of the database it replicates.
    #[arg(long)]
    pub instance_class: Option<String>,
    /// DB subnet group of the new databases' region.
    #[arg(long)]
    pub subnet_group: Option<String>,
    /// Security groups there.
    #[arg(long = "security-group", value_name = "SG")]
    pub security_groups: Vec<String>,
    /// Parameter group there (of the cluster, for Aurora), if not the old database's; with binlog_format on, or nothing can
    /// replicate from them later.
    #[arg(long)]
    pub parameter_group: Option<String>,
    /// KMS key there, needed if the storage is encrypted and no old database tells one.
    #[arg(long)]
    pub kms_key: Option<String>,
    /// DB capacity reservation there, where everybody may be failing over into the same region.
    #[arg(long, value_name = "ID")]
    pub capacity_reservation: Option<String>,
}

impl Placed {
    /// The same, as the calls take it.
    pub fn placement(&self) -> Placement {
        Placement {
            class: self.instance_class.clone(),
            subnet_group: self.subnet_group.clone(),
            security_groups: self.security_groups.clone(),
            parameter_group: self.parameter_group.clone(),
            kms_key: self.kms_key.clone(),
            capacity_reservation: self.capacity_reservation.clone(),
        }
    }
}

/// What only the old primary has.
#[derive(Clone, Debug, Args)]
pub struct Compared {
    /// The incident, as the message names it; else the one under way, or the last.
    pub incident: Option<Incident>,
    #[command(flatten)]
    pub successors: Successors,
    /// Write the old primary's transactions there, for each database to read (DATABASE.txt) and to replay (DATABASE.sql). Needs database
    /// credentials, and mariadb-binlog or Oracle's mysqlbinlog.
    #[arg(long, value_name = "FOLDER")]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Failback {
    /// Says what stands in the way, with the remedies; changes nothing. Of databases it needs to be told which one, in which region, takes over
    /// from each (--successor).
    #[command(after_help = examples::FAILBACK)]
    Check(Successors),
    /// Makes a replica of each of DR's databases in the primary region; an old one of that name is renamed, never deleted.
    Rebuild(Placed),
    /// Waits until the successors have what DR has, and says how long it will take.
    CatchUp(Successors),
    /// Says since when writes may exist in the old primary alone, and lists them, or says how to.
    Compare(Compared),
    /// Promotes the successors and restores the records. May be interrupted and run again at any point.
    #[command(after_help = examples::SWITCH)]
    Switch(Homecoming),
    /// Makes replicas of the primary's databases in DR, under the plan's names, and arms.
    Protect(Placed),
}

/// A secret with a user for databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSecret {
    /// The one database that it is for, if it is not for all.
    pub database: Option<String>,
    /// Which.
    pub arn: SecretArn,
}

/// A successor as named on the command line.
#[derive(Clone, Debug)]
pub struct Named {
    /// The database in DR.
    pub dr: String,
    /// Region of the one that takes over.
    pub region: String,
    /// Its identifier.
    pub id: String,
}

fn moved(text: &str) -> Result<Move, String> {
    match text.split_once('=') {
        Some((from, to)) if ![from, to].contains(&"") => Ok(Move { from: from.to_owned(), to: to.to_owned() }),
        _ => Err("write it as in old-1.eu-west-1.elb.amazonaws.com=new-2.eu-west-1.elb.amazonaws.com".to_owned()),
    }
}

fn secret(text: &str) -> Result<DatabaseSecret, NoSecretArn> {
    // A secret's name may have the sign too; a database's has none.
    match text.split_once('=').filter(|_| !text.starts_with("arn:")) {
        Some((database, arn)) => Ok(DatabaseSecret { database: Some(database.to_owned()), arn: arn.parse()? }),
        None => Ok(DatabaseSecret { database: None, arn: text.parse()? }),
    }
}

fn successor(text: &str) -> Result<Named, String> {
    let parts = text.split_once('=').and_then(|(dr, named)| Some((dr, named.split_once('/')?)));
    match parts {
        Some((dr, (region, id))) if ![dr, region, id].contains(&"") => {
            Ok(Named { dr: dr.to_owned(), region: region.to_owned(), id: id.to_owned() })
        }
        _ => Err("write it as in app-dr=us-east-2/app-2".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_stand_in_one_region_that_is_not_dr_s() {
        let told = |texts: &[&str]| {
            let successors = texts.iter().map(|text| successor(text).unwrap()).collect();
            let access = Access { database_secret: Vec::new(), database_ca: None, database_without_tls: false };
            let none = Successors {
                successors,
                writes_stopped: false,
                loss_acknowledged: false,
                position_verified: false,
                access,
            };
            none.misplaced("eu-central-1")
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["app-dr=eu-west-1/app-2", "orders-dr=eu-west-1/orders"]), None);
        assert!(
            told(&["app-dr=eu-west-1/app-2", "orders-dr=eu-central-1/orders"]).unwrap().contains("is the DR region")
        );
        assert!(told(&["app-dr=eu-west-1/app-2", "orders-dr=us-west-2/orders"]).unwrap().contains("one region"));
    }

    #[test]
    fn a_secret_is_for_every_database_or_for_the_one_before_it() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a=b-Ab12Cd";
        let parsed = |database: Option<&str>| DatabaseSecret {
            database: database.map(str::to_owned),
            arn: arn.parse().unwrap(),
        };
        assert_eq!(secret(arn).unwrap(), parsed(None));
        assert_eq!(secret(&format!("app-dr={arn}")).unwrap(), parsed(Some("app-dr")));
        assert_eq!(secret("app-dr=shop/database"), Err(NoSecretArn));
    }
}
