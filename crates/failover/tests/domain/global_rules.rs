//! A cluster of an Aurora global database: when it may be failed over to, by what call, and when it is known to be the primary.

use crate::common::{self, *};
use failover::failback::{Readiness, Successor, leaves_replicas};
use failover::fence::{self, OldWriter};
use failover::incident::Approval;
use failover::observation::Attention;
use failover::outcome::Finding;
use failover::plan::{Plan, ReplicaId};
use failover::position::{OldOnly, Proof};
use failover::promotion::{
    Database, Failover, GlobalOperation, Instances, LagSample, PromotionCall, ReplicaDecision, ReplicaState,
    ReplicaView, Source, Verdict, decide_gate, decide_replica, left_behind,
};
use failover::register::{Evidence, Pin, Register};
use failover::rule::Rule;

fn world(cluster: &str) -> ReplicaId {
    ReplicaId::GlobalMember { global: "world".to_owned(), cluster: cluster.to_owned() }
}

fn state(source: Source, instances: Instances) -> ReplicaState {
    let ReplicaState::Present(database) = common::database("available", None, instances) else { panic!("it is there") };
    ReplicaState::Present(Database { source, ..database })
}

fn secondary() -> ReplicaState {
    state(place(false, None), Instances::Reader)
}

fn view_of(state: ReplicaState) -> ReplicaView {
    ReplicaView { id: world("app-dr"), state, lags: vec![LagSample { seconds: 1, at: at(-2_400) }] }
}

fn decide(view: &ReplicaView, evidence: Evidence, approval: Option<&Approval>) -> ReplicaDecision {
    let pin = Pin { evidence, ..pin(0, 0) };
    let names = [view_pinned(pin)];
    decide_replica(&plan(), at(220), &Failover::of(&incident(0), Some(at(220)), &names), view, approval)
}

fn view_pinned(pin: Pin) -> failover::observation::NameView {
    common::view("app.example.com", DR, Some(&Register::Pinned { pin, spread: in_sync(100) }))
}

fn seen() -> Evidence {
    Evidence::replica(world("app-dr"))
}

#[test]
fn a_secondary_is_promoted_by_a_failover_of_its_global_database_to_its_own_arn() {
    let decision = decide(&view_of(secondary()), Evidence::default(), None);
    assert_eq!((decision.row.verdict, &decision.to_record), (Verdict::Promote, &seen()));
    let arn = "arn:aws:rds:us-west-2:123456789012:cluster:app-dr".to_owned();
    let (global, cluster) = ("world".to_owned(), "app-dr".to_owned());
    let call = PromotionCall::Global { global, cluster, arn };
    assert_eq!((decision.call.as_ref(), call.replica()), (Some(&call), world("app-dr")));
}

#[test]
fn what_is_not_promoted_has_no_call() {
    let writer = state(place(true, None), Instances::Writer);
    for not_promoted in [writer, state(place(false, switching_over()), Instances::Reader), ReplicaState::Missing] {
        assert_eq!(decide(&view_of(not_promoted), seen(), None).call, None);
    }
    let binlog = common::database("available", Some("app"), Instances::Reader);
    let decision = decide(&view_of(binlog), seen(), None);
    assert_eq!(
        (decision.row.id.rule, decision.call),
        (Rule::R06, None),
        "a replica of another kind than the plan says"
    );
}

#[test]
fn a_failover_that_was_asked_for_is_not_asked_for_again() {
    let under_way = state(place(false, Some(GlobalOperation::FailoverHere)), Instances::Reader);
    let decision = decide(&view_of(under_way), seen(), None);
    assert_eq!((decision.row.id, decision.row.verdict), (Rule::R05.row('b'), Verdict::Wait));
}

#[test]
fn the_primary_is_promoted_once_its_writer_works_and_not_before() {
    let rebooting = state(place(true, None), Instances::None);
    assert_eq!(decide(&view_of(rebooting), seen(), None).row.id, Rule::R05.row('b'));
    let writer = state(place(true, None), Instances::Writer);
    assert_eq!(decide(&view_of(writer.clone()), seen(), None).row.verdict, Verdict::Done);
    let ended = state(place(true, Some(GlobalOperation::FailoverHere)), Instances::Writer);
    assert_eq!(decide(&view_of(ended), seen(), None).row.verdict, Verdict::Done, "whatever AWS goes on doing");
    assert_eq!(decide(&view_of(writer), Evidence::default(), None).row.id, Rule::R09.row('b'), "nobody saw it");
}

#[test]
fn what_was_taken_out_is_a_writer_only_by_a_persons_word_which_is_then_on_record() {
    let detached = view_of(state(Source::NotInGlobal("world".to_owned()), Instances::Writer));
    assert_eq!(decide(&detached, seen(), None).row.id, Rule::R09.row('d'));
    let word =
        Approval { incident: incident(0), by: "kim".to_owned(), reason: String::new(), despite: [Rule::R09].into() };
    let decision = decide(&detached, seen(), Some(&word));
    assert_eq!((decision.row.verdict, decision.to_record), (Verdict::Done, Evidence::accepted(world("app-dr"))));
    assert_eq!(decide(&detached, Evidence::accepted(world("app-dr")), None).row.verdict, Verdict::Done);
}

#[test]
fn a_register_knows_the_cluster_whatever_global_database_it_is_in() {
    let cluster = ReplicaId::AuroraCluster("app-dr".to_owned());
    assert_eq!(seen(), Evidence::replica(cluster));
    let pin = Pin { evidence: seen(), ..pin(0, 0) };
    let text = Register::Pinned { pin, spread: in_sync(100) }.to_string();
    assert!(text.contains("replicas=cluster:app-dr"), "{text}");
}

#[test]
fn lag_that_ends_stays_or_grows_in_an_outage_means_the_same() {
    let loss = |lags: &[(u64, i64)]| {
        let lags = lags.iter().map(|&(seconds, since)| LagSample { seconds, at: at(since) }).collect();
        let decision = decide(&ReplicaView { lags, ..view_of(secondary()) }, seen(), None);
        decision.row.id.rule
    };
    // The outage began at second -2,400 at the earliest; 60 s may be lost.
    assert_eq!(loss(&[(1, -2_401)]), Rule::R08, "it ends");
    assert_eq!(loss(&[(1, -2_401), (61, -2_341), (2_000, -402)]), Rule::R08, "it grows");
    assert_eq!(loss(&[(1, -2_401), (1, -2_341)]), Rule::R08, "it stays");
    assert_eq!(loss(&[(61, -2_401), (121, -2_341)]), Rule::R07, "too far behind");
    assert_eq!(loss(&[(1, -2_500)]), Rule::R07, "silent for too long before");
    assert_eq!(loss(&[]), Rule::R07, "nobody knows");
}

#[test]
fn a_secondary_again_after_the_failover_is_told_and_a_switchover_under_way_wakes_nobody() {
    let names = [common::view("app.example.com", DR, Some(&failed_over(0)))];
    let gate = decide_gate(&plan(), at(900), &names, &std::collections::BTreeMap::new());
    let told = |operation| -> Finding {
        left_behind(&gate, &[view_of(state(place(false, operation), Instances::Reader))]).pop().unwrap()
    };
    assert_eq!(told(None).attention, Attention::Page);
    assert!(told(None).next.contains("holdfast failback switch"));
    assert_eq!(told(switching_over()).attention, Attention::Notice);
    assert!(left_behind(&gate, &[view_of(state(place(true, None), Instances::Writer))]).is_empty());
}

fn home(state: ReplicaState) -> Successor {
    let lags = vec![LagSample { seconds: 1, at: at(7_000) }];
    let (of, named, created) = (world("app-dr"), Some("app".to_owned()), Some(at(-9_000)));
    Successor { of, named, state, created, lags, proof: Proof::NotAsked, old_only: OldOnly::NotAsked }
}

#[test]
fn the_old_primary_takes_over_once_it_is_a_secondary_though_it_is_older_than_the_failover() {
    for (state, readiness) in [
        (secondary(), Readiness::CaughtUp),
        (state(place(false, None), Instances::None), Readiness::CatchingUp),
        (state(place(false, switching_over()), Instances::Reader), Readiness::CatchingUp),
        (state(place(true, None), Instances::Writer), Readiness::Writer),
        (state(place(true, switching_over()), Instances::Writer), Readiness::CatchingUp),
        (state(Source::NotInGlobal("world".to_owned()), Instances::Writer), Readiness::NotRebuilt),
        (state(Source::NoneNamed, Instances::Writer), Readiness::NotRebuilt),
        (ReplicaState::Missing, Readiness::NotRebuilt),
    ] {
        let home = home(state);
        assert_eq!(home.readiness(at(30), None), readiness, "{home:?}");
        assert_eq!(home.has_caught_up(), readiness >= Readiness::CaughtUp);
    }
    let silent = Successor { lags: Vec::new(), ..home(secondary()) };
    assert_eq!(silent.readiness(at(30), None), Readiness::CatchingUp, "a member, as it was before it was added back");
}

#[test]
fn after_a_failback_dr_replicates_again_only_where_every_database_is_a_global_one() {
    let with = |replicas| Plan { replicas, ..plan() };
    assert!(leaves_replicas(&with(vec![world("app-dr")])) && leaves_replicas(&with(Vec::new())));
    assert!(!leaves_replicas(&with(vec![world("app-dr"), ReplicaId::RdsInstance("orders-dr".to_owned())])));
}

#[test]
fn a_fence_leaves_a_cluster_of_a_global_database_to_aurora() {
    let committed = fence::Committed { incident: incident(0), pinned_at: at(30) };
    let fence = failover::plan::Fence {
        region: "us-east-1".to_owned(),
        security_group: "sg-1".to_owned(),
        databases: vec![ReplicaId::AuroraCluster("app".to_owned())],
    };
    let writer = OldWriter::InGlobal("world".to_owned());
    let decision = fence::decide(&fence, Some(&committed), &fence.databases[0], &writer);
    assert_eq!((decision.row.id, decision.row.verdict), (Rule::X03.row('c'), fence::Verdict::Leave));
}
