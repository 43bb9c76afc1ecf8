//! A global database comes home by a switchover: Aurora has made its old primary a secondary again, and loses nothing.

use aws::rds;
use failover::plan::{ReplicaId, arn_region};

use crate::cli::Named;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// The cluster that takes over from DR's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    /// Its region.
    pub region: String,
    /// What it is called.
    pub id: ReplicaId,
    arn: String,
}

/// The cluster that was named; else the only one in another region. None while Aurora has not added it again.
pub(super) async fn home(workload: &Workload, global: &str, named: Option<&Named>) -> Result<Option<Home>, Failure> {
    let members = workload.databases.global_members(global).await?;
    let dr = workload.session.region();
    let homes: Vec<_> = members.iter().filter_map(|arn| of_arn(global, arn)).filter(|home| home.region != dr).collect();
    let is_named = |home: &&Home| named.is_none_or(|named| named.region == home.region && named.id == home.id.name());
    let mut meant = homes.iter().filter(is_named);
    match (meant.next(), meant.next()) {
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "global database {global} has several clusters outside DR's region: name the one that takes over, --successor DR=REGION/ID"
        ))),
        (one, _) => Ok(one.cloned()),
    }
}

fn of_arn(global: &str, arn: &str) -> Option<Home> {
    let cluster = arn.rsplit(':').next()?.to_owned();
    let id = ReplicaId::GlobalMember { global: global.to_owned(), cluster };
    Some(Home { region: arn_region(arn)?.to_owned(), id, arn: arn.to_owned() })
}

/// Asks a person.
pub(super) fn ask(terminal: &Terminal, home: &Home) -> Result<(), Failure> {
    let ReplicaId::GlobalMember { global, cluster } = &home.id else { return Ok(()) };
    let region = &home.region;
    let question = format!(
        "Switch global database {global} over to {cluster} in {region}? DR's cluster takes no writes from then on."
    );
    terminal.confirm_by_name(&question, cluster)
}

/// Asks for the switchover, in DR's region: the primary is there. Nothing is asked twice: RDS refuses it while one is under way, and of
/// what is the primary already.
pub(super) async fn switch_over(workload: &Workload, home: &Home) -> Result<(), Failure> {
    let ReplicaId::GlobalMember { global, .. } = &home.id else { return Ok(()) };
    Ok(rds::Writer::new(&workload.session).switch_over_global(global, &home.arn).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_its_arn() {
        let home = of_arn("world", "arn:aws:rds:eu-west-1:123456789012:cluster:app").unwrap();
        assert_eq!((home.region.as_str(), home.id.name()), ("eu-west-1", "app"));
        assert_eq!(of_arn("world", "app"), None);
    }
}
