//! Programs that are clients of a real server themselves, beside the lab's sites.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::current;
use super::database::Key;
use super::model::key;
use super::real::{behind, may_connect};
use crate::Lab;
use crate::servers::{Held, Server, Taken};

/// A program's pool of connections to a database, found by its endpoint once and for all: each is used in its turn, and one that fails is opened
/// anew when it is needed.
#[derive(Debug)]
pub struct Pool {
    lab: Arc<Lab>,
    key: Key,
    idle: Mutex<VecDeque<Held>>,
}

/// What became of a write on a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooled {
    /// It is committed.
    Acknowledged(Timestamp),
    /// The connection it was on is gone, or the server refused it.
    Failed,
    /// There was no connection left, and no new one was let in.
    Refused,
}

impl Pool {
    /// Opens so many connections; `None` if there is no real server, or it lets nobody in.
    pub async fn open(lab: &Arc<Lab>, region: &str, id: &str, size: usize) -> Option<Self> {
        let pool = Self { lab: lab.clone(), key: key(region, id), idle: Mutex::default() };
        let _working = lab.clock.working();
        for _ in 0..size {
            let connection = pool.connect().await?;
            pool.idle.lock().await.push_back(connection);
        }
        Some(pool)
    }

    fn server(&self) -> Option<Arc<Server>> {
        let (real, number) = behind(&self.lab, &self.key)?;
        real.server(number)
    }

    async fn connect(&self) -> Option<Held> {
        let is_let_in = may_connect(&current(&self.lab), &self.key);
        let server = self.server().filter(|_| is_let_in && !self.lab.faults.is_down(&self.key.0))?;
        server.hold().await.ok()
    }

    /// Writes a row on the connection whose turn it is.
    pub async fn write(&self, id: &str) -> Pooled {
        let _working = self.lab.clock.working();
        let idle = self.idle.lock().await.pop_front();
        let connection = match idle {
            Some(connection) => Some(connection),
            None => self.connect().await,
        };
        let Some(mut connection) = connection else { return Pooled::Refused };
        let heard = heard(&self.lab, &self.key);
        if self.lab.faults.is_down(&self.key.0) || connection.write(&[id], self.lab.clock.now(), 0).await.is_err() {
            return Pooled::Failed;
        }
        self.idle.lock().await.push_back(connection);
        for link in heard {
            link.more().await;
        }
        Pooled::Acknowledged(self.lab.clock.now())
    }
}

/// What the links to a database's replicas have taken so far.
fn heard(lab: &Lab, key: &Key) -> Vec<Taken> {
    behind(lab, key).map(|(real, number)| real.taken_of(number)).unwrap_or_default()
}

/// Writes rows of so many bytes to a database in one transaction. When it was acknowledged; `None` if it was not.
pub async fn commit_at_once(lab: &Lab, region: &str, id: &str, writes: &[&str], bytes: usize) -> Option<Timestamp> {
    let key = key(region, id);
    let _working = lab.clock.working();
    let (real, number) = behind(lab, &key)?;
    let server = real.server(number).filter(|_| may_connect(&current(lab), &key))?;
    let heard = real.taken_of(number);
    server.hold().await.ok()?.write(writes, lab.clock.now(), bytes).await.ok()?;
    for link in heard {
        link.more().await;
    }
    Some(lab.clock.now())
}
