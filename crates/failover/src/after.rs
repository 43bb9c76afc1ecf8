//! The checklist after a failover: what a promotion leaves undone in a database, and what nobody is told.
//!
//! Each row is one question that changes nothing, what its answer means, and the statement that puts it right, for a person to run.

mod rows;

use crate::position::{Answer, Endpoint, Engine, Question, Server, Side, Step, Transcript};

/// What became of one row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it should be.
    Good,
    /// A person must look, and likely do something.
    ToDo,
    /// It was not answered, or with nothing that can be understood.
    NotKnown,
}

/// One row of the list, answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub about: &'static str,
    /// What became of it.
    pub weight: Weight,
    /// What was seen, or why nothing was.
    pub seen: String,
    /// Statements that put it right, to be run as they are or to be filled in.
    pub remedies: Vec<String>,
}

/// A row: whom to ask what, and what to make of it.
struct Row {
    about: &'static str,
    of: Side,
    sql: fn(Server) -> Option<&'static str>,
    /// What was seen and what puts it right; `Err` where that is all in order, in words; `None` where the answer means nothing.
    judge: fn(&Answer) -> Option<Judgement>,
    /// What to do where nobody can be asked.
    otherwise: &'static str,
}

type Judgement = Result<String, (String, Vec<String>)>;

/// Everything about one database in DR and, where it can be asked, its old primary; or what is to be asked next. `old` says why that one
/// cannot.
#[must_use]
pub fn checklist(known: &Transcript, old: Result<(), &str>) -> Step<Vec<Finding>> {
    let mut found = Vec::new();
    let server = match known.server(Side::Dr) {
        Ok(server) => server,
        Err(step) => return step.map(|why| vec![unanswered("the database in DR", why, "")]),
    };
    for row in rows::ROWS {
        let Some(sql) = (row.sql)(server) else { continue };
        if let (Side::Primary, Err(why)) = (row.of, old) {
            found.push(unanswered(row.about, why.to_owned(), row.otherwise));
            continue;
        }
        match known.said(row.of, sql) {
            None => return Step::Ask(Question { of: row.of, sql: sql.to_owned() }),
            Some(Err(why)) => found.push(unanswered(row.about, why.clone(), row.otherwise)),
            Some(Ok(answer)) => found.push(judged(row, answer)),
        }
    }
    Step::Done(found)
}

fn judged(row: &Row, answer: &Answer) -> Finding {
    let about = row.about;
    match (row.judge)(answer) {
        Some(Ok(seen)) => Finding { about, weight: Weight::Good, seen, remedies: Vec::new() },
        Some(Err((seen, remedies))) => Finding { about, weight: Weight::ToDo, seen, remedies },
        None => unanswered(about, "the answer means nothing to Holdfast".to_owned(), row.otherwise),
    }
}

fn unanswered(about: &'static str, seen: String, otherwise: &str) -> Finding {
    let remedies = Some(otherwise.to_owned()).filter(|it| !it.is_empty()).into_iter().collect();
    Finding { about, weight: Weight::NotKnown, seen, remedies }
}

/// The same list as commands, for whoever gives Holdfast no credentials, one a line.
#[must_use]
pub fn commands(engine: Engine, dr: &Endpoint, old: &Endpoint) -> Vec<String> {
    let Engine::Known(server) = engine else {
        return vec!["# Holdfast has no checklist for this engine".to_owned()];
    };
    let client = match server {
        Server::MySql { .. } => "mysql",
        Server::MariaDb => "mariadb",
    };
    let line = |row: &Row| {
        let at = match row.of {
            Side::Dr => dr,
            Side::Primary => old,
        };
        Some([format!("# {}: {}", row.about, row.otherwise), at.ask(client, (row.sql)(server)?)])
    };
    rows::ROWS.iter().filter_map(line).flatten().collect()
}
