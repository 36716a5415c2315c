//! Whether the promises hold while everything around the server fails: nodes, PostgreSQL and NATS are killed and
//! frozen, disks fill up, networks are cut, clocks jump, and clients come back all at once.
//!
//! The normal suite runs every fault once. `scripts/faults` runs the same in full; its options arrive as environment
//! variables. A run that breaks a promise leaves its journal and the servers' logs in `target/faults`.

mod chaos;
mod checker;
mod cluster;
mod context;
mod database;
mod feeds;
mod followers;
mod journal;
mod link;
mod planted;
mod preload;
mod process;
mod run;
mod sessions;
mod writers;

use crate::harness::Engine;
use crate::on_both;
use chaos::Plan;
use checker::{Finding, Kind, check, count};
use journal::{Change, Outcome as Answer, Stream};
use run::{Outcome, run};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

on_both!(promises_hold_under_faults);

/// Findings of each kind that a report shows; there may be thousands.
const SHOWN: usize = 8;

async fn promises_hold_under_faults(engine: Engine) {
    let plan = plan();
    eprintln!("FAULTS_SEED={} repeats this schedule", plan.seed);
    let outcome = run(engine, &plan).await;
    let findings = check(&outcome.journal);
    let report = report(engine, &plan, &outcome, &findings);
    println!("{report}");
    if !findings.is_empty() {
        let folder = keep(engine, &plan, &outcome, &report);
        panic!("{report}\nThe journal and the logs are in {}", folder.display());
    }
}

/// The short form, unless `scripts/faults` says otherwise.
fn plan() -> Plan {
    let number = |name: &str| -> Option<u64> {
        let text = std::env::var(name).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name}: expected a number, not {text}")))
    };
    let size =
        |name: &str| number(name).map(|number| usize::try_from(number).expect("a number of this machine"));
    let only = std::env::var("FAULTS_ONLY").unwrap_or_default();
    let only: Vec<_> = only.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    match size("FAULTS_ROUNDS") {
        None => Plan {
            seed: number("FAULTS_SEED").unwrap_or(1),
            rounds: 1,
            kills: 3,
            clients: 50,
            lasts: (Duration::from_millis(700), Duration::from_millis(1_500)),
            has_long_freeze: false,
            only,
        },
        Some(rounds) => Plan {
            seed: number("FAULTS_SEED").unwrap_or(1),
            rounds,
            kills: size("FAULTS_KILLS").unwrap_or(20),
            clients: size("FAULTS_CLIENTS").unwrap_or(500),
            lasts: (Duration::from_millis(300), Duration::from_secs(6)),
            has_long_freeze: true,
            only,
        },
    }
}

/// The faults, the traffic and the verdicts of a run.
fn report(engine: Engine, plan: &Plan, outcome: &Outcome, findings: &[Finding]) -> String {
    let journal = &outcome.journal;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<34} {value:>12}");
    };
    line("database", format!("{engine:?}"));
    line("seed", plan.seed.to_string());
    line("took", format!("{:.0} s", outcome.took.as_secs_f64()));
    for (fault, count) in &outcome.faults {
        line(&format!("fault {fault}"), count.to_string());
    }
    line("kills", outcome.kills.to_string());
    if engine == Engine::Sqlite {
        line("full disk", if outcome.has_own_disk { "tmpfs" } else { "simulated" }.into());
    }
    line("nodes that ended by themselves", outcome.exits.len().to_string());
    let attempts = journal.calls.iter().flat_map(|call| &call.attempts);
    let is_unknown = |outcome: &Answer| matches!(outcome, Answer::Unknown { .. });
    line("messages sent", journal.calls.len().to_string());
    line(
        "attempts without an answer",
        attempts.filter(|attempt| is_unknown(&attempt.outcome)).count().to_string(),
    );
    line("sessions contested", journal.contests.len().to_string());
    line("reads", journal.walks.len().to_string());
    let of = |kind: Stream| journal.followers.iter().filter(move |follower| follower.kind == kind);
    for (name, kind) in [
        ("messageAdded", Stream::Messages),
        ("chatEvents", Stream::Events),
        ("chatChanged", Stream::Room),
        ("viewerEvents", Stream::Viewer),
    ] {
        line(&format!("subscribers of {name}"), of(kind).count().to_string());
        line(
            &format!("frames of {name}"),
            of(kind).map(|follower| follower.frames.len()).sum::<usize>().to_string(),
        );
        let connections = of(kind).filter_map(|follower| Some(follower.frames.last()?.connection));
        line(&format!("reconnects of {name}, up to"), connections.max().unwrap_or_default().to_string());
    }
    let frames = journal.followers.iter().flat_map(|follower| &follower.frames);
    let is_reset = |change: &Change| matches!(change, Change::Reset { is_first: false });
    line("resets", frames.filter(|frame| is_reset(&frame.change)).count().to_string());
    for (kind, count) in count(findings) {
        line(kind.name(), count.to_string());
    }
    for exit in outcome.exits.iter().take(SHOWN) {
        let _ = writeln!(text, "ended by itself: {exit}");
    }
    for kind in Kind::ALL {
        for finding in findings.iter().filter(|finding| finding.kind == kind).take(SHOWN) {
            let _ = writeln!(text, "{}: {}", kind.name(), finding.detail);
        }
    }
    text
}

/// Keeps the journal, the report and the servers' logs for analysis.
fn keep(engine: Engine, plan: &Plan, outcome: &Outcome, report: &str) -> std::path::PathBuf {
    let name = format!("{engine:?}-{}-{}", plan.seed, std::process::id()).to_lowercase();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/faults").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let from = outcome.cluster.folder();
    for entry in std::fs::read_dir(from).expect("the run's folder").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
        }
    }
    std::fs::write(folder.join("journal"), outcome.journal.to_text()).expect("written");
    std::fs::write(folder.join("report"), report).expect("written");
    folder
}
