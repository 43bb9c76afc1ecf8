//! When DR was last looked at by itself, each hour, and what was found: by the metrics that the function readiness published of it.

use std::fmt;

use aws::standby::{Reader, StandbyReader as _};
use failover::standby::Look;
use failover::standby::news::{Counts, Found, LOOKBACK, Past};
use jiff::Timestamp;
use serde::Serialize;

use crate::workload::Workload;

/// What is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Looked {
    /// The last look.
    Last {
        /// When it was, to five minutes.
        at: Timestamp,
        /// Users were on DR, and no row was judged.
        on_dr: bool,
        /// How many rows were not ready.
        not_ready: u64,
        /// How many nobody knew.
        not_known: u64,
    },
    /// Why nothing is.
    NotKnown(String),
}

/// Asks CloudWatch for it.
pub async fn looked(workload: &Workload, now: Timestamp) -> Looked {
    let function = format!("{}-readiness", workload.bus);
    Looked::of(Reader::new(&workload.session).before(&function, now).await)
}

impl Looked {
    fn of(looks: Look<Vec<Past>>) -> Self {
        match looks.map(|looks| looks.last().copied()) {
            Ok(Some(Past { at, found })) => {
                let Counts { not_ready, not_known } = found.counts();
                Self::Last { at, on_dr: found == Found::OnDr, not_ready, not_known }
            }
            Ok(None) => {
                let days = LOOKBACK.as_hours() / 24;
                Self::NotKnown(format!("no look by itself in {days} days (Readiness=on has one each hour)"))
            }
            Err(why) => Self::NotKnown(why),
        }
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last { on_dr: true, .. } => f.write_str("users were on DR, so nothing stood by"),
            Self::Last { not_ready: 0, not_known: 0, .. } => f.write_str("every row was ready"),
            Self::Last { not_ready, not_known, .. } => write!(f, "rows not ready: {not_ready}, not known: {not_known}"),
            Self::NotKnown(why) => write!(f, "not known: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_look_counts_and_what_is_not_known_says_why() {
        let past = |second, found| Past { at: Timestamp::from_second(second).unwrap(), found };
        let rows = |not_ready, not_known| Found::Rows(Counts { not_ready, not_known });
        for (looks, said) in [
            (Ok(vec![past(0, rows(3, 0)), past(3_600, rows(0, 0))]), "every row was ready"),
            (Ok(vec![past(0, rows(0, 0)), past(3_600, rows(1, 2))]), "rows not ready: 1, not known: 2"),
            (Ok(vec![past(0, Found::OnDr)]), "users were on DR"),
            (Ok(Vec::new()), "not known: no look by itself in 14 days"),
            (Err("GetMetricData was refused".to_owned()), "not known: GetMetricData was refused"),
        ] {
            let looked = Looked::of(looks).to_string();
            assert!(looked.starts_with(said), "{looked}");
        }
    }
}
