//! Aurora global databases, as RDS tells of them in any region that answers.

use aws_sdk_rds::types::{FailoverState, FailoverStatus, GlobalCluster, GlobalClusterMember};
use failover::plan::arn_region;
use failover::promotion::{GlobalOperation, Membership, Source};

use super::{Reader, Writer, is_absent};
use crate::error::CallError;

impl Reader {
    /// A cluster's place in a global database.
    pub(crate) async fn place(&self, global: &str, arn: &str) -> Result<Source, CallError> {
        let found = self.global(global).await?;
        let place = found.and_then(|found| place(&found, arn));
        Ok(place.map_or_else(|| Source::NotInGlobal(global.to_owned()), Source::InGlobal))
    }

    /// The ARNs of a global database's clusters; none if there is no such global database.
    ///
    /// # Errors
    /// If RDS does not say.
    pub async fn global_members(&self, global: &str) -> Result<Vec<String>, CallError> {
        let found = self.global(global).await?;
        let members = found.iter().flat_map(GlobalCluster::global_cluster_members);
        Ok(members.filter_map(GlobalClusterMember::db_cluster_arn).map(str::to_owned).collect())
    }

    /// The ARN of a global database's primary cluster, if RDS says which that is.
    #[cfg(feature = "standby")]
    pub(crate) async fn global_writer(&self, global: &str) -> Result<Option<String>, CallError> {
        let found = self.global(global).await?;
        let members = found.iter().flat_map(GlobalCluster::global_cluster_members);
        let writer = members.filter(|member| member.is_writer() == Some(true)).find_map(|it| it.db_cluster_arn());
        Ok(writer.map(str::to_owned))
    }

    async fn global(&self, global: &str) -> Result<Option<GlobalCluster>, CallError> {
        match self.client.describe_global_clusters().global_cluster_identifier(global).send().await {
            Ok(answer) => Ok(answer.global_clusters().first().cloned()),
            Err(error) => match CallError::of("DescribeGlobalClusters", error) {
                error if is_absent(&error, "GlobalClusterNotFoundFault") => Ok(None),
                error => Err(error),
            },
        }
    }
}

impl Writer {
    /// "Recover from an unplanned outage …, perform a cross-Region failover": asked for in the region of the cluster that takes over.
    pub(super) async fn fail_over_global(&self, global: &str, arn: &str) -> Result<(), CallError> {
        let call = self.client.failover_global_cluster().global_cluster_identifier(global);
        let call = call.target_db_cluster_identifier(arn).allow_data_loss(true);
        call.send().await.map(drop).map_err(|error| CallError::of("FailoverGlobalCluster", error))
    }

    /// Makes another cluster the primary without loss. "Specify the AWS Region where the primary DB cluster … is running": it is asked for
    /// in that region.
    ///
    /// # Errors
    /// If RDS does not take it.
    pub async fn switch_over_global(&self, global: &str, arn: &str) -> Result<(), CallError> {
        let call = self.client.switchover_global_cluster().global_cluster_identifier(global);
        let sent = call.target_db_cluster_identifier(arn).send().await;
        sent.map(drop).map_err(|error| CallError::of("SwitchoverGlobalCluster", error))
    }
}

fn place(global: &GlobalCluster, arn: &str) -> Option<Membership> {
    let (own, others): (Vec<_>, Vec<_>) =
        global.global_cluster_members().iter().partition(|member| member.db_cluster_arn() == Some(arn));
    let regions = others.iter().filter_map(|member| arn_region(member.db_cluster_arn()?).map(str::to_owned));
    Some(Membership {
        global: global.global_cluster_identifier().unwrap_or_default().to_owned(),
        arn: arn.to_owned(),
        is_writer: own.first()?.is_writer() == Some(true),
        other_regions: regions.collect(),
        operation: global.failover_state().and_then(|state| operation(state, arn)),
    })
}

/// "This data type is empty unless a switchover or failover operation is scheduled or is in progress".
fn operation(state: &FailoverState, arn: &str) -> Option<GlobalOperation> {
    let status = state.status()?;
    let is_begun = matches!(status, FailoverStatus::Pending | FailoverStatus::FailingOver);
    let is_ours = state.to_db_cluster_arn() == Some(arn) && state.is_data_loss_allowed() == Some(true);
    Some(match is_begun && is_ours {
        true => GlobalOperation::FailoverHere,
        false => GlobalOperation::Other(format!("{} to {}", status.as_str(), state.to_db_cluster_arn().unwrap_or("?"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:app";
    const DR: &str = "arn:aws:rds:eu-central-1:123456789012:cluster:app-dr";

    fn member(arn: &str) -> GlobalClusterMember {
        GlobalClusterMember::builder().db_cluster_arn(arn).is_writer(arn == HOME).build()
    }

    fn world(state: Option<FailoverState>) -> GlobalCluster {
        let global = GlobalCluster::builder().global_cluster_identifier("world").set_failover_state(state);
        global.global_cluster_members(member(HOME)).global_cluster_members(member(DR)).build()
    }

    #[test]
    fn a_cluster_is_what_the_list_of_members_says_of_its_own_arn() {
        let found = place(&world(None), DR).unwrap();
        assert_eq!(
            (found.is_writer, found.other_regions, found.operation),
            (false, vec!["eu-west-1".to_owned()], None)
        );
        assert!(place(&world(None), HOME).unwrap().is_writer);
        assert_eq!(place(&world(None), "arn:aws:rds:eu-central-1:123456789012:cluster:other"), None);
    }

    #[test]
    fn only_a_failover_with_loss_to_this_cluster_is_what_holdfast_asks_for() {
        let state = |status: FailoverStatus, to: &str, loss: Option<bool>| {
            let state = FailoverState::builder().status(status).to_db_cluster_arn(to).set_is_data_loss_allowed(loss);
            place(&world(Some(state.build())), DR).unwrap().operation
        };
        let here = Some(GlobalOperation::FailoverHere);
        assert_eq!(state(FailoverStatus::Pending, DR, Some(true)), here);
        assert_eq!(state(FailoverStatus::FailingOver, DR, Some(true)), here);
        for other in [
            state(FailoverStatus::from("switching-over"), DR, Some(false)),
            state(FailoverStatus::Pending, DR, None),
            state(FailoverStatus::Cancelling, DR, Some(true)),
            state(FailoverStatus::FailingOver, HOME, Some(true)),
        ] {
            assert!(matches!(other, Some(GlobalOperation::Other(_))), "{other:?}");
        }
        assert_eq!(place(&world(Some(FailoverState::builder().build())), DR).unwrap().operation, None);
    }
}
