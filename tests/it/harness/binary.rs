//! Runs the real binary, which a test can kill and restart.

use super::signal;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A running `anteroom serve`.
pub struct Binary {
    child: Child,
    pub url: String,
    log: Arc<Mutex<String>>,
}

impl Binary {
    /// Starts the server on a data folder. Port 0 picks a free port.
    pub fn start(data: &Path, port: u16) -> Self {
        Self::start_with(data, port, |_| {})
    }

    /// Starts the server with more settings.
    pub fn start_with(data: &Path, port: u16, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(data);
        command.env("ANTEROOM_DRAIN", "0");
        more(&mut command);
        let mut child = command
            .args(["--no-demo", "--rate-limit", "0", "--listen", &format!("127.0.0.1:{port}")])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("its log")).lines();
        let kept = Arc::<Mutex<String>>::default();
        let keep = Arc::clone(&kept);
        let mut log = log.map_while(Result::ok).inspect(move |line| {
            let mut kept = keep.lock().unwrap();
            kept.push_str(line);
            kept.push('\n');
        });
        let url = log
            .by_ref()
            .find_map(|line| {
                let at = line.find("http://127.0.0.1:")?;
                Some(line[at..].split_whitespace().next()?.to_owned())
            })
            .expect("the log says where it listens");
        // Keep reading, so that the log never fills its pipe.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url, log: kept }
    }

    /// The server's log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The exit status, if the process has exited on its own.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a status")
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process without warning (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Suspends the process (SIGSTOP): its connections stay open, but it does not respond.
    pub fn freeze(&self) {
        signal(self.child.id(), "-STOP");
    }

    /// Resumes a frozen process (SIGCONT).
    pub fn thaw(&self) {
        signal(self.child.id(), "-CONT");
    }

    /// Stops the process as an operator does (SIGTERM), and returns its exit status.
    pub fn terminate(mut self) -> ExitStatus {
        signal(self.child.id(), "-TERM");
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status;
            }
            assert!(asked.elapsed() < Duration::from_secs(30), "the server did not stop within 30 s");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the binary on a data folder, without settings from the environment.
pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.env_clear().arg("--data").arg(data);
    command
}

/// Creates an organization in a data folder, and returns the output of `init --json`.
pub fn init(data: &Path) -> serde_json::Value {
    init_with(data, |_| {})
}

/// The same, with more settings.
pub fn init_with(data: &Path, more: impl FnOnce(&mut Command)) -> serde_json::Value {
    let mut command = command(data);
    more(&mut command);
    let output = command
        .args(["init", "--tenant", "clinic", "--instance", "main", "--admin", "Ada Admin", "--json"])
        .output()
        .expect("init runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
