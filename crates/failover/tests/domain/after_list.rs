//! The checklist after a failover: each row's good answer, its bad one with the statement that puts it right, and one that means nothing.

use failover::after::{Finding, Weight, checklist, commands};
use failover::position::{Answer, Endpoint, Engine, Question, Server, Side, Step, Transcript};

type Rows = Vec<Vec<Option<String>>>;

fn rows(rows: &[&[&str]]) -> Rows {
    rows.iter()
        .map(|row| row.iter().map(|value| Some((*value).to_owned()).filter(|it| it != "NULL")).collect())
        .collect()
}

/// Answers of servers that a promotion left as they should be.
fn well(question: &Question) -> Rows {
    match question.sql.as_str() {
        "SELECT @@version, @@server_id" => rows(&[&["10.11.19-MariaDB", "2"]]),
        sql if sql.contains("read_only") && !sql.contains("ADMIN") => rows(&[&["0", "0"]]),
        sql if sql.contains("event_scheduler") => rows(&[&["ON", "3"]]),
        "SELECT @@global.log_bin" => rows(&[&["1"]]),
        sql if sql.contains("retention") => rows(&[&["144"]]),
        sql if sql.contains("CONVERT_TZ") => rows(&[&["2026-01-01 01:00:00"]]),
        sql if sql.contains("semi_sync") => rows(&[&["rpl_semi_sync_master_enabled", "OFF"]]),
        _ => Vec::new(),
    }
}

/// Why the old primary is not asked.
const DARK: &str = "eu-west-1 does not tell: no answer came in time";

fn ended(has_old: bool, answer: impl Fn(&Question) -> Result<Rows, String>) -> Vec<Finding> {
    let mut known = Transcript::default();
    loop {
        match checklist(&known, if has_old { Ok(()) } else { Err(DARK) }) {
            Step::Done(findings) => return findings,
            Step::Ask(question) => {
                let told = answer(&question).map(|rows| Answer { columns: Vec::new(), rows });
                known.note(question, told);
            }
        }
    }
}

#[test]
fn where_all_is_well_nothing_is_to_do() {
    let findings = ended(true, |question| Ok(well(question)));
    assert!(
        findings.iter().all(|finding| finding.weight == Weight::Good && finding.remedies.is_empty()),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 14);
    let without_old = ended(false, |question| {
        assert_eq!(question.of, Side::Dr);
        Ok(well(question))
    });
    let not_known: Vec<_> = without_old.iter().filter(|finding| finding.weight == Weight::NotKnown).collect();
    assert_eq!(not_known.len(), 4);
    assert!(not_known.iter().all(|finding| finding.seen == DARK), "each says why: {not_known:#?}");
}

/// A piece of the question, the answer, and what the person is to run.
#[rustfmt::skip]
const TO_DO: &[(Side, &str, &[&[&str]], &str)] = &[
    (Side::Dr, "innodb_read_only", &[&["1", "0"]], "-- RDS: read_only = {TrueIfReplica} in the parameter group, and a promotion that has ended"),
    (Side::Dr, "SIDE_DISABLED", &[&["app", "pur`ge", "SLAVESIDE_DISABLED"]], "ALTER EVENT `app`.`pur``ge` ENABLE;"),
    (Side::Dr, "event_scheduler", &[&["OFF", "3"]], "-- event_scheduler = ON in DR's parameter group; without RDS: SET GLOBAL event_scheduler = ON;"),
    (Side::Dr, "auto_increment", &[&["app", "orders", "7"]], "ALTER TABLE `app`.`orders` AUTO_INCREMENT = 1000007;"),
    (Side::Dr, "SEQUENCE", &[&["app", "numbers"]], "SELECT SETVAL(`app`.`numbers`, NEXTVAL(`app`.`numbers`) + 1000000);"),
    (Side::Dr, "XA RECOVER", &[&["1", "3", "0", "it's"]], "XA ROLLBACK 'it''s'; -- or XA COMMIT, as its other parts were"),
    (Side::Dr, "log_bin", &[&["0"]], "-- RDS: backups on; Aurora: binlog_format = ROW in the cluster's parameter group, and a reboot"),
    (Side::Dr, "retention", &[&["NULL"]], "CALL mysql.rds_set_configuration('binlog retention hours', 144);"),
    (Side::Dr, "retention", &[&["23"]], "CALL mysql.rds_set_configuration('binlog retention hours', 144);"),
    (Side::Dr, "CONVERT_TZ", &[&["no zones"]], "-- mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql"),
    (Side::Dr, "semi_sync", &[&["rpl_semi_sync_source_enabled", "ON"]], "SET GLOBAL rpl_semi_sync_source_enabled = OFF;"),
    (Side::Primary, "user_privileges", &[&["'root'@'%'"]], "ALTER USER 'root'@'%' ACCOUNT LOCK; -- then KILL its connections: a lock stops new ones alone"),
    (Side::Primary, "ENABLED", &[&["app", "bill", "root@%"]], "ALTER EVENT `app`.`bill` DISABLE;"),
    (Side::Primary, "retention", &[&["NULL"]], "CALL mysql.rds_set_configuration('binlog retention hours', 144);"),
    (Side::Primary, "Binlog Dump", &[&["cdc", "10.0.0.7"]], "-- point them at DR's database: by GTID, or from its first position after the promotion"),
];

fn is_asked(question: &Question, of: Side, words: &str) -> bool {
    question.of == of && question.sql.contains(words)
}

#[test]
fn what_a_promotion_left_undone_comes_with_the_statement_that_puts_it_right() {
    for (of, words, answer, remedy) in TO_DO {
        let findings =
            ended(true, |question| Ok(if is_asked(question, *of, words) { rows(answer) } else { well(question) }));
        let undone: Vec<_> = findings.iter().filter(|finding| finding.weight != Weight::Good).collect();
        let [finding] = undone.as_slice() else { panic!("{words}: {undone:#?}") };
        assert_eq!(
            (finding.weight, finding.remedies.as_slice()),
            (Weight::ToDo, &[(*remedy).to_owned()][..]),
            "{words}"
        );
    }
}

#[test]
fn what_was_not_answered_or_not_understood_is_not_known_and_the_rest_is_told() {
    let all = ended(true, |question| Ok(well(question)));
    for nth in 0..all.len() {
        for fails in [true, false] {
            let asked = std::cell::Cell::new(0);
            let findings = ended(true, |question| {
                let is_it = !question.sql.contains("@@version") && asked.replace(asked.get() + 1) == nth;
                match (is_it, fails) {
                    (true, true) => Err("denied".to_owned()),
                    // NULL where there should be something.
                    (true, false) => Ok(rows(&[&["NULL", "NULL", "NULL", "NULL", "NULL", "NULL"]])),
                    (false, _) => Ok(well(question)),
                }
            });
            let other: Vec<_> = findings.iter().filter(|finding| finding.weight != Weight::Good).collect();
            let [finding] = other.as_slice() else { panic!("{nth} {fails}: {other:#?}") };
            // Where RDS sets no hours NULL is the answer.
            if !finding.about.contains("keeps its binary log") || fails {
                assert_eq!((finding.weight, finding.remedies.len()), (Weight::NotKnown, 1), "{finding:#?}");
            }
        }
    }
    let nobody = ended(true, |_| Err("connection refused".to_owned()));
    assert_eq!(nobody.len(), 1);
    assert!(nobody[0].seen.contains("connection refused"), "{nobody:#?}");
}

#[test]
fn without_a_user_the_same_questions_are_commands_each_with_what_to_make_of_it() {
    let at = |host: &str| Endpoint { host: host.to_owned(), port: Some(3306), user: Some("admin".to_owned()) };
    let lines = commands(Engine::Known(Server::MariaDb), &at("dr.rds"), &at("old.rds"));
    assert_eq!(lines.len(), 2 * 14);
    assert!(lines.contains(&r#"mariadb -h dr.rds -P 3306 -u admin -p -N -e "XA RECOVER""#.to_owned()), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("-h old.rds")).count(), 4);
    let mysql = commands(Engine::of("mysql", "8.0.36"), &at("dr.rds"), &at("old.rds"));
    assert_eq!(mysql.len(), 2 * 13, "MySQL has no sequences");
    assert!(commands(Engine::Postgres, &at("dr.rds"), &at("old.rds"))[0].contains("no checklist"));
}
