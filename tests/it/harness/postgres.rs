//! PostgreSQL for the tests: one server for the process, started when it is first needed, a database a test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The start of a server's folder's name; the test process's id follows.
const FOLDER: &str = "anteroom-postgres-";

static SERVER: OnceLock<Postgres> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Postgres {
    programs: PathBuf,
    port: u16,
}

/// The URL of a fresh, empty database.
pub fn new_database() -> String {
    let server = SERVER.get_or_init(Postgres::start);
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    server.sql(&format!("CREATE DATABASE {name}"));
    format!("postgres://postgres@127.0.0.1:{}/{name}", server.port)
}

impl Postgres {
    fn start() -> Self {
        let programs = programs();
        remove_leftovers();
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let data = folder.join("data");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        run(as_postgres(&programs.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"])
            .arg(&data));
        let port = free_port();
        let mut server = as_postgres(&programs.join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args([
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=300",
            "-c",
            "shared_buffers=64MB",
        ]);
        server.stdout(Stdio::null()).stderr(Stdio::null());
        // The signal that ends the server with its parent is sent when the thread that started it ends: this
        // one never does.
        std::thread::spawn(move || {
            let _server = server.spawn().expect("postgres starts");
            loop {
                std::thread::park();
            }
        });
        let server = Self { programs, port };
        let started = Instant::now();
        while !server.is_ready() {
            assert!(started.elapsed() < Duration::from_secs(30), "PostgreSQL did not start within 30 s");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn is_ready(&self) -> bool {
        let ready = self.command("pg_isready").stdout(Stdio::null()).stderr(Stdio::null()).status();
        ready.is_ok_and(|status| status.success())
    }

    fn sql(&self, statement: &str) {
        run(self.command("psql").args(["-q", "-v", "ON_ERROR_STOP=1", "-c", statement]));
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]);
        command
    }
}

/// Servers end with the test process, but their folders stay behind: the next process removes them.
fn remove_leftovers() {
    for entry in std::fs::read_dir(std::env::temp_dir()).expect("the folder for such things").flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Where Debian keeps the programs of the newest PostgreSQL.
pub fn programs() -> PathBuf {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|programs: &PathBuf| programs.join("initdb").exists());
    versions.sort();
    versions.pop().expect("PostgreSQL's server programs are missing: run scripts/test, which installs them")
}

/// PostgreSQL does not run as root; what is started ends with this process.
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

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
