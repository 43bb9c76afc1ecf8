//! What proves that a successor has everything, and what tells what only the old primary has: servers that answer by a script.

use failover::position::{
    Answer, Domains, GtidSet, OldOnly, Position, Proof, Question, Side, Start, Step, Transcript, old_only, prove,
};

/// What is asked of whom, and the answer: a row, `None` for NULL; no row for an empty table; `Err` for a failure.
type Script<'a> = &'a [(Side, &'a str, Said<'a>)];

#[derive(Clone, Copy)]
enum Said<'a> {
    Row(&'a [Option<&'a str>]),
    /// Columns, and their values.
    Table(&'a [(&'a str, &'a str)]),
    Nothing,
    Fails,
}

use Said::{Fails, Nothing, Row, Table};
use Side::{Dr, Primary};

fn answer(said: Said<'_>) -> Result<Answer, String> {
    let text = |value: &Option<&str>| value.map(str::to_owned);
    match said {
        Row(row) => Ok(Answer {
            columns: row.iter().map(|_| "?".to_owned()).collect(),
            rows: vec![row.iter().map(text).collect()],
        }),
        Table(cells) => Ok(Answer {
            columns: cells.iter().map(|(column, _)| (*column).to_owned()).collect(),
            rows: vec![cells.iter().map(|(_, value)| Some((*value).to_owned())).collect()],
        }),
        Nothing => Ok(Answer::default()),
        Fails => Err("connection refused".to_owned()),
    }
}

/// Asks until it is decided. Later lines go before earlier ones, so that a case can change one answer.
fn ended<T>(script: Script<'_>, decide: impl Fn(&Transcript) -> Step<T>) -> (T, Vec<Question>) {
    let (mut known, mut asked) = (Transcript::default(), Vec::new());
    loop {
        match decide(&known) {
            Step::Done(done) => return (done, asked),
            Step::Ask(question) => {
                assert!(!asked.contains(&question), "asked twice: {question:?}");
                let told = script.iter().rev().find(|(of, sql, _)| *of == question.of && *sql == question.sql);
                let (.., said) = told.unwrap_or_else(|| panic!("nobody expects {question:?}"));
                known.note(question.clone(), answer(*said));
                asked.push(question);
            }
        }
    }
}

fn proof(script: Script<'_>) -> Proof {
    ended(script, |known| prove(known, Dr)).0
}

fn why(proof: Proof) -> String {
    match proof {
        Proof::NotKnown { why } => why,
        other => panic!("{other:?} is no \"not known\""),
    }
}

const WHO: &str = "SELECT @@version, @@server_id";
const SLAVE: &str = "SHOW SLAVE STATUS";
const REPLICA: &str = "SHOW REPLICA STATUS";
const BINLOG_POS: &str = "SELECT @@gtid_binlog_pos";
const SLAVE_POS: &str = "SELECT @@gtid_slave_pos";
const EXECUTED: &str = "SELECT @@global.gtid_mode, @@global.gtid_executed";

const WAIT_DOMAINS: &str = "SELECT MASTER_GTID_WAIT('0-2-12', 2)";
/// MariaDB, level.
const MARIADB: Script<'_> = &[
    (Dr, WHO, Row(&[Some("10.11.19-MariaDB-log"), Some("2")])),
    (Primary, WHO, Row(&[Some("10.11.19-MariaDB-log"), Some("3")])),
    (Dr, BINLOG_POS, Row(&[Some("0-2-12")])),
    (Primary, SLAVE, Table(&[("Slave_IO_State", "waiting"), ("Master_Server_Id", "2")])),
    (Primary, WAIT_DOMAINS, Row(&[Some("0")])),
    (Primary, SLAVE_POS, Row(&[Some("0-2-12")])),
];

const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const WAIT_SET: &str = "SELECT WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-12', 2)";
const SUBTRACT_SET: &str =
    "SELECT @@global.gtid_mode, GTID_SUBTRACT('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-12', @@global.gtid_executed)";
/// MySQL with GTIDs, level.
const MYSQL: Script<'_> = &[
    (Dr, WHO, Row(&[Some("8.4.3"), Some("2")])),
    (Primary, WHO, Row(&[Some("8.4.3"), Some("3")])),
    (Dr, EXECUTED, Row(&[Some("ON"), Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-12")])),
    (Primary, REPLICA, Table(&[("Source_Server_Id", "2")])),
    (Primary, WAIT_SET, Row(&[Some("0")])),
];

const WAIT_LOG: &str = "SELECT SOURCE_POS_WAIT('binlog.000003', 1234, 2)";
const LOG_STATUS: &str = "SHOW BINARY LOG STATUS";
/// MySQL without GTIDs, level.
const BY_LOG: Script<'_> = &[
    (Dr, WHO, Row(&[Some("8.4.3"), Some("2")])),
    (Primary, WHO, Row(&[Some("8.4.3"), Some("3")])),
    (Dr, EXECUTED, Row(&[Some("OFF"), Some("")])),
    (Dr, LOG_STATUS, Table(&[("File", "binlog.000003"), ("Position", "1234"), ("Binlog_Do_DB", "")])),
    (Primary, REPLICA, Table(&[("Source_Server_Id", "2")])),
    (Primary, WAIT_LOG, Row(&[Some("0")])),
];

fn domains(text: &str) -> Domains {
    Domains::parse(text).unwrap()
}

fn set(intervals: &str) -> GtidSet {
    GtidSet::parse(&format!("{UUID}:{intervals}")).unwrap()
}

fn log() -> Position {
    Position::Log { file: "binlog.000003".to_owned(), position: 1234 }
}

#[test]
fn a_successor_that_has_come_to_drs_position_has_everything() {
    assert_eq!(proof(MARIADB), Proof::Everything { at: Position::Domains(domains("0-2-12")) });
    assert_eq!(proof(MYSQL), Proof::Everything { at: Position::Gtids(set("1-12")) });
    assert_eq!(proof(BY_LOG), Proof::Everything { at: log() });
    // So many events were waited for.
    assert_eq!(proof(&[BY_LOG, &[(Primary, WAIT_LOG, Row(&[Some("77")]))]].concat()), Proof::Everything { at: log() });
    let since = [MARIADB, &[(Primary, SLAVE_POS, Row(&[Some("0-2-14")]))]].concat();
    assert!(matches!(proof(&since), Proof::Everything { .. }), "DR wrote on");
}

#[test]
fn one_that_has_not_come_there_in_time_is_behind_by_so_many_transactions() {
    let mariadb =
        [MARIADB, &[(Primary, WAIT_DOMAINS, Row(&[Some("-1")])), (Primary, SLAVE_POS, Row(&[Some("0-1-5")]))]];
    assert_eq!(proof(&mariadb.concat()), Proof::Behind { at: Position::Domains(domains("0-2-12")), missing: Some(7) });
    let missing = format!("{UUID}:10-12");
    let lacks = [Some("ON"), Some(missing.as_str())];
    let mysql = [MYSQL, &[(Primary, WAIT_SET, Row(&[Some("1")])), (Primary, SUBTRACT_SET, Row(&lacks))]].concat();
    assert_eq!(proof(&mysql), Proof::Behind { at: Position::Gtids(set("1-12")), missing: Some(3) });
    let by_log = [BY_LOG, &[(Primary, WAIT_LOG, Row(&[Some("-1")]))]].concat();
    assert_eq!(proof(&by_log), Proof::Behind { at: log(), missing: None });
}

#[test]
fn a_server_without_gtids_is_asked_for_its_log_by_the_words_of_its_version() {
    let wait = "SELECT MASTER_POS_WAIT('binlog.000003', 1234, 2)";
    let old = [
        BY_LOG,
        &[
            (Dr, WHO, Row(&[Some("8.0.36"), Some("2")])),
            (Primary, WHO, Row(&[Some("8.0.36"), Some("3")])),
            (Dr, "SHOW MASTER STATUS", Table(&[("File", "binlog.000003"), ("Position", "1234")])),
            (Primary, wait, Row(&[Some("0")])),
        ],
    ];
    assert_eq!(proof(&old.concat()), Proof::Everything { at: log() });
    let mariadb = [
        MARIADB,
        &[
            (Dr, BINLOG_POS, Row(&[Some("")])),
            (Dr, "SHOW MASTER STATUS", Table(&[("File", "binlog.000003"), ("Position", "1234")])),
            (Primary, wait, Row(&[Some("0")])),
        ],
    ];
    assert_eq!(proof(&mariadb.concat()), Proof::Everything { at: log() });
}

/// A planned switchover asks the other way round.
#[test]
fn dr_is_held_against_the_primary_by_the_same_rule() {
    let swapped: Vec<_> = [MARIADB, MYSQL, BY_LOG]
        .map(|script| {
            script.iter().map(|(of, sql, said)| (if *of == Dr { Primary } else { Dr }, *sql, *said)).collect::<Vec<_>>()
        })
        .into();
    let proved = swapped.iter().map(|script| ended(script, |known| prove(known, Primary)).0);
    let all = [Position::Domains(domains("0-2-12")), Position::Gtids(set("1-12")), log()];
    assert_eq!(proved.collect::<Vec<_>>(), all.map(|at| Proof::Everything { at }));
    let other = [&swapped[0][..], &[(Dr, SLAVE, Table(&[("Master_Server_Id", "7")]))]].concat();
    let why = why(ended(&other, |known| prove(known, Primary)).0);
    assert_eq!(
        why,
        "the database in DR replicates the server with the id 7, and the database in the primary region has 2: a position there means nothing here"
    );
}

/// Each of these answers proves nothing.
#[test]
fn an_unexpected_answer_is_not_known() {
    let uuid_one = format!("{UUID}:1");
    let none = [Some("ON"), Some("NULL")];
    let promoted = [MYSQL, &[(Primary, REPLICA, Nothing)]].concat();
    let off = [Some("OFF"), Some("")];
    let cases: &[(Script<'_>, (Side, &str, Said<'_>), &str)] = &[
        (MARIADB, (Dr, WHO, Fails), "connection refused"),
        (MARIADB, (Primary, WHO, Row(&[Some("PostgreSQL 16"), Some("3")])), "neither MySQL nor MariaDB"),
        (MARIADB, (Primary, WHO, Row(&[Some("8.4.3"), Some("3")])), "one of the two is MySQL"),
        (MARIADB, (Primary, WHO, Row(&[Some("10.11-MariaDB"), Some("x")])), "server id x"),
        (MARIADB, (Dr, BINLOG_POS, Row(&[None])), "with NULL"),
        (MARIADB, (Dr, BINLOG_POS, Nothing), "with nothing"),
        (MARIADB, (Dr, BINLOG_POS, Row(&[Some(&uuid_one)])), "3e11fa47"),
        (MARIADB, (Primary, SLAVE, Table(&[("Master_Server_Id", "1")])), "replicates the server with the id 1"),
        (MARIADB, (Primary, SLAVE, Table(&[("Slave_IO_State", "x")])), "does not say which server"),
        (MARIADB, (Primary, WAIT_DOMAINS, Row(&[None])), "with NULL"),
        (MARIADB, (Primary, WAIT_DOMAINS, Row(&[Some("1")])), "with 1"),
        (MARIADB, (Primary, WAIT_DOMAINS, Row(&[Some("on")])), "with on"),
        (MARIADB, (Primary, WAIT_DOMAINS, Fails), "connection refused"),
        (MARIADB, (Primary, SLAVE_POS, Row(&[Some("7-2-12")])), "0-2-12 is of a domain"),
        (MARIADB, (Primary, SLAVE_POS, Row(&[Some("0-9-12")])), "two transactions of one number"),
        (MYSQL, (Dr, EXECUTED, Row(&[Some("ON"), Some("")])), "executed nothing"),
        (MYSQL, (Dr, EXECUTED, Row(&[Some("ON"), Some("0-2-12")])), "0-2-12"),
        (MYSQL, (Primary, WAIT_SET, Row(&[None])), "with NULL"),
        (MYSQL, (Primary, WAIT_SET, Row(&[Some("-1")])), "with -1"),
        (BY_LOG, (Dr, LOG_STATUS, Nothing), "is its binary log on?"),
        (BY_LOG, (Dr, LOG_STATUS, Table(&[("File", "a'b"), ("Position", "4")])), "is its binary log on?"),
        (BY_LOG, (Dr, LOG_STATUS, Table(&[("File", "binlog.1"), ("Position", "x")])), "is its binary log on?"),
        (BY_LOG, (Primary, WAIT_LOG, Row(&[None])), "with NULL"),
        (BY_LOG, (Primary, WAIT_LOG, Row(&[Some("-2")])), "with -2"),
        (BY_LOG, (Primary, REPLICA, Nothing), "replicates nothing any more"),
        (BY_LOG, (Primary, REPLICA, Fails), "connection refused"),
        (&promoted, (Primary, SUBTRACT_SET, Row(&none)), "NULL"),
        (&promoted, (Primary, SUBTRACT_SET, Row(&off)), "OFF"),
    ];
    for (script, changed, words) in cases {
        let why = why(proof(&[script, &[*changed][..]].concat()));
        assert!(why.contains(words), "{words:?} is not in {why:?}");
    }
}

/// RDS gives MariaDB's master user no SLAVE MONITOR, as far as its page says.
#[test]
fn who_may_not_see_what_it_replicates_is_held_against_dr_by_gtid() {
    let mariadb = [MARIADB, &[(Primary, SLAVE, Fails)]].concat();
    assert!(matches!(proof(&mariadb), Proof::Everything { .. }));
    let lacks = [&mariadb[..], &[(Primary, SLAVE_POS, Row(&[Some("0-2-11")]))]].concat();
    assert!(matches!(proof(&lacks), Proof::Behind { missing: Some(1), .. }));
}

/// A promoted server still tells what it got by replication, and what it executed.
#[test]
fn one_that_takes_writes_already_is_held_against_dr_by_what_it_has() {
    let writer = [MARIADB, &[(Primary, SLAVE, Nothing)]].concat();
    let (proved, asked) = ended(&writer, |known| prove(known, Dr));
    assert_eq!(proved, Proof::Everything { at: Position::Domains(domains("0-2-12")) });
    assert!(asked.iter().all(|question| !question.sql.contains("WAIT")), "there is nothing to wait for");
    let lacks = [&writer[..], &[(Primary, SLAVE_POS, Row(&[Some("0-2-10")]))]].concat();
    assert!(matches!(proof(&lacks), Proof::Behind { missing: Some(2), .. }));
    let mysql = [MYSQL, &[(Primary, REPLICA, Nothing), (Primary, SUBTRACT_SET, Row(&[Some("ON"), Some("")]))]].concat();
    assert_eq!(proof(&mysql), Proof::Everything { at: Position::Gtids(set("1-12")) });
}

const OLD_ONLY_SET: &str =
    "SELECT @@global.gtid_mode, GTID_SUBTRACT(@@global.gtid_executed, '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-12')";

fn losses(script: Script<'_>) -> OldOnly {
    ended(script, old_only).0
}

#[test]
fn what_only_the_old_primary_has_is_counted_by_gtid() {
    let mariadb =
        [MARIADB, &[(Dr, SLAVE_POS, Row(&[Some("0-1-10")])), (Primary, BINLOG_POS, Row(&[Some("0-1-13")]))]].concat();
    let start = Start::After(domains("0-1-10"));
    assert_eq!((start.option().as_str(), start.client()), ("--start-position=0-1-10", "mariadb-binlog"));
    assert_eq!(losses(&mariadb), OldOnly::Transactions { count: Some(3), start });
    let nothing = [&mariadb[..], &[(Primary, BINLOG_POS, Row(&[Some("0-1-10")]))]].concat();
    assert_eq!(losses(&nothing), OldOnly::Nothing);
    let only = format!("{UUID}:13-16");
    let only = [Some("ON"), Some(only.as_str())];
    let mysql = [MYSQL, &[(Primary, OLD_ONLY_SET, Row(&only))]].concat();
    let start = Start::Without(set("1-12"));
    assert_eq!((start.option(), start.client()), (format!("--exclude-gtids={UUID}:1-12"), "mysqlbinlog"));
    assert_eq!(losses(&mysql), OldOnly::Transactions { count: Some(4), start });
    let nothing = [MYSQL, &[(Primary, OLD_ONLY_SET, Row(&[Some("ON"), Some("")]))]].concat();
    assert_eq!(losses(&nothing), OldOnly::Nothing);
}

const HEARTBEAT: &str = "SELECT log_file, log_position FROM holdfast.heartbeat WHERE id = 3";

#[test]
fn without_gtids_the_last_heartbeat_of_the_old_primary_says_from_where() {
    let script = [BY_LOG, &[(Dr, HEARTBEAT, Row(&[Some("binlog.000003"), Some("1105")]))]].concat();
    let start = Start::From { file: "binlog.000003".to_owned(), position: 1105 };
    assert_eq!(
        (start.option().as_str(), start.first_log(), start.client()),
        ("--start-position=1105", Some("binlog.000003"), "mysqlbinlog")
    );
    assert_eq!(losses(&script), OldOnly::Transactions { count: None, start });
}

#[test]
fn what_it_has_is_not_known_without_gtids_or_where_the_two_cannot_be_compared() {
    let dr = (Dr, SLAVE_POS, Row(&[Some("0-1-10")]));
    let old = (Primary, BINLOG_POS, Row(&[Some("0-1-13")]));
    let cases = [
        ([MARIADB, &[dr, old, (Dr, SLAVE_POS, Row(&[Some("")]))]].concat(), "got nothing"),
        ([MARIADB, &[dr, old, (Primary, BINLOG_POS, Row(&[Some("")]))]].concat(), "wrote nothing"),
        ([MARIADB, &[dr, old, (Primary, BINLOG_POS, Row(&[Some("0-9-10")]))]].concat(), "two transactions"),
        ([MARIADB, &[dr, old, (Primary, BINLOG_POS, Row(&[Some("0-1-10,3-1-1")]))]].concat(), "3-1-1 is of a domain"),
        ([MARIADB, &[dr, (Primary, BINLOG_POS, Fails)]].concat(), "connection refused"),
        ([BY_LOG, &[(Dr, HEARTBEAT, Nothing)]].concat(), "no heartbeat"),
        ([BY_LOG, &[(Dr, HEARTBEAT, Fails)]].concat(), "no heartbeat"),
        ([BY_LOG, &[(Dr, HEARTBEAT, Row(&[None, None]))]].concat(), "no heartbeat"),
        ([BY_LOG, &[(Dr, HEARTBEAT, Row(&[Some("a b"), Some("4")]))]].concat(), "no heartbeat"),
        ([BY_LOG, &[(Dr, HEARTBEAT, Row(&[Some("binlog.1"), Some("x")]))]].concat(), "no heartbeat"),
        ([MYSQL, &[(Dr, EXECUTED, Row(&[Some("ON"), Some("")]))]].concat(), "executed nothing"),
        ([MYSQL, &[(Primary, OLD_ONLY_SET, Row(&[Some("OFF"), Some("")]))]].concat(), "not on in the old primary"),
        ([MYSQL, &[(Primary, OLD_ONLY_SET, Row(&[Some("ON"), Some("?")]))]].concat(), "\"?\""),
    ];
    for (script, words) in cases {
        match losses(&script) {
            OldOnly::NotKnown { why } => assert!(why.contains(words), "{words:?} is not in {why:?}"),
            other => panic!("{words}: {other:?}"),
        }
    }
}
