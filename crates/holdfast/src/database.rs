//! Asks databases themselves, where it was given a user: whoever operates Holdfast, never a function.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use aws::Session;
use aws::rebuild::Pattern;
use aws::secret::{self, DatabaseUser, SecretArn};
use failover::position::{Answer, Endpoint, Side, Step, Transcript};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, SslOpts, Value};

use crate::cli::{self, DatabaseSecret};
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

/// Whoever asks: as whom, and how it is known that the database answers.
#[derive(Clone)]
pub struct Access {
    session: Session,
    /// Users for one database, by its identifier; the one without is for all others.
    users: BTreeMap<Option<String>, DatabaseUser>,
    /// The file with the certificates that the databases' are signed by; without it there is no TLS.
    ca: Option<PathBuf>,
}

/// Without passwords.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<_> = self.users.iter().map(|(database, user)| (database, &user.name)).collect();
        f.debug_struct("Access").field("users", &users).field("ca", &self.ca).finish_non_exhaustive()
    }
}

fn of_environment() -> Result<Option<DatabaseUser>, Failure> {
    // A CI sets what it does not have to nothing.
    let Some(name) = std::env::var(USER).ok().filter(|name| !name.is_empty()) else { return Ok(None) };
    let password =
        std::env::var(PASSWORD).map_err(|_| Failure::Usage(format!("{USER} is set, and {PASSWORD} is not")))?;
    Ok(Some(DatabaseUser { name, password }))
}

impl Access {
    /// How databases are asked; nothing if neither a user nor how to connect was named. A secret is read now, in its own region.
    pub async fn of(session: &Session, options: &cli::Access) -> Result<Option<Self>, Failure> {
        let named = &options.database_secret;
        let known = of_environment()?;
        if known.is_some() && named.iter().any(|secret| secret.database.is_none()) {
            let why = format!("--database-secret and {USER} each name a user for the databases: unset one of them");
            return Err(Failure::Usage(why));
        }
        if let Some(twice) = named.iter().enumerate().find_map(|(nth, one)| {
            named[..nth].iter().any(|other| other.database == one.database).then_some(&one.database)
        }) {
            let of = twice.as_ref().map_or_else(|| "every database".to_owned(), Clone::clone);
            let why = format!(
                "--database-secret names two secrets for {of}: say which database each is for, as in app-dr=ARN"
            );
            return Err(Failure::Usage(why));
        }
        let is_connecting = options.database_ca.is_some() || options.database_without_tls;
        if named.is_empty() && known.is_none() && !is_connecting {
            return Ok(None);
        }
        if !is_connecting {
            let why = "to ask databases with TLS, name the certificates that theirs are signed by: --database-ca FILE (RDS's are at \
                       https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem); or say --database-without-tls";
            return Err(Failure::Usage(why.to_owned()));
        }
        if let Some(file) = &options.database_ca {
            let unread = |error| Failure::Usage(format!("--database-ca {}: {error}", file.display()));
            std::fs::File::open(file).map_err(unread)?;
        }
        let mut users: BTreeMap<_, _> = known.map(|user| (None, user)).into_iter().collect();
        for DatabaseSecret { database, arn } in named {
            let read = secret::database_user(session, arn).await;
            let user = read.map_err(|why| Failure::Secret { arn: arn.clone(), why })?;
            users.insert(database.clone(), user);
        }
        Ok(Some(Self { session: session.clone(), users, ca: options.database_ca.clone() }))
    }

    /// Whether there is a user for a database: one that was named, or the master user, whose password RDS manages.
    pub fn knows(&self, database: &Pattern) -> bool {
        !matches!(self.login(database), Login::Nobody(..))
    }

    fn login(&self, database: &Pattern) -> Login {
        let id = database.arn.rsplit(':').next().unwrap_or_default().to_owned();
        let named = self.users.get(&Some(id.clone())).or_else(|| self.users.get(&None));
        let managed = || database.secret.as_ref().and_then(|arn| arn.parse().ok());
        match named {
            Some(user) => Login::As(user.clone()),
            None => managed().map_or_else(
                || Login::Nobody(id, self.users.keys().flatten().cloned().collect()),
                |arn| Login::Managed(Box::new(self.session.clone()), arn),
            ),
        }
    }

    /// Who asks a database.
    pub async fn user(&self, database: &Pattern) -> Result<DatabaseUser, String> {
        self.login(database).user().await
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
            .ssl_opts(tls)
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_MAX))
            .wait_timeout(Some(28_800))
            // Whatever is asked, nothing is changed.
            .init(vec!["SET SESSION TRANSACTION READ ONLY"]);
        Client { options, login: self.login(database), connection: None }
    }

    /// What a program of the server's needs in its environment and its arguments to log in as a user.
    pub fn for_program(
        &self,
        user: &DatabaseUser,
        endpoint: &Endpoint,
        is_mariadb: bool,
    ) -> (Vec<String>, [(&'static str, String); 1]) {
        let tls = match (&self.ca, is_mariadb) {
            (Some(ca), true) => vec![format!("--ssl-ca={}", ca.display()), "--ssl-verify-server-cert".to_owned()],
            (Some(ca), false) => vec![format!("--ssl-ca={}", ca.display()), "--ssl-mode=VERIFY_IDENTITY".to_owned()],
            (None, true) => vec!["--skip-ssl".to_owned()],
            (None, false) => vec!["--ssl-mode=DISABLED".to_owned()],
        };
        let port = endpoint.port.map(|port| format!("--port={port}"));
        let own = [format!("--host={}", endpoint.host), format!("--user={}", user.name)];
        // Not as an argument, which every process of this machine sees.
        (own.into_iter().chain(port).chain(tls).collect(), [("MYSQL_PWD", user.password.clone())])
    }
}

/// As whom a database is asked.
enum Login {
    As(DatabaseUser),
    /// As its master user, whose password RDS changes every week and keeps in this secret.
    Managed(Box<Session>, SecretArn),
    /// Nobody named anyone for this database, but for these.
    Nobody(String, Vec<String>),
}

impl Login {
    async fn user(&self) -> Result<DatabaseUser, String> {
        match self {
            Self::As(user) => Ok(user.clone()),
            Self::Managed(session, arn) => {
                let read = secret::database_user(session, arn).await;
                read.map_err(|why| format!("{arn}, in which RDS keeps the master user's password: {why}"))
            }
            Self::Nobody(database, others) => {
                let only = if others.is_empty() { String::new() } else { format!(" (only for {})", others.join(", ")) };
                Err(format!(
                    "nobody named a user for {database}{only}, and RDS manages none: give --database-secret ARN, or {database}=ARN, or {USER}"
                ))
            }
        }
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
    options: OptsBuilder,
    login: Login,
    connection: Option<Conn>,
}

impl Client {
    async fn connected(&mut self) -> Result<&mut Conn, String> {
        if self.connection.is_none() {
            let DatabaseUser { name, password } = self.login.user().await?;
            let options = self.options.clone().user(Some(name)).pass(Some(password).filter(|it| !it.is_empty()));
            let connecting = tokio::time::timeout(CONNECTS_WITHIN, Conn::new(options)).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_is_asked_as_its_own_user_then_as_everybodys_then_as_the_one_whose_password_rds_manages() {
        let user = |name: &str| DatabaseUser { name: name.to_owned(), password: String::new() };
        let database = |id: &str, secret: Option<&str>| Pattern {
            arn: format!("arn:aws:rds:eu-central-1:123456789012:cluster:{id}"),
            secret: secret.map(str::to_owned),
            ..Pattern::default()
        };
        let managed = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-Ab12Cd";
        let mut access = Access { session: Session::load().await, users: BTreeMap::new(), ca: None };
        assert!(!access.knows(&database("app-dr", None)));
        let said = access.user(&database("app-dr", None)).await.err().unwrap();
        assert!(said.contains("app-dr=ARN"), "{said}");
        assert!(
            matches!(access.login(&database("app-dr", Some(managed))), Login::Managed(_, arn) if arn.to_string() == managed)
        );
        access.users.insert(Some("app-dr".to_owned()), user("own"));
        assert!(!access.knows(&database("orders-dr", None)));
        let said = access.user(&database("orders-dr", None)).await.err().unwrap();
        assert!(said.contains("only for app-dr"), "a slip in a name is seen: {said}");
        access.users.insert(None, user("all"));
        for (id, name) in [("app-dr", "own"), ("orders-dr", "all")] {
            assert!(access.user(&database(id, Some(managed))).await.is_ok_and(|user| user.name == name), "{id}");
        }
    }
}
