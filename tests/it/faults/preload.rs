//! Faults inside a node's process: a wall clock that jumps, and a disk that fails. See `preload.c`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The fault of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    Sound = 0,
    /// Writes that would extend a file fail with `ENOSPC`.
    Full = 1,
    WritesFail = 2,
    FlushesFail = 3,
}

/// The library, built for this run.
pub struct Library(PathBuf);

/// The faults of one node.
pub struct Faults {
    library: PathBuf,
    path: PathBuf,
    file: File,
}

impl Library {
    /// Builds it into a folder.
    pub fn build(folder: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/preload.c");
        let library = folder.join("preload.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        let built = compiler.output().expect("the C compiler that Rust links with");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self(library)
    }

    /// No faults yet, controlled by a file.
    pub fn faults(&self, path: PathBuf) -> Faults {
        let file = File::create_new(&path).expect("a file");
        file.set_len(16).expect("its length");
        Faults { library: self.0.clone(), path, file }
    }
}

impl Faults {
    /// Puts a program under their control.
    pub fn preload(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("ANTEROOM_TEST_FAULTS", &self.path);
    }

    /// Sets the wall clock this far ahead of the machine's.
    pub fn clock_ahead(&self, by: Duration) {
        self.set(0, i64::try_from(by.as_nanos()).expect("a jump of years at most"));
    }

    /// Sets the wall clock this far behind the machine's.
    pub fn clock_behind(&self, by: Duration) {
        self.set(0, -i64::try_from(by.as_nanos()).expect("a jump of years at most"));
    }

    /// Sets the state of the disk.
    pub fn disk(&self, disk: Disk) {
        self.set(8, disk as i64);
    }

    fn set(&self, at: u64, value: i64) {
        self.file.write_all_at(&value.to_ne_bytes(), at).expect("written");
    }
}
