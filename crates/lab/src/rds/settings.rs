//! How a database is set up: what a describe tells, and what becomes of it in a replica.

use crate::wire::Refusal;
use crate::wire::query::Form;

/// What people choose for a database. Defaults are those of botocore's documentation of `CreateDBCluster`,
/// `CreateDBInstance` and `CreateDBInstanceReadReplica`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub engine: String,
    pub engine_version: String,
    pub port: u16,
    pub iam_authentication: bool,
    pub deletion_protection: bool,
    pub multi_az: bool,
    pub backup_retention_days: u32,
    pub parameter_group: String,
    pub option_group: String,
    pub subnet_group: String,
    /// Its storage is encrypted with it.
    pub kms_key: Option<String>,
    /// Of Aurora Serverless v2, in capacity units.
    pub scaling: Option<Scaling>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaling {
    pub min: f64,
    pub max: f64,
}

impl Settings {
    /// What a database of an engine is like if nobody says anything.
    pub fn default_of(engine: &str) -> Self {
        let (version, family) = match engine {
            "aurora-mysql" => ("8.0.mysql_aurora.3.08.2", "aurora-mysql8.0"),
            "aurora-postgresql" => ("16.8", "aurora-postgresql16"),
            "postgres" => ("16.8", "postgres16"),
            "mariadb" => ("11.4.5", "mariadb11.4"),
            _ => ("8.0.42", "mysql8.0"),
        };
        Self {
            engine: engine.to_owned(),
            engine_version: version.to_owned(),
            // "RDS for MariaDB, RDS for MySQL, Aurora MySQL: 3306 … PostgreSQL: 5432".
            port: if is_postgres(engine) { 5432 } else { 3306 },
            iam_authentication: false,
            deletion_protection: false,
            multi_az: false,
            backup_retention_days: 1,
            parameter_group: format!("default.{family}"),
            option_group: format!("default:{}", family.replace('.', "-")),
            subnet_group: "default".to_owned(),
            kms_key: None,
            scaling: None,
        }
    }

    /// What a read replica of an instance takes over. "All read replica DB instances are created with backups disabled. All
    /// other DB instance attributes … are inherited from the source DB instance, except as specified": Multi-AZ, IAM
    /// authentication and deletion protection are not, nor is the parameter group in another region.
    pub fn of_replica(source: &Self, is_same_region: bool) -> Self {
        let inherited = Self {
            iam_authentication: false,
            deletion_protection: false,
            multi_az: false,
            backup_retention_days: 0,
            ..source.clone()
        };
        match is_same_region {
            true => inherited,
            false => {
                let Self { parameter_group, subnet_group, .. } = Self::default_of(&source.engine);
                Self { parameter_group, subnet_group, kms_key: None, ..inherited }
            }
        }
    }

    /// Takes the parameters that choose them; the others stay.
    pub fn take(&mut self, form: &mut Form, parameter_group: &str) -> Result<(), Refusal> {
        let text = |form: &mut Form, name: &str, into: &mut String| {
            if let Some(given) = form.take(name) {
                *into = given;
            }
        };
        let flag = |form: &mut Form, name: &str, into: &mut bool| {
            if let Some(given) = form.take(name) {
                *into = given == "true";
            }
        };
        text(form, "EngineVersion", &mut self.engine_version);
        text(form, parameter_group, &mut self.parameter_group);
        text(form, "OptionGroupName", &mut self.option_group);
        text(form, "DBSubnetGroupName", &mut self.subnet_group);
        flag(form, "EnableIAMDatabaseAuthentication", &mut self.iam_authentication);
        flag(form, "DeletionProtection", &mut self.deletion_protection);
        flag(form, "MultiAZ", &mut self.multi_az);
        self.port = number(form, "Port")?.unwrap_or(self.port);
        self.backup_retention_days = number(form, "BackupRetentionPeriod")?.unwrap_or(self.backup_retention_days);
        let is_encrypted = form.take("StorageEncrypted").is_some_and(|given| given == "true");
        // "If you don't specify a KMS key … Amazon RDS uses your default KMS key."
        let key = form.take("KmsKeyId").or_else(|| is_encrypted.then(|| "alias/aws/rds".to_owned()));
        self.kms_key = key.or_else(|| self.kms_key.take());
        let scaling = |form: &mut Form, end: &str| number(form, &format!("ServerlessV2ScalingConfiguration.{end}"));
        if let (Some(min), Some(max)) = (scaling(form, "MinCapacity")?, scaling(form, "MaxCapacity")?) {
            self.scaling = Some(Scaling { min, max });
        }
        Ok(())
    }
}

/// PostgreSQL, in an instance or in Aurora.
pub(super) fn is_postgres(engine: &str) -> bool {
    engine.contains("postgres")
}

fn number<T: std::str::FromStr>(form: &mut Form, name: &str) -> Result<Option<T>, Refusal> {
    let invalid = |_| Refusal::bad_request("InvalidParameterValue", format!("Invalid value for {name}: not a number"));
    form.take(name).map(|given| given.parse().map_err(invalid)).transpose()
}
