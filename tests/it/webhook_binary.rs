//! Webhooks of the real binary: it is killed during deliveries, and every acknowledged event is still
//! delivered. It connects by TLS to servers that the machine trusts.

use crate::harness::Engine;
use crate::harness::binary::{Binary, init_with};
use crate::harness::client::{Client, mutation};
use crate::harness::hooks::{after_attempts, frozen, hook, ledger, say};
use crate::harness::postgres::{free_port, new_database};
use crate::harness::receiver::{Receiver, Reply, status, until};
use crate::harness::seed;
use crate::harness::world::{Person, text};
use crate::on_both;
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const ROUNDS: usize = 20;
const SENDERS: u32 = 4;

on_both!(acknowledged_events_are_delivered_after_kill_9, certificates_are_checked);

/// An organization with an admin and a visitor's chat on a binary; what it listens to may change.
async fn people(server: &Binary, token: &str) -> (Person, String) {
    let admin = Person { id: String::new(), client: Client::new(&server.url, token) };
    let room = admin.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    let visitor = admin.done("upsertVisitor", "visitor { id }", json!({ "externalId": "vera" })).await;
    let input = json!({ "roomId": room["room"]["id"], "visitorId": visitor["visitor"]["id"] });
    let chat = text(&admin.done("startChat", "chat { id }", input).await["chat"]["id"]);
    (admin, chat)
}

async fn acknowledged_events_are_delivered_after_kill_9(engine: Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = vec!["--webhook-allow".to_owned(), "127.0.0.0/8".to_owned()];
    if engine == Engine::Postgres {
        settings.extend(["--database".to_owned(), new_database()]);
    }
    let with = |command: &mut Command| {
        command.args(&settings);
    };
    let token = text(&init_with(folder.path(), with)["token"]);
    let port = free_port();
    let mut server = Binary::start_with(folder.path(), port, with);
    let (admin, chat) = people(&server, &token).await;
    let receiver = Receiver::start().await;
    // Some of what is sent is never answered, so that at every moment something is in flight; but each event once at
    // most, since a second try that failed would be followed by one in five minutes.
    let hung = Mutex::new(HashSet::new());
    receiver.behave(move |received, number| {
        let is_hung =
            number % 5 == 0 && hung.lock().unwrap().insert(received.header("webhook-id").to_owned());
        if is_hung { Reply::Hang(String::new()) } else { status(204) }
    });
    let hook = hook(&admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;

    let number = Arc::new(AtomicU32::new(0));
    let (mut acknowledged, mut random) = (Vec::new(), seed::random());
    for _ in 0..ROUNDS {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| tokio::spawn(send_until_cut(admin.client.clone(), chat.clone(), Arc::clone(&number))))
            .collect();
        // Once something is on its way again, the end comes at any moment.
        receiver.wait_for_requests(receiver.requests().len() + 1).await;
        let wait = random.random_range(20..200);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        server.kill();
        for sender in senders {
            acknowledged.extend(sender.await.expect("the sender ends"));
        }
        server = Binary::start_with(folder.path(), port, with);
    }
    receiver.reply(status(204));
    assert!(acknowledged.len() > ROUNDS, "hardly anything was sent: {}", acknowledged.len());

    // Every event is delivered at least once,
    until("end of what is to be delivered", async || (open(&admin, &hook.id).await == 0).then_some(())).await;
    let heard: HashSet<_> =
        receiver.requests().iter().map(|received| text(&received.json()["message"])).collect();
    for text in &acknowledged {
        assert!(heard.contains(text), "{text} was acknowledged and never delivered");
    }
    // none that did not happen, and each under one id.
    let stored = all_texts(&admin, &chat).await;
    assert_eq!(heard, stored, "the delivered events are the stored ones");
    let ids: HashSet<_> =
        receiver.requests().iter().map(|received| received.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), stored.len());
    assert!(receiver.requests().iter().all(|received| received.is_signed_by(&hook.secret)));
    assert!(server.terminate().success(), "a stop on request is no failure");
}

/// Sends until an answer does not come, and says what was acknowledged.
async fn send_until_cut(client: Client, chat: String, number: Arc<AtomicU32>) -> Vec<String> {
    let mutation = mutation("sendMessage", "messageEdge { node { id } }");
    let mut acknowledged = Vec::new();
    loop {
        let text = number.fetch_add(1, Ordering::SeqCst).to_string();
        let variables = json!({ "input": { "chatId": chat, "text": text, "externalId": text } });
        match client.try_ask(&mutation, variables).await {
            Ok(answer) if answer["data"]["sendMessage"]["messageEdge"].is_object() => acknowledged.push(text),
            Ok(_) | Err(_) => return acknowledged,
        }
    }
}

/// How much is still to be delivered, or was given up.
async fn open(admin: &Person, hook: &str) -> i64 {
    let query = "query($id: ID!) { node(id: $id) { ... on Webhook {
        deliveries(first: 0, states: [PENDING, FAILED]) { totalCount } } } }";
    let found = admin.query(query, json!({ "id": hook })).await;
    found["node"]["deliveries"]["totalCount"].as_i64().expect("a count")
}

async fn all_texts(admin: &Person, chat: &str) -> HashSet<String> {
    let query = "query($chat: ID!, $after: String) { chat(id: $chat) { messages(first: 100, after: $after, types: \
                 [MESSAGE]) { nodes { text } pageInfo { hasNextPage endCursor } } } }";
    let (mut texts, mut after) = (HashSet::new(), Value::Null);
    loop {
        let page =
            admin.query(query, json!({ "chat": chat, "after": after })).await["chat"]["messages"].clone();
        texts.extend(page["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["text"])));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return texts;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// A receiver over TLS with a certificate of its own, and that certificate in a file.
async fn tls_receiver(folder: &Path, name: &str) -> (Receiver, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
    let path = folder.join(format!("{name}.pem"));
    std::fs::write(&path, made.cert.pem()).expect("written");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    (Receiver::start_tls(TlsAcceptor::from(Arc::new(config))).await, path)
}

/// The address of a server that sends plain text instead of TLS.
async fn speaks_no_tls() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 mail.example.org at your service\r\n").await;
            // It is read before it is closed, so that the greeting is not lost.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    });
    address
}

async fn certificates_are_checked(engine: Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let (receiver, certificate) = tls_receiver(folder.path(), "127.0.0.1").await;
    let (other, _) = tls_receiver(folder.path(), "other.example.org").await;
    // Given a server whose machine trusts one certificate,
    let mut settings = vec!["--webhook-allow".to_owned(), "127.0.0.1".to_owned()];
    if engine == Engine::Postgres {
        settings.extend(["--database".to_owned(), new_database()]);
    }
    let with = |command: &mut Command| {
        command.args(&settings).env("SSL_CERT_FILE", &certificate);
    };
    let token = text(&init_with(folder.path(), with)["token"]);
    let server = Binary::start_with(folder.path(), 0, with);
    let (admin, chat) = people(&server, &token).await;
    let trusted = hook(&admin, &receiver.url("/"), &["MESSAGE_ADDED"]).await;
    let stranger = hook(&admin, &other.url("/"), &["MESSAGE_ADDED"]).await;
    say(&admin, &chat, "Hello").await;
    // then its holder gets what is signed for it, and a stranger nothing.
    let received = receiver.wait_for_requests(1).await.remove(0);
    assert!(received.is_verified_by(&trusted.secret));
    let failed = |row: &Value| !row["lastError"].is_null();
    let row = until("failure", async || ledger(&admin, &stranger).await.into_iter().find(failed)).await;
    assert_eq!(row["lastError"], "The certificate is not trusted.");
    assert_eq!(other.requests().len(), 0);
    // Nor does anybody get anything whom no machine trusts, or who speaks no TLS.
    let world = frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let cases = [
        (receiver.url("/"), "The certificate is not trusted."),
        (format!("https://{}/", speaks_no_tls().await), "The TLS handshake failed."),
    ];
    for (url, expected) in cases {
        let hook = hook(&world.admin, &url, &["MESSAGE_TO_VISITOR"]).await;
        say(&olga, &chat, "Hello").await;
        assert_eq!(after_attempts(&world.admin, &hook, 1).await["lastError"], expected, "{url}");
    }
    world.app.stop().await;
}
