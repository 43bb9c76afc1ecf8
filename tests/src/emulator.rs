//! An AWS emulator that nobody here wrote: ministack, from the Python package index, in a virtual environment of its own.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use drill::lambdas::repository;

/// The version that was looked at, and what lets it take SAM templates and the SDK's CBOR.
const REQUIREMENTS: [&str; 3] = ["ministack==1.5.33", "aws-sam-translator==1.115.0", "cbor2==6.3.0"];
const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator that ends with the test.
#[derive(Debug)]
pub struct Emulator {
    process: Child,
    /// The URL to give to SDKs as `AWS_ENDPOINT_URL`.
    pub endpoint: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Already over is over.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    /// Installs it if need be, and starts it. The functions it runs inherit `environment`.
    ///
    /// # Panics
    /// If it cannot be installed, or does not start.
    #[must_use]
    pub fn start(environment: &[(&str, &str)], log: Stdio) -> Self {
        let executable = installed();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        drop(listener);
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = Command::new(executable)
            .envs(environment.iter().copied())
            .env("AWS_ENDPOINT_URL", &endpoint)
            // It would bind every interface otherwise.
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let emulator = Self { process, endpoint };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "the emulator does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        emulator
    }
}

/// The virtual environment, made if it is not there, by one test while the others wait.
fn installed() -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let venv = repository().join("target/second-judge");
    let (done, requirements) = (venv.join("requirements"), REQUIREMENTS.join("\n"));
    if std::fs::read_to_string(&done).ok().as_ref() != Some(&requirements) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        run(Command::new(venv.join("bin/python")).args(["-m", "pip", "install", "--quiet"]).args(REQUIREMENTS));
        std::fs::write(done, requirements).expect("the folder can be written to");
    }
    venv.join("bin/ministack")
}

fn run(command: &mut Command) {
    let status = command.status().expect("python3 with venv is there");
    assert!(status.success(), "{command:?}");
}
