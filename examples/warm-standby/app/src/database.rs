//! The database: orders, and whether it takes any.
//!
//! A pool makes requests cheap and failovers hard: its connections outlive what they led to. So whatever goes wrong on a connection ends it
//! (a server that has become read-only answers all the same), none lives longer than a minute, whatever the endpoint's name means by then,
//! and no request waits longer than two seconds.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a request waits for the database, from the wait for a connection to the answer.
const WITHIN: Duration = Duration::from_secs(2);
/// How long a connection is used. The name of an endpoint is looked up by new connections alone.
const LIVES: Duration = Duration::from_secs(60);
/// What waits for an idle connection is looked after that often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// For the good manners of a connection's end; a server that is silent is not waited for.
const FAREWELL: Duration = Duration::from_millis(100);
/// Connections of one process: instances times this is what the database must allow.
const CONNECTIONS_MAX: usize = 16;

/// "Duplicate entry": the order is there.
const DUPLICATE: u16 = 1062;
/// What a server says that takes no writes: `--read-only` (a replica of binlogs), a read-only transaction, InnoDB's read-only mode (an
/// Aurora reader).
const READ_ONLY: [u16; 3] = [1290, 1792, 1836];

/// The database of this region.
#[derive(Clone, Debug)]
pub struct Database(Pool);

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is a replica, or was just made one.
    #[error("the database is read-only")]
    ReadOnly,
    /// Whether the order is there is not known: it may be sent again, by the same number.
    #[error("the database did not answer within two seconds")]
    Silent,
    /// It said something else, or could not be reached.
    #[error("the database: {0}")]
    Other(#[from] mysql_async::Error),
}

/// What the database does at this moment. What is not known is not true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// It answers questions.
    pub reads: bool,
    /// It took an order, which was taken back.
    pub writes: bool,
}

impl Database {
    /// Connects when the first request comes.
    #[must_use]
    pub fn open(options: Opts) -> Self {
        let pool = PoolOpts::new()
            .with_constraints(PoolConstraints::new(0, CONNECTIONS_MAX).unwrap_or_default())
            .with_abs_conn_ttl(Some(LIVES))
            .with_inactive_connection_ttl(LIVES)
            .with_ttl_check_interval(LOOK_EVERY);
        // Where a server's default is otherwise, an answer would come before the commit.
        let setup = vec!["SET autocommit = 1"];
        Self(Pool::new(OptsBuilder::from_opts(options).pool_opts(pool).setup(setup).prefer_socket(false)))
    }

    /// Puts an order on record; it is committed when this returns. One that is sent twice is there once.
    ///
    /// # Errors
    /// If the database does not take it, or does not say so in time.
    pub async fn order(&self, number: &str) -> Result<(), Error> {
        let insert = async |of: &mut Conn| of.exec_drop("INSERT INTO orders (id) VALUES (?)", (number,)).await;
        match self.on_a_connection(insert).await {
            Err(Error::Other(mysql_async::Error::Server(said))) if said.code == DUPLICATE => Ok(()),
            done => done,
        }
    }

    /// Asks the database, and tries to write: what a server says of itself is not what it does.
    pub async fn health(&self) -> Health {
        let reads = self.on_a_connection(async |of| of.query_drop("SELECT 1 FROM orders LIMIT 1").await).await.is_ok();
        let attempt = async |of: &mut Conn| {
            of.query_drop("START TRANSACTION").await?;
            of.exec_drop("INSERT INTO orders (id) VALUES (UUID())", ()).await?;
            of.query_drop("ROLLBACK").await
        };
        Health { reads, writes: reads && self.on_a_connection(attempt).await.is_ok() }
    }

    async fn on_a_connection(
        &self,
        work: impl AsyncFnOnce(&mut Conn) -> Result<(), mysql_async::Error>,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + WITHIN;
        let mut connection = timeout_at(deadline, self.0.get_conn()).await.map_err(|_| Error::Silent)??;
        match timeout_at(deadline, work(&mut connection)).await {
            Ok(Ok(())) => Ok(()),
            failed => {
                // Kept, a connection to what is read-only by now would refuse orders for as long as it lives.
                let _ = timeout(FAREWELL, connection.disconnect()).await;
                failed.map_err(|_| Error::Silent)?.map_err(of_server)
            }
        }
    }
}

fn of_server(error: mysql_async::Error) -> Error {
    match &error {
        mysql_async::Error::Server(said) if READ_ONLY.contains(&said.code) => Error::ReadOnly,
        _ => Error::Other(error),
    }
}
