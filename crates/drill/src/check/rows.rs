//! Checks of what is in real servers, row by row.

use std::collections::BTreeSet;

use super::{Check, ensure};
use crate::databases::Rows;
use crate::evidence::Evidence;

/// What every drill on real servers is held to.
pub const ON_REAL_SERVERS: &[Check] = &[
    Check { name: "every server did as RDS was told", run: servers_obeyed },
    Check {
        name: "the rows lost are the last that the old primary acknowledged, one by one, and no others",
        run: lost_rows_counted,
    },
];

fn rows(evidence: &Evidence) -> Result<&Rows, String> {
    evidence.rows.as_ref().ok_or_else(|| "no server was asked".to_owned())
}

fn servers_obeyed(evidence: &Evidence) -> Result<String, String> {
    let Rows { old, new, trouble, .. } = rows(evidence)?;
    match trouble {
        Some(trouble) => Err(trouble.clone()),
        None => Ok(format!("{} rows in the old primary, {} in DR", old.len(), new.len())),
    }
}

/// Counted without the users: what the old primary has and DR has not must be the tail of what it was given before, which is what
/// asynchronous replication loses; and the report's count of what users were told is written must be the same.
fn lost_rows_counted(evidence: &Evidence) -> Result<String, String> {
    let Rows { old, new, .. } = rows(evidence)?;
    let in_dr: BTreeSet<&String> = new.iter().collect();
    let had = old.iter().take_while(|id| in_dr.contains(id)).count();
    if let Some(later) = old[had..].iter().find(|id| in_dr.contains(id)) {
        return Err(format!("DR has {later}, and lacks {} that was written before it", old[had]));
    }
    let lost_rows: BTreeSet<&String> = old[had..].iter().collect();
    let lost = evidence.lost();
    let told = lost.iter().filter(|write| lost_rows.contains(&write.id)).count();
    if let Some(nowhere) = lost.iter().find(|write| !lost_rows.contains(&write.id)) {
        return Err(format!("{} was acknowledged, and no server has it", nowhere.id));
    }
    // What the old primary took as it went down, and could not say so any more, nobody was told.
    ensure(
        told == lost.len(),
        format!(
            "{} rows only in the old primary, {told} of them acknowledged; the report says {}",
            lost_rows.len(),
            lost.len()
        ),
    )
}
