//! The peers' side: a virtual environment with the pinned packages, and packages of both kinds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, repository};

/// Zips files as `aws lambda` takes them; a folder with all in it but compiled files, which Lambda does not need.
const ZIP: &str = r#"
import pathlib, sys, zipfile
target, *sources = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
    for source in sources:
        files = [source] if source.is_file() else [file for file in source.rglob("*") if file.is_file()]
        for file in files:
            if "__pycache__" not in file.parts:
                name = "bootstrap" if source.is_file() and not source.suffix else file.relative_to(source.parent)
                package.write(file, name)
print(target.stat().st_size)
"#;

/// What boto3 consists of: the Lambda runtime brings it along, and who pins its version puts it into the package.
const VENDORED: [&str; 7] = ["boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"];

/// Python with awslambdaric and boto3.
#[derive(Debug)]
pub struct Python {
    venv: PathBuf,
    folder: PathBuf,
}

impl Python {
    /// Installs the pinned packages, if they are not there.
    ///
    /// # Errors
    /// If there is no Python with venv, or pip does not get the packages.
    pub fn installed(target: &Path) -> Result<Self, Failure> {
        let folder = repository().join("crates/bench/python");
        let requirements = folder.join("requirements.txt");
        let (venv, wanted) = (target.join("venv"), std::fs::read_to_string(&requirements)?);
        // Written last, so an installation that was cut short starts over.
        let done = venv.join("requirements.txt");
        if std::fs::read_to_string(&done).ok().as_ref() != Some(&wanted) {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
            let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
            run(Command::new(venv.join("bin/python")).args(pip).arg(&requirements))?;
            std::fs::write(done, wanted)?;
        }
        Ok(Self { venv, folder })
    }

    fn program(&self) -> PathBuf {
        self.venv.join("bin/python")
    }

    /// How the managed runtime starts a twin.
    #[must_use]
    pub fn command(&self, module: &str) -> Vec<OsString> {
        vec![self.program().into(), "-m".into(), "awslambdaric".into(), format!("{module}.handler").into()]
    }

    /// Where the twins are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The versions that matter, for the report.
    ///
    /// # Errors
    /// If Python does not run.
    pub fn versions(&self) -> Result<String, Failure> {
        let pinned = std::fs::read_to_string(self.folder.join("requirements.txt"))?;
        let told: Vec<_> =
            pinned.lines().filter(|line| line.starts_with("boto3") || line.starts_with("awsl")).collect();
        let python = run(Command::new(self.program()).arg("--version"))?;
        Ok(format!("{}, {}", python.trim(), told.join(", ").replace("==", " ")))
    }

    /// The zipped size of a function's binary, in bytes.
    ///
    /// # Errors
    /// If it cannot be zipped.
    pub fn package_of_binary(&self, binary: &Path) -> Result<u64, Failure> {
        self.zip(&[binary.to_owned()])
    }

    /// The zipped size of a twin, in bytes: alone, and with boto3 in it.
    ///
    /// # Errors
    /// If it cannot be zipped.
    pub fn package_of_twin(&self, module: &str) -> Result<(u64, u64), Failure> {
        let own = ["holdfast_twin", module].map(|module| self.folder.join(format!("{module}.py")));
        let list = run(Command::new(self.program()).args(["-c", "import boto3; print(boto3.__path__[0])"]))?;
        let packages = Path::new(list.trim()).parent().ok_or("boto3 is nowhere")?;
        let all: Vec<_> = own.iter().cloned().chain(VENDORED.map(|package| packages.join(package))).collect();
        Ok((self.zip(&own)?, self.zip(&all)?))
    }

    fn zip(&self, sources: &[PathBuf]) -> Result<u64, Failure> {
        let package = self.venv.join(format!("package-{}.zip", std::process::id()));
        let size = run(Command::new(self.program()).args(["-c", ZIP]).arg(&package).args(sources))?;
        std::fs::remove_file(package)?;
        Ok(size.trim().parse()?)
    }
}

/// Runs a command to its end, and returns what it printed.
///
/// # Errors
/// If it cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.output().map_err(|error| format!("{command:?}: {error}; on Debian: apt-get install python3-venv"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
