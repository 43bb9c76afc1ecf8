//! What a person did is told to everybody whom Holdfast tells of its own deeds.

use aws::operator;
use aws::route53::RecordReader as _;
use failover::announcement::{Announcement, Deed};

use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// An event takes 256 KB, and nobody reads more names.
const NAMES_MAX: usize = 100;

/// Tells it. That nobody can be told stops nothing: it is said to whoever did it.
pub async fn announce(workload: &Workload, terminal: &Terminal, deed: Deed, by: &str, names: &[String]) {
    let names_unlisted = names.len().saturating_sub(NAMES_MAX);
    let names = names.iter().take(NAMES_MAX).cloned().collect();
    let announcement = Announcement { deed, by: by.to_owned(), names, names_unlisted, at: workload.records.now() };
    if let Err(error) = operator::announce(&workload.session, &workload.bus, &announcement).await {
        terminal.say(format!("{WARNING}nobody was told of it{WARNING:#}: {error}"));
    }
}
