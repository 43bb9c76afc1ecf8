//! What only the old primary has, and whether a successor has everything, asked of real servers: by Holdfast itself, over TLS, and by the
//! commands that it prints, run as they are.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use drill::databases::Databases;
use drill::lambdas;
use drill::scenario::QUICK;
use drill::stage::{Credentials, DR, Layout, PRIMARY, Settings, Stage};
use failover::position::{Endpoint, Engine, Server, old_only_commands, proof_commands};
use failover::register::Register;
use lab::rds;
use serde_json::Value;

use crate::documented::{fields, of_command};
use crate::packages;

const SUCCESSORS: [&str; 4] = ["--successor", "app-dr=eu-west-1/app", "--successor", "orders-dr=eu-west-1/orders"];
/// Written to the old primary after the failover: they are there alone.
const OLD_ONLY: [&str; 3] = ["old-only-1", "old-only-2", "old-only-3"];

/// A workload on real servers that has just armed itself.
pub(super) async fn armed() -> Stage {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let settings = Settings { seed: 3, speed: 3_600.0 };
    let layout = Layout { databases: Databases::Mariadb, ..QUICK };
    let stage = Stage::set(settings, &layout, &lambdas).await.expect("the stage can be set");
    // By itself: a person's order and the tick's would be in each other's way.
    let is_armed = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::Armed { .. }));
    assert!(stage.until(Duration::from_secs(3_600), is_armed).await, "it arms itself");
    stage
}

/// One that a person has failed over, and whose old primary took writes since.
async fn failed_over() -> Stage {
    let mut stage = armed().await;
    stage.asks_databases = Credentials::Environment;
    let told = done(&stage, &["failover", "--reason", "a drill", "--despite", "P08,P09", "--json"]).await;
    let told: Value = serde_json::from_str(&told).expect("standard output is one JSON document");
    assert_eq!(fields(&told), of_command("failover", &[]));
    let position = told["positions"][0]["executed"].as_str().expect("the replica told it").to_owned();
    assert!(position.contains("0-") && position.contains("of its source's log binlog."), "{position}");
    let is_over = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::FailedOver { .. }));
    assert!(stage.until(Duration::from_secs(3_600), is_over).await, "it fails over");
    // A promoted server does not know it any more; the incident's record does.
    let report = done(&stage, &["report"]).await;
    let said = format!("Aurora cluster app-dr had executed {position}");
    assert_eq!(report.matches(&said).count(), 3, "under lost writes, of people, and in the course of events: {report}");
    rds::settle(&stage.lab).await.expect("the servers do as told");
    for row in OLD_ONLY {
        rds::commit(&stage.lab, PRIMARY, "app", row, 0).await.expect("the old primary takes writes");
    }
    stage
}

async fn run(stage: &Stage, arguments: &[&str]) -> Output {
    stage.holdfast(arguments, true).await.expect("holdfast starts")
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn done(stage: &Stage, arguments: &[&str]) -> String {
    let output = run(stage, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What `failback compare` makes of the first database.
async fn compared(stage: &Stage, more: &[&str]) -> Value {
    let told = done(stage, &[&["failback", "compare", "--json"], &SUCCESSORS[..], more].concat()).await;
    let told: Value = serde_json::from_str(&told).expect("standard output is one JSON document");
    told["databases"][0].clone()
}

/// Runs commands as they are printed, each after the other in one shell, in New York; who asks for a password gets an empty one. What they
/// answer, or else what they complain of.
fn in_new_york(commands: &[String]) -> (bool, String) {
    let mut shell = Command::new("setsid");
    shell.args(["-w", "sh", "-c", &commands.join("\n")]).env("TZ", "America/New_York");
    let output = shell.stdin(Stdio::null()).output().expect("there is a shell");
    match output.status.success() {
        true => (true, text(&output.stdout)),
        false => (false, text(&output.stderr)),
    }
}

fn endpoint(stage: &Stage, region: &str, id: &str) -> Endpoint {
    let address = rds::address(&stage.lab, region, id).expect("it has a server");
    Endpoint { host: address.ip().to_string(), port: Some(address.port().into()), user: Some("master".to_owned()) }
}

const MARIADB: Engine = Engine::Known(Server::MariaDb);

/// The lines of one method: those from a comment with these words to the next comment.
fn of_method(commands: &[String], words: &str) -> Vec<String> {
    let from =
        commands.iter().position(|line| line.starts_with('#') && line.contains(words)).expect("there is that method");
    commands[from + 1..].iter().take_while(|line| !line.starts_with('#')).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_old_primary_has_is_found_whole_by_holdfast_and_by_the_commands_it_prints() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    packages::install("--no-install-recommends mariadb-client", || Path::new("/usr/bin/mariadb-binlog").exists());
    let stage = failed_over().await;

    let told = done(&stage, &[&["failback", "compare", "--json"], &SUCCESSORS[..]].concat()).await;
    let told: Value = serde_json::from_str(&told).expect("standard output is one JSON document");
    assert_eq!(fields(&told), of_command("failback compare", &[]));
    let gap = compared(&stage, &[]).await;
    let (old, new) = (rds::rows(&stage.lab, PRIMARY, "app").await, rds::rows(&stage.lab, DR, "app-dr").await);
    let (old, new) = (old.expect("it answers"), new.expect("it answers"));
    let truth = old.iter().filter(|row| !new.contains(row)).count();
    assert!(truth >= OLD_ONLY.len(), "{truth}");
    assert_eq!(gap["transactions_only_in_old"], truth, "{gap:#}");
    let listed = gap["transactions"].as_array().expect("they are listed");
    assert_eq!(listed.len(), truth, "{gap:#}");
    assert_eq!(listed[0]["rows"][0]["table"], "app.writes");

    // Files to read and to replay, which nothing overwrites.
    let folder = std::env::temp_dir().join(format!("holdfast-compare-{}", std::process::id()));
    let write = ["--write", folder.to_str().expect("a path in UTF-8")];
    assert_eq!(compared(&stage, &write).await["files"].as_array().map(Vec::len), Some(2));
    let read = |ending: &str| std::fs::read_to_string(folder.join(format!("app-dr.{ending}"))).expect("it was written");
    OLD_ONLY.iter().for_each(|row| assert!(read("txt").contains(row), "{row}"));
    assert!(read("sql").contains("BINLOG '"), "{}", read("sql"));
    let again = compared(&stage, &write).await;
    assert!(again["not_known"].as_str().is_some_and(|why| why.contains("exists")), "{again:#}");
    std::fs::remove_dir_all(&folder).expect("it can be removed");

    // What it says of it is in the way of a failback.
    let refused = run(&stage, &[&["failback", "check"], &SUCCESSORS[..]].concat()).await;
    let told = text(&refused.stdout);
    assert!(told.contains(&format!("{truth} transactions that Aurora cluster app-dr never got")), "{told}");

    // The same by hand, on a laptop in New York.
    let commands = old_only_commands(
        MARIADB,
        &endpoint(&stage, DR, "app-dr"),
        &endpoint(&stage, PRIMARY, "app"),
        Some(stage.lab.clock.now()),
    );
    let first_log = of_method(&commands, "oldest");
    for (method, is_exact) in [("by GTID", true), ("by time", false)] {
        let (is_well, listed) = in_new_york(&[first_log.clone(), of_method(&commands, method)].concat());
        assert!(is_well, "{method}: {listed}");
        let rows = listed.matches("### INSERT INTO `app`.`writes`").count();
        assert!(if is_exact { rows == truth } else { rows >= truth }, "{method}: {rows} of {truth}: {listed}");
        OLD_ONLY.iter().for_each(|row| assert!(listed.contains(row), "{method}: {row}"));
    }

    // What the promotion left undone.
    rds::session(
        &stage.lab,
        PRIMARY,
        "app",
        &["CREATE EVENT app.purge ON SCHEDULE EVERY 1 DAY DO DELETE FROM app.writes"],
    )
    .await
    .expect("the master user may");
    let after = done(&stage, &[&["after"], &SUCCESSORS[..]].concat()).await;
    for words in [
        "ALTER TABLE `app`.`writes` AUTO_INCREMENT = ",
        "ALTER EVENT `app`.`purge` DISABLE;",
        "it takes writes: read_only is off",
    ] {
        assert!(after.contains(words), "{words:?} is not in {after}");
    }
    let after: Value = serde_json::from_str(&done(&stage, &["after", "--json"]).await).expect("one JSON document");
    assert_eq!(fields(&after), of_command("after", &[]));
    assert_eq!(after["databases"][0]["findings"].as_array().map(Vec::len), Some(14));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_is_proved_by_position_and_nothing_is_believed_of_a_server_that_cannot_be_trusted() {
    packages::install("--no-install-recommends mariadb-server-core", || lab::servers::Brand::MariaDb.is_installed());
    packages::install("--no-install-recommends mariadb-client", || Path::new("/usr/bin/mariadb-binlog").exists());
    let mut stage = failed_over().await;
    stage.minutes(30).await;
    done(&stage, &[&["failback", "rebuild"], &SUCCESSORS[..]].concat()).await;
    let caught_up = done(&stage, &[&["failback", "catch-up"], &SUCCESSORS[..]].concat()).await;
    assert!(caught_up.contains("by position"), "{caught_up}");
    stage.lab.sites.fail_page(DR, "/write");
    let check = [&["failback", "check", "--writes-stopped", "--loss-acknowledged"], &SUCCESSORS[..]].concat();
    let told = done(&stage, &check).await;
    assert!(told.contains("nothing stands in the way"), "{told}");

    // The same by hand: both methods.
    let (dr, successor) = (endpoint(&stage, DR, "app-dr"), endpoint(&stage, PRIMARY, "app"));
    let commands = proof_commands(MARIADB, &dr, &successor);
    for method in ["0 is proof, -1", "if GTIDS is empty"] {
        let (is_well, said) = in_new_york(&of_method(&commands, method));
        let proof = said.lines().last().and_then(|line| line.trim().parse::<i64>().ok());
        assert!(is_well && proof.is_some_and(|proof| proof >= 0), "{method}: {said}");
    }
    // A server that does not answer proves nothing.
    let nowhere = Endpoint { port: Some(1), ..dr };
    let (is_well, said) = in_new_york(&of_method(&proof_commands(MARIADB, &nowhere, &successor), "0 is proof, -1"));
    assert!(!is_well && said.contains("GTIDS"), "{said}");

    // Without credentials, F10 and the commands.
    stage.asks_databases = Credentials::None;
    let refused = text(&run(&stage, &check).await.stdout);
    assert!(refused.contains("F10") && refused.contains("WAIT_FOR_EXECUTED_GTID_SET"), "{refused}");
    stage.asks_databases = Credentials::Environment;

    // A certificate of somebody else: not known, and said so.
    let other = std::env::temp_dir().join(format!("holdfast-other-{}.pem", std::process::id()));
    std::fs::copy("/etc/ssl/certs/ca-certificates.crt", &other).expect("this machine has certificates");
    let with_other = [&check[..], &["--database-ca", other.to_str().expect("a path in UTF-8")]].concat();
    let refused = run(&stage, &with_other).await;
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stdout);
    assert!(told.contains("F10") && told.contains("is not known") && told.contains("certificate"), "{told}");
    std::fs::remove_file(&other).expect("it can be removed");
    let plain = [&check[..], &["--database-without-tls"]].concat();
    assert_eq!(run(&stage, &plain).await.status.code(), Some(2), "the environment names certificates");
}
