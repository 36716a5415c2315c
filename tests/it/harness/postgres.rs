//! PostgreSQL for the tests: one server per process, started when it is first needed, and one database per test.
//! Tests that stop, freeze or restart a server start their own ([`Server::start`]).

use super::signal;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// The prefix of a server's folder name, before the id of the test process and a number.
const FOLDER: &str = "anteroom-pg-";
/// The timeout for a server to start or stop on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

static SHARED: OnceLock<Server> = OnceLock::new();
static SERVERS: AtomicU32 = AtomicU32::new(0);
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running PostgreSQL. Dropping it stops the server and removes its data.
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// The URL of a fresh, empty database on the server that all tests share.
pub fn new_database() -> String {
    SHARED.get_or_init(Server::start).new_database()
}

impl Server {
    /// Starts a new server on a free port.
    pub fn start() -> Self {
        let programs = programs();
        remove_leftovers();
        let number = SERVERS.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}.{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        run(as_postgres(&programs.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"])
            .arg(folder.join("data")));
        let mut server = Self { programs, folder, port: free_port(), process: None };
        server.start_again();
        server
    }

    /// The URL of a fresh, empty database.
    pub fn new_database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        self.sql(&format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Starts the server again on the same port and data after [`Server::stop`] or [`Server::kill`], and waits
    /// until it accepts connections.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs");
        let mut server = as_postgres(&self.programs.join("postgres"));
        server.arg("-D").arg(self.folder.join("data")).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=64MB",
        ] {
            server.args(["-c", setting]);
        }
        server.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(spawn(server));
        let started = Instant::now();
        while !self.is_ready() {
            assert!(started.elapsed() < PATIENCE, "PostgreSQL did not start within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server as an operator does, with a fast shutdown: terminates sessions and writes everything to disk.
    pub fn stop(&mut self) {
        self.end("-INT");
    }

    /// Kills all processes of the server, as a crash of its machine does. The next start recovers.
    pub fn kill(&mut self) {
        self.thaw();
        for process in self.processes() {
            signal(process, "-KILL");
        }
        self.end("-KILL");
    }

    /// Stops the server and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Suspends all processes of the server: connections stay open, but nothing responds.
    pub fn freeze(&self) {
        // The postmaster first, so that it starts no new process.
        for process in self.processes() {
            signal(process, "-STOP");
        }
        for process in self.processes() {
            signal(process, "-STOP");
        }
    }

    /// Resumes a frozen server.
    pub fn thaw(&self) {
        for process in self.processes() {
            signal(process, "-CONT");
        }
    }

    /// Terminates all client sessions with `pg_terminate_backend`. Clients can reconnect immediately.
    pub fn terminate_sessions(&self) {
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        );
    }

    /// Runs SQL in the database `postgres`, and returns what psql prints.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// Runs SQL in a database, and returns what psql prints.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-d", database, "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        run(&mut psql)
    }

    /// The postmaster and its children, the postmaster first; none when the server is stopped.
    fn processes(&self) -> Vec<u32> {
        let Some(postmaster) = self.process.as_ref().map(Child::id) else { return Vec::new() };
        let children = Command::new("pgrep").args(["-P", &postmaster.to_string()]).output().expect("pgrep");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        std::iter::once(postmaster).chain(children.lines().filter_map(|id| id.parse().ok())).collect()
    }

    fn end(&mut self, by: &str) {
        let processes = self.processes();
        let Some(mut postmaster) = self.process.take() else { return };
        signal(postmaster.id(), by);
        let asked = Instant::now();
        while postmaster.try_wait().expect("a status").is_none()
            || processes[1..].iter().any(|id| Path::new("/proc").join(id.to_string()).exists())
        {
            assert!(asked.elapsed() < PATIENCE, "PostgreSQL did not stop within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> bool {
        let ready = self.command("pg_isready").stdout(Stdio::null()).stderr(Stdio::null()).status();
        ready.is_ok_and(|status| status.success())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in self.processes().into_iter().rev() {
            signal(process, "-KILL");
        }
        if let Some(mut postmaster) = self.process.take() {
            let _ = postmaster.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Starts a program from a thread that never ends: the signal that ends a server with its parent is sent when the
/// thread that started it ends.
fn spawn(command: Command) -> Child {
    type Job = (Command, mpsc::Sender<Child>);
    static STARTER: OnceLock<Mutex<mpsc::Sender<Job>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, todo) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in todo {
                let _ = answer.send(command.spawn().expect("the program starts"));
            }
        });
        Mutex::new(jobs)
    });
    let (answer, child) = mpsc::channel();
    starter.lock().unwrap().send((command, answer)).expect("the thread runs");
    child.recv().expect("the program starts")
}

/// Removes folders of earlier test processes. Servers end with their process, but their folders remain.
fn remove_leftovers() {
    for entry in std::fs::read_dir(std::env::temp_dir()).expect("the folder for such things").flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        let process = process.and_then(|process| process.split('.').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder of the newest PostgreSQL's programs on Debian.
pub fn programs() -> PathBuf {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|programs: &PathBuf| programs.join("initdb").exists());
    versions.sort();
    versions.pop().expect("PostgreSQL's server programs are missing: run scripts/test, which installs them")
}

/// A command for PostgreSQL, which does not run as root. Its process ends with this one.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(program);
    command.current_dir("/");
    command
}

pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.trim_ascii() == b"0"
}

/// A port that is free at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
