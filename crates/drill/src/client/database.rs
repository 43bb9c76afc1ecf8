//! Programs that are clients of a database themselves, and know nothing of DNS.

use std::net::IpAddr;
use std::sync::PoisonError;

use lab::rds::{self, Pool, Pooled};

use super::{Clients, EVERY, Write};

/// What the ids of a pool's writes begin with.
pub(crate) const POOL: &str = "database-pool-";
/// What the ids of a long transaction's rows begin with.
pub(crate) const LONG_TRANSACTION: &str = "long-transaction-";

/// Connections that a pool holds.
const POOL_SIZE: usize = 3;

impl Clients {
    /// Starts a program that writes to a database for ever, over a pool of connections of its own; what it writes is told as the site's beside
    /// it. False if it gets no connection.
    pub async fn write_over_pool(&self, (region, id): (&str, &str), site: IpAddr) -> bool {
        let Some(pool) = Pool::open(&self.lab, region, id, POOL_SIZE).await else { return false };
        let program = self.clone();
        tokio::spawn(async move {
            let mut next = program.lab.clock.now();
            for nth in 0_u64.. {
                next += EVERY;
                let working = program.lab.clock.work_at(next).await;
                let id = format!("{POOL}{nth}");
                let written = pool.write(&id).await;
                let at = program.lab.clock.now();
                drop(working);
                // Who is let in nowhere writes nowhere.
                let address = (written != Pooled::Refused).then_some(site);
                let write = Write { id, at, address, acknowledged: matches!(written, Pooled::Acknowledged(_)) };
                program.seen.lock().unwrap_or_else(PoisonError::into_inner).strays.push(write);
            }
        });
        true
    }

    /// Writes so many rows to a database in one transaction; told as the site's beside it. False if it is not acknowledged.
    pub async fn commit_at_once(&self, (region, id): (&str, &str), site: IpAddr, rows: usize, bytes: usize) -> bool {
        let ids: Vec<_> = (0..rows).map(|nth| format!("{LONG_TRANSACTION}{nth}")).collect();
        let named: Vec<_> = ids.iter().map(String::as_str).collect();
        let Some(at) = rds::commit_at_once(&self.lab, region, id, &named, bytes).await else { return false };
        let written = |id| Write { id, at, address: Some(site), acknowledged: true };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).writes.extend(ids.into_iter().map(written));
        true
    }
}
