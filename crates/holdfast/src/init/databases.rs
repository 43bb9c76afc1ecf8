//! Which databases a failover would promote, and which it would leave where they are.

use aws::survey::Listed;
use failover::plan::{ReplicaId, arn_region};
use failover::promotion::Source;

/// The engines whose databases are worth a word; clusters of Neptune and DocumentDB are in RDS's listings too.
const ENGINES: [&str; 4] = ["aurora", "mysql", "mariadb", "postgres"];

/// The region of the database that one is a replica of; none if it is no replica, or one of its own region's.
#[must_use]
pub fn source_region(listed: &Listed) -> Option<&str> {
    match &listed.source {
        Source::ReplicaOf(source) => arn_region(source).filter(|region| Some(*region) != arn_region(&listed.arn)),
        // Which of several other clusters is the primary, its own region's answer does not say.
        Source::InGlobal(place) if !place.is_writer && place.other_regions.len() == 1 => {
            place.other_regions.first().map(String::as_str)
        }
        Source::NoneNamed | Source::MemberOf(_) | Source::Global(_) | Source::InGlobal(_) | Source::NotInGlobal(_) => {
            None
        }
    }
}

/// The databases to promote: DR's replicas of the primary region's; of any region's while that is not known.
pub fn replicas<'a>(in_dr: &'a [Listed], primary: Option<&str>) -> impl Iterator<Item = &'a Listed> {
    let is_of_primary = move |listed: &&Listed| match (&listed.source, primary) {
        (Source::InGlobal(place), Some(primary)) => {
            !place.is_writer && place.other_regions.iter().any(|region| region == primary)
        }
        _ => source_region(listed).is_some_and(|region| primary.is_none_or(|primary| primary == region)),
    };
    in_dr.iter().filter(is_of_primary)
}

/// Clusters of global databases that are not promoted as they are, as the rules say of them: the primary itself, and those of whose
/// global database nothing more is known.
pub fn global(in_dr: &[Listed]) -> impl Iterator<Item = &Listed> {
    let is_meant = |source: &Source| match source {
        Source::Global(_) => true,
        Source::InGlobal(place) => place.is_writer,
        _ => false,
    };
    in_dr.iter().filter(move |listed| is_meant(&listed.source))
}

/// The primary's writers of which DR has no replica.
#[must_use]
pub fn without_replica<'a>(in_primary: &'a [Listed], in_dr: &[Listed]) -> Vec<&'a Listed> {
    let is_replicated = |one: &Listed| {
        in_dr.iter().any(|listed| matches!(&listed.source, Source::ReplicaOf(source) if *source == one.arn))
    };
    let is_writer =
        |one: &&Listed| one.source == Source::NoneNamed && ENGINES.iter().any(|engine| one.engine.starts_with(engine));
    in_primary.iter().filter(is_writer).filter(|one| !is_replicated(one)).collect()
}

/// The identifiers of clusters, of instances, and of global databases' clusters, each as the template takes a list.
#[must_use]
pub fn lists<'a>(of: impl Iterator<Item = &'a Listed>) -> [String; 3] {
    let (mut clusters, mut instances, mut globals) = (Vec::new(), Vec::new(), Vec::new());
    for listed in of {
        match &listed.id {
            ReplicaId::AuroraCluster(id) => clusters.push(id.clone()),
            ReplicaId::RdsInstance(id) => instances.push(id.clone()),
            ReplicaId::GlobalMember { global, cluster } => globals.push(format!("{global}/{cluster}")),
        }
    }
    [clusters.join(","), instances.join(","), globals.join(",")]
}
