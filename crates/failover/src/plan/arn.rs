//! What an ARN says of where its resource is.

use super::ReplicaId;

/// The alarm's name within its ARN, `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`.
#[must_use]
pub fn alarm_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(7, ':');
    let kind = (parts.next()?, parts.nth(1)?, parts.nth(2)?);
    let name = parts.next().filter(|name| !name.is_empty())?;
    matches!(kind, ("arn", "cloudwatch", "alarm")).then_some(name)
}

/// The region within an ARN.
#[must_use]
pub fn arn_region(arn: &str) -> Option<&str> {
    arn.split(':').nth(3)
}

/// The account within an ARN.
#[must_use]
pub fn arn_account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

/// The region and the database within an ARN of RDS, `arn:aws:rds:REGION:ACCOUNT:KIND:NAME`.
#[must_use]
pub fn arn_database(arn: &str) -> Option<(&str, ReplicaId)> {
    let (kind, name) = arn.splitn(6, ':').nth(5)?.split_once(':')?;
    let id = match kind {
        "cluster" => ReplicaId::AuroraCluster(name.to_owned()),
        _ => ReplicaId::RdsInstance(name.to_owned()),
    };
    Some((arn_region(arn)?, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_found_by_its_arn() {
        let (cluster, instance) =
            (ReplicaId::AuroraCluster("app".to_owned()), ReplicaId::RdsInstance("orders".to_owned()));
        assert_eq!(arn_database("arn:aws:rds:eu-west-1:1:cluster:app"), Some(("eu-west-1", cluster)));
        assert_eq!(arn_database("arn:aws:rds:eu-west-1:1:db:orders"), Some(("eu-west-1", instance)));
        assert_eq!(arn_database("orders"), None);
    }
}
