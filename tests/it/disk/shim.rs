//! A disk that fails on demand, for one server. See `shim.c`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The fault of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Sound = 0,
    /// Writes that would extend a file fail with `ENOSPC`.
    Full = 1,
    WritesFail = 2,
    FlushesFail = 3,
    /// Only flushes of the database file itself fail, which happen in checkpoints.
    FlushesOfDatabaseFail = 4,
    /// Only flushes of the file with the epoch fail.
    FlushesOfMarkerFail = 5,
}

/// The disk of one server.
pub struct Disk {
    library: PathBuf,
    control: PathBuf,
    file: File,
}

impl Disk {
    /// Builds the library into a folder.
    pub fn build(folder: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk/shim.c");
        let (library, control) = (folder.join("shim.so"), folder.join("fault"));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        let built = compiler.output().expect("`cc`, which Rust links with too");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let file = File::create_new(&control).expect("a control file");
        file.set_len(8).expect("its length");
        Self { library, control, file }
    }

    /// Puts a server on this disk.
    pub fn preload(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("ANTEROOM_TEST_DISK", &self.control);
    }

    pub fn set(&self, fault: Fault) {
        self.file.write_all_at(&(fault as i64).to_ne_bytes(), 0).expect("written");
    }
}
