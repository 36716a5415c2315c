//! Receivers that are down, slow, endless or wrong, and nodes that die during deliveries. Each event is
//! delivered at least once, and receivers do not delay each other.

use crate::harness::Engine;
use crate::harness::hooks::{
    after_attempts, current_webhook, delivered, delivery, frozen, hook, impatient, ledger, say, to_loopback,
};
use crate::harness::postgres::free_port;
use crate::harness::receiver::{Receiver, Reply, answer, status, until};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

on_both!(
    malformed_response_is_a_failure,
    status_counts_regardless_of_body_within_the_limit,
    redirects_are_not_followed,
    failing_endpoint_does_not_delay_others,
    work_of_dead_node_is_taken_over,
    shutdown_waits_for_running_attempts,
);

async fn talk(world: &World) -> (Person, String) {
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    (olga, chat)
}

async fn malformed_response_is_a_failure(engine: Engine) {
    let world = World::frozen_with(engine, impatient).await;
    let (olga, chat) = talk(&world).await;
    let head = "HTTP/1.1 200 OK\r\n";
    let cases = [
        (Reply::Bytes(String::new()), "The HTTP response was incomplete."),
        (Reply::Bytes("SSH-2.0-OpenSSH_9.2\r\n".into()), "The HTTP response was incomplete."),
        (Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Le".into()), "The HTTP response was incomplete."),
        // Less than it says, chunks that end in the middle, and a length that is none.
        (
            Reply::Bytes(format!("{head}Content-Length: 1000\r\n\r\nshort")),
            "The HTTP response was incomplete.",
        ),
        (
            Reply::Bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nab")),
            "The HTTP response was incomplete.",
        ),
        (Reply::Bytes(format!("{head}Content-Length: -1\r\n\r\n")), "The HTTP response was incomplete."),
        (
            Reply::Bytes(format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
            "The HTTP response was incomplete.",
        ),
        // A head without an end.
        (Reply::Endless(format!("{head}X-Long: ")), "The HTTP response was incomplete."),
        // Nothing at all, half a head, and half a body, for ever.
        (Reply::Hang(String::new()), "The receiver did not answer in time."),
        (Reply::Hang("HTTP/1.1 200".into()), "The receiver did not answer in time."),
        (
            Reply::Hang(format!("{head}Content-Length: 1000\r\n\r\nhalf")),
            "The receiver did not answer in time.",
        ),
        (status(400), "The receiver answered 400."),
        (status(503), "The receiver answered 503."),
    ];
    for (reply, expected) in cases {
        let shown = format!("{reply:?}");
        let receiver = Receiver::start().await;
        receiver.reply(reply);
        let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
        say(&olga, &chat, "Hello").await;
        let row = after_attempts(&world.admin, &hook, 1).await;
        assert_eq!((&row["state"], &row["lastError"]), (&json!("PENDING"), &json!(expected)), "{shown}");
        // Once the receiver is well, it gets it.
        receiver.reply(status(200));
        world.pass(10);
        delivered(&world.admin, &hook).await;
        world.admin.done("deleteWebhook", "", json!({ "webhookId": hook.id })).await;
    }
    // At first nothing listens at the address; later the receiver does.
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    let hook = hook(&world.admin, &nobody, &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let row = after_attempts(&world.admin, &hook, 1).await;
    assert_eq!(
        (&row["lastError"], &row["lastStatus"]),
        (&json!("The connection was refused."), &json!(null))
    );
    let receiver = Receiver::start().await;
    let input = json!({ "webhookId": hook.id, "url": receiver.url("/") });
    world.admin.done("updateWebhook", "", input).await;
    world.pass(10);
    delivered(&world.admin, &hook).await;
    world.app.stop().await;
}

async fn status_counts_regardless_of_body_within_the_limit(engine: Engine) {
    let world = frozen(engine).await;
    let (olga, chat) = talk(&world).await;
    let head = "HTTP/1.1 200 OK\r\n";
    let long = "x".repeat(1_000_000);
    let replies = [
        // More than anybody reads: without an end, and with a length that is a lie.
        Reply::Endless(format!("{head}\r\n")),
        Reply::Endless(format!("{head}Content-Length: 999999999999\r\n\r\n")),
        Reply::Bytes(format!("{head}Content-Length: 1000000\r\n\r\n{long}")),
        // A body that says no length ends with the connection; one that is longer than it says ends where it says.
        Reply::Bytes(format!("{head}\r\nthanks")),
        Reply::Bytes(format!("{head}Content-Length: 2\r\n\r\nthanks")),
        Reply::Bytes(format!("HTTP/1.1 100 Continue\r\n\r\n{head}Content-Length: 0\r\n\r\n")),
        Reply::Hang("HTTP/1.1 204 No Content\r\n\r\n".into()),
        status(299),
    ];
    for reply in replies {
        let receiver = Receiver::start().await;
        receiver.reply(reply);
        let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
        say(&olga, &chat, "Hello").await;
        assert_eq!(delivered(&world.admin, &hook).await["attempts"], 1);
        world.admin.done("deleteWebhook", "", json!({ "webhookId": hook.id })).await;
    }
    world.app.stop().await;
}

async fn redirects_are_not_followed(engine: Engine) {
    let world = frozen(engine).await;
    let (olga, chat) = talk(&world).await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    for (number, code) in [301, 302, 303, 307, 308].into_iter().enumerate() {
        receiver.reply(answer(code, &format!("Location: {}\r\n", elsewhere.url("/"))));
        let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
        say(&olga, &chat, "Hello").await;
        let row = after_attempts(&world.admin, &hook, 1).await;
        assert_eq!(row["lastError"], format!("The receiver answered {code}. Redirects are not followed."));
        assert_eq!((receiver.requests().len(), elsewhere.connections()), (number + 1, 0));
        world.admin.done("deleteWebhook", "", json!({ "webhookId": hook.id })).await;
    }
    world.app.stop().await;
}

async fn failing_endpoint_does_not_delay_others(engine: Engine) {
    // Given endpoints that never answer, as long as this test may take,
    let world = World::frozen_with(engine, |config| {
        to_loopback(config);
        config.webhooks.timeout = Duration::from_hours(1);
    });
    let world = world.await;
    let (olga, chat) = talk(&world).await;
    let mut bad = Vec::new();
    for _ in 0..3 {
        let receiver = Receiver::start().await;
        receiver.reply(Reply::Hang(String::new()));
        hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR", "MESSAGE_ADDED"]).await;
        bad.push(receiver);
    }
    let good = Receiver::start().await;
    let hook = hook(&world.admin, &good.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    // when there is far more for them than they have places,
    for number in 0..40 {
        say(&olga, &chat, &number.to_string()).await;
    }
    // then the good one gets everything all the same, and each of the others is asked no more than its places.
    good.wait_for_requests(40).await;
    until("all", async || {
        let rows = ledger(&world.admin, &hook).await;
        (rows.len() == 40 && rows.iter().all(|row| row["state"] == "DELIVERED")).then_some(())
    })
    .await;
    assert_eq!(good.requests().len(), 40, "each once");
    for receiver in bad {
        assert!(receiver.connections() <= 8, "{}", receiver.connections());
    }
    world.app.stop().await;
}

async fn work_of_dead_node_is_taken_over(engine: Engine) {
    let world = World::frozen_with(engine, |config| {
        to_loopback(config);
        config.webhooks.timeout = Duration::from_hours(1);
    });
    let world = world.await;
    let (olga, chat) = talk(&world).await;
    let receiver = Receiver::start().await;
    // Given an attempt of which nothing is heard any more,
    receiver.behave(|_, number| if number == 1 { Reply::Hang(String::new()) } else { status(200) });
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    receiver.wait_for_requests(1).await;
    // which does not count as long as nothing came of it,
    let row = delivery(&world.admin, &hook, |row| row["state"] == "PENDING").await;
    assert_eq!(row["attempts"], 0);
    // when its lease ends,
    world.pass(46);
    // then it is made again, under the same id.
    let row = delivered(&world.admin, &hook).await;
    assert_eq!(row["attempts"], 1);
    let heard = receiver.requests();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    world.app.stop().await;
}

async fn shutdown_waits_for_running_attempts(engine: Engine) {
    let world = frozen(engine).await;
    let (olga, chat) = talk(&world).await;
    let receiver = Receiver::start().await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    // Given a receiver that responds only after a signal,
    receiver.behave(move |_, _| {
        tokio::task::block_in_place(|| wait.lock().unwrap().recv()).expect("a signal");
        status(200)
    });
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    receiver.wait_for_requests(1).await;
    // when the server is stopped meanwhile,
    let admin = world.admin.clone();
    let restarting = tokio::spawn(world.app.restarted_after(|| {}));
    go.send(()).expect("a receiver of the signal");
    let again = restarting.await.expect("stopped and started again");
    // then the attempt was seen through.
    let admin = World::at(&admin, &again.url);
    let row = delivered(&admin, &hook).await;
    assert_eq!((&row["attempts"], receiver.requests().len()), (&json!(1), 1));
    assert_eq!(current_webhook(&admin, &hook).await["isEnabled"], true);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_nodes_share_the_work() {
    let world = frozen(Engine::Postgres).await;
    let other = world.app.second_node().await;
    let (olga, chat) = talk(&world).await;
    let receiver = Receiver::start().await;
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    let elsewhere = World::at(&olga, &other.url);
    for number in 0..50 {
        let (here, there) = (number.to_string(), format!("{number} again"));
        tokio::join!(say(&olga, &chat, &here), say(&elsewhere, &chat, &there));
    }
    until("all", async || {
        let rows = ledger(&world.admin, &hook).await;
        (rows.len() == 100 && rows.iter().all(|row| row["state"] == "DELIVERED")).then_some(())
    })
    .await;
    // Nothing failed and no lease ended: each was delivered exactly once.
    let mut told: HashMap<String, usize> = HashMap::new();
    for received in receiver.requests() {
        *told.entry(text(&received.json()["message"])).or_default() += 1;
    }
    assert!(told.len() == 100 && told.values().all(|count| *count == 1), "{told:?}");
    other.stop().await;
    world.app.stop().await;
}
