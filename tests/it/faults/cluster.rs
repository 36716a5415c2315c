//! The servers of a run: one node on SQLite, or three on PostgreSQL and NATS, all as processes of their own, and
//! every connection between them over a link that can be cut.

use super::database::Database;
use super::link::Link;
use super::preload::{Disk, Faults, Library};
use super::process::{Process, fixed_port};
use crate::harness::Engine;
use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Nodes on PostgreSQL.
const NODES: usize = 3;
/// How long a node that ended by itself stays down, as under a supervisor.
const RESTART_AFTER: Duration = Duration::from_millis(200);
/// The size of the file system that a full disk is made of: enough for a long run.
const DISK: &str = "size=300m";
/// Seconds: longer than any client needs to notice that its connection is dead, and shorter than the longest fault.
const PRESENCE_TTL: &str = "30";
const ABORTED: i32 = 6;
const SECRET: &str = "the same thirty-two bytes or more on every node";
/// The start of a run's folder's name; the test process's id follows.
const FOLDER: &str = "anteroom-faults-";

/// All servers of a run.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub database: Option<Database>,
    pub bus: Option<Bus>,
    /// Nodes that ended by themselves, with their exit status.
    pub exits: Vec<String>,
    /// Those among them that crashed.
    pub crashes: Vec<String>,
    /// Whether the data folder is a file system of its own, which can be filled.
    pub has_own_disk: bool,
    folder: PathBuf,
}

/// A node and its links.
pub struct Node {
    pub port: u16,
    /// From its clients.
    pub clients: Link,
    /// To PostgreSQL.
    pub database: Option<Link>,
    /// To NATS.
    pub bus: Option<Link>,
    pub faults: Faults,
    process: Process,
    settings: Vec<String>,
    log: PathBuf,
    down_since: Option<Instant>,
}

/// A NATS server.
pub struct Bus {
    port: u16,
    process: Process,
    log: PathBuf,
}

impl Cluster {
    /// Starts everything; also answers what `init --json` printed.
    pub async fn start(engine: Engine) -> (Self, Value) {
        remove_leftovers();
        let folder = run_folder();
        let library = Library::build(&folder);
        let (database, bus) = match engine {
            Engine::Sqlite => (None, None),
            Engine::Postgres => (Some(Database::start(&folder)), Some(Bus::start(&folder))),
        };
        let has_own_disk = engine == Engine::Sqlite && mount(&folder.join("node-0"));
        let first = settings(&folder.join("node-0"), database.as_ref().map(Database::port));
        let organization = init(&first);
        let mut nodes = Vec::new();
        for number in 0..if engine == Engine::Sqlite { 1 } else { NODES } {
            let data = folder.join(format!("node-{number}"));
            let to_database = link(database.as_ref().map(Database::port)).await;
            let to_bus = link(bus.as_ref().map(|bus| bus.port)).await;
            let mut settings = settings(&data, to_database.as_ref().map(Link::port));
            if let Some(bus) = &to_bus {
                settings.extend(["--bus".into(), format!("nats://127.0.0.1:{}", bus.port())]);
            }
            let port = fixed_port();
            settings.extend(["--listen".into(), format!("127.0.0.1:{port}")]);
            let faults = library.faults(folder.join(format!("node-{number}.faults")));
            let log = folder.join(format!("node-{number}.log"));
            nodes.push(Node {
                port,
                clients: Link::to(port).await,
                database: to_database,
                bus: to_bus,
                process: node(&settings, &faults, &log),
                faults,
                settings,
                log,
                down_since: None,
            });
        }
        let mut cluster =
            Self { nodes, database, bus, exits: Vec::new(), crashes: Vec::new(), has_own_disk, folder };
        for number in 0..cluster.nodes.len() {
            assert!(
                cluster.listens(number, Duration::from_mins(2)),
                "node {number} did not start within 120 s"
            );
        }
        (cluster, organization)
    }

    /// Where clients connect to, by node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("http://127.0.0.1:{}", node.clients.port())).collect()
    }

    /// The folder with the logs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills a node and starts it again.
    pub fn kill_node(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.process.kill();
        node.start();
    }

    /// Stops a node by SIGTERM and starts it again; whether it stopped by itself.
    pub fn stop_node(&mut self, number: usize) -> bool {
        let node = &mut self.nodes[number];
        node.process.signal("TERM");
        let has_stopped = node.process.ends_within(Duration::from_secs(45));
        node.process.kill();
        node.start();
        has_stopped
    }

    /// Freezes a node, or lets it go on.
    pub fn freeze_node(&self, number: usize, is_frozen: bool) {
        self.nodes[number].process.signal(if is_frozen { "STOP" } else { "CONT" });
    }

    /// Starts again what ended, as a supervisor does.
    pub fn supervise(&mut self) {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let Some(status) = node.process.exited() else { continue };
            match node.down_since {
                None => {
                    let exit = format!("node {number}: {status}");
                    // SIGABRT is how a program ends that gives up on purpose.
                    if status.signal().is_some_and(|signal| signal != ABORTED) {
                        self.crashes.push(exit.clone());
                    }
                    self.exits.push(exit);
                    node.down_since = Some(Instant::now());
                }
                Some(since) if since.elapsed() > RESTART_AFTER => node.start(),
                Some(_) => {}
            }
        }
        if let Some(database) = &mut self.database {
            database.supervise();
        }
        if let Some(bus) = &mut self.bus {
            bus.supervise();
        }
    }

    /// Waits, and restarts meanwhile what ended.
    pub fn wait(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.supervise();
            std::thread::sleep(Duration::from_millis(50).min(time));
        }
    }

    /// Fills the disk of the data folder; the guard makes room again.
    pub fn fill_disk(&self) -> Option<Filler> {
        use std::io::Write;
        if !self.has_own_disk {
            self.nodes[0].faults.disk(Disk::Full);
            return None;
        }
        let path = self.folder.join("node-0").join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        let mut piece = vec![1; 1 << 20];
        // Smaller and smaller pieces, so that nothing is left.
        while !piece.is_empty() {
            while file.write_all(&piece).is_ok() {}
            piece.truncate(piece.len() / 2);
        }
        Some(Filler(path))
    }

    /// Whether a node takes connections within a limit.
    pub fn listens(&mut self, number: usize, limit: Duration) -> bool {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.nodes[number].port)).is_err() {
            if began.elapsed() > limit {
                return false;
            }
            self.wait(Duration::from_millis(20));
        }
        true
    }
}

impl Node {
    fn start(&mut self) {
        self.process = node(&self.settings, &self.faults, &self.log);
        self.down_since = None;
    }
}

impl Bus {
    fn start(folder: &Path) -> Self {
        let (port, log) = (fixed_port(), folder.join("nats.log"));
        Self { port, process: nats(port, &log), log }
    }

    /// Kills it; it is started again when it is supervised.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Freezes it, or lets it go on.
    pub fn freeze(&self, is_frozen: bool) {
        self.process.signal(if is_frozen { "STOP" } else { "CONT" });
    }

    fn supervise(&mut self) {
        if self.process.exited().is_some() {
            self.process = nats(self.port, &self.log);
        }
    }
}

/// A file that fills a disk; removed with this value.
pub struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.process.kill();
        }
        self.database = None;
        self.bus = None;
        remove(&self.folder);
    }
}

async fn link(port: Option<u16>) -> Option<Link> {
    match port {
        Some(port) => Some(Link::to(port).await),
        None => None,
    }
}

fn settings(data: &Path, database: Option<u16>) -> Vec<String> {
    let mut settings: Vec<String> =
        ["--data", &data.to_string_lossy(), "--secret", SECRET].map(str::to_owned).into();
    settings.extend(["--log", "anteroom=info,warn", "--presence-ttl", PRESENCE_TTL].map(str::to_owned));
    if let Some(port) = database {
        settings.extend(["--database".into(), Database::url_through(port)]);
        settings.extend(["--database-connections".into(), "12".into()]);
    }
    settings
}

fn node(settings: &[String], faults: &Faults, log: &Path) -> Process {
    let program = Path::new(env!("CARGO_BIN_EXE_anteroom"));
    let set = |command: &mut Command| {
        command.args(settings).args(["--no-demo", "--rate-limit", "0"]);
        faults.preload(command);
    };
    Process::start(program, set, log, None)
}

fn nats(port: u16, log: &Path) -> Process {
    let program = Path::new("nats-server");
    let set = |command: &mut Command| {
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
    };
    Process::start(program, set, log, None)
}

fn init(settings: &[String]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.args(settings).args(["init", "--tenant", "clinic", "--instance", "main"]);
    let made = command.args(["--admin", "Ada Admin", "--json"]).output().expect("init runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).expect("JSON")
}

/// A folder that PostgreSQL's user may pass through.
fn run_folder() -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU32, Ordering};
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("{FOLDER}{}-{run}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    folder
}

/// Mounts a file system of its own, where that is permitted.
fn mount(folder: &Path) -> bool {
    std::fs::create_dir(folder).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(folder).output();
    mounted.is_ok_and(|output| output.status.success())
}

fn remove(folder: &Path) {
    let _ = Command::new("umount").arg("-l").arg(folder.join("node-0")).output();
    let _ = std::fs::remove_dir_all(folder);
}

/// Removes what a test process that was killed left behind.
fn remove_leftovers() {
    for entry in std::fs::read_dir(std::env::temp_dir()).expect("the folder for such things").flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(&entry.path());
        }
    }
}
