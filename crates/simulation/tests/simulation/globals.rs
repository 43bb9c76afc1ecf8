//! A cluster of an Aurora global database: failed over once, whatever becomes of the call, and asked again where AWS gave up.

use aws::CallError;
use aws::rds::ReplicaReader;
use failover::plan::ReplicaId;
use failover::promotion::{Instances, ReplicaState, Source};
use futures_util::FutureExt as _;
use simulation::calls::Aws;
use simulation::database::Replica;
use simulation::fault;
use simulation::holdfast::{Function, Holdfast};
use simulation::property::Property;
use simulation::setup::Setup;

use crate::common::{MINUTES, deployed, end, good_end, minutes, outage, states, was_told};

fn on_global() -> Setup {
    Setup { names: 1, clusters: 0, globals: 1, ..Setup::default() }
}

fn promotions(holdfast: &Holdfast) -> Vec<u32> {
    holdfast.world.get().watch.promotions().values().copied().collect()
}

#[test]
fn it_is_failed_over_once_beside_databases_of_the_other_kinds_and_the_incident_ends() {
    let ended = good_end(&Setup { clusters: 1, instances: 1, ..on_global() });
    assert_eq!(ended, good_end(&Setup { clusters: 1, instances: 1, ..on_global() }));
}

#[test]
fn a_failover_that_fails_half_way_is_asked_for_again_and_then_the_incident_ends() {
    let mut holdfast = deployed(&on_global());
    holdfast.world.get().replicas.values_mut().for_each(Replica::fail_next);
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    assert_eq!((states(&holdfast), promotions(&holdfast)), (vec!["failed over"], vec![1]));
    assert_eq!(end(&holdfast), good_end(&on_global()));
    assert!(was_told(&holdfast, &["FAILED OVER"]));
}

/// Takes the cluster for the primary as soon as it is no secondary like any other: while it is still failed over to.
struct SaysPrimaryTooSoon(Aws);

impl ReplicaReader for SaysPrimaryTooSoon {
    async fn state(&self, replica: &ReplicaId) -> Result<ReplicaState, CallError> {
        let mut state = self.0.state(replica).await?;
        if let ReplicaState::Present(database) = &mut state
            && let Source::InGlobal(place) = &mut database.source
            && place.operation.take().is_some()
        {
            place.is_writer = true;
            (database.status, database.instances) = ("available".to_owned(), Instances::Writer);
        }
        Ok(state)
    }
}

#[test]
fn an_incident_that_is_closed_while_the_cluster_is_still_failed_over_to_is_noticed() {
    let mut holdfast = deployed(&on_global());
    outage(&mut holdfast);
    while promotions(&holdfast).is_empty() {
        minutes(&mut holdfast, 1);
    }
    let aws = || Aws::new(holdfast.world.clone(), fault::none(), Function::ReplicaPromoter.into());
    let calls = replica_promoter::handler::Calls {
        records: aws(),
        registers: aws(),
        replicas: SaysPrimaryTooSoon(aws()),
        promoter: aws(),
        lag: aws(),
        beside: aws(),
    };
    let ended = calls.handle(&holdfast.plan, replica_promoter::event::Signal::Hint).now_or_never();
    assert!(ended.is_some_and(|returned| returned.is_ok()));
    let world = holdfast.world.get();
    let broken = &world.watch.broken;
    assert!(broken.iter().any(|breach| breach.property == Property::FalseEnd), "not noticed; seen: {broken:#?}");
}
