//! The load test: clients who order one after the other, over kept connections as browsers do, and what came of it second by second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{Request, StatusCode, Uri};
use tokio::time::{Instant, interval, sleep, timeout};

use crate::assets::Client;

/// After which a client gives an order up.
const PATIENCE: Duration = Duration::from_secs(5);
/// After an order that was not taken.
const PAUSE: Duration = Duration::from_millis(200);

/// What came of orders: how many were taken, and of those that were not how many by status; none if no answer came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Answered with 200.
    pub taken: u64,
    /// Everything else.
    pub failed: BTreeMap<Option<u16>, u64>,
    /// The longest time in which none was taken.
    pub longest_pause: Duration,
}

#[derive(Debug)]
struct Tally {
    all: Counted,
    /// Since the last line.
    recent: Counted,
    taken_at: Instant,
}

/// Lets so many clients order at a site for so many seconds; prints a line a second, and returns the sum.
pub async fn run(client: &Client, site: &Uri, clients: usize, seconds: u64) -> Counted {
    let tally = Tally { all: Counted::default(), recent: Counted::default(), taken_at: Instant::now() };
    let tally = Arc::new(Mutex::new(tally));
    let mut all = tokio::task::JoinSet::new();
    // Orders of another run have other numbers.
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for nth in 0..clients {
        all.spawn(go_on(client.clone(), site.clone(), format!("load-{run}-{nth}"), tally.clone()));
    }
    let mut second = interval(Duration::from_secs(1));
    second.tick().await;
    for nth in 1..=seconds {
        second.tick().await;
        let recent = std::mem::take(&mut tally.lock().unwrap_or_else(PoisonError::into_inner).recent);
        println!("{nth:>4} s  {}", in_words(&recent));
    }
    drop(all);
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.all.longest_pause = tally.all.longest_pause.max(tally.taken_at.elapsed());
    tally.all.clone()
}

/// A line.
#[must_use]
pub fn in_words(counted: &Counted) -> String {
    let failed = counted.failed.iter().map(|(status, count)| match status {
        Some(status) => format!(", {count} answered {status}"),
        None => format!(", {count} not answered"),
    });
    format!("{} taken{}", counted.taken, failed.collect::<String>())
}

async fn go_on(client: Client, site: Uri, who: String, tally: Arc<Mutex<Tally>>) {
    let to = format!("{}/orders", site.to_string().trim_end_matches('/'));
    for nth in 0_u64.. {
        let Ok(request) = Request::post(&to).body(Body::from(format!("{who}-{nth}"))) else { return };
        let answer = timeout(PATIENCE, client.request(request)).await;
        let status = answer.ok().and_then(Result::ok).map(|answer| answer.status());
        note(&mut tally.lock().unwrap_or_else(PoisonError::into_inner), status);
        if status != Some(StatusCode::OK) {
            sleep(PAUSE).await;
        }
    }
}

fn note(tally: &mut Tally, status: Option<StatusCode>) {
    if status == Some(StatusCode::OK) {
        tally.all.longest_pause = tally.all.longest_pause.max(tally.taken_at.elapsed());
        tally.taken_at = Instant::now();
    }
    for counted in [&mut tally.all, &mut tally.recent] {
        match status {
            Some(StatusCode::OK) => counted.taken += 1,
            status => *counted.failed.entry(status.map(|status| status.as_u16())).or_default() += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_was_taken_and_how_the_rest_failed() {
        let mut tally = Tally { all: Counted::default(), recent: Counted::default(), taken_at: Instant::now() };
        for status in [Some(StatusCode::OK), None, Some(StatusCode::SERVICE_UNAVAILABLE), None] {
            note(&mut tally, status);
        }
        assert_eq!(in_words(&tally.all), "1 taken, 2 not answered, 1 answered 503");
        assert_eq!(tally.recent.failed, tally.all.failed);
    }
}
