//! How far a replica has come: what its promotion makes it forget.

use super::proof::{Position, domains, executed, is_plain};
use super::server::{Server, identity};
use super::{Side, Step, Stop, Transcript, step};

/// What DR's database has executed of what it replicates: by transactions where they have ids, and by file and position of its source's binary
/// log where it tells them; never none of both. Else why that is not known.
///
/// Without GTIDs nothing but file and position says later where the writes begin that were lost, and a promotion wipes them.
#[must_use]
pub fn executed_by_replica(known: &Transcript) -> Step<Result<Vec<Position>, String>> {
    step(decide(known).map(Ok), Err)
}

fn decide(known: &Transcript) -> Result<Vec<Position>, Stop> {
    let server = identity(known, Side::Dr)?.server;
    let by_id = match server {
        Server::MySql { .. } => executed(known, Side::Dr)?.filter(|set| !set.is_empty()).map(Position::Gtids),
        Server::MariaDb => {
            let domains = domains(known, Side::Dr, "SELECT @@gtid_slave_pos")?;
            Some(domains).filter(|domains| !domains.is_empty()).map(Position::Domains)
        }
    };
    let by_log = match in_log_of_source(known, server) {
        Ok(position) => position,
        // MariaDB tells it only to who has SLAVE MONITOR.
        Err(Stop::NotKnown(_)) if by_id.is_some() => None,
        Err(stop) => return Err(stop),
    };
    match by_id.into_iter().chain(by_log).collect::<Vec<_>>() {
        positions if positions.is_empty() => {
            Err(Stop::NotKnown(format!("{} replicates nothing, and has no GTIDs", Side::Dr.in_words())))
        }
        positions => Ok(positions),
    }
}

fn in_log_of_source(known: &Transcript, server: Server) -> Result<Option<Position>, Stop> {
    let (status, [file, position]) = server.executed_of_source();
    let answer = known.answer(Side::Dr, status)?;
    let file = answer.value(file).filter(|file| is_plain(file));
    let position = answer.value(position).and_then(|position| position.parse().ok());
    Ok(file.zip(position).map(|(file, position)| Position::Log { file: file.to_owned(), position }))
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;

    const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    /// Asks until it is decided; what is not answered here is refused.
    fn told(answers: &[(&str, &[&str], &[&str])]) -> Result<String, String> {
        let mut known = Transcript::default();
        loop {
            match executed_by_replica(&known) {
                Step::Done(decided) => {
                    return decided.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
                }
                Step::Ask(question) => {
                    assert_eq!(question.of, Side::Dr, "nobody else is asked");
                    let said = answers.iter().find(|(sql, ..)| *sql == question.sql).map(|(_, columns, row)| Answer {
                        columns: columns.iter().map(ToString::to_string).collect(),
                        rows: if row.is_empty() {
                            Vec::new()
                        } else {
                            vec![row.iter().map(|it| Some((*it).to_owned())).collect()]
                        },
                    });
                    known.note(question, said.ok_or_else(|| "denied".to_owned()));
                }
            }
        }
    }

    const MARIADB: (&str, &[&str], &[&str]) =
        ("SELECT @@version, @@server_id", &["@@version", "@@server_id"], &["10.11.6-MariaDB", "2"]);
    const MYSQL: (&str, &[&str], &[&str]) =
        ("SELECT @@version, @@server_id", &["@@version", "@@server_id"], &["8.4.3", "2"]);
    const OLD_WORDS: &[&str] = &["Relay_Master_Log_File", "Exec_Master_Log_Pos"];
    const GTIDS: &str = "SELECT @@global.gtid_mode, @@global.gtid_executed";

    #[test]
    fn a_replica_tells_its_transactions_and_where_it_is_in_its_sources_log() {
        let slave_pos = ("SELECT @@gtid_slave_pos", &["@@gtid_slave_pos"][..], &["0-1-77"][..]);
        let status = ("SHOW SLAVE STATUS", OLD_WORDS, &["bin.000003", "4711"][..]);
        assert_eq!(told(&[MARIADB, slave_pos, status]), Ok("0-1-77 bin.000003:4711".to_owned()));
        assert_eq!(told(&[MARIADB, slave_pos]), Ok("0-1-77".to_owned()), "it may not see the rest");
        let set = format!("{UUID}:1-77");
        let (on, off) = (["ON", &set], ["OFF", ""]);
        let columns = &["@@global.gtid_mode", "@@global.gtid_executed"][..];
        let words = &["Relay_Source_Log_File", "Exec_Source_Log_Pos"][..];
        let status = ("SHOW REPLICA STATUS", words, &["bin.000003", "4711"][..]);
        assert_eq!(told(&[MYSQL, (GTIDS, columns, &on), status]), Ok(format!("{set} bin.000003:4711")));
        assert_eq!(told(&[MYSQL, (GTIDS, columns, &off), status]), Ok("bin.000003:4711".to_owned()));
    }

    #[test]
    fn what_a_replica_does_not_tell_is_not_known() {
        assert!(told(&[]).unwrap_err().contains("denied"));
        let none = ("SELECT @@gtid_slave_pos", &["@@gtid_slave_pos"][..], &[""][..]);
        assert!(told(&[MARIADB, none]).unwrap_err().contains("SHOW SLAVE STATUS: denied"));
        let nothing = ("SHOW SLAVE STATUS", OLD_WORDS, &[][..]);
        assert!(told(&[MARIADB, none, nothing]).unwrap_err().contains("replicates nothing"));
        let strange = ("SHOW SLAVE STATUS", OLD_WORDS, &["bin'; DROP", "4711"][..]);
        assert!(told(&[MARIADB, none, strange]).unwrap_err().contains("replicates nothing"));
    }
}
