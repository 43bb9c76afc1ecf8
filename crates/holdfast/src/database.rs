//! Asks databases themselves, where it was given a user: whoever operates Holdfast, never a function.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use aws::Session;
use aws::rebuild::Pattern;
use aws::secret::{self, DatabaseUser, SecretArn};
use failover::position::{Answer, Endpoint, Side, Step, Transcript};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row, SslOpts, Value};

use crate::cli;
use crate::failure::Failure;

const USER: &str = "HOLDFAST_DATABASE_USER";
const PASSWORD: &str = "HOLDFAST_DATABASE_PASSWORD";

/// MySQL's and MariaDB's own.
const PORT: u16 = 3306;

/// A fence lets nobody in, and says nothing.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// No question takes longer, but for what a server waits for itself.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// The largest answer, told beforehand so that a connection need not ask; a set of GTIDs may be long.
const PACKET_MAX: usize = 64 << 20;

/// Whoever asks.
#[derive(Clone)]
pub struct Access {
    user: DatabaseUser,
    /// The file with the certificates that the databases' are signed by; without it there is no TLS.
    ca: Option<PathBuf>,
}

/// Without the password.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("user", &self.user.name).field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// Where a user for the databases comes from.
enum User<'a> {
    Known(DatabaseUser),
    InSecret(&'a SecretArn),
}

fn of_environment() -> Result<Option<DatabaseUser>, Failure> {
    // A CI sets what it does not have to nothing.
    let Some(name) = std::env::var(USER).ok().filter(|name| !name.is_empty()) else { return Ok(None) };
    let password =
        std::env::var(PASSWORD).map_err(|_| Failure::Usage(format!("{USER} is set, and {PASSWORD} is not")))?;
    Ok(Some(DatabaseUser { name, password }))
}

impl Access {
    /// From a secret or the environment; `None` where neither has a user.
    pub async fn of(session: &Session, options: &cli::Access) -> Result<Option<Self>, Failure> {
        let user = match (&options.database_secret, of_environment()?) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                let why = format!("--database-secret and {USER} each name a user for the databases: unset one of them");
                return Err(Failure::Usage(why));
            }
            (Some(secret), None) => User::InSecret(secret),
            (None, Some(user)) => User::Known(user),
        };
        if options.database_ca.is_none() && !options.database_without_tls {
            let why = "to ask databases with TLS, name the certificates that theirs are signed by: --database-ca FILE (RDS's are at \
                       https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem); or say --database-without-tls";
            return Err(Failure::Usage(why.to_owned()));
        }
        if let Some(file) = &options.database_ca {
            let unread = |error| Failure::Usage(format!("--database-ca {}: {error}", file.display()));
            std::fs::File::open(file).map_err(unread)?;
        }
        let user = match user {
            User::Known(user) => user,
            User::InSecret(arn) => {
                let read = secret::database_user(session, arn).await;
                read.map_err(|why| Failure::Secret { arn: arn.clone(), why })?
            }
        };
        Ok(Some(Self { user, ca: options.database_ca.clone() }))
    }

    /// A client of a database, which connects once it is asked.
    pub fn client(&self, database: &Pattern) -> Client {
        let port = database.settings.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(PORT);
        let tls = self.ca.clone().map(|ca| {
            // RDS's certificates are signed by authorities of its own, which no browser knows.
            SslOpts::default().with_root_certs(vec![ca.into()]).with_disable_built_in_roots(true)
        });
        let options = OptsBuilder::default()
            .ip_or_hostname(database.endpoint.clone())
            .tcp_port(port)
            .user(Some(self.user.name.clone()))
            .pass(Some(self.user.password.clone()).filter(|password| !password.is_empty()))
            .ssl_opts(tls)
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_MAX))
            .wait_timeout(Some(28_800))
            // Whatever is asked, nothing is changed.
            .init(vec!["SET SESSION TRANSACTION READ ONLY"]);
        Client { options: options.into(), connection: None }
    }

    /// What a program of the server's needs in its environment and its arguments to log in as we do.
    pub fn for_program(&self, endpoint: &Endpoint, is_mariadb: bool) -> (Vec<String>, [(&'static str, &str); 1]) {
        let tls = match (&self.ca, is_mariadb) {
            (Some(ca), true) => vec![format!("--ssl-ca={}", ca.display()), "--ssl-verify-server-cert".to_owned()],
            (Some(ca), false) => vec![format!("--ssl-ca={}", ca.display()), "--ssl-mode=VERIFY_IDENTITY".to_owned()],
            (None, true) => vec!["--skip-ssl".to_owned()],
            (None, false) => vec!["--ssl-mode=DISABLED".to_owned()],
        };
        let port = endpoint.port.map(|port| format!("--port={port}"));
        let own = [format!("--host={}", endpoint.host), format!("--user={}", self.user.name)];
        // Not as an argument, which every process of this machine sees.
        (own.into_iter().chain(port).chain(tls).collect(), [("MYSQL_PWD", &self.user.password)])
    }
}

/// Whoever answers questions.
pub trait Ask {
    /// What it answers to one statement, or why it does not.
    async fn ask(&mut self, sql: &str) -> Result<Answer, String>;
}

/// Whoever is not there.
pub struct Nobody;

impl Ask for Nobody {
    async fn ask(&mut self, _: &str) -> Result<Answer, String> {
        Err("it was not named".to_owned())
    }
}

/// One database.
pub struct Client {
    options: Opts,
    connection: Option<Conn>,
}

impl Client {
    async fn connected(&mut self) -> Result<&mut Conn, String> {
        if self.connection.is_none() {
            let connecting = tokio::time::timeout(CONNECTS_WITHIN, Conn::new(self.options.clone())).await;
            let connected = connecting.map_err(|_| format!("no connection within {} s", CONNECTS_WITHIN.as_secs()))?;
            self.connection = Some(connected.map_err(|error| error.to_string())?);
        }
        self.connection.as_mut().ok_or_else(|| "no connection".to_owned())
    }
}

impl Ask for Client {
    async fn ask(&mut self, sql: &str) -> Result<Answer, String> {
        let connection = self.connected().await?;
        let answered = match tokio::time::timeout(ANSWERS_WITHIN, table(connection, sql)).await {
            Ok(answered) => answered.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
        };
        // What broke it is gone with the next one.
        if answered.is_err() {
            self.connection = None;
        }
        answered
    }
}

async fn table(connection: &mut Conn, sql: &str) -> Result<Answer, mysql_async::Error> {
    let mut result = connection.query_iter(sql).await?;
    let columns = result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    let rows = result.collect::<Row>().await?;
    let text = |value: Value| match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    };
    Ok(Answer { columns, rows: rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect() })
}

/// Asks both until a rule has decided.
pub async fn decide<T>(dr: &mut impl Ask, primary: &mut impl Ask, rule: impl Fn(&Transcript) -> Step<T>) -> T {
    let mut known = Transcript::default();
    loop {
        match rule(&known) {
            Step::Done(decided) => return decided,
            Step::Ask(question) => {
                let answer = match question.of {
                    Side::Dr => dr.ask(&question.sql).await,
                    Side::Primary => primary.ask(&question.sql).await,
                };
                known.note(question, answer);
            }
        }
    }
}

/// Where clients find a database.
pub fn endpoint(database: &Pattern) -> Endpoint {
    Endpoint { host: database.endpoint.clone(), port: database.settings.port, user: database.user.clone() }
}
