//! The rows of the checklist.

use super::{Judgement, Row};
use crate::position::{Answer, Server, Side};

/// How many ids to leave out: more than the old primary may have given out while nobody saw it.
const ID_GAP: u64 = 1_000_000;

const EVENTS: &str =
    "SELECT event_schema, event_name, status FROM information_schema.events WHERE status LIKE '%SIDE_DISABLED'";
const SCHEDULER: &str = "SELECT @@global.event_scheduler, COUNT(*) FROM information_schema.events";
const WRITABLE: &str = "SELECT @@global.read_only, @@global.innodb_read_only";
const IDS: &str = "SELECT table_schema, table_name, auto_increment FROM information_schema.tables WHERE auto_increment IS NOT NULL AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY table_schema, table_name";
const SEQUENCES: &str = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'SEQUENCE' ORDER BY table_schema, table_name";
const ZONES: &str = "SELECT COALESCE(CONVERT_TZ('2026-01-01 00:00:00', 'UTC', 'Europe/Berlin'), 'no zones')";
const SEMI_SYNC: &str =
    "SHOW GLOBAL VARIABLES WHERE variable_name IN ('rpl_semi_sync_master_enabled', 'rpl_semi_sync_source_enabled')";
const RETENTION: &str = "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'";
const LOG_READERS: &str = "SELECT user, host FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
const OLD_EVENTS: &str =
    "SELECT event_schema, event_name, definer FROM information_schema.events WHERE status = 'ENABLED'";
const PRIVILEGED: &str = "SELECT DISTINCT grantee FROM information_schema.user_privileges WHERE privilege_type IN ('SUPER', 'READ ONLY ADMIN', 'READ_ONLY ADMIN', 'CONNECTION_ADMIN', 'SYSTEM_VARIABLES_ADMIN')";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { about: "it takes writes", of: Side::Dr, sql: |_| Some(WRITABLE), judge: writable,
        otherwise: "both must be 0; else the parameter group keeps it read-only (read_only should be {TrueIfReplica})" },
    Row { about: "events that replication disabled", of: Side::Dr, sql: |_| Some(EVENTS), judge: events,
        otherwise: "ALTER EVENT … ENABLE for each: they never run by themselves" },
    Row { about: "the event scheduler", of: Side::Dr, sql: |_| Some(SCHEDULER), judge: scheduler,
        otherwise: "ON if there are events: event_scheduler in DR's parameter group" },
    Row { about: "ids that the old primary has given out", of: Side::Dr, sql: |_| Some(IDS), judge: ids,
        otherwise: "ALTER TABLE … AUTO_INCREMENT = next + a gap, before the first write: else two orders get one id" },
    Row { about: "numbers that the old primary's sequences have given out", of: Side::Dr, sql: sequences_of, judge: sequences,
        otherwise: "SETVAL with a gap for each, before the first write" },
    Row { about: "prepared XA transactions", of: Side::Dr, sql: |_| Some("XA RECOVER"), judge: prepared,
        otherwise: "XA COMMIT or XA ROLLBACK each: they keep their locks" },
    Row { about: "its binary log", of: Side::Dr, sql: |_| Some("SELECT @@global.log_bin"), judge: log,
        otherwise: "must be 1, or no replica can be made of it for the way back: backups on (RDS), binlog_format (Aurora)" },
    Row { about: "how long it keeps its binary log", of: Side::Dr, sql: |_| Some(RETENTION), judge: retention,
        otherwise: "CALL mysql.rds_set_configuration('binlog retention hours', 144): a replica that is made for the way back needs it" },
    Row { about: "names of time zones", of: Side::Dr, sql: |_| Some(ZONES), judge: zones,
        otherwise: "a time must come; else CONVERT_TZ gives NULL in every query: load the server's time zone tables" },
    Row { about: "semi-synchronous replication", of: Side::Dr, sql: |_| Some(SEMI_SYNC), judge: semi_sync,
        otherwise: "OFF while it has no replica: else each commit waits for rpl_semi_sync_…_timeout" },
    Row { about: "accounts that may write to what is read-only", of: Side::Primary, sql: |_| Some(PRIVILEGED), judge: privileged,
        otherwise: "read_only does not stop them: lock them, then end their connections (super_read_only on MySQL)" },
    Row { about: "events of the old primary", of: Side::Primary, sql: |_| Some(OLD_EVENTS), judge: old_events,
        otherwise: "they run on, and write what nobody replicates: ALTER EVENT … DISABLE" },
    Row { about: "how long the old primary keeps its binary log", of: Side::Primary, sql: |_| Some(RETENTION), judge: retention,
        otherwise: "at once: CALL mysql.rds_set_configuration('binlog retention hours', 144): what only it has can be listed from there alone" },
    Row { about: "who else reads the old primary's binary log", of: Side::Primary, sql: |_| Some(LOG_READERS), judge: readers,
        otherwise: "own replicas and change data capture follow the old one still: point them at DR's" },
];

/// MySQL has none.
fn sequences_of(server: Server) -> Option<&'static str> {
    match server {
        Server::MariaDb => Some(SEQUENCES),
        Server::MySql { .. } => None,
    }
}

/// The rows' values, if none of them is NULL.
fn values<const N: usize>(answer: &Answer) -> Option<Vec<[&str; N]>> {
    answer
        .rows
        .iter()
        .map(|row| row.iter().map(Option::as_deref).collect::<Option<Vec<_>>>()?.try_into().ok())
        .collect()
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `app.purge and 2 more`.
fn listed<'a>(names: impl Iterator<Item = [&'a str; 2]>) -> String {
    let names: Vec<_> = names.map(|[schema, name]| format!("{schema}.{name}")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

fn writable(answer: &Answer) -> Option<Judgement> {
    match answer.row()? {
        ["0", "0"] => Some(Ok("read_only is off".to_owned())),
        [read_only, innodb] => Some(Err((
            format!("read_only is {read_only}, innodb_read_only {innodb}"),
            vec![
                "-- RDS: read_only = {TrueIfReplica} in the parameter group, and a promotion that has ended".to_owned(),
            ],
        ))),
    }
}

fn events(answer: &Answer) -> Option<Judgement> {
    let events = values::<3>(answer)?;
    let enable = |[schema, name, _]: &[&str; 3]| format!("ALTER EVENT {}.{} ENABLE;", quoted(schema), quoted(name));
    Some(match events.is_empty() {
        true => Ok("none of those that this user may see".to_owned()),
        false => Err((
            format!(
                "{} will never run here: {}",
                events.len(),
                listed(events.iter().map(|[schema, name, _]| [*schema, *name]))
            ),
            events.iter().map(enable).collect(),
        )),
    })
}

fn scheduler(answer: &Answer) -> Option<Judgement> {
    let [state, count] = answer.row()?;
    let is_on = state.eq_ignore_ascii_case("ON") || state == "1";
    Some(match (is_on, count) {
        (true, _) | (false, "0") => Ok(format!("{state}, {count} events that this user may see")),
        _ => Err((
            format!("{state}, and there are {count} events"),
            vec![
                "-- event_scheduler = ON in DR's parameter group; without RDS: SET GLOBAL event_scheduler = ON;"
                    .to_owned(),
            ],
        )),
    })
}

fn ids(answer: &Answer) -> Option<Judgement> {
    let tables = values::<3>(answer)?;
    let gap = |[schema, name, next]: &[&str; 3]| {
        let next: u64 = next.parse().ok()?;
        Some(format!(
            "ALTER TABLE {}.{} AUTO_INCREMENT = {};",
            quoted(schema),
            quoted(name),
            next.saturating_add(ID_GAP)
        ))
    };
    let remedies: Vec<String> = tables.iter().map(gap).collect::<Option<_>>()?;
    Some(match remedies.is_empty() {
        true => Ok("no table counts by itself".to_owned()),
        false => Err((
            format!(
                "{} tables go on where replication ended (MySQL 8 may tell a number of the last 24 h): {}",
                tables.len(),
                listed(tables.iter().map(|[schema, name, _]| [*schema, *name]))
            ),
            remedies,
        )),
    })
}

fn sequences(answer: &Answer) -> Option<Judgement> {
    let sequences = values::<2>(answer)?;
    let gap = |[schema, name]: &[&str; 2]| {
        let sequence = format!("{}.{}", quoted(schema), quoted(name));
        format!("SELECT SETVAL({sequence}, NEXTVAL({sequence}) + {ID_GAP});")
    };
    Some(match sequences.is_empty() {
        true => Ok("there is none".to_owned()),
        false => Err((
            format!("{} go on where replication ended: {}", sequences.len(), listed(sequences.iter().copied())),
            sequences.iter().map(gap).collect(),
        )),
    })
}

fn prepared(answer: &Answer) -> Option<Judgement> {
    let ids: Vec<&str> = answer.rows.iter().map(|row| row.last()?.as_deref()).collect::<Option<_>>()?;
    Some(match ids.is_empty() {
        true => Ok("none".to_owned()),
        false => Err((
            format!("{} keep their locks until somebody decides", ids.len()),
            ids.iter()
                .map(|id| format!("XA ROLLBACK '{}'; -- or XA COMMIT, as its other parts were", id.replace('\'', "''")))
                .collect(),
        )),
    })
}

fn log(answer: &Answer) -> Option<Judgement> {
    match answer.row()? {
        ["1" | "ON"] => Some(Ok("on".to_owned())),
        [state] => Some(Err((
            format!("log_bin is {state}: no replica can be made of it for the way back"),
            vec![
                "-- RDS: backups on; Aurora: binlog_format = ROW in the cluster's parameter group, and a reboot"
                    .to_owned(),
            ],
        ))),
    }
}

fn retention(answer: &Answer) -> Option<Judgement> {
    let [row] = answer.rows.as_slice() else { return None };
    let hours = row.first()?.as_deref().and_then(|hours| hours.parse::<u64>().ok());
    Some(match hours {
        Some(hours) if hours >= 24 => Ok(format!("{hours} h")),
        hours => Err((
            hours.map_or("RDS removes it as soon as it can".to_owned(), |hours| format!("{hours} h only")),
            vec!["CALL mysql.rds_set_configuration('binlog retention hours', 144);".to_owned()],
        )),
    })
}

fn zones(answer: &Answer) -> Option<Judgement> {
    match answer.row()? {
        ["no zones"] => Some(Err((
            "CONVERT_TZ gives NULL for every named zone".to_owned(),
            vec!["-- mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql".to_owned()],
        ))),
        [_] => Some(Ok("loaded".to_owned())),
    }
}

fn semi_sync(answer: &Answer) -> Option<Judgement> {
    let variables = values::<2>(answer)?;
    let on: Vec<_> = variables.iter().filter(|[_, value]| value.eq_ignore_ascii_case("ON")).collect();
    Some(match on.is_empty() {
        true => Ok("off".to_owned()),
        false => Err((
            "on: without a replica each commit waits for its timeout".to_owned(),
            on.iter().map(|[name, _]| format!("SET GLOBAL {name} = OFF;")).collect(),
        )),
    })
}

fn privileged(answer: &Answer) -> Option<Judgement> {
    let accounts = values::<1>(answer)?;
    Some(match accounts.is_empty() {
        true => Ok("none that this user may see".to_owned()),
        false => Err((
            format!(
                "{} write on, whatever read_only says",
                accounts.iter().map(|[it]| *it).collect::<Vec<_>>().join(", ")
            ),
            accounts
                .iter()
                .map(|[account]| {
                    format!(
                        "ALTER USER {account} ACCOUNT LOCK; -- then KILL its connections: a lock stops new ones alone"
                    )
                })
                .collect(),
        )),
    })
}

fn old_events(answer: &Answer) -> Option<Judgement> {
    let events = values::<3>(answer)?;
    let disable = |[schema, name, _]: &[&str; 3]| format!("ALTER EVENT {}.{} DISABLE;", quoted(schema), quoted(name));
    Some(match events.is_empty() {
        true => Ok("none that this user may see".to_owned()),
        false => Err((
            format!(
                "{} run on there: {}",
                events.len(),
                listed(events.iter().map(|[schema, name, _]| [*schema, *name]))
            ),
            events.iter().map(disable).collect(),
        )),
    })
}

fn readers(answer: &Answer) -> Option<Judgement> {
    let readers = values::<2>(answer)?;
    Some(match readers.is_empty() {
        true => Ok("nobody that this user may see".to_owned()),
        false => Err((
            readers.iter().map(|[user, host]| format!("{user} from {host}")).collect::<Vec<_>>().join(", "),
            vec!["-- point them at DR's database: by GTID, or from its first position after the promotion".to_owned()],
        )),
    })
}
