//! The old primary's binary log, read by the server's own program: nothing else understands all that may be in it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws::secret::DatabaseUser;
use failover::position::{Endpoint, Listing, Start, Transaction};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::database::{Access, Ask};

/// Why there is no list of transactions.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// The program is not on this machine.
    #[error("{0} is not installed here ({1}): run the commands above where it is")]
    NoProgram(&'static str, &'static str),
    /// There is nobody to ask as.
    #[error("{0}")]
    NoUser(String),
    /// The server did not say which logs it has.
    #[error("the old primary does not tell its binary logs: {0}")]
    NoLog(String),
    /// The program failed.
    #[error("{program} failed: {why}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        why: String,
    },
    /// A file of ours.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
}

/// What to read.
pub struct Log<'a> {
    pub access: &'a Access,
    pub user: DatabaseUser,
    pub old: Endpoint,
    pub start: &'a Start,
}

/// Form of a listing: to read, or to replay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Readable,
    Replayable,
}

impl Log<'_> {
    /// Lists the transactions; in a folder, if one is given, also as files that have the database's name.
    pub async fn read(
        &self,
        server: &mut impl Ask,
        files: Option<(&Path, &str)>,
    ) -> Result<(Vec<Transaction>, Vec<PathBuf>), NotRead> {
        self.find_program().await?;
        let first = match self.start.first_log() {
            Some(log) => log.to_owned(),
            None => {
                let logs = server.ask("SHOW BINARY LOGS").await.map_err(NotRead::NoLog)?;
                let oldest = logs.rows.first().and_then(|row| row.first().cloned().flatten());
                oldest.ok_or_else(|| NotRead::NoLog("it has none".to_owned()))?
            }
        };
        let mut written = Vec::new();
        let mut listing = Listing::default();
        for (form, ending) in [(Form::Readable, "txt"), (Form::Replayable, "sql")] {
            let mut file = match files {
                Some((folder, name)) => Some(create(folder, name, ending)?),
                None if form == Form::Replayable => break,
                None => None,
            };
            let mut lines = self.lines(&first, form)?;
            while let Some(line) = lines.next().await? {
                if form == Form::Readable {
                    listing.line(String::from_utf8_lossy(&line).trim_end());
                }
                if let Some((path, file)) = &mut file {
                    file.write_all(&line).map_err(|error| NotRead::File(path.clone(), error))?;
                }
            }
            written.extend(file.map(|(path, _)| path));
        }
        Ok((listing.transactions(), written))
    }

    fn is_mariadb(&self) -> bool {
        matches!(self.start, Start::After(_))
    }

    /// MariaDB's program goes by MySQL's name too, and cannot read MySQL's logs.
    async fn find_program(&self) -> Result<(), NotRead> {
        let program = self.start.client();
        let package = match self.is_mariadb() {
            true => "Debian: mariadb-client",
            false => "Oracle's mysql-client of the server's version; Debian's default-mysql-client is MariaDB's",
        };
        let version = Command::new(program).arg("--version").output().await;
        let is_it = version.is_ok_and(|told| {
            let told = String::from_utf8_lossy(&told.stdout).to_lowercase();
            told.contains("ver ") && told.contains("mariadb") == self.is_mariadb()
        });
        if is_it { Ok(()) } else { Err(NotRead::NoProgram(program, package)) }
    }

    fn lines(&self, first: &str, form: Form) -> Result<Lines, NotRead> {
        let program = self.start.client();
        let (arguments, environment) = self.access.for_program(&self.user, &self.old, self.is_mariadb());
        let mut command = Command::new(program);
        // Its own settings, such as another user's, would go before ours.
        command.arg("--no-defaults").arg("--read-from-remote-server").args(arguments);
        if form == Form::Readable {
            command.args(["--base64-output=decode-rows", "--verbose"]);
        }
        command.arg(self.start.option()).args(["--to-last-log", first]);
        // Times are those of its own zone.
        command.envs(environment).env("TZ", "UTC").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| NotRead::Failed { program, why: error.to_string() };
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        let output = child.stdout.take().ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok(Lines { program, child, output: BufReader::new(output) })
    }
}

/// What a program prints, until it ends well.
struct Lines {
    program: &'static str,
    child: tokio::process::Child,
    output: BufReader<tokio::process::ChildStdout>,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, NotRead> {
        let program = self.program;
        let failed = |error: std::io::Error| NotRead::Failed { program, why: error.to_string() };
        let mut line = Vec::new();
        if self.output.read_until(b'\n', &mut line).await.map_err(failed)? > 0 {
            return Ok(Some(line));
        }
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            // What it complains of fits into the pipe.
            tokio::io::AsyncReadExt::read_to_string(&mut errors, &mut said).await.map_err(failed)?;
        }
        match self.child.wait().await.map_err(failed)?.success() {
            true => Ok(None),
            false => Err(NotRead::Failed { program, why: said.trim().to_owned() }),
        }
    }
}

/// A new file: what was written before is not overwritten.
fn create(folder: &Path, name: &str, ending: &str) -> Result<(PathBuf, File), NotRead> {
    let path = folder.join(format!("{name}.{ending}"));
    std::fs::create_dir_all(folder).map_err(|error| NotRead::File(folder.to_owned(), error))?;
    match File::create_new(&path) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err(NotRead::File(path, error)),
    }
}
