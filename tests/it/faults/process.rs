//! Child processes that are killed, frozen and started again, and that never outlive the tests.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// A running program.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program; its output is appended to a log file.
    pub fn start(
        program: &Path,
        settings: impl FnOnce(&mut Command),
        log: &Path,
        as_user: Option<&str>,
    ) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = as_user {
            command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
        }
        command.arg(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ANTEROOM_") {
                command.env_remove(name);
            }
        }
        settings(&mut command);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a handle")).stderr(log);
        Self { child: spawn(command) }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name; a process that has ended is left alone.
    pub fn signal(&self, name: &str) {
        signal(&[self.id()], name);
    }

    /// The exit status of a process that has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a status")
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for it to end by itself; whether it did.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let asked = Instant::now();
        while asked.elapsed() < limit {
            if self.exited().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to processes. Some of them may have ended already.
pub fn signal(ids: &[u32], name: &str) {
    let ids = ids.iter().map(u32::to_string);
    let mut kill = Command::new("kill");
    let _ = kill.arg(format!("-{name}")).args(ids).stderr(Stdio::null()).status().expect("kill runs");
}

/// The children of a process.
pub fn children(parent: u32) -> Vec<u32> {
    let is_child = |id: &u32| {
        // The name in parentheses may contain spaces; the parent's id is the second field after it.
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}

/// The signal that ends a process with its parent is sent when the thread that started it ends, so all of them
/// are started by one thread that never does.
fn spawn(command: Command) -> Child {
    type Order = (Command, mpsc::Sender<Child>);
    static STARTER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, started) in orders {
                let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
                let _ = started.send(child);
            }
        });
        Mutex::new(sender)
    });
    let (sender, started) = mpsc::channel();
    starter.lock().unwrap().send((command, sender)).expect("the starter runs");
    started.recv().expect("the program starts")
}

/// A port below those that the kernel hands out to clients, so that nobody takes it while its owner is down.
pub fn fixed_port() -> u16 {
    use rand::RngExt;
    loop {
        let port = rand::rng().random_range(15_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
