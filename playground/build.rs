//! Builds the page in `page/` with npm and Vite, and leaves its files gzipped in `OUT_DIR` for the crate to
//! embed. A machine that cannot build the page still builds the server: the crate is then empty, a warning
//! says so, and the server tells at `/graphiql` how to get the page.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "Cargo talks to a build script through the environment and what it prints"
)]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the page is made of. Not `node_modules` and `dist`, which working on the page leaves beside them.
const SOURCES: [&str; 6] =
    [".npmrc", "index.html", "package-lock.json", "package.json", "src", "vite.config.js"];

/// Set to `off` to build without the page.
const SWITCH: &str = "ANTEROOM_PLAYGROUND";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={SWITCH}");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=page/{source}");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let generated = match build(&out) {
        Ok(files) => listing(&files, None),
        Err(Missing(reason)) => {
            println!("cargo::warning=this server will have no GraphiQL: {}", reason.replace('\n', " "));
            listing(&[], Some(&reason))
        }
    };
    fs::write(out.join("files.rs"), generated)
}

/// Why there is no page.
struct Missing(String);

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Self {
        Self(format!("the page could not be built ({error})"))
    }
}

/// A file of the page: where the page looks for it, and where it lies gzipped.
struct Built {
    path: String,
    gzipped: PathBuf,
}

fn build(out: &Path) -> Result<Vec<Built>, Missing> {
    if std::env::var(SWITCH).is_ok_and(|value| value == "off") {
        return Err(Missing(format!("it was built with {SWITCH}=off")));
    }
    // Built on a copy, so that nothing is ever written beside the sources.
    let (work, embedded) = (out.join("page"), out.join("embedded"));
    for folder in [&work, &embedded] {
        remove(folder)?;
        fs::create_dir_all(folder)?;
    }
    for source in SOURCES {
        copy(&Path::new("page").join(source), &work.join(source))?;
    }
    npm(&work, &["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    npm(&work, &["run", "build"])?;
    let mut files = Vec::new();
    compress(&work.join("dist"), "", &embedded, &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    // A quarter of a gigabyte of packages has done its work.
    remove(&work)?;
    Ok(files)
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), Missing> {
    let run = Command::new("npm").args(arguments).current_dir(folder).output();
    let output = run.map_err(|error| Missing(format!("npm could not be started ({error})")))?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr);
    let first_of_npm = log.lines().find(|line| line.starts_with("npm error"));
    let cause = first_of_npm.or(log.lines().last()).unwrap_or("without a word");
    Err(Missing(format!("npm {} failed ({cause})", arguments[0])))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Gzips the files of a folder, `prefix` being its path on the page.
fn compress(folder: &Path, prefix: &str, embedded: &Path, files: &mut Vec<Built>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            compress(&entry.path(), &format!("{path}/"), embedded, files)?;
            continue;
        }
        let gzipped = embedded.join(format!("{}.gz", path.replace('/', "~")));
        let mut encoder = GzEncoder::new(fs::File::create(&gzipped)?, Compression::best());
        encoder.write_all(&fs::read(entry.path())?)?;
        encoder.finish()?;
        files.push(Built { path, gzipped });
    }
    Ok(())
}

/// The Rust source that embeds the files.
fn listing(files: &[Built], missing: Option<&str>) -> String {
    let mut source = format!(
        "/// Why there is no page, where there is none.\npub const MISSING: Option<&str> = {missing:?};\n\n\
         /// The files of the page.\npub const FILES: &[File] = &[\n"
    );
    for Built { path, gzipped } in files {
        let gzipped = gzipped.display().to_string();
        let _ = writeln!(source, "    File {{ path: {path:?}, gzipped: include_bytes!({gzipped:?}) }},");
    }
    source + "];\n"
}
