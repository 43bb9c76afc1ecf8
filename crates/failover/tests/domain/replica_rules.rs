//! The rules about one database once the gate is open: state in, verdict out.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{self, *};
use failover::incident::{Approval, Incident};
use failover::observation::Attention;
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::plan::{Heartbeat, Plan, ReplicaId};
use failover::promotion::{
    Database, Failover, Instances, LagSample, REPLICA_TABLE, ReplicaDecision, ReplicaState, ReplicaView, Source,
    Verdict, decide_replica,
};
use failover::register::{Evidence, Pin, Register};
use failover::rule::Rule;

/// What differs from the state in which all goes on, and the row that decides: rule, beginning of condition, verdict.
type Case<State, V> = (&'static str, fn(&mut State), Rule, &'static str, V);

fn present(status: &str, source: Option<&str>, writer_available: bool) -> ReplicaState {
    common::database(status, source, if writer_available { Instances::Writer } else { Instances::None })
}

fn database(differs: impl Fn(&mut Database)) -> ReplicaState {
    let ReplicaState::Present(mut database) = present("available", Some("app"), true) else { panic!("it is there") };
    differs(&mut database);
    ReplicaState::Present(database)
}

/// What one replica is decided from.
struct Replica {
    /// The gate opened at second 220.
    now: i64,
    incident: Incident,
    state: ReplicaState,
    lags: Vec<LagSample>,
    evidence: Evidence,
    approval: Option<Approval>,
}

impl Replica {
    /// An available replica, on record as one, with no lag at the earliest that the outage can have begun.
    fn ready() -> Self {
        let lags = vec![LagSample { seconds: 0, at: at(-2_400) }];
        let (state, evidence) = (present("available", Some("app"), true), Evidence::replica(app_dr()));
        Self { now: 220, incident: incident(0), state, lags, evidence, approval: None }
    }

    fn lag(&mut self, seconds: u64, since: i64) {
        self.lags = vec![LagSample { seconds, at: at(since) }];
    }

    /// A sample a minute: so many seconds at such a second.
    fn minutes(&mut self, samples: impl Iterator<Item = (u64, i64)>) {
        self.lags = samples.map(|(seconds, since)| LagSample { seconds, at: at(since) }).collect();
    }

    fn engine(&mut self, engine: &str) {
        self.state = database(|it| engine.clone_into(&mut it.engine));
    }

    /// An available writer that is not known to have been a replica.
    fn unproved(&mut self) {
        (self.state, self.evidence) = (present("available", None, true), Evidence::default());
    }

    fn decide(&self) -> ReplicaDecision {
        self.decide_by(&plan())
    }

    fn decide_by(&self, plan: &Plan) -> ReplicaDecision {
        let view = ReplicaView { id: app_dr(), state: self.state.clone(), lags: self.lags.clone() };
        let pin = Pin { evidence: self.evidence.clone(), ..pin(0, 0) };
        let names = [
            common::view("api.example.com", DR, Some(&pinned(0, in_sync(100)))),
            common::view("app.example.com", DR, Some(&Register::Pinned { pin, spread: in_sync(100) })),
        ];
        let failover = Failover::of(&self.incident, Some(at(220)), &names);
        decide_replica(plan, at(self.now), &failover, &view, self.approval.as_ref())
    }
}

fn app_dr() -> ReplicaId {
    ReplicaId::AuroraCluster("app-dr".to_owned())
}

#[rustfmt::skip]
const REPLICA_CASES: &[Case<Replica, Verdict>] = &[
    ("a database that is not there is for people", |r| r.state = ReplicaState::Missing, Rule::R03, "RDS knows no", Verdict::Trouble),
    ("an instance of a cluster is the wrong thing to name, whatever it replicates", |r| r.state = database(|it| it.source = Source::MemberOf("app-dr".into())), Rule::R03, "an instance of a cluster", Verdict::Trouble),
    ("a member of a global database that the plan does not name as one is not promoted", |r| r.state = database(|it| it.source = Source::Global("world".into())), Rule::R03, "a cluster of a global database", Verdict::Trouble),
    ("nor one that is in no such global database", |r| r.state = database(|it| (it.source, it.instances) = (Source::NotInGlobal("world".into()), Instances::Reader)), Rule::R03, "not a cluster of the global database", Verdict::Trouble),
    ("people's switchover is waited for", |r| r.state = database(|it| it.source = place(false, switching_over())), Rule::R05, "a switchover or another failover", Verdict::Wait),
    ("also away from a cluster that is the primary already", |r| r.state = database(|it| it.source = place(true, switching_over())), Rule::R05, "a switchover or another failover", Verdict::Wait),
    ("what was taken out of its global database is asked about, whatever was on record of it", |r| r.state = database(|it| it.source = Source::NotInGlobal("world".into())), Rule::R09, "it takes writes, but somebody took it out", Verdict::Ask),
    ("a database that cannot be asked for is not promoted", |r| r.state = ReplicaState::Unanswered("timeout".into()), Rule::R06, "RDS did not answer", Verdict::Trouble),
    ("an available writer that was a replica is done", |r| r.state = present("available", None, true), Rule::R04, "a writer already", Verdict::Done),
    ("whatever its lag was", |r| { r.state = present("available", None, true); r.lags.clear(); }, Rule::R04, "a writer already", Verdict::Done),
    ("though its storage is being optimized for a day", |r| r.state = present("storage-optimization", None, true), Rule::R04, "a writer already", Verdict::Done),
    ("or it is backed up", |r| r.state = present("backing-up", None, true), Rule::R04, "a writer already", Verdict::Done),
    ("a writer that nobody saw as a replica is not", Replica::unproved, Rule::R09, "it takes writes, but nobody saw", Verdict::Ask),
    ("what is on record of another database is no word of this one", |r| { r.unproved(); r.evidence = Evidence::replica(ReplicaId::RdsInstance("app-dr".into())); }, Rule::R09, "it takes writes, but nobody saw", Verdict::Ask),
    ("nor is a writer that was restored under the replica's name after the pin", |r| { r.state = database(|it| (it.source, it.created) = (Source::NoneNamed, Some(at(31)))); }, Rule::R09, "it takes writes, but it was created after", Verdict::Ask),
    ("one made in the second of the pin was there", |r| { r.state = database(|it| (it.source, it.created) = (Source::NoneNamed, Some(at(30)))); }, Rule::R04, "a writer already", Verdict::Done),
    ("and one of which nobody knows when it was made was not", |r| { r.state = database(|it| (it.source, it.created) = (Source::NoneNamed, None)); }, Rule::R09, "it takes writes, but it was created after", Verdict::Ask),
    ("a person may vouch for it", |r| { r.unproved(); r.approval = Some(approval(0, &[Rule::R09])); }, Rule::R04, "a writer already", Verdict::Done),
    ("by its own rule alone", |r| { r.unproved(); r.approval = Some(approval(0, &[Rule::R07])); }, Rule::R09, "it takes writes, but nobody saw", Verdict::Ask),
    ("once and for all", |r| { r.unproved(); r.evidence = Evidence::accepted(app_dr()); }, Rule::R04, "a writer already", Verdict::Done),
    ("though it is younger than the pin", |r| { r.state = database(|it| (it.source, it.created) = (Source::NoneNamed, Some(at(99)))); r.evidence = Evidence::accepted(app_dr()); }, Rule::R04, "a writer already", Verdict::Done),
    ("a promoted database without a writer yet is on its way", |r| r.state = present("available", None, false), Rule::R05, "promoting", Verdict::Wait),
    ("so is one of which only a reader works", |r| r.state = common::database("available", None, Instances::Reader), Rule::R05, "promoting", Verdict::Wait),
    ("a promoting one is on its way", |r| r.state = present("promoting", Some("app"), true), Rule::R05, "promoting", Verdict::Wait),
    ("so is one that reboots", |r| r.state = present("rebooting", None, false), Rule::R05, "promoting", Verdict::Wait),
    ("so is a replica under backup, which RDS refuses to promote", |r| r.state = present("backing-up", Some("app"), true), Rule::R05, "promoting", Verdict::Wait),
    ("and every other that passes by itself", |r| r.state = present("storage-config-upgrade", Some("app"), true), Rule::R05, "promoting", Verdict::Wait),
    ("for half an hour that is usual", |r| { r.state = present("promoting", Some("app"), true); r.now = 2_019; }, Rule::R05, "promoting", Verdict::Wait),
    ("and then it is not", |r| { r.state = present("promoting", Some("app"), true); r.now = 2_020; }, Rule::R05, "still on its way", Verdict::Wait),
    ("however long ago the alarm rang: half an hour is RDS's from when clients had drained", |r| { r.state = present("promoting", Some("app"), true); r.incident.began = at(-90_000); r.now = 2_019; }, Rule::R05, "promoting", Verdict::Wait),
    ("nor that a promoted database has no writer", |r| { r.state = present("available", None, false); r.now = 2_020; }, Rule::R05, "still on its way", Verdict::Wait),
    ("a replica that waited for its approval is promoted however late", |r| r.now = 90_000, Rule::R08, "the replica is ready", Verdict::Promote),
    ("a writer is done however late", |r| { r.state = present("available", None, true); r.now = 90_000; }, Rule::R04, "a writer already", Verdict::Done),
    ("a stopped replica is for people", |r| r.state = present("stopped", Some("app"), false), Rule::R06, "not in a state", Verdict::Trouble),
    ("a promoted database that failed is for people", |r| r.state = present("failed", None, false), Rule::R06, "no replica, and in a status", Verdict::Trouble),
    ("so is one whose storage is full", |r| r.state = present("storage-full", None, false), Rule::R06, "no replica, and in a status", Verdict::Trouble),
    ("a promoted database that was stopped is for people", |r| r.state = present("stopped", None, true), Rule::R06, "no replica, and in a status", Verdict::Trouble),
    ("a replica without an instance is for people", |r| r.state = present("available", Some("app"), false), Rule::R06, "not in a state", Verdict::Trouble),
    ("a replica of which RDS names no writer is promoted all the same", |r| r.state = common::database("available", Some("app"), Instances::Reader), Rule::R08, "the replica is ready", Verdict::Promote),
    ("and one whose storage is being optimized", |r| r.state = present("storage-optimization", Some("app"), true), Rule::R08, "the replica is ready", Verdict::Promote),
    ("so is a promoted database in a status that RDS invents tomorrow", |r| r.state = present("dreaming", None, true), Rule::R06, "in a status that this version", Verdict::Trouble),
    ("a status that RDS invents tomorrow is for people", |r| r.state = present("dreaming", Some("app"), true), Rule::R06, "in a status that this version", Verdict::Trouble),
    ("a lag at the limit is accepted", |r| r.lag(60, -2_400), Rule::R08, "the replica is ready", Verdict::Promote),
    ("a lag above it is not", |r| r.lag(61, -2_400), Rule::R07, "promotion may lose", Verdict::Ask),
    ("nor is an unknown lag", |r| r.lags.clear(), Rule::R07, "promotion may lose", Verdict::Ask),
    ("a sample as old as the limit before the outage is accepted", |r| r.lag(0, -2_460), Rule::R08, "the replica is ready", Verdict::Promote),
    ("an older one is not, since replication had stopped", |r| r.lag(0, -2_461), Rule::R07, "promotion may lose", Verdict::Ask),
    ("lag and age add up", |r| r.lag(31, -2_430), Rule::R07, "promotion may lose", Verdict::Ask),
    ("to the limit", |r| r.lag(30, -2_430), Rule::R08, "the replica is ready", Verdict::Promote),
    ("a sample after the outage began is as good as one at its beginning", |r| r.lag(60, -100), Rule::R08, "the replica is ready", Verdict::Promote),
    ("and no better", |r| r.lag(61, -100), Rule::R07, "promotion may lose", Verdict::Ask),
    ("an absurd lag is a lag", |r| r.lag(u64::MAX, -9_000), Rule::R07, "promotion may lose", Verdict::Ask),
    ("of MySQL the newest sample counts, though a minute before all was well", |r| r.minutes([(0, -660), (300, -600)].into_iter()), Rule::R07, "promotion may lose", Verdict::Ask),
    ("and though it caught up since", |r| r.minutes([(300, -660), (0, -600)].into_iter()), Rule::R08, "the replica is ready", Verdict::Promote),
    ("a declared failover is judged from the moment of its declaration", |r| { r.incident = declared(); r.lag(1, -2_340); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("a sample of that moment will do", |r| { r.incident = declared(); r.lag(60, 0); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("and so will one of a minute before", |r| { r.incident = declared(); r.lag(0, -60); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("PostgreSQL's lag grows by itself from the outage on", |r| { r.engine("postgres"); r.minutes(growing(0, -1_800, 200)); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("Oracle's too", |r| { r.engine("oracle-ee"); r.minutes(growing(0, -1_800, 200)); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("MySQL's does not: it is behind", |r| { r.engine("mysql"); r.minutes(growing(0, -1_800, 200)); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("what PostgreSQL was behind when it began to grow is lost", |r| { r.engine("postgres"); r.minutes(growing(61, -1_800, 200)); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("an idle PostgreSQL source says nothing for five minutes", |r| { r.engine("postgres"); r.minutes(growing(0, -2_760, 200)); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("not for longer", |r| { r.engine("postgres"); r.minutes(growing(0, -2_820, 200)); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("and silence of CloudWatch is no silence of the source", |r| { r.engine("postgres"); r.lag(0, -2_520); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("an idle Oracle source is not told from one that is cut off", |r| { r.engine("oracle-ee"); r.minutes(growing(0, -2_520, 200)); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("R07 is lifted by an approval that names it", |r| { r.lags.clear(); r.approval = Some(approval(0, &[Rule::R07])); }, Rule::R08, "the replica is ready", Verdict::Promote),
    ("but not by one that names another rule", |r| { r.lags.clear(); r.approval = Some(approval(0, &[Rule::P08, Rule::P12])); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("nor by one for another incident", |r| { r.lags.clear(); r.approval = Some(approval(-1, &[Rule::R07])); }, Rule::R07, "promotion may lose", Verdict::Ask),
    ("and no approval promotes what is not a replica", |r| { r.state = present("stopped", Some("app"), true); r.approval = Some(approval(0, &[Rule::R07])); }, Rule::R06, "not in a state", Verdict::Trouble),
    ("a ready replica is promoted", |_| {}, Rule::R08, "the replica is ready", Verdict::Promote),
];

fn declared() -> Incident {
    Incident::declared(at(0))
}

/// A sample a minute from `since` to `until`, whose lag grows by a second a second.
fn growing(lag: u64, since: i64, until: i64) -> impl Iterator<Item = (u64, i64)> {
    (since..until).step_by(60).map(move |second| (lag + second.abs_diff(since), second))
}

fn replica(differs: fn(&mut Replica)) -> Replica {
    let mut replica = Replica::ready();
    differs(&mut replica);
    replica
}

#[test]
fn an_approval_of_loss_waits_for_a_replica_under_backup_and_for_nothing_else() {
    let approved = |state: ReplicaState, despite: &[Rule]| {
        let approval = Some(approval(0, despite));
        Replica { state, approval, ..Replica::ready() }.decide().keeps_an_approval_waiting
    };
    let under_backup = || present("backing-up", Some("app"), true);
    assert!(approved(under_backup(), &[Rule::R07]), "RDS promotes it later, and nobody remembers the approval");
    assert!(!approved(under_backup(), &[Rule::R09]), "nothing of it was approved");
    assert!(!Replica { state: under_backup(), ..Replica::ready() }.decide().keeps_an_approval_waiting);
    for over in [present("promoting", Some("app"), true), present("backing-up", None, true)] {
        assert!(!approved(over.clone(), &[Rule::R07]), "it is promoted already: {over:?}");
    }
}

#[test]
fn each_state_of_a_replica_is_decided_by_its_row() {
    for (story, differs, rule, condition, verdict) in REPLICA_CASES {
        let row = replica(*differs).decide().row;
        assert!(
            (row.id.rule, row.verdict) == (*rule, *verdict) && row.condition.starts_with(condition),
            "{story}: {row:?}"
        );
    }
}

#[test]
fn every_row_about_a_replica_is_reached() {
    let reached: BTreeSet<_> =
        REPLICA_CASES.iter().map(|(_, differs, ..)| replica(*differs).decide().row.condition).collect();
    for row in REPLICA_TABLE {
        assert!(reached.contains(row.condition), "no case reaches {row:?}");
    }
}

#[test]
fn the_loss_that_is_asked_about_is_told_in_seconds() {
    let decision = replica(|r| r.lag(31, -2_430)).decide();
    assert!(
        decision
            .facts
            .iter()
            .any(|fact| fact.seen.contains("61 s of writes") && fact.seen.contains("60 s are allowed"))
    );
    let decision = replica(|r| r.lags.clear()).decide();
    assert!(decision.facts.iter().any(|fact| fact.seen.contains("nobody knows")));
}

#[test]
fn a_database_that_is_on_its_way_for_too_long_pages_from_then_on() {
    let way = |now| Replica { state: present("promoting", Some("app"), true), now, ..Replica::ready() }.decide();
    let (quiet, late) = (way(2_019), way(2_020));
    assert_eq!((quiet.row.attention, quiet.since), (Attention::None, Some(at(220))));
    assert_eq!((late.row.attention, late.since), (Attention::Page, Some(at(2_020))));
}

#[test]
fn an_approval_is_asked_for_where_it_helps() {
    let despite = |differs: fn(&mut Replica)| Finding::from(replica(differs).decide()).despite;
    assert_eq!(despite(|r| r.lags.clear()), [Rule::R07].into());
    assert_eq!(despite(Replica::unproved), [Rule::R09].into());
    assert_eq!(despite(|_| {}), BTreeSet::new());
}

#[test]
fn whoever_is_asked_for_an_approval_is_told_of_every_database_that_it_is_for() {
    let of = |differs: fn(&mut Replica)| Finding::from(replica(differs).decide());
    let findings = [of(|r| r.lag(31, -2_430)), of(|r| r.lag(99, -2_400)), of(Replica::unproved), of(|_| {})];
    let outcome = Outcome::of(at(220), Trigger::Tick, &findings);
    assert_eq!(outcome.despite, [Rule::R07, Rule::R09].into());
    for told in ["61 s of writes or more", "99 s of writes or more", "nothing on record"] {
        assert!(outcome.facts.iter().any(|fact| fact.seen.contains(told)), "{told}: {outcome:?}");
    }
    let uncounted = outcome.facts.iter().filter(|fact| fact.about == "what lag does not count").count();
    assert_eq!(uncounted, 1, "what is so of all is told once");
}

#[test]
fn an_incident_at_the_beginning_of_time_is_no_reason_to_fail() {
    let first = failover::incident::Incident { began: jiff::Timestamp::MIN, ..incident(0) };
    let id = ReplicaId::RdsInstance("app-dr".to_owned());
    let view = ReplicaView { id, state: present("available", Some("app"), true), lags: Vec::new() };
    let failover = Failover::of(&first, None, []);
    assert_eq!(decide_replica(&plan(), at(220), &failover, &view, None).row.verdict, Verdict::Ask);
}

#[test]
fn whatever_a_decision_about_a_replica_saw_is_told() {
    const NO_SAMPLE: &str = "lag of Aurora cluster app-dr: no good sample: nobody knows how much would be lost";
    const APPROVAL: &str = "approval: of started@2026-01-01T12:00:00Z by kim";
    type Told = (fn(&mut Replica), &'static [&'static str]);
    let states: [Told; 5] = [
        (|r| r.state = ReplicaState::Missing, &["not found"]),
        (|r| r.state = ReplicaState::Unanswered("timed out".to_owned()), &["RDS did not answer: timed out"]),
        (
            |r| r.state = present("stopped", Some("app"), true),
            &["stopped, replica of app, created 2025-12-31T12:00:00Z", NO_SAMPLE],
        ),
        (
            |r| r.state = database(|it| (it.source, it.created) = (Source::MemberOf("app-dr".to_owned()), None)),
            &["available, an instance of cluster app-dr", NO_SAMPLE],
        ),
        (|r| r.state = present("stopped", None, true), &["stopped, no replica, created 2025-12-31T12:00:00Z"]),
    ];
    for (differs, seen) in states {
        let mut replica = replica(differs);
        replica.lags.clear();
        replica.approval = Some(approval(0, &[]));
        let state = format!("Aurora cluster app-dr: {}", seen[0]);
        let seen: Vec<_> = std::iter::once(state.as_str()).chain(seen[1..].iter().copied()).chain([APPROVAL]).collect();
        assert_eq!(lines(&replica.decide().facts), seen);
    }
    let lag = "lag of Aurora cluster app-dr: 31 s at 2026-01-01T11:19:30Z, so replication was probably complete until 2026-01-01T11:16:59Z; the outage began between 2026-01-01T11:20:00Z and 2026-01-01T12:00:00Z; 61 s of writes or more may be lost, 60 s are allowed";
    let told = lines(&replica(|r| r.lag(31, -2_430)).decide().facts);
    assert_eq!(told[1], lag);
    assert!(told[2].contains("writes that the primary had not sent"), "{told:?}");
    let told = lines(
        &replica(|r| (r.incident, r.lags) = (declared(), vec![LagSample { seconds: 9, at: at(0) }])).decide().facts,
    );
    assert!(told[1].contains("the failover was declared at 2026-01-01T12:00:00Z; 9 s of writes or more"), "{told:?}");
}

/// Of RDS's own engines a cluster is a Multi-AZ DB cluster, of which nobody documents how far it is behind another region.
#[test]
fn a_multi_az_cluster_is_told_and_promoted_only_by_a_persons_word() {
    let asked = replica(|r| (r.state, r.lags) = (database(|it| it.engine = "mysql".to_owned()), Vec::new())).decide();
    assert_eq!(asked.row.id, Rule::R07.row('a'));
    assert!(lines(&asked.facts)[1].starts_with("a Multi-AZ DB cluster: AWS documents no"), "{:?}", lines(&asked.facts));
    assert!(!lines(&replica(|_| ()).decide().facts).concat().contains("Multi-AZ"));
}

/// The alarm rings at second 0, and the outage began 2,400 s before at the earliest. Nothing arrives from second `cut` on, and the replica
/// had everything until then but what waited in a link `behind` seconds long.
fn beats(cut: i64, behind: i64) -> Vec<LagSample> {
    let sample = |minute: i64| {
        let (now, newest) = (minute * 60, (minute * 60).min(cut) - behind);
        LagSample { seconds: u64::try_from(now - newest).unwrap(), at: at(now) }
    };
    (-60..=3).map(sample).collect()
}

#[test]
fn a_heartbeat_counts_what_waits_in_the_link_and_not_how_long_the_outage_lasts() {
    let heartbeat = Heartbeat { namespace: "Ours".to_owned(), metric: "Age".to_owned(), dimensions: BTreeMap::new() };
    let plan = Plan { heartbeats: [(app_dr(), heartbeat)].into(), ..plan() };
    let decide = |lags: Vec<LagSample>| Replica { lags, ..Replica::ready() }.decide_by(&plan);
    // Cut at the earliest moment at which the outage may have begun.
    for (behind, verdict) in [(2, Verdict::Promote), (60, Verdict::Promote), (61, Verdict::Ask), (600, Verdict::Ask)] {
        assert_eq!(decide(beats(-2_400, behind)).row.verdict, verdict, "{behind} s behind");
    }
    // Nothing has arrived for ten minutes before that.
    assert_eq!(decide(beats(-3_000, 2)).row.verdict, Verdict::Ask);
    let told = lines(&decide(beats(-2_400, 61)).facts);
    assert!(told[1].starts_with("heartbeat of Aurora cluster app-dr: 61 s at"), "{told:?}");
    // Whether it had stopped just before, or the primary with it, nothing tells apart.
    let lost =
        "61 s of writes if the replica ran until the outage, and up to 2461 s if it had stopped before, may be lost";
    assert!(told[1].contains(lost), "{told:?}");
    let declared = |lags| Replica { lags, incident: declared(), ..Replica::ready() }.decide_by(&plan);
    let told = lines(&declared(beats(0, 2)).facts);
    assert!(told[1].contains("at most 2 s of writes may be lost"), "{told:?}");
    assert!(told.iter().all(|line| !line.contains("does not count")), "{told:?}");
    // A replica never goes back: one wrong sample hides nothing.
    let mut wrong = beats(-3_000, 2);
    wrong.iter_mut().filter(|sample| sample.at == at(-120)).for_each(|sample| sample.seconds = 0);
    assert_eq!(decide(wrong).row.verdict, Verdict::Ask);
    // A silent heartbeat is no evidence, whatever RDS may say.
    assert_eq!(decide(Vec::new()).row.verdict, Verdict::Ask);
}

#[test]
fn whoever_is_told_of_promotions_is_told_what_each_of_them_may_lose() {
    let of = |seconds| {
        let mut replica = Replica::ready();
        replica.lag(seconds, -60);
        Finding::from(replica.decide())
    };
    let outcome = Outcome::of(at(220), Trigger::Tick, &[of(1), of(2)]);
    assert_eq!(outcome.outcome, Kind::PromotionRequested);
    for told in [": 1 s at", ": 2 s at"] {
        assert!(outcome.facts.iter().any(|fact| format!("{}: {}", fact.about, fact.seen).contains(told)), "{told}");
    }
}

#[test]
fn of_a_writer_it_is_told_what_is_on_record() {
    let told = |differs: fn(&mut Replica)| lines(&replica(differs).decide().facts);
    let writer = |differs: fn(&mut Replica)| told(differs).last().cloned().unwrap_or_default();
    assert_eq!(
        writer(|r| r.state = present("available", None, true)),
        "Aurora cluster app-dr in this failover: seen as a replica, and promoted since"
    );
    assert_eq!(writer(Replica::unproved), "Aurora cluster app-dr in this failover: nothing on record");
    let accepted = |r: &mut Replica| {
        r.unproved();
        r.evidence = Evidence::accepted(app_dr());
    };
    assert_eq!(writer(accepted), "Aurora cluster app-dr in this failover: a person vouched for it");
}

#[test]
fn what_a_decision_relies_on_is_put_on_record_before_anything_follows() {
    let to_record = |differs: fn(&mut Replica)| replica(differs).decide().to_record;
    assert_eq!(to_record(|r| r.evidence = Evidence::default()), Evidence::replica(app_dr()), "before a promotion");
    assert_eq!(to_record(|_| {}), Evidence::default(), "once");
    let vouched = |r: &mut Replica| {
        r.unproved();
        r.approval = Some(approval(0, &[Rule::R09]));
    };
    assert_eq!(to_record(vouched), Evidence::accepted(app_dr()), "a person's word, which is not given twice");
    let again = |r: &mut Replica| {
        r.unproved();
        r.evidence = Evidence::accepted(app_dr());
        r.approval = Some(approval(0, &[Rule::R09]));
    };
    assert_eq!(to_record(again), Evidence::default());
    assert_eq!(to_record(Replica::unproved), Evidence::default(), "nothing is on record of what was only asked");
}
