//! The faults, and a schedule of them that a seed decides.

use super::cluster::{Bus, Cluster, Node};
use super::context::Context;
use super::database::Database;
use super::link::Link;
use super::preload::Disk;
use crate::harness::Engine;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A fault of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// `kill -9` of a node.
    KillNode,
    /// SIGTERM to a node.
    StopNode,
    /// SIGSTOP to a node, and SIGCONT later.
    FreezeNode,
    /// All clients are disconnected at once and come back together.
    Storm,
    /// Connections between clients and a node are reset, and refused for a while.
    CutClients,
    /// Connections between clients and a node die without a word.
    LoseClients,
    /// Nothing passes between clients and a node for a while.
    SilenceClients,
    /// Traffic between clients and a node is slow.
    SlowClients,
    /// A node's wall clock is a day ahead for a while.
    JumpForward,
    /// A node's wall clock is set to another time, and stays there.
    SetClock,
    /// The disk of the database is full. SQLite.
    FillDisk,
    /// Writes of the database fail with EIO. SQLite.
    FailWrites,
    /// Flushes of the database fail with EIO. SQLite.
    FailFlushes,
    /// `kill -9` of PostgreSQL with all of its processes.
    KillDatabase,
    /// PostgreSQL stops without finishing anything.
    StopDatabase,
    /// `kill -9` of one of PostgreSQL's sessions, which restarts all of them.
    KillSession,
    /// `pg_terminate_backend` of all sessions.
    EndSessions,
    /// SIGSTOP to PostgreSQL with all of its processes, and SIGCONT later.
    FreezeDatabase,
    /// The same for a minute.
    FreezeDatabaseLong,
    /// A node's connections to PostgreSQL are reset, and refused for a while.
    CutDatabase,
    /// A node's connections to PostgreSQL die without a word.
    LoseDatabase,
    /// A node's traffic with PostgreSQL is slow.
    SlowDatabase,
    /// `kill -9` of NATS.
    KillBus,
    /// SIGSTOP to NATS, and SIGCONT later.
    FreezeBus,
    /// A node's connections to NATS are reset, and refused for a while.
    CutBus,
    /// A node's connections to NATS die without a word.
    LoseBus,
}

const ON_BOTH: [Fault; 10] = [
    Fault::KillNode,
    Fault::StopNode,
    Fault::FreezeNode,
    Fault::Storm,
    Fault::CutClients,
    Fault::LoseClients,
    Fault::SilenceClients,
    Fault::SlowClients,
    Fault::JumpForward,
    Fault::SetClock,
];
const ON_SQLITE: [Fault; 3] = [Fault::FillDisk, Fault::FailWrites, Fault::FailFlushes];
const ON_POSTGRES: [Fault; 12] = [
    Fault::KillDatabase,
    Fault::StopDatabase,
    Fault::KillSession,
    Fault::EndSessions,
    Fault::FreezeDatabase,
    Fault::CutDatabase,
    Fault::LoseDatabase,
    Fault::SlowDatabase,
    Fault::KillBus,
    Fault::FreezeBus,
    Fault::CutBus,
    Fault::LoseBus,
];

/// The size of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// Rounds; each brings every kind of fault once, and kills.
    pub rounds: usize,
    /// Kills in each round, of nodes and, on PostgreSQL, of the database and the bus.
    pub kills: usize,
    /// Clients in a storm.
    pub clients: usize,
    /// How long a fault lasts: least and most.
    pub lasts: (Duration, Duration),
    /// Whether PostgreSQL is frozen for a minute once.
    pub has_long_freeze: bool,
    /// Only faults with these names; all, if there are none.
    pub only: Vec<String>,
}

/// A fault at its place in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub fault: Fault,
    /// The node that it concerns.
    pub node: usize,
    pub lasts: Duration,
    /// Quiet time after it.
    pub pause: Duration,
}

impl Fault {
    /// Whether it kills a process.
    pub fn is_kill(self) -> bool {
        matches!(self, Self::KillNode | Self::KillDatabase | Self::KillBus | Self::KillSession)
    }
}

/// The faults of a run, in order. The same plan always gives the same schedule.
pub fn schedule(engine: Engine, nodes: usize, plan: &Plan) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let own: &[Fault] = if engine == Engine::Sqlite { &ON_SQLITE } else { &ON_POSTGRES };
    let mut steps = Vec::new();
    for round in 0..plan.rounds {
        let mut faults = [&ON_BOTH, own].concat();
        for kill in 1..plan.kills {
            faults.push(match (engine, kill % 4) {
                (Engine::Postgres, 2) => Fault::KillDatabase,
                (Engine::Postgres, 3) => Fault::KillBus,
                (Engine::Postgres | Engine::Sqlite, _) => Fault::KillNode,
            });
        }
        if plan.has_long_freeze && engine == Engine::Postgres && round == plan.rounds / 2 {
            faults.push(Fault::FreezeDatabaseLong);
        }
        faults.retain(|fault| plan.only.is_empty() || plan.only.contains(&format!("{fault:?}")));
        faults.shuffle(&mut random);
        for fault in faults {
            let (least, most) = plan.lasts;
            let lasts = random.random_range(least..=most);
            let lasts = if fault == Fault::FreezeDatabaseLong { Duration::from_mins(1) } else { lasts };
            let pause = random.random_range(least / 2..=least);
            steps.push(Step { fault, node: random.random_range(0..nodes), lasts, pause });
        }
    }
    steps
}

/// Injects a fault, waits for as long as it lasts, and heals it.
pub fn inject(cluster: &mut Cluster, step: &Step, clocks: &mut Clocks, context: &Context) {
    let Step { fault, node, lasts, pause } = *step;
    match fault {
        Fault::KillNode => cluster.kill_node(node),
        Fault::StopNode => {
            if !cluster.stop_node(node) {
                cluster.exits.push(format!("node {node} did not stop within 45 s"));
            }
        }
        Fault::FreezeNode => {
            cluster.freeze_node(node, true);
            // Without supervising: a supervisor cannot see it.
            std::thread::sleep(lasts);
            cluster.freeze_node(node, false);
        }
        Fault::Storm => {
            cluster.nodes.iter().for_each(|node| node.clients.close());
            cluster.wait(Duration::from_millis(300));
            cluster.nodes.iter().for_each(|node| node.clients.open());
        }
        Fault::CutClients => on_link(cluster, step, from_clients, Link::close),
        Fault::LoseClients => on_link(cluster, step, from_clients, Link::lose),
        Fault::SilenceClients => on_link(cluster, step, from_clients, Link::silence),
        Fault::SlowClients => on_link(cluster, step, from_clients, Link::slow),
        Fault::JumpForward => {
            cluster.nodes[node].faults.clock_ahead(DAY);
            cluster.wait(lasts);
            clocks.apply(cluster, node);
        }
        Fault::SetClock => {
            clocks.0[node] = (clocks.0[node] + 1) % 3;
            clocks.apply(cluster, node);
        }
        Fault::FillDisk => {
            // After a stop the write-ahead log is empty, and cannot be overwritten in place.
            cluster.stop_node(0);
            cluster.listens(0, Duration::from_mins(1));
            let filler = cluster.fill_disk();
            fail_writes(cluster, lasts, context);
            drop(filler);
            cluster.nodes[0].faults.disk(Disk::Sound);
        }
        Fault::FailWrites | Fault::FailFlushes => {
            let disk = if fault == Fault::FailWrites { Disk::WritesFail } else { Disk::FlushesFail };
            cluster.nodes[0].faults.disk(disk);
            fail_writes(cluster, lasts, context);
            cluster.nodes[0].faults.disk(Disk::Sound);
        }
        Fault::CutDatabase => on_link(cluster, step, to_database, Link::close),
        Fault::LoseDatabase => on_link(cluster, step, to_database, Link::lose),
        Fault::SlowDatabase => on_link(cluster, step, to_database, Link::slow),
        Fault::CutBus => on_link(cluster, step, to_bus, Link::close),
        Fault::LoseBus => on_link(cluster, step, to_bus, Link::lose),
        Fault::KillDatabase => on_database(cluster, Database::kill),
        Fault::StopDatabase => on_database(cluster, Database::stop_at_once),
        Fault::KillSession => on_database(cluster, |database| database.kill_session()),
        Fault::EndSessions => on_database(cluster, |database| database.end_sessions()),
        Fault::FreezeDatabase | Fault::FreezeDatabaseLong => {
            on_database(cluster, |database| database.freeze());
            std::thread::sleep(lasts);
            on_database(cluster, |database| database.thaw());
        }
        Fault::KillBus => on_bus(cluster, Bus::kill),
        Fault::FreezeBus => {
            on_bus(cluster, |bus| bus.freeze(true));
            std::thread::sleep(lasts);
            on_bus(cluster, |bus| bus.freeze(false));
        }
    }
    cluster.wait(pause);
}

/// Lets a disk fail until several calls met it.
fn fail_writes(cluster: &mut Cluster, lasts: Duration, context: &Context) {
    let unanswered = || context.unanswered.load(Ordering::Relaxed);
    let (began, before) = (Instant::now(), unanswered());
    cluster.wait(lasts);
    while unanswered() < before + 8 && began.elapsed() < lasts + Duration::from_secs(8) {
        cluster.wait(Duration::from_millis(20));
    }
}

fn on_database(cluster: &mut Cluster, act: impl FnOnce(&mut Database)) {
    act(cluster.database.as_mut().expect("a database"));
}

fn on_bus(cluster: &mut Cluster, act: impl FnOnce(&mut Bus)) {
    act(cluster.bus.as_mut().expect("a bus"));
}

/// Harms a node's link for as long as the step lasts.
fn on_link(cluster: &mut Cluster, step: &Step, link: fn(&Node) -> &Link, harm: fn(&Link)) {
    let link = link(&cluster.nodes[step.node]).clone();
    harm(&link);
    cluster.wait(step.lasts);
    link.open();
}

fn from_clients(node: &Node) -> &Link {
    &node.clients
}

fn to_database(node: &Node) -> &Link {
    node.database.as_ref().expect("a link to PostgreSQL")
}

fn to_bus(node: &Node) -> &Link {
    node.bus.as_ref().expect("a link to NATS")
}

/// The time to which each node's wall clock is set.
pub struct Clocks(pub Vec<usize>);

impl Clocks {
    fn apply(&self, cluster: &Cluster, node: usize) {
        let faults = &cluster.nodes[node].faults;
        match self.0[node] {
            1 => faults.clock_behind(HOUR),
            2 => faults.clock_ahead(Duration::from_secs(90)),
            _ => faults.clock_ahead(Duration::ZERO),
        }
    }
}

#[test]
fn a_schedule_is_decided_by_its_seed_and_has_every_fault() {
    let lasts = (Duration::from_millis(500), Duration::from_secs(2));
    let plan =
        Plan { seed: 7, rounds: 10, kills: 20, clients: 500, lasts, has_long_freeze: true, only: Vec::new() };
    for (engine, own) in [(Engine::Sqlite, &ON_SQLITE[..]), (Engine::Postgres, &ON_POSTGRES[..])] {
        let steps = schedule(engine, 3, &plan);
        assert_eq!(steps, schedule(engine, 3, &plan));
        assert_ne!(steps, schedule(engine, 3, &Plan { seed: 8, ..plan.clone() }));
        for fault in ON_BOTH.iter().chain(own) {
            assert!(steps.iter().filter(|step| step.fault == *fault).count() >= 10, "{fault:?}");
        }
        assert!(steps.iter().filter(|step| step.fault.is_kill()).count() >= 200);
        let frozen = steps.iter().any(|step| step.fault == Fault::FreezeDatabaseLong);
        assert_eq!(frozen, engine == Engine::Postgres);
    }
}
