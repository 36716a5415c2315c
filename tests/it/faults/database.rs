//! A PostgreSQL server of a run's own, which can be killed, frozen and started again.

use super::process::{Process, children, fixed_port, signal};
use crate::harness::postgres::{is_root, programs};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const NAME: &str = "faults";

/// The server.
pub struct Database {
    folder: PathBuf,
    port: u16,
    process: Process,
}

impl Database {
    /// Makes a cluster with an empty database in a folder, and starts it.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("postgres");
        std::fs::create_dir(&folder).expect("a folder");
        let mut init = Command::new("setpriv");
        if let Some(user) = user() {
            let owned = Command::new("chown").arg(user).arg(&folder).status().expect("chown runs");
            assert!(owned.success(), "the folder is given to {user}");
            init.args(["--reuid", user, "--regid", user, "--clear-groups"]);
        }
        init.arg(programs().join("initdb")).args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"]);
        let made = init.arg(folder.join("data")).current_dir("/").output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = fixed_port();
        let database = Self { process: server(&folder, port), folder, port };
        let started = Instant::now();
        while !database.sql("postgres", &format!("CREATE DATABASE {NAME}")) {
            assert!(started.elapsed() < Duration::from_mins(2), "PostgreSQL did not start within 120 s");
            std::thread::sleep(Duration::from_millis(100));
        }
        database
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the database through a port that leads to the server.
    pub fn url_through(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{NAME}")
    }

    /// Kills the server and all of its processes.
    pub fn kill(&mut self) {
        // A stopped server starts no processes, so all of them are found.
        self.process.signal("STOP");
        let mut all = children(self.process.id());
        all.push(self.process.id());
        signal(&all, "KILL");
        self.process.kill();
    }

    /// Tells the server to stop without finishing what runs, and to recover when it starts.
    pub fn stop_at_once(&mut self) {
        self.process.signal("QUIT");
        if !self.process.ends_within(Duration::from_secs(20)) {
            self.kill();
        }
    }

    /// Starts it, or starts it again if it does not run.
    pub fn supervise(&mut self) {
        if self.process.exited().is_some() {
            self.process = server(&self.folder, self.port);
        }
    }

    /// Freezes all of its processes.
    pub fn freeze(&self) {
        self.process.signal("STOP");
        signal(&children(self.process.id()), "STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        signal(&children(self.process.id()), "CONT");
        self.process.signal("CONT");
    }

    /// Kills one process that serves a session, after which the server restarts all of them.
    pub fn kill_session(&self) {
        let serves = |id: &u32| {
            let line = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
            line.starts_with("postgres: postgres")
        };
        if let Some(id) = children(self.process.id()).into_iter().find(serves) {
            signal(&[id], "KILL");
        }
    }

    /// Ends all sessions.
    pub fn end_sessions(&self) {
        let others = "pid <> pg_backend_pid() AND backend_type = 'client backend'";
        self.sql(
            "postgres",
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"),
        );
    }

    /// Runs a statement; whether it could.
    fn sql(&self, database: &str, statement: &str) -> bool {
        let mut psql = Command::new(programs().join("psql"));
        psql.env("PGCONNECT_TIMEOUT", "5").args(["-h", "127.0.0.1", "-U", "postgres", "-p"]);
        psql.arg(self.port.to_string()).args([
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            "-c",
            statement,
        ]);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("psql runs").success()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.kill();
    }
}

fn server(folder: &Path, port: u16) -> Process {
    let settings = |command: &mut Command| {
        command.current_dir("/").arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=100",
            "shared_buffers=64MB",
        ] {
            command.args(["-c", setting]);
        }
    };
    let log = folder.parent().unwrap_or(folder).join("postgres.log");
    Process::start(&programs().join("postgres"), settings, &log, user())
}

/// PostgreSQL does not run as root.
fn user() -> Option<&'static str> {
    is_root().then_some("postgres")
}
