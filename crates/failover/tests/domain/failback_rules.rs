//! What stands in the way of a failback, and that the failback is the exact inverse of the pin.

use crate::common::{self, *};
use failover::change::{self, Change};
use failover::failback::{Move, Observation, RULES, Successor, home_since, moved, obstacles, restore};
use failover::incident::AlarmState::{Alarm, Ok as Fine};
use failover::incident::{AlarmSighting, EvaluationTrouble};
use failover::observation::{NameView, Probe, Probes, Silence, Targets};
use failover::pin::Verdict;
use failover::plan::{Plan, ReplicaId};
use failover::position::{OldOnly, Position, Proof, Start};
use failover::promotion::{Instances, LagSample, ReplicaState};
use failover::record::{RecordSet, Role, Routing};
use failover::register::{ArmedBy, Memory, Pin, Register};
use failover::rule::Rule;

const DR_CLUSTER: &str = "arn:aws:rds:us-west-2:123456789012:cluster:app-dr";

fn database(source: Option<&str>, status: &str) -> ReplicaState {
    common::database(status, source, Instances::Writer)
}

/// Samples a minute apart, the last at 7,000 s.
fn lags(seconds: &[u64]) -> Vec<LagSample> {
    let minutes = (0..seconds.len() as i64).rev();
    seconds.iter().zip(minutes).map(|(&seconds, ago)| LagSample { seconds, at: at(7_000 - 60 * ago) }).collect()
}

/// Rebuilt from DR an hour after the failover, and not behind.
fn rebuilt() -> Successor {
    Successor {
        of: ReplicaId::AuroraCluster("app-dr".to_owned()),
        named: Some("app-new".to_owned()),
        state: database(Some(DR_CLUSTER), "available"),
        created: Some(at(3_600)),
        lags: lags(&[0, 0, 0]),
        proof: Proof::NotAsked,
        old_only: OldOnly::NotAsked,
    }
}

/// A day later all is well again, the data is where it should be, and nothing writes to DR.
fn day_after() -> Observation {
    Observation {
        now: at(86_400),
        alarms: Some(vec![alarm(0, Fine, 40_000), alarm(1, Fine, 40_000)]),
        probes: Probes { primary: Probe::Answers, dr: Probe::Answers, targets: Targets::NotAsked },
        names: vec![view("app.example.com", DR, Some(&failed_over(0)))],
        successors: vec![rebuilt()],
        writes_stopped: Some(at(6_880)),
        loss_acknowledged: true,
        position_verified: true,
    }
}

fn log() -> Position {
    Position::Log { file: "binlog.000003".to_owned(), position: 1234 }
}

fn everything() -> Proof {
    Proof::Everything { at: log() }
}

fn behind() -> Proof {
    Proof::Behind { at: log(), missing: Some(7) }
}

fn lost() -> OldOnly {
    OldOnly::Transactions { count: Some(3), start: Start::After(Default::default()) }
}

fn of_engine(seen: &mut Observation, engine: &str, seconds: &[u64]) {
    let ReplicaState::Present(database) = &mut seen.successors[0].state else { panic!("it is there") };
    database.engine = engine.to_owned();
    seen.successors[0].lags = lags(seconds);
}

fn troubled(trouble: EvaluationTrouble) -> AlarmSighting {
    AlarmSighting { trouble: Some(trouble), ..alarm(0, Fine, 0) }
}

type Case = (&'static str, fn(&mut Observation), &'static [Rule]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("nothing stands in the way", |_| {}, &[]),
    ("nothing is pinned", |o| o.names = vec![view("app.example.com", PRIMARY, Some(&armed(0, ArmedBy::Operator)))], &[Rule::F01]),
    ("the records were edited", |o| o.names = vec![view("app.example.com", PRIMARY, Some(&failed_over(0)))], &[Rule::F02]),
    ("one of two registers cannot be read", |o| o.names.push(unreadable("api.example.com", DR)), &[Rule::F02]),
    ("a name beside the workload that was never armed is no matter", |o| o.names.push(view("api.example.com", PRIMARY, None)), &[]),
    ("the failover is still under way", |o| o.names.push(view("api.example.com", DR, Some(&pinned(0, in_sync(40))))), &[Rule::F03]),
    ("the alarm rings", |o| o.alarms = Some(vec![alarm(0, Alarm, 0), alarm(1, Fine, 0)]), &[Rule::F04]),
    ("the alarm said OK before CloudWatch could no longer evaluate it", |o| o.alarms = Some(vec![troubled(EvaluationTrouble::Failure), alarm(1, Fine, 0)]), &[Rule::F04]),
    ("nor can it as the alarm is set up", |o| o.alarms = Some(vec![troubled(EvaluationTrouble::Error), alarm(1, Fine, 0)]), &[Rule::F04]),
    ("it goes by a part of its data", |o| o.alarms = Some(vec![troubled(EvaluationTrouble::PartialData), alarm(1, Fine, 0)]), &[]),
    ("CloudWatch says nothing", |o| o.alarms = None, &[Rule::F04, Rule::F04]),
    ("the primary is silent", |o| o.probes.primary = Probe::Silent(Silence::TimedOut), &[Rule::F05]),
    ("the plan has no probe", |o| o.probes.primary = Probe::NotAsked, &[]),
    ("nobody has named a successor", |o| { o.successors[0].named = None; o.successors[0].state = ReplicaState::Missing; }, &[Rule::F06]),
    ("the successor does not exist", |o| o.successors[0].state = ReplicaState::Missing, &[Rule::F06]),
    ("the old primary is a writer and lacks what DR wrote", |o| { o.successors[0].state = database(None, "available"); o.successors[0].created = Some(at(30)); }, &[Rule::F06]),
    ("it follows another database", |o| o.successors[0].state = database(Some("arn:aws:rds:us-west-2:1:cluster:other"), "available"), &[Rule::F06]),
    ("it is being created", |o| o.successors[0].state = database(Some(DR_CLUSTER), "creating"), &[Rule::F07]),
    ("it takes no writes yet", |o| o.successors[0].state = database(None, "rebooting"), &[Rule::F07]),
    ("it is a second behind", |o| o.successors[0].lags = lags(&[0, 0, 1]), &[Rule::F07]),
    ("a minute ago it was a second behind", |o| o.successors[0].lags = lags(&[0, 1, 0]), &[Rule::F07]),
    ("two samples say that it is not behind", |o| o.successors[0].lags = lags(&[0, 0]), &[Rule::F07]),
    ("its last sample is from before writes stopped", |o| o.writes_stopped = Some(at(7_001)), &[Rule::F07]),
    ("one of three samples is from before writes stopped", |o| o.writes_stopped = Some(at(6_881)), &[Rule::F07]),
    ("nobody knows how far it is behind", |o| o.successors[0].lags.clear(), &[Rule::F07]),
    ("users may still write to DR", |o| o.writes_stopped = None, &[Rule::F08]),
    ("nobody has looked at what only the old primary holds", |o| o.loss_acknowledged = false, &[Rule::F09]),
    ("the lag is 0, and nobody has compared positions", |o| o.position_verified = false, &[Rule::F10]),
    ("a run that was interrupted goes on where the successor takes writes already", |o| o.successors[0].state = database(None, "available"), &[]),
    ("a writer that somebody restored from a snapshot looks the same, so a person vouches for it as for a replica", |o| { o.successors[0].state = database(None, "available"); (o.writes_stopped, o.loss_acknowledged, o.position_verified) = (None, false, false); }, &[Rule::F08, Rule::F09, Rule::F10]),
    ("where there is no database nobody need say anything of writes", |o| { o.successors.clear(); (o.writes_stopped, o.loss_acknowledged, o.position_verified) = (None, false, false); }, &[]),
    ("the lag of an idle PostgreSQL goes up to five minutes", |o| of_engine(o, "postgres", &[120, 180, 240]), &[]),
    ("and not beyond", |o| of_engine(o, "postgres", &[120, 301, 240]), &[Rule::F07]),
    ("that of an idle Oracle grows without end", |o| of_engine(o, "oracle-ee", &[3_600, 3_660, 3_720]), &[]),
    ("that of an idle MySQL is 0", |o| of_engine(o, "mysql", &[1, 1, 1]), &[Rule::F07]),
    ("the databases proved it, so that nobody need vouch for it, and no lag is waited for", |o| { o.successors[0].proof = everything(); o.successors[0].lags.clear(); o.position_verified = false; }, &[]),
    ("it lacks something by position, whatever its lag and a person say", |o| o.successors[0].proof = behind(), &[Rule::F07]),
    ("the same, and nobody vouches for it: it is waited for", |o| { o.successors[0].proof = behind(); o.position_verified = false; }, &[Rule::F07]),
    ("the databases did not say, and nobody vouches for it", |o| { o.successors[0].proof = Proof::NotKnown { why: "NULL".to_owned() }; o.position_verified = false; }, &[Rule::F10]),
    ("the old primary stands under that name, and cannot be compared", |o| { o.successors[0].created = Some(at(30)); o.successors[0].proof = Proof::NotKnown { why: "NULL".to_owned() }; o.position_verified = false; }, &[Rule::F06]),
    ("the databases did not say, and a person vouches for it", |o| o.successors[0].proof = Proof::NotKnown { why: "NULL".to_owned() }, &[]),
    ("the databases did not say: then the lag has to", |o| { o.successors[0].proof = Proof::NotKnown { why: "NULL".to_owned() }; o.successors[0].lags.clear(); }, &[Rule::F07]),
    ("it is being created, and will be asked", |o| { o.successors[0].state = database(Some(DR_CLUSTER), "creating"); o.successors[0].proof = Proof::Later; o.position_verified = false; }, &[Rule::F07]),
    ("nobody asked it though it was there", |o| { o.successors[0].proof = Proof::Later; o.position_verified = false; }, &[Rule::F10]),
    ("a writer that has everything by position", |o| { o.successors[0].state = database(None, "available"); o.successors[0].proof = everything(); o.position_verified = false; }, &[]),
    ("a writer that lacks something by position", |o| { o.successors[0].state = database(None, "available"); o.successors[0].proof = behind(); o.position_verified = false; }, &[Rule::F10]),
    ("the same, and a person has looked at what that is", |o| { o.successors[0].state = database(None, "available"); o.successors[0].proof = behind(); }, &[]),
    ("one is proved and one is not", |o| { let other = Successor { proof: everything(), ..rebuilt() }; o.successors.push(other); o.position_verified = false; }, &[Rule::F10]),
    ("only DR's database has anything, by position", |o| { o.successors[0].old_only = OldOnly::Nothing; o.loss_acknowledged = false; }, &[]),
    ("the old primary has something that nobody has acknowledged", |o| { o.successors[0].old_only = lost(); o.loss_acknowledged = false; }, &[Rule::F09]),
    ("the old primary has something, and a person has dealt with it", |o| o.successors[0].old_only = lost(), &[]),
    ("one old primary has nothing, and the other did not say", |o| { let other = Successor { old_only: OldOnly::Nothing, ..rebuilt() }; o.successors.push(other); o.successors[0].old_only = OldOnly::NotKnown { why: "fenced".to_owned() }; o.loss_acknowledged = false; }, &[Rule::F09]),
    ("everything at once", |o| { o.alarms = Some(vec![alarm(0, Alarm, 0), alarm(1, Fine, 0)]); o.probes.primary = Probe::Silent(Silence::TimedOut); o.successors[0].lags.clear(); o.writes_stopped = None; o.position_verified = false; },
        &[Rule::F04, Rule::F05, Rule::F07, Rule::F08, Rule::F10]),
];

#[test]
fn whatever_stands_in_the_way_is_named_all_of_it_at_once() {
    for (story, differs, rules) in CASES {
        let mut seen = day_after();
        differs(&mut seen);
        let found = obstacles(&plan(), &seen);
        assert_eq!(found.iter().map(|obstacle| obstacle.rule).collect::<Vec<_>>(), *rules, "{story}: {found:?}");
    }
}

#[test]
fn every_failback_rule_is_met_by_some_case() {
    let met: std::collections::BTreeSet<_> = CASES.iter().flat_map(|(_, _, rules)| *rules).collect();
    assert_eq!(met.len(), RULES.len());
}

/// Half of its pair is gone.
fn halved() -> NameView {
    let mut sets = a_pair(&app(), DR);
    sets.pop();
    sets.push(failed_over(0).record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

fn without_instance() -> ReplicaState {
    common::database("available", Some("app-dr"), Instances::None)
}

type Told = (fn(&mut Observation), &'static str);

#[rustfmt::skip]
const WORDS: &[Told] = &[
    (|o| o.names = vec![halved()], "app.example.com A has no Secondary record; create it"),
    (|o| o.names = vec![view("app.example.com", PRIMARY, Some(&failed_over(0)))], "the records of app.example.com are not as Holdfast pinned them"),
    (|o| o.names.push(view("api.example.com", DR, Some(&pinned(0, in_sync(40))))), "the failover of api.example.com is still under way: its databases are not all promoted"),
    (|o| o.alarms = Some(vec![alarm(0, Alarm, 0), alarm(1, Fine, 0)]), "alarm started is Alarm since 2026-01-01T12:00:00Z"),
    (|o| o.alarms = Some(vec![troubled(EvaluationTrouble::Failure), alarm(1, Fine, 0)]), "alarm started is Ok since 2026-01-01T12:00:00Z, though EVALUATION_FAILURE: CloudWatch cannot evaluate it for now"),
    (|o| o.alarms = Some(vec![alarm(0, Fine, 0)]), "nothing is known of alarm arn:aws:cloudwatch:eu-west-1:123456789012:alarm:second"),
    (|o| (o.successors[0].named, o.successors[0].state) = (None, ReplicaState::Missing), "nobody has named the database that takes over from Aurora cluster app-dr, nor its region, which is the primary's: say --successor app-dr=REGION/ID"),
    (|o| o.successors[0].state = ReplicaState::Missing, "app-new, to take over from Aurora cluster app-dr, does not exist"),
    (|o| o.successors[0].state = ReplicaState::Unanswered("timed out".to_owned()), "RDS did not answer about app-new: timed out"),
    (|o| o.successors[0].created = Some(at(30)), "app-new was created 2026-01-01T12:00:30Z, before the failover: it lacks what was written in DR since"),
    (|o| o.successors[0].state = database(Some("other"), "available"), "app-new is no replica of Aurora cluster app-dr"),
    (|o| o.successors[0].state = database(Some(DR_CLUSTER), "creating"), "app-new is creating"),
    (|o| o.successors[0].state = without_instance(), "app-new has no instance available"),
    (|o| o.writes_stopped = Some(at(7_001)), "app-new was not behind at 2026-01-01T13:56:40Z, but Aurora cluster app-dr may have been written to since"),
    (|o| o.writes_stopped = Some(at(6_900)), "app-new was not behind at 2026-01-01T13:56:40Z: 2 of 3 samples in a row say so"),
    (|o| o.position_verified = false, "a lag of 0 is not everything: behind a slow link a replica says 0 while writes are still on their way"),
    (|o| o.successors[0].proof = behind(), "app-new lacks 7 transactions that Aurora cluster app-dr has: it has not come to binlog.000003:1234"),
    (|o| o.successors[0].proof = Proof::Behind { at: log(), missing: None }, "app-new lacks transactions that Aurora cluster app-dr has: it has not come to binlog.000003:1234"),
    (|o| { o.successors[0].state = database(None, "available"); o.successors[0].proof = behind(); o.position_verified = false; }, "app-new lacks 7 transactions that Aurora cluster app-dr has: it has not come to binlog.000003:1234; and it takes writes already"),
    (|o| { o.successors[0].proof = Proof::NotKnown { why: "NULL".to_owned() }; o.position_verified = false; }, "whether app-new has everything is not known: NULL"),
    (|o| { o.successors[0].old_only = lost(); o.loss_acknowledged = false; }, "what only the old primary holds, since it had not been replicated, will not be there any more: 3 transactions that Aurora cluster app-dr never got"),
    (|o| { o.successors[0].old_only = OldOnly::NotKnown { why: "fenced".to_owned() }; o.loss_acknowledged = false; }, "what only the old primary holds, since it had not been replicated, will not be there any more: how much that is for Aurora cluster app-dr is not known: fenced"),
    (|o| { o.successors[0].old_only = OldOnly::Transactions { count: None, start: Start::From { file: "binlog.000003".to_owned(), position: 7 } }; o.loss_acknowledged = false; }, "what only the old primary holds, since it had not been replicated, will not be there any more: what Aurora cluster app-dr never got, nobody knows how much: mysqlbinlog --start-position=7"),
    (|o| o.loss_acknowledged = false, "what only the old primary holds, since it had not been replicated, will not be there any more"),
    (|o| o.successors[0].lags = lags(&[9]), "app-new is 9 s behind Aurora cluster app-dr as of 2026-01-01T13:56:40Z"),
    (|o| o.successors[0].lags.clear(), "nobody knows how far app-new is behind Aurora cluster app-dr"),
];

#[test]
fn a_successor_that_rds_does_not_tell_of_is_waited_for_and_not_rebuilt() {
    let mut seen = day_after();
    seen.successors[0].state = ReplicaState::Unanswered("timed out".to_owned());
    assert_eq!(obstacles(&plan(), &seen).iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::F07]);
}

#[test]
fn an_obstacle_says_what_is_so_and_what_to_do_about_it() {
    for (differs, words) in WORDS {
        let mut seen = day_after();
        differs(&mut seen);
        let found = obstacles(&plan(), &seen);
        let [obstacle] = found.as_slice() else { panic!("{words}: {found:?}") };
        assert_eq!(obstacle.because, *words);
        let remedy = RULES.iter().find(|(rule, ..)| *rule == obstacle.rule).map(|(.., remedy)| *remedy);
        assert_eq!(Some(obstacle.remedy), remedy, "{words}");
    }
}

#[test]
fn a_successor_has_caught_up_once_it_was_level_and_is_behind_again_only_by_what_users_write() {
    let cases: [(&[u64], bool); 5] =
        [(&[0, 0, 0], true), (&[9, 0, 0, 0, 1], true), (&[0, 0, 1, 0, 0], false), (&[0, 0], false), (&[], false)];
    for (seconds, expected) in cases {
        let successor = Successor { lags: lags(seconds), ..rebuilt() };
        assert_eq!(successor.has_caught_up(), expected, "{seconds:?}");
        let creating = Successor { state: database(Some(DR_CLUSTER), "creating"), ..successor };
        assert!(!creating.has_caught_up());
    }
    let writer = Successor { state: database(None, "available"), lags: Vec::new(), ..rebuilt() };
    assert!(writer.has_caught_up());
    let proved = Successor { proof: everything(), lags: Vec::new(), ..rebuilt() };
    assert!(proved.has_caught_up());
    let lacks = Successor { proof: behind(), ..rebuilt() };
    assert!(!lacks.has_caught_up(), "whatever its lag says");
}

/// While users write, a lag of minutes is no idle database: it has not caught up.
#[test]
fn where_lag_grows_in_silence_a_successor_has_caught_up_once_its_lag_was_short() {
    for (engine, seconds, expected) in [
        ("oracle-ee", [3_600, 3_660, 3_720], false),
        ("oracle-ee", [20, 40, 60], true),
        ("postgres", [20, 40, 301], false),
        ("postgres", [20, 40, 300], true),
    ] {
        let mut seen = day_after();
        of_engine(&mut seen, engine, &seconds);
        assert_eq!(seen.successors[0].has_caught_up(), expected, "{engine} {seconds:?}");
    }
}

fn without_databases() -> Plan {
    Plan { replicas: Vec::new(), ..plan() }
}

/// An armed name with a pair of values and a pair of aliases.
fn two_families() -> Vec<RecordSet> {
    let mut sets = pair(&app(), "A", values(20, &["192.0.2.2", PRIMARY]), values(300, &[DR]));
    sets.extend(pair(&app(), "AAAA", alias("p.elb"), alias("d.elb")));
    sets
}

/// What Route 53 holds after a batch that it accepts.
fn apply(sets: &[RecordSet], changes: &[Change]) -> Vec<RecordSet> {
    let mut sets = sets.to_vec();
    for change in changes {
        match change {
            Change::Delete(set) => drop(sets.remove(sets.iter().position(|stored| stored == set).unwrap())),
            Change::Create(set) => sets.push(set.clone()),
        }
    }
    sets.sort_by_key(|set| (set.name.clone(), set.kind.clone(), format!("{:?}", set.routing)));
    sets
}

fn register_of(sets: &[RecordSet]) -> Register {
    NameView::of_name("Z1", &app(), sets).register().cloned().unwrap()
}

/// Pinned by the rules' own writes, then failed over as replica-promoter writes it.
fn failed_over_sets(before: &[RecordSet]) -> Vec<RecordSet> {
    let mut armed_sets = before.to_vec();
    armed_sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    let view = NameView::of_name("Z1", &app(), &armed_sets);
    let pin = change::write(&view, Verdict::Pin, Some(&incident(0)), at(60)).unwrap().unwrap();
    let pinned = apply(&armed_sets, &pin.changes);
    let view = NameView::of_name("Z1", &app(), &pinned);
    let Some(Register::Pinned { pin, .. }) = view.register() else { panic!("pinned") };
    let register = Register::FailedOver { at: at(600), pin: pin.clone() };
    apply(&pinned, &change::rewrite_register(&view, register).unwrap().changes)
}

#[test]
fn a_failback_restores_every_record_as_it_was() {
    let before = apply(&two_families(), &[]);
    for (plan, register) in [
        (without_databases(), Register::armed(at(90_000), ArmedBy::Failback)),
        // Nothing replicates to DR any more: an outage must not send users to data that stands still.
        (plan(), Register::disarmed(at(90_000), "failback by kim".to_owned())),
    ] {
        let sets = failed_over_sets(&before);
        let view = NameView::of_name("Z1", &app(), &sets);
        assert!(view.agrees());
        let write = restore(&plan, &view, at(90_000), "kim").unwrap().unwrap();
        let mut restored = apply(&sets, &write.changes);
        let memory = Memory { failed_back: Some(at(90_000)), ttl: None };
        assert_eq!(
            register_of(&restored),
            register.remembering(memory),
            "whoever arms it, the cool-down counts from here"
        );
        restored.retain(|set| set.name == app());
        assert_eq!(restored, before);
    }
}

/// Added while users were on DR, or after a failover of the others alone: armed, or about to be by itself.
#[test]
fn a_failback_that_leaves_no_replicas_disarms_the_names_that_the_failover_left_out_too() {
    let is_to_act =
        [Some(armed(0, ArmedBy::Settling)), Some(Register::paused(at(0), at(90_500), "kim".to_owned())), None];
    let away = view("app.example.com", DR, Some(&failed_over(0)));
    for register in is_to_act {
        let beside = view("api.example.com", PRIMARY, register.as_ref());
        let writes = [&away, &beside].map(|view| restore(&plan(), view, at(90_000), "kim").unwrap().unwrap());
        for write in &writes {
            assert!(matches!(write.register, Register::Disarmed { .. }), "{register:?}: {:?}", write.register);
        }
        let of_records =
            |change: &Change| matches!(change, Change::Delete(set) | Change::Create(set) if set.name == beside.name);
        assert!(!writes[1].changes.iter().any(of_records), "its records stay as they are");
        assert_eq!(restore(&without_databases(), &beside, at(90_000), "kim"), Ok(None), "with no database all may act");
    }
    let disarmed = Register::disarmed(at(0), "kim".to_owned());
    let kept = view("api.example.com", PRIMARY, Some(&disarmed));
    assert_eq!(restore(&plan(), &kept, at(90_000), "kim"), Ok(None));
}

#[test]
fn users_are_at_home_since_the_last_name_was_failed_back_or_switched_off() {
    let memory = Memory { failed_back: Some(at(500)), ttl: None };
    let armed = armed(700, ArmedBy::Operator);
    let of = |register: &Register| view("app.example.com", PRIMARY, Some(register));
    let disarmed = of(&Register::disarmed(at(400), "kim".to_owned()));
    assert_eq!(home_since(&[disarmed.clone(), of(&armed)]), Some(at(400)), "when a name was armed says nothing of it");
    assert_eq!(home_since(&[disarmed, of(&armed.clone().remembering(memory))]), Some(at(500)));
    assert_eq!(home_since(&[of(&armed)]), None);
}

#[test]
fn a_second_failback_writes_nothing() {
    let sets = failed_over_sets(&two_families());
    let view = NameView::of_name("Z1", &app(), &sets);
    let restored = apply(&sets, &restore(&plan(), &view, at(90_000), "kim").unwrap().unwrap().changes);
    let view = NameView::of_name("Z1", &app(), &restored);
    assert_eq!(restore(&plan(), &view, at(90_001), "kim"), Ok(None));
}

#[test]
fn a_failover_that_is_not_finished_is_not_undone() {
    let view = view("app.example.com", DR, Some(&pinned(0, in_sync(40))));
    assert_eq!(restore(&plan(), &view, at(90_000), "kim"), Ok(None));
}

#[test]
fn a_record_that_came_after_the_pin_is_for_people() {
    let mut sets = failed_over_sets(&a_pair(&app(), PRIMARY));
    sets.extend(pair(&app(), "AAAA", alias("d.elb"), alias("d.elb")));
    let view = NameView::of_name("Z1", &app(), &sets);
    let error = restore(&plan(), &view, at(90_000), "kim").unwrap_err().to_string();
    assert!(error.contains("AAAA record"), "{error}");
}

#[test]
fn a_failback_may_lead_to_where_the_primary_site_was_rebuilt() {
    let sets = failed_over_sets(&two_families());
    let view = NameView::of_name("Z1", &app(), &sets);
    let write = restore(&plan(), &view, at(90_000), "kim").unwrap().unwrap();
    let move_of = |from: &str, to: &str| Move { from: from.to_owned(), to: to.to_owned() };
    let moves =
        [move_of("192.0.2.2", "192.0.2.9"), move_of("dualstack.P.elb.", "new.elb"), move_of("192.0.2.7", "192.0.2.8")];
    let (write, counts) = moved(write, &moves);
    assert_eq!(counts, [1, 1, 0], "what is nobody's original is found out");
    let restored = apply(&sets, &write.changes);
    let primary = |kind: &str| {
        let is_it =
            |set: &&RecordSet| set.kind == kind && matches!(set.routing, Routing::Failover { role: Role::Primary, .. });
        restored.iter().find(is_it).unwrap().target.clone()
    };
    assert_eq!(primary("A"), values(20, &["192.0.2.9", PRIMARY]));
    assert_eq!(primary("AAAA"), alias("new.elb"));
    assert!(matches!(register_of(&restored), Register::Disarmed { .. }), "the register is nobody's address");
}

#[test]
fn a_failback_that_would_go_nowhere_is_refused() {
    // An operator was quicker than the alarm: the name led to DR already when an older Holdfast pinned it.
    let original = [("A".to_owned(), values(60, &[DR]))].into();
    let register = Register::FailedOver { at: at(600), pin: Pin { original, ..pin(0, 0) } };
    let seen = Observation { names: vec![view("app.example.com", DR, Some(&register))], ..day_after() };
    let found = obstacles(&plan(), &seen);
    assert_eq!(found.iter().map(|obstacle| obstacle.rule).collect::<Vec<_>>(), [Rule::F02]);
    assert!(found[0].because.contains("led to DR already when it was pinned"), "{found:?}");
}
