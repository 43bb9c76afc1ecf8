//! The files that every server begins with: system tables, three users and one table, made once and copied.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Brand, Error};

/// `admin` is the lab's own. The others are as RDS would have them, none with SUPER: none may write to what is read-only.
fn people(brand: Brand) -> String {
    let rights = brand.rights_to_replication();
    format!(
        "FLUSH PRIVILEGES;
CREATE USER master@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, {rights}, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER ON *.* TO master@'%' WITH GRANT OPTION;
CREATE USER admin@localhost;
GRANT ALL ON *.* TO admin@localhost WITH GRANT OPTION;
CREATE USER replica@'%';
GRANT REPLICATION SLAVE ON *.* TO replica@'%';
CREATE DATABASE app;
CREATE USER app@'%';
GRANT ALL ON app.* TO app@'%';
CREATE TABLE app.writes (nth BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, id VARCHAR(64) NOT NULL UNIQUE, at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), filling LONGBLOB NOT NULL) ENGINE=InnoDB;
"
    )
}

#[derive(Debug)]
pub(super) struct Template {
    pub brand: Brand,
    program: PathBuf,
    files: PathBuf,
}

impl Template {
    /// Makes the files.
    pub async fn make(brand: Brand, program: PathBuf, home: &Path) -> Result<Self, Error> {
        let template = Self { brand, program, files: home.join("template") };
        let scratch = home.join("scratch");
        std::fs::create_dir(&template.files)?;
        std::fs::create_dir(&scratch)?;
        match brand {
            Brand::MariaDb => template.bootstrap(&scratch).await?,
            Brand::MySql => template.initialize(home, &scratch).await?,
        }
        Ok(template)
    }

    /// As `mariadb-install-db` does, which wants more packages than the server's own, and fills in help texts that nobody reads.
    async fn bootstrap(&self, scratch: &Path) -> Result<(), Error> {
        let mut script = "CREATE DATABASE mysql;\nUSE mysql;\n".to_owned();
        for part in ["system_tables", "performance_tables"] {
            script += &system_script(part)?;
        }
        script += &people(self.brand);
        let mut command = Command::from(self.command(&self.files, scratch));
        command.args(["--bootstrap", "--log-warnings=0", "--enforce-storage-engine="]);
        finish(command, &script).await
    }

    async fn initialize(&self, home: &Path, scratch: &Path) -> Result<(), Error> {
        let script = home.join("people.sql");
        std::fs::write(&script, people(self.brand))?;
        let mut command = Command::from(self.command(&self.files, scratch));
        command.args(["--initialize-insecure", &format!("--init-file={}", script.display())]);
        finish(command, "").await?;
        // Each server makes itself an identity of its own.
        Ok(std::fs::remove_file(self.files.join("auto.cnf"))?)
    }

    /// The server's program on these files.
    pub fn command(&self, files: &Path, scratch: &Path) -> std::process::Command {
        // By setpriv (Debian: util-linux, always there) it ends with us, even if we are killed.
        let mut command = std::process::Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(&self.program).args(self.brand.options());
        // It refuses to be root unless told to; for anybody else it is who we are.
        if std::fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0) {
            command.arg("--user=root");
        }
        command.arg(format!("--datadir={}", files.display())).arg(format!("--tmpdir={}", scratch.display()));
        command
    }

    /// Puts a copy there.
    pub fn copy_to(&self, files: &Path) -> std::io::Result<()> {
        copy(&self.files, files)
    }
}

/// Runs it to its end.
async fn finish(mut command: Command, input: &str) -> Result<(), Error> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    // The end of the input is the end of the script: the pipe is closed as it is dropped.
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::Start(last_lines(&String::from_utf8_lossy(&output.stderr)))),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(std::fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// Debian 12 calls them mysql's, later ones mariadb's.
fn system_script(part: &str) -> Result<String, Error> {
    let folders = ["/usr/share/mysql", "/usr/share/mariadb"];
    let files = folders.iter().flat_map(|folder| ["mysql", "mariadb"].map(|by| format!("{folder}/{by}_{part}.sql")));
    let found = files.clone().find_map(|file| std::fs::read_to_string(file).ok());
    found.ok_or_else(|| Error::Start(format!("none of these files is there: {}", files.collect::<Vec<_>>().join(", "))))
}

/// What a server's log ends with.
pub(super) fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().filter(|line| !line.contains("[Note]")).collect();
    lines[lines.len().saturating_sub(5)..].join("; ")
}
