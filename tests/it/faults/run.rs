//! One run: people and chats, clients at work, faults, and then the settling of everything.

use super::chaos::{Clocks, Plan, Step, inject, schedule};
use super::cluster::Cluster;
use super::context::{Backoff, Caller, Chat, Context, Head, SETTLED_WITHIN, position};
use super::followers::{Subscriber, Transport};
use super::journal::{Call, Contest, Follower, Journal, Outcome as Answer, StoredChat, Stream, Walk};
use super::sessions;
use super::writers;
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::text;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Messages that are to get through between two faults, and for how long that is waited for.
const WORK: usize = 10;
const WORK_WITHIN: Duration = Duration::from_secs(8);
const YEAR: u32 = 31_536_000;
/// Chats that writers, readers and followers share.
const SHARED: usize = 3;
/// The chats of the sessions, beside them.
const CONTESTS: usize = SHARED;
const RINGS: usize = SHARED + 1;
/// Where the chats of the crowd begin.
const CROWD: usize = SHARED + 2;
/// Chats of the crowd that comes back in a storm.
const CROWD_CHATS: usize = 25;
/// Streams of an API client of the crowd: few enough that those which died do not count against it.
const CROWD_EACH: usize = 60;

/// The result of a run.
pub struct Outcome {
    pub journal: Journal,
    /// How often each fault was caused.
    pub faults: BTreeMap<String, usize>,
    pub kills: usize,
    /// Nodes that ended by themselves.
    pub exits: Vec<String>,
    pub has_own_disk: bool,
    pub took: Duration,
    pub cluster: Cluster,
}

/// The people of a run.
struct People {
    admin: Caller,
    operators: Vec<Caller>,
    visitors: Vec<Caller>,
    crowd: Vec<Caller>,
}

/// Everything that runs.
struct Clients {
    writers: Vec<JoinHandle<Vec<Call>>>,
    readers: Vec<JoinHandle<Vec<Walk>>>,
    contests: JoinHandle<Vec<Contest>>,
    rings: JoinHandle<Vec<String>>,
    followers: Vec<JoinHandle<Follower>>,
}

/// Runs a plan.
pub async fn run(engine: Engine, plan: &Plan) -> Outcome {
    let began = Instant::now();
    let (cluster, organization) = Cluster::start(engine).await;
    let nodes = cluster.nodes.len();
    let (people, room, chats, duty) = set_up(&cluster, &organization, plan).await;
    let context = Context::new(cluster.urls(), room, chats);
    let clients = start(&context, &people, plan);

    let steps = schedule(engine, nodes, plan);
    let faults = steps.iter().fold(BTreeMap::new(), |mut faults, step| {
        *faults.entry(format!("{:?}", step.fault)).or_default() += 1;
        faults
    });
    let kills = steps.iter().filter(|step| step.fault.is_kill()).count();
    let cluster = inject_all(cluster, steps, &context).await;
    let urls = cluster.urls();
    let supervised = Supervised::new(cluster);
    let mut journal = settle(&context, &people, clients, &urls).await;
    let last = context.again();
    if let Some(expired) = duty_problem(&last, &people.admin, &duty).await {
        journal.expired.push(expired);
    }
    // State that is only in memory is gone now. Events that were shown, and writes that were acknowledged, must remain.
    let cluster = supervised.end().await;
    let cluster = tokio::task::spawn_blocking(move || {
        let mut cluster = cluster;
        (0..nodes).for_each(|node| cluster.kill_node(node));
        cluster
    });
    let supervised = Supervised::new(cluster.await.expect("restarted"));
    journal.late.extend(not_ready(&urls).await);
    read_back(&last, &people, &mut journal).await;
    let cluster = supervised.end().await;
    for (what, count) in context.broken().into_iter().chain(last.broken()) {
        journal.broken.push(format!("{count} × {what}"));
    }
    journal.broken.extend(cluster.crashes.iter().map(|crash| format!("crashed: {crash}")));
    let (exits, has_own_disk) = (cluster.exits.clone(), cluster.has_own_disk);
    Outcome { journal, faults, kills, exits, has_own_disk, took: began.elapsed(), cluster }
}

/// A cluster whose servers are started again when they end, while others use them.
struct Supervised {
    /// Ends the supervising when it is dropped, so that a panic waits for nobody.
    guard: DropGuard,
    supervising: JoinHandle<Cluster>,
}

impl Supervised {
    fn new(mut cluster: Cluster) -> Self {
        let is_over = CancellationToken::new();
        let asked = is_over.clone();
        let supervising = tokio::task::spawn_blocking(move || {
            while !asked.is_cancelled() {
                cluster.wait(Duration::from_millis(100));
            }
            cluster
        });
        Self { guard: is_over.drop_guard(), supervising }
    }

    async fn end(self) -> Cluster {
        drop(self.guard);
        self.supervising.await.expect("the cluster is supervised")
    }
}

/// The presence of an operator who stays connected.
struct Duty {
    presence: String,
}

async fn set_up(cluster: &Cluster, organization: &Value, plan: &Plan) -> (People, String, Vec<Chat>, Duty) {
    let admin = Client::new(&cluster.urls()[0], &text(&organization["token"]));
    let token = async |input: Value| {
        let issued = admin.done("issueToken", "token", input).await;
        text(&issued["token"])
    };
    let viewer = admin.query("{ viewer { user { id } } }", json!({})).await;
    let admin_id = text(&viewer["viewer"]["user"]["id"]);
    let long = token(json!({ "subject": { "actorId": admin_id }, "expiresInSeconds": YEAR })).await;
    let mut people = People {
        admin: Caller::new("admin", &admin_id, &long),
        operators: Vec::new(),
        visitors: Vec::new(),
        crowd: Vec::new(),
    };
    for number in 0..6 {
        let name = format!("operator{number}");
        let input = json!({ "name": name, "publicName": name, "role": "OPERATOR" });
        let id = text(&admin.done("createUser", "user { id }", input).await["user"]["id"]);
        let token = token(json!({ "subject": { "actorId": id }, "expiresInSeconds": YEAR })).await;
        people.operators.push(Caller::new(&name, &id, &token));
    }
    for number in 0..plan.clients.div_ceil(CROWD_EACH) {
        let name = format!("crowd{number}");
        let token = token(json!({ "subject": { "apiClientName": name }, "expiresInSeconds": YEAR })).await;
        people.crowd.push(Caller::new(&name, "", &token));
    }
    let room = admin.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    let room = text(&room["room"]["id"]);
    let mut chats = Vec::new();
    for number in 0..CROWD + CROWD_CHATS {
        let name = format!("visitor{number}");
        let visitor = admin.done("upsertVisitor", "visitor { id }", json!({ "externalId": name })).await;
        let id = text(&visitor["visitor"]["id"]);
        let input = json!({ "roomId": room, "visitorId": id });
        let started = admin.done("startChat", "chat { id messages(first: 1) { eventCursor } }", input).await;
        chats.push(Chat {
            id: text(&started["chat"]["id"]),
            start: text(&started["chat"]["messages"]["eventCursor"]),
        });
        if number < CROWD {
            let token = token(json!({ "subject": { "actorId": id }, "expiresInSeconds": YEAR })).await;
            people.visitors.push(Caller::new(&name, &id, &token));
        }
    }
    let present = Client::new(&admin.url, &people.operators[0].token);
    let joined = present.done("joinChat", "presence { id }", json!({ "chatId": chats[0].id })).await;
    let duty = Duty { presence: text(&joined["presence"]["id"]) };
    (people, room, chats, duty)
}

fn start(context: &Context, people: &People, plan: &Plan) -> Clients {
    let People { admin, operators, visitors, crowd } = people;
    let write = |caller: &Caller, chats: Vec<usize>, pace: u64| {
        tokio::spawn(writers::write(context.clone(), caller.clone(), chats, Duration::from_millis(pace)))
    };
    let mut writers: Vec<_> = (0..SHARED).map(|chat| write(&visitors[chat], vec![chat], 150)).collect();
    writers.push(write(&operators[1], (0..SHARED).collect(), 80));
    writers.push(write(&operators[2], (0..SHARED).collect(), 80));
    writers.push(write(&crowd[0], (CROWD..CROWD + CROWD_CHATS).collect(), 150));
    let follow = |caller: &Caller, chat: usize, kind, transport| {
        let name = format!("{} on chat {chat} by {kind:?} over {transport:?}", caller.name);
        tokio::spawn(Subscriber::new(context, caller, &name, chat, kind, transport).follow())
    };
    let mut followers = Vec::new();
    for (chat, visitor) in visitors.iter().enumerate().take(SHARED) {
        followers.push(follow(&operators[0], chat, Stream::Events, Transport::Socket));
        followers.push(follow(&operators[3], chat, Stream::Events, Transport::Events));
        followers.push(follow(visitor, chat, Stream::Messages, Transport::Socket));
        followers.push(follow(visitor, chat, Stream::Messages, Transport::Events));
    }
    followers.push(follow(admin, CONTESTS, Stream::Events, Transport::Socket));
    let all = CROWD + CROWD_CHATS;
    followers.push(follow(&operators[3], all, Stream::Room, Transport::Socket));
    followers.push(follow(&operators[4], all, Stream::Room, Transport::Events));
    followers.push(follow(&operators[1], SHARED, Stream::Viewer, Transport::Socket));
    followers.push(follow(&operators[2], SHARED, Stream::Viewer, Transport::Events));
    for number in 0..plan.clients {
        let transport = if number % 10 == 0 { Transport::Events } else { Transport::Socket };
        let chat = CROWD + number % CROWD_CHATS;
        followers.push(follow(&crowd[number / CROWD_EACH], chat, Stream::Messages, transport));
    }
    let contests =
        sessions::contest(context.clone(), visitors[CONTESTS].clone(), operators[1..].to_vec(), CONTESTS);
    let (visitor, called) = (visitors[RINGS].clone(), operators[5].clone());
    let rings = sessions::ring_unanswered(context.clone(), visitor, called, RINGS, SETTLED_WITHIN);
    Clients {
        writers,
        readers: vec![tokio::spawn(writers::read(context.clone(), admin.clone(), SHARED))],
        contests: tokio::spawn(contests),
        rings: tokio::spawn(rings),
        followers,
    }
}

/// Injects all faults, on a thread of its own since it waits for processes.
async fn inject_all(mut cluster: Cluster, steps: Vec<Step>, context: &Context) -> Cluster {
    let context = context.clone();
    let injecting = tokio::task::spawn_blocking(move || {
        cluster.wait(Duration::from_secs(1));
        let mut clocks = Clocks(vec![0; cluster.nodes.len()]);
        let mut log = String::new();
        for step in &steps {
            log.push_str(&format!("{} {step:?}\n", context.now()));
            inject(&mut cluster, step, &mut clocks, &context);
            let_work(&mut cluster, &context);
            let _ = std::fs::write(cluster.folder().join("faults.log"), &log);
        }
        cluster
    });
    injecting.await.expect("the faults are injected")
}

/// Waits until some messages got through since the last fault, so that a slow machine meets faults at work too; not for
/// ever, since faults may last.
fn let_work(cluster: &mut Cluster, context: &Context) {
    let (began, before) = (Instant::now(), context.acknowledged.load(Ordering::Relaxed));
    while context.acknowledged.load(Ordering::Relaxed) < before + WORK && began.elapsed() < WORK_WITHIN {
        cluster.wait(Duration::from_millis(20));
    }
}

/// Lets everybody finish, and collects what they saw.
async fn settle(context: &Context, people: &People, clients: Clients, urls: &[String]) -> Journal {
    let mut journal = Journal::default();
    context.stop.cancel();
    journal.late.extend(not_ready(urls).await);
    let limit = Context::limit(&context.give_up);
    for writer in clients.writers {
        journal.calls.extend(writer.await.expect("a writer ends"));
    }
    for reader in clients.readers {
        journal.walks.extend(reader.await.expect("a reader ends"));
    }
    journal.contests = clients.contests.await.expect("the contests end");
    for call in journal.calls.iter().filter(|call| call.acknowledged().is_none()) {
        if !call.attempts.iter().any(|attempt| matches!(attempt.outcome, Answer::Refused { .. })) {
            journal.late.push(format!("{} was never answered", call.external_id));
        }
    }
    // Heads are asked for even where calls were given up.
    limit.abort();
    let asking = context.again();
    let limit = Context::limit(&asking.give_up);
    let mut heads = Vec::new();
    for chat in &context.chats {
        heads.push(head(&asking, &people.admin, chat).await.unwrap_or(Head {
            position: 0,
            message: 0,
            count: 0,
        }));
    }
    context.heads.send_replace(Some(heads));
    limit.abort();
    let limit = Context::limit(&context.leave);
    for follower in join_all(clients.followers).await {
        journal.followers.push(follower.expect("a follower ends"));
    }
    limit.abort();
    // Rings have a limit of their own.
    journal.late.extend(clients.rings.await.expect("the rings end"));
    journal
}

/// The nodes that are not ready in time.
async fn not_ready(urls: &[String]) -> Vec<String> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
    let asked = Instant::now();
    let mut late = Vec::new();
    for (number, url) in urls.iter().enumerate() {
        let mut waits = Backoff::default();
        while !http.get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
            if asked.elapsed() > SETTLED_WITHIN {
                late.push(format!("/readyz of node {number} is not 200 after {SETTLED_WITHIN:?}"));
                break;
            }
            waits.wait().await;
        }
    }
    late
}

async fn head(context: &Context, admin: &Caller, chat: &Chat) -> Option<Head> {
    let query = "query($id: ID!) { chat(id: $id) { messageCount messages(last: 1) { eventCursor nodes { sequence } } } }";
    let data = context.ask_until_answered(admin, 0, query, &json!({ "id": chat.id })).await?;
    let messages = &data["chat"]["messages"];
    let message = messages["nodes"][0]["sequence"].as_i64().unwrap_or_default();
    let count = usize::try_from(data["chat"]["messageCount"].as_u64()?).ok()?;
    Some(Head { position: position(messages["eventCursor"].as_str()?)?, message, count })
}

/// Checks that the operator on duty is still present. Returns the problem if not.
async fn duty_problem(context: &Context, admin: &Caller, duty: &Duty) -> Option<String> {
    let query =
        "query($id: ID!) { node(id: $id) { ... on Presence { createdAt lastSeenAt endedAt endReason } } }";
    let data = context.ask_until_answered(admin, 0, query, &json!({ "id": duty.presence })).await?;
    let presence = &data["node"];
    let is_there = presence["createdAt"].is_string() && presence["endedAt"].is_null();
    (!is_there).then(|| format!("the operator on duty: {presence}"))
}

/// Reads the whole store through the API, and replays each shared chat's log from its start.
async fn read_back(context: &Context, people: &People, journal: &mut Journal) {
    let limit = Context::limit(&context.give_up);
    let acknowledged: Vec<_> = (0..journal.calls.len()).step_by(1 + journal.calls.len() / 50).collect();
    for number in acknowledged {
        let call = &mut journal.calls[number];
        let sender =
            call.external_id.trim_start_matches(super::context::SENT).split('-').next().unwrap_or_default();
        let all = people.operators.iter().chain(&people.visitors).chain(&people.crowd);
        if let Some(sender) = all.clone().find(|caller| caller.name == sender) {
            writers::send(context, sender, call, number).await;
        }
    }
    journal
        .late
        .extend(sessions::look_up(context, &people.admin, &people.operators, &mut journal.contests).await);
    let mut heads = Vec::new();
    for (number, chat) in context.chats.iter().enumerate() {
        let start = (json!(null), 0);
        let walk = writers::walk(context, &people.admin, number, start, 0).await;
        let head = head(context, &people.admin, chat).await;
        let (Some((walk, _)), Some(head)) = (walk, head) else {
            journal.late.push(format!("chat {number} could not be read within {SETTLED_WITHIN:?}"));
            return;
        };
        heads.push(head);
        journal.store.push(StoredChat {
            head: head.position,
            messages: walk.shown,
            message_count: head.count,
        });
    }
    context.heads.send_replace(Some(heads));
    limit.abort();
    let limit = Context::limit(&context.leave);
    let replays = (0..SHARED).flat_map(|chat| {
        [Stream::Messages, Stream::Events].map(|kind| {
            let name = format!("the replay of chat {chat} by {kind:?}");
            Subscriber::new(context, &people.operators[4], &name, chat, kind, Transport::Socket)
                .rewound()
                .follow()
        })
    });
    journal.followers.extend(join_all(replays).await);
    limit.abort();
}
