//! What is in real servers.

use std::collections::BTreeSet;

use lab::servers::Brand;
use lab::{Lab, rds};

use super::Evidence;
use crate::databases::{Database, Kind};
use crate::stage::{DR, PRIMARY, Workload};

/// What is in the two servers that users wrote to, counted row by row.
#[derive(Debug)]
pub struct Rows {
    /// In the old primary, in the order of its numbers.
    pub old: Vec<String>,
    /// In DR.
    pub new: Vec<String>,
    /// In any server at all, those that were renamed among them.
    pub anywhere: BTreeSet<String>,
    /// The lag that RDS told of DR's, by time.
    pub lags: Vec<(jiff::Timestamp, f64)>,
    /// The same of the primary's, once it is a replica of DR's.
    pub lags_home: Vec<(jiff::Timestamp, f64)>,
    /// What a server did not do though it was told to.
    pub trouble: Option<String>,
    /// Whose the servers are.
    pub brand: Option<Brand>,
}

impl Rows {
    /// What there is in real servers is what there is.
    pub fn become_evidence(self, evidence: &mut Evidence) {
        evidence.in_dr = self.new.iter().cloned().collect();
        evidence.in_primary = self.old.iter().cloned().collect();
        evidence.rows = Some(self);
    }

    /// Asks both servers.
    ///
    /// # Errors
    /// If one does not answer.
    pub async fn count(lab: &Lab, workload: &Workload) -> Result<Self, String> {
        let settled = rds::settle(lab).await;
        let Database { id, source, kind } = &workload.databases[0];
        let of = async |region: &str, id: &str| {
            rds::rows_of(lab, region, id, workload.table).await.map_err(|error| error.to_string())
        };
        let told = |region: &str, id: &str| match kind {
            Kind::Cluster | Kind::Global(_) => {
                let dimensions = [("DBClusterIdentifier", id), ("Role", "WRITER")];
                lab.cloudwatch.maxima(region, "AWS/RDS", "AuroraBinlogReplicaLag", &dimensions)
            }
            Kind::Instance => lab.cloudwatch.maxima(region, "AWS/RDS", "ReplicaLag", &[("DBInstanceIdentifier", id)]),
        };
        let (lags, lags_home) = (told(DR, id), told(PRIMARY, source));
        let mut anywhere = BTreeSet::new();
        for (region, id) in rds::on_servers(lab) {
            anywhere.extend(of(&region, &id).await?);
        }
        Ok(Self {
            old: of(PRIMARY, source).await?,
            new: of(DR, id).await?,
            anywhere,
            lags,
            lags_home,
            trouble: settled.err(),
            brand: rds::brand(lab),
        })
    }
}
