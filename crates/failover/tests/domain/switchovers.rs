//! What proves that writes have stopped and DR has everything, and what says what was lost: a server's log as MariaDB 10.11 tells of it, and MySQL.

use std::collections::BTreeSet;

use failover::position::{
    Answer, Domains, Mark, OldOnly, Position, Proof, Side, Start, Step, Transcript, Written, mark, uncommitted,
    written_since,
};
use failover::switchover::{Look, Loss, Standing, loss};

/// A server in the primary region, by what it answers to each statement.
struct Server<'a> {
    version: &'a str,
    end: (&'a str, &'a str),
    logs: &'a [&'a str],
    /// The events of each log, by type and info.
    events: &'a [(&'a str, &'a [(&'a str, &'a str)])],
}

const QUIET: Server<'_> =
    Server { version: "10.11.19-MariaDB-log", end: ("binlog.000007", "893"), logs: &["binlog.000007"], events: &[] };

fn table(columns: &[&str], rows: &[&[&str]]) -> Answer {
    let texts = |row: &[&str]| row.iter().map(|&text| Some(text.to_owned())).collect();
    Answer {
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        rows: rows.iter().map(|row| texts(row)).collect(),
    }
}

impl Server<'_> {
    fn answer(&self, sql: &str) -> Result<Answer, String> {
        if sql == "SELECT @@version, @@server_id" {
            return Ok(table(&["version", "id"], &[&[self.version, "1"]]));
        }
        if sql == "SHOW MASTER STATUS" || sql == "SHOW BINARY LOG STATUS" {
            return Ok(table(&["File", "Position"], &[&[self.end.0, self.end.1]]));
        }
        if sql == "SHOW BINARY LOGS" {
            let rows: Vec<_> = self.logs.iter().map(|log| [*log, "1024"]).collect();
            return Ok(table(&["Log_name", "File_size"], &rows.iter().map(<[_; 2]>::as_slice).collect::<Vec<_>>()));
        }
        let events = self.events.iter().find(|(log, _)| sql.starts_with(&format!("SHOW BINLOG EVENTS IN '{log}'")));
        let Some((_, events)) = events else { return Err(format!("access denied: {sql}")) };
        let rows: Vec<_> = events.iter().map(|(kind, info)| [*kind, *info]).collect();
        Ok(table(&["Event_type", "Info"], &rows.iter().map(<[_; 2]>::as_slice).collect::<Vec<_>>()))
    }

    fn tells<T>(&self, rule: impl Fn(&Transcript) -> Step<T>) -> (T, Vec<String>) {
        let (mut known, mut asked) = (Transcript::default(), Vec::new());
        loop {
            match rule(&known) {
                Step::Done(done) => return (done, asked),
                Step::Ask(question) => {
                    assert_eq!(question.of, Side::Primary);
                    asked.push(question.sql.clone());
                    let answer = self.answer(&question.sql);
                    known.note(question, answer);
                }
            }
        }
    }

    /// What it says was written since byte 893 of its seventh log.
    fn written(&self) -> Written {
        let mark = Mark { file: "binlog.000007".to_owned(), position: 893 };
        self.tells(|known| written_since(known, Side::Primary, &mark)).0
    }

    /// The same, once its log has these events more.
    fn written_by(events: &[(&str, &str)]) -> Written {
        Server { end: ("binlog.000007", "1311"), events: &[("binlog.000007", events)], ..QUIET }.written()
    }
}

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|&one| one.to_owned()).collect()
}

fn transactions(count: u64, changed: &[&str]) -> Written {
    Written::Transactions { count, changed: set(changed) }
}

/// One row of a table, as MariaDB logs it.
const fn row(of: &'static str) -> [(&'static str, &'static str); 5] {
    [("Gtid", "BEGIN GTID 0-1-5"), ("Annotate_rows", "insert"), ("Table_map", of), ("Write_rows_v1", ""), ("Xid", "")]
}

#[test]
fn nothing_was_written_where_the_log_ends_as_before() {
    let (end, _) = QUIET.tells(|known| mark(known, Side::Primary));
    assert_eq!(end, Ok(Mark { file: "binlog.000007".to_owned(), position: 893 }));
    let mark = end.unwrap();
    let (written, asked) = QUIET.tells(|known| written_since(known, Side::Primary, &mark));
    assert_eq!(written, Written::Nothing);
    assert!(asked.iter().all(|sql| !sql.contains("EVENTS")), "whoever may not read logs need not: {asked:?}");
}

#[test]
fn transactions_are_counted_and_told_by_the_tables_that_they_change() {
    let two = [row("table_id: 18 (app.writes)"), row("table_id: 19 (app.orders)")].concat();
    assert_eq!(Server::written_by(&two), transactions(2, &["app.orders", "app.writes"]));
    let one_of_both = [
        ("Gtid", "BEGIN GTID 0-1-5"),
        ("Table_map", "table_id: 18 (app.writes)"),
        ("Delete_rows_v1", ""),
        ("Table_map", "table_id: 19 (holdfast.heartbeat)"),
        ("Write_rows_v1", ""),
        ("Xid", ""),
    ];
    assert_eq!(Server::written_by(&one_of_both), transactions(1, &["app.writes"]));
    let mysql = Server {
        version: "8.0.36",
        end: ("binlog.000007", "1311"),
        events: &[(
            "binlog.000007",
            &[
                ("Anonymous_Gtid", "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'"),
                ("Query", "BEGIN"),
                ("Table_map", "table_id: 90 (shop.carts)"),
                ("Update_rows", "table_id: 90 flags: STMT_END_F"),
                ("Xid", "COMMIT /* xid=12 */"),
            ],
        )],
        ..QUIET
    };
    assert_eq!(mysql.written(), transactions(1, &["shop.carts"]));
}

#[test]
fn what_the_server_and_a_heartbeat_write_is_nobodys_data() {
    let own = [
        &[("Format_desc", ""), ("Gtid_list", "[0-1-7]"), ("Binlog_checkpoint", "binlog.000006")][..],
        &row("table_id: 18 (mysql.rds_heartbeat2)"),
        &row("table_id: 19 (holdfast.heartbeat)"),
        &[("Rotate", "binlog.000008;pos=4")],
    ];
    assert_eq!(Server::written_by(&own.concat()), Written::Nothing);
    assert_eq!(Server::written_by(&row("table_id: 1 (mysqlx.t)")), transactions(1, &["mysqlx.t"]));
    assert_eq!(
        Server::written_by(&row("table_id: 1 (holdfast.heartbeats)")),
        transactions(1, &["holdfast.heartbeats"])
    );
}

/// A statement may hold a password, and a message is read by many.
#[test]
fn statements_and_events_that_nobody_knows_count_as_somebodys_and_are_not_quoted() {
    let grant = [("Gtid", "GTID 0-1-8"), ("Query", "use `app`; grant select on app.* to x@'%' identified by 'secret'")];
    assert_eq!(Server::written_by(&grant), transactions(1, &["GRANT statement"]));
    let unknown = [("Gtid", "GTID 0-1-8"), ("Transaction_payload", "compression='ZSTD'"), ("Xid", "")];
    assert_eq!(Server::written_by(&unknown), transactions(1, &["an event Transaction_payload"]));
    assert_eq!(Server::written_by(&[("Table_map", "")]), transactions(1, &["a table without a name"]));
    let rolled_back = [("Gtid", "BEGIN GTID 0-1-8"), ("Query", "BEGIN"), ("Query", "ROLLBACK")];
    assert_eq!(Server::written_by(&rolled_back), Written::Nothing);
}

#[test]
fn a_log_that_was_rotated_meanwhile_is_read_on_in_the_next() {
    let one = row("table_id: 18 (app.writes)");
    let rotated = |first: &[(&str, &str)], logs: &[&str]| {
        let events = [("binlog.000007", first), ("binlog.000008", &one[..])];
        Server { end: ("binlog.000008", "400"), logs, events: &events, ..QUIET }.written()
    };
    let logs = ["binlog.000006", "binlog.000007", "binlog.000008"];
    assert_eq!(rotated(&one, &logs), transactions(2, &["app.writes"]));
    assert_eq!(rotated(&[("Rotate", "binlog.000008;pos=4")], &logs), transactions(1, &["app.writes"]));
    match rotated(&one, &["binlog.000008"]) {
        Written::NotKnown { why } => assert!(why.contains("no log binlog.000007 any more"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_read_is_not_known() {
    match (Server { end: ("binlog.000007", "900"), ..QUIET }).written() {
        Written::NotKnown { why } => assert!(why.contains("access denied"), "{why}"),
        other => panic!("{other:?}"),
    }
    let beats: Vec<_> = (0..500).flat_map(|_| row("table_id: 19 (holdfast.heartbeat)")).collect();
    match Server::written_by(&beats) {
        Written::NotKnown { why } => assert!(why.contains("too much to read"), "{why}"),
        other => panic!("{other:?}"),
    }
    let (count, asked) = QUIET.tells(|known| uncommitted(known, Side::Primary));
    assert!(count.is_err_and(|why| why.contains("access denied")) && asked[0].contains("trx_rows_modified > 0"));
}

fn at() -> Position {
    Position::Domains(Domains::parse("0-1-12").unwrap())
}

#[test]
fn only_a_primary_that_nobody_writes_to_and_a_replica_that_has_everything_are_complete() {
    let complete = Look { written: Written::Nothing, uncommitted: Ok(0), proof: Proof::Everything { at: at() } };
    assert_eq!(complete.standing(), Standing::Complete { at: at() });
    let but = |change: fn(&mut Look)| {
        let mut look = complete.clone();
        change(&mut look);
        look.standing()
    };
    let written = but(|look| look.written = transactions(3, &["app.writes"]));
    assert_eq!(written, Standing::Written("3 transactions were committed (app.writes)".to_owned()));
    assert!(matches!(but(|look| look.uncommitted = Ok(1)), Standing::Written(_)));
    let behind = but(|look| look.proof = Proof::Behind { at: at(), missing: Some(7) });
    assert_eq!(behind, Standing::CatchingUp("the replica has not come to 0-1-12, 7 transactions to go".to_owned()));
    let why = || "no".to_owned();
    for not_known in [
        but(|look| look.written = Written::NotKnown { why: "no".to_owned() }),
        but(|look| look.uncommitted = Err("no".to_owned())),
        but(|look| look.proof = Proof::NotKnown { why: "no".to_owned() }),
    ] {
        assert_eq!(not_known, Standing::NotKnown(why()));
    }
    assert!(matches!(but(|look| look.proof = Proof::Later), Standing::NotKnown(_)));
    // What is not known outweighs what may be waited for.
    let both = but(|look| (look.written, look.uncommitted) = (transactions(1, &["app.t"]), Err("no".to_owned())));
    assert_eq!(both, Standing::NotKnown(why()));
}

#[test]
fn what_came_after_the_proof_is_lost_only_if_dr_does_not_have_it() {
    let only = |count| OldOnly::Transactions { count, start: Start::After(Domains::default()) };
    let late = transactions(2, &["app.writes"]);
    let not_known = OldOnly::NotKnown { why: "no".to_owned() };
    // A heartbeat has gone on in the old primary.
    assert_eq!(loss(Some(&Written::Nothing), &only(Some(90))), Loss::Nothing);
    assert_eq!(loss(Some(&Written::Nothing), &not_known), Loss::Nothing);
    assert_eq!(loss(Some(&late), &OldOnly::Nothing), Loss::Nothing, "it was replicated before the promotion");
    assert_eq!(loss(Some(&late), &only(Some(2))), Loss::Transactions(Some(2), "app.writes".to_owned()));
    assert_eq!(loss(Some(&late), &not_known), Loss::NotKnown("no".to_owned()));
    assert_eq!(loss(None, &OldOnly::Nothing), Loss::Nothing);
    assert!(matches!(loss(None, &only(None)), Loss::Transactions(None, _)));
    assert!(matches!(loss(None, &OldOnly::NotAsked), Loss::NotKnown(_)));
    let unread = Written::NotKnown { why: "gone".to_owned() };
    assert!(matches!(loss(Some(&unread), &only(Some(1))), Loss::Transactions(Some(1), _)));
}
