//! Where processes wait for lab time to pass.
//!
//! Whoever connects and writes a whole number of seconds and a newline is told that they have passed by the end of the connection. Until
//! then it is not at work, though its invocation goes on.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Clock;

/// Serves waits until it is dropped.
pub async fn serve(clock: Clock, listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(wait(clock.clone(), stream));
        }
    }
}

async fn wait(clock: Clock, stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let seconds = line.trim().parse().ok()?;
    tokio::select! {
        () = clock.rest(Duration::from_secs(seconds)) => {}
        // It gave up, or was killed.
        _ = stream.read_u8() => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn waiting(clock: &Clock, line: &str) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(clock.clone(), listener));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(line.as_bytes()).await.unwrap();
        stream
    }

    #[tokio::test]
    async fn an_hour_of_a_worker_that_waits_passes_in_a_moment_and_then_it_is_at_work() {
        let noon: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let clock = Clock::start(noon, 3_600_000.0);
        let working = clock.working();
        let mut stream = waiting(&clock, "3600\n").await;
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        let waited = clock.now().duration_since(noon);
        assert!((3_600..3_660).contains(&waited.as_secs()), "{waited}");
        drop(working);
    }

    #[tokio::test]
    async fn of_a_worker_that_is_killed_while_it_waits_nothing_stays() {
        let clock = Clock::start(Timestamp::UNIX_EPOCH, 1.0);
        let working = clock.working();
        let stream = waiting(&clock, "3600\n").await;
        let counts = async |count| {
            while clock.state().working != count {
                tokio::task::yield_now().await;
            }
        };
        counts(0).await;
        drop(working);
        counts(-1).await;
        drop(stream);
        counts(0).await;
        assert!(clock.now().duration_since(Timestamp::UNIX_EPOCH) < SignedDuration::from_secs(3_600));
    }
}
