//! Webhooks: requests, retries, and endpoints that accept nothing.

use crate::harness::hooks::{
    Hook, after_attempts, after_noon, current_webhook, delivered, delivery, frozen, hook, ledger, millis,
    say, to_loopback,
};
use crate::harness::receiver::{Received, Receiver, answer, status, until};
use crate::harness::socket::Socket;
use crate::harness::world::{NOON_MILLIS, Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::{Value, json};

on_both!(
    message_to_visitor_matches_reference,
    any_standard_webhooks_library_verifies_the_signature,
    other_events_carry_resolvable_ids,
    rolled_back_changes_send_nothing,
    failed_delivery_is_tried_ten_times_on_schedule,
    retry_after_is_honored,
    status_410_disables_webhook_until_enabled,
    five_days_of_failure_disable,
    delivered_event_can_be_redelivered,
    rotation_signs_with_both_secrets,
);

/// A user and a visitor in a chat, in a world with a receiver.
async fn talk(engine: Engine) -> (World, Receiver, Person, Person, String) {
    let world = frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera/1").await);
    let chat = world.chat(&vera).await;
    (world, Receiver::start().await, olga, vera, chat)
}

async fn message_to_visitor_matches_reference(engine: Engine) {
    let (world, receiver, olga, vera, chat) = talk(engine).await;
    let hook = hook(&world.admin, &receiver.url("/patients?via=chat"), &["MESSAGE_TO_VISITOR"]).await;
    // When the visitor writes, a user joins, and the user writes,
    say(&vera, &chat, "Is anybody there?").await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    say(&olga, &chat, "Webhook test...").await;
    // then the user's message alone is sent, with this body
    let sent = delivered(&world.admin, &hook).await;
    let heard = receiver.requests();
    assert_eq!(heard.len(), 1);
    let mut body: Value = serde_json::from_str(&heard[0].body).expect("JSON");
    let cursor = body.as_object_mut().and_then(|body| body.remove("cursor")).expect("a cursor");
    let data = body.as_object_mut().and_then(|body| body.remove("data")).expect("ids");
    assert_eq!(data["chatId"], chat.as_str());
    assert_eq!(
        body,
        json!({
            "type": "MESSAGE_TO_VISITOR", "timestamp": "2026-11-20T12:00:00.000Z", "patientId": "vera/1",
            "patientUrl": "http://localhost:5000/clinic/main/patients/vera%2F1", "tenantName": "clinic",
            "instanceName": "main", "message": "Webhook test..."
        })
    );
    // The cursor goes on after the message: it is not told again, and what follows is.
    say(&olga, &chat, "And another thing").await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename
        ... on MessageAddedEvent { messageEdge { node { text } } } } } }";
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("1", events, json!({ "chat": chat }), cursor.as_str()).await;
    let next = socket.data().await["chatEvents"]["change"].clone();
    assert_eq!(next["messageEdge"]["node"]["text"], "And another thing", "{next:#}");
    assert_eq!(heard[0].body, text(&sent["body"]));
    // and these headers.
    let received = &heard[0];
    assert_eq!(received.line, "POST /patients?via=chat HTTP/1.1");
    assert_eq!(received.header("x-webhook-api-key"), "the-key");
    assert_eq!(received.header("x-webhook-api-secret"), "the-secret");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("host"), receiver.address.to_string());
    assert_eq!(received.header("webhook-timestamp"), (NOON_MILLIS / 1_000).to_string());
    assert!(received.header("webhook-id").starts_with("msg_"));
    assert_eq!(received.headers.len(), 9, "{:?}", received.headers);
    // The ledger says so.
    assert_eq!(
        (&sent["event"], &sent["attempts"], &sent["deliveredAt"]),
        (&json!("MESSAGE_TO_VISITOR"), &json!(1), &json!(after_noon(0)))
    );
    assert_eq!((&sent["lastStatus"], &sent["lastError"]), (&json!(204), &Value::Null));
    assert_eq!(sent["nextAttemptAt"], Value::Null);
    world.app.stop().await;
}

async fn any_standard_webhooks_library_verifies_the_signature(engine: Engine) {
    // By the machine's own clock, since libraries refuse what is old.
    let world = World::on(TestApp::start_with(engine, Clock::system(), to_loopback).await).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let receiver = Receiver::start().await;
    let one = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Grüße, 你好, 🙂 \"\\ \n").await;
    let received = receiver.wait_for_requests(1).await.remove(0);
    assert!(received.is_verified_by(&one.secret));
    let other = hook(&world.admin, &receiver.url("/"), &["CHAT_ENDED"]).await;
    assert!(!received.is_verified_by(&other.secret));
    let changed = Received { body: received.body.replace("Gr", "gr"), ..received };
    assert!(!changed.is_verified_by(&one.secret));
    world.app.stop().await;
}

async fn other_events_carry_resolvable_ids(engine: Engine) {
    let (world, receiver, olga, vera, _) = talk(engine).await;
    let events = ["CHAT_STARTED", "MESSAGE_ADDED", "CHAT_SESSION_CHANGED", "CHAT_ENDED"];
    hook(&world.admin, &receiver.url("/"), &events).await;
    let chat = world.chat(&vera).await;
    say(&vera, &chat, "Hello").await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true });
    let session =
        olga.done("createChatSession", "chatSession { id }", input).await["chatSession"]["id"].clone();
    vera.done("acceptChatSession", "", json!({ "chatSessionId": session })).await;
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    let mut heard: Vec<_> = receiver.wait_for_requests(7).await.iter().map(Received::json).collect();
    heard.sort_by_key(|body| body["data"]["sequence"].as_i64());
    let told: Vec<_> =
        heard.iter().map(|body| (text(&body["type"]), body["data"]["state"].as_str())).collect();
    let expected = [
        ("CHAT_STARTED", None),
        ("MESSAGE_ADDED", None),
        ("CHAT_SESSION_CHANGED", Some("CREATED")),
        ("CHAT_SESSION_CHANGED", Some("STARTED")),
        ("CHAT_SESSION_CHANGED", Some("ACCEPTED")),
        ("CHAT_SESSION_CHANGED", Some("FINISHED")),
        ("CHAT_ENDED", None),
    ];
    assert_eq!(told, expected.map(|(event, state)| (event.to_owned(), state)));
    let organization = world.admin.query("{ organization { id } }", json!({})).await;
    for body in &heard {
        assert_eq!(body["timestamp"], after_noon(0));
        let data = &body["data"];
        assert_eq!(
            (&data["chatId"], &data["organizationId"]),
            (&json!(chat), &organization["organization"]["id"])
        );
        let query =
            "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Message { text sequence } } }";
        if body["type"] == "MESSAGE_ADDED" {
            let found = world.admin.query(query, json!({ "ids": [data["messageId"]] })).await;
            assert_eq!(found["nodes"][0]["text"], "Hello");
            assert_eq!(found["nodes"][0]["sequence"], data["sequence"]);
        }
        if body["type"] == "CHAT_SESSION_CHANGED" {
            assert_eq!(data["chatSessionId"], session);
        }
    }
    world.app.stop().await;
}

async fn rolled_back_changes_send_nothing(engine: Engine) {
    let (world, receiver, olga, vera, chat) = talk(engine).await;
    let events =
        ["MESSAGE_TO_VISITOR", "CHAT_STARTED", "MESSAGE_ADDED", "CHAT_SESSION_CHANGED", "CHAT_ENDED"];
    let session = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true });
    olga.done("createChatSession", "", session.clone()).await;
    let hook = hook(&world.admin, &receiver.url("/"), &events).await;
    // Given a session that is made and, in the same transaction, refused to start, since another one rings,
    assert_eq!(olga.refused("createChatSession", session).await, ["SESSION_OPEN"]);
    // messages that are refused at the last moment, and a chat in a room that is not there,
    let sent = json!({ "chatId": chat, "text": "Hello", "externalId": "one" });
    olga.done("sendMessage", "", sent.clone()).await;
    let other = json!({ "chatId": chat, "text": "Another", "externalId": "one" });
    assert_eq!(olga.refused("sendMessage", other).await, ["CONFLICT"]);
    let nowhere = json!({ "roomId": crate::harness::stored::twin(&world.room), "message": "Hello" });
    assert_eq!(vera.refused("startChat", nowhere).await, ["NOT_FOUND"]);
    // and a retry that is answered as the first was,
    olga.done("sendMessage", "", sent).await;
    // then of all this there is the one message.
    let mut told: Vec<_> = receiver.wait_for_requests(2).await.iter().map(Received::json).collect();
    told.sort_by_key(|body| body["type"] == "MESSAGE_TO_VISITOR");
    assert_eq!(ledger(&world.admin, &hook).await.len(), 2);
    assert_eq!((&told[0]["type"], &told[1]["message"]), (&json!("MESSAGE_ADDED"), &json!("Hello")));
    world.app.stop().await;
}

/// The delays of the Standard Webhooks schedule, in seconds.
const SCHEDULE: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

async fn failed_delivery_is_tried_ten_times_on_schedule(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    receiver.reply(status(500));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let mut passed = 0;
    for (number, delay) in (1..).zip(SCHEDULE) {
        let row = after_attempts(&world.admin, &hook, number).await;
        assert_eq!((&row["state"], &row["lastStatus"]), (&json!("PENDING"), &json!(500)));
        assert_eq!(row["lastError"], "The receiver answered 500.");
        // Not before its time, and later by a tenth at most.
        let waits = millis(&row["nextAttemptAt"]) - NOON_MILLIS - passed * 1_000;
        assert!((delay * 1_000..=delay * 1_100).contains(&waits), "attempt {number}: {waits} ms");
        let pause = delay + delay / 10 + 1;
        world.pass(u64::try_from(pause).unwrap());
        passed += pause;
        receiver.wait_for_requests(usize::try_from(number).unwrap() + 1).await;
    }
    let row = delivery(&world.admin, &hook, |row| row["state"] == "FAILED").await;
    assert_eq!((&row["attempts"], &row["nextAttemptAt"]), (&json!(10), &Value::Null));
    // Every attempt had the same id and body, and a time and signature of its own.
    let heard = receiver.requests();
    let of = |header| heard.iter().map(|received| received.header(header)).collect::<Vec<_>>();
    assert_eq!(heard.len(), 10);
    assert!(of("webhook-id").windows(2).all(|pair| pair[0] == pair[1]));
    assert!(of("webhook-timestamp").windows(2).all(|pair| pair[0] != pair[1]));
    assert!(
        heard.iter().all(|received| received.is_signed_by(&hook.secret) && received.body == heard[0].body)
    );
    // It is the endpoint that fails, not yet for five days.
    assert_eq!(current_webhook(&world.admin, &hook).await["isEnabled"], true);
    world.app.stop().await;
}

async fn retry_after_is_honored(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    let cases = [
        ("Retry-After: 7200\r\n", after_noon(7_200)),
        // Noon is 12:00:00.
        ("Retry-After: Fri, 20 Nov 2026 15:00:00 GMT\r\n", after_noon(3 * 3_600)),
        // A day at most,
        ("Retry-After: 4000000000\r\n", after_noon(86_400)),
    ];
    for (header, expected) in cases {
        receiver.reply(answer(503, header));
        let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
        say(&olga, &chat, "Hello").await;
        assert_eq!(after_attempts(&world.admin, &hook, 1).await["nextAttemptAt"], expected, "{header}");
        let delete = json!({ "webhookId": hook.id });
        world.admin.done("deleteWebhook", "", delete).await;
    }
    // and a second at least, also where the schedule would wait longer.
    receiver.reply(answer(429, "Retry-After: 0\r\n"));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let row = after_attempts(&world.admin, &hook, 1).await;
    assert_eq!(row["nextAttemptAt"], after_noon(1));
    // Events during the wait that `Retry-After` asks for wait too.
    receiver.reply(answer(503, "Retry-After: 600\r\n"));
    world.pass(60);
    receiver.wait_for_requests(5).await;
    until("peace", async || (ledger(&world.admin, &hook).await[0]["lastStatus"] == 503).then_some(())).await;
    say(&olga, &chat, "More").await;
    receiver.reply(status(200));
    world.pass(300);
    let other = self::hook(&world.admin, &receiver.url("/other"), &["CHAT_ENDED"]).await;
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    delivered(&world.admin, &other).await;
    let rows = ledger(&world.admin, &hook).await;
    assert_eq!((&rows[1]["state"], &rows[1]["attempts"]), (&json!("PENDING"), &json!(0)));
    world.pass(400);
    until("both", async || {
        let rows = ledger(&world.admin, &hook).await;
        rows.iter().all(|row| row["state"] == "DELIVERED").then_some(())
    })
    .await;
    world.app.stop().await;
}

async fn status_410_disables_webhook_until_enabled(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    receiver.reply(status(410));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "One").await;
    let row = delivery(&world.admin, &hook, |row| row["state"] == "FAILED").await;
    assert_eq!((&row["lastStatus"], &row["attempts"]), (&json!(410), &json!(1)));
    let found = current_webhook(&world.admin, &hook).await;
    let reason = "The receiver answered 410 Gone.";
    assert_eq!((&found["isEnabled"], &found["disabledReason"]), (&json!(false), &json!(reason)));
    // While it is disabled nothing is written down for it, and nothing can be delivered again.
    say(&olga, &chat, "Two").await;
    let again = json!({ "deliveryId": row["id"] });
    assert_eq!(world.admin.refused("redeliverWebhook", again.clone()).await, ["INVALID"]);
    assert_eq!(ledger(&world.admin, &hook).await.len(), 1);
    // Once it is enabled, both work again.
    receiver.reply(status(200));
    let input = json!({ "webhookId": hook.id, "isEnabled": true });
    let updated = world.admin.done("updateWebhook", "webhook { isEnabled disabledReason }", input).await;
    assert_eq!(updated["webhook"], json!({ "isEnabled": true, "disabledReason": null }));
    world.admin.done("redeliverWebhook", "delivery { id }", again).await;
    say(&olga, &chat, "Three").await;
    let heard = receiver.wait_for_requests(3).await;
    let mut texts: Vec<_> = heard[1..].iter().map(|received| text(&received.json()["message"])).collect();
    texts.sort();
    assert_eq!(texts, ["One", "Three"]);
    world.app.stop().await;
}

async fn five_days_of_failure_disable(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    receiver.reply(status(500));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    let attempt = async |count: usize| {
        say(&olga, &chat, "Hello").await;
        until("attempts", async || {
            let rows = ledger(&world.admin, &hook).await;
            (rows.len() == count && rows.iter().all(|row| !row["lastError"].is_null())).then_some(())
        })
        .await;
    };
    attempt(1).await;
    // A success in between begins the five days anew.
    world.pass(3 * 86_400);
    receiver.reply(status(200));
    until("success", async || (ledger(&world.admin, &hook).await[0]["state"] == "DELIVERED").then_some(()))
        .await;
    receiver.reply(status(500));
    say(&olga, &chat, "Hello").await;
    until("failure", async || (ledger(&world.admin, &hook).await[1]["lastStatus"] == 500).then_some(()))
        .await;
    world.pass(5 * 86_400 - 1);
    until("failure", async || (ledger(&world.admin, &hook).await[1]["attempts"] == 2).then_some(())).await;
    assert_eq!(current_webhook(&world.admin, &hook).await["isEnabled"], true);
    world.pass(86_400);
    // At the end of them what is still to be delivered is given up, and the reason is there to be seen.
    let found = until("end", async || {
        Some(current_webhook(&world.admin, &hook).await).filter(|found| found["isEnabled"] == false)
    })
    .await;
    assert_eq!(found["disabledReason"], "No delivery succeeded for five days.");
    until("end", async || (ledger(&world.admin, &hook).await[1]["state"] == "FAILED").then_some(())).await;
    world.app.stop().await;
}

async fn delivered_event_can_be_redelivered(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let row = delivered(&world.admin, &hook).await;
    world.pass(100);
    let again = world
        .admin
        .done(
            "redeliverWebhook",
            "delivery { id state attempts deliveredAt }",
            json!({ "deliveryId": row["id"] }),
        )
        .await;
    assert_eq!(again["delivery"]["id"], row["id"]);
    let heard = receiver.wait_for_requests(2).await;
    let row = delivery(&world.admin, &hook, |row| row["deliveredAt"] == after_noon(100)).await;
    assert_eq!((&row["attempts"], &row["state"]), (&json!(1), &json!("DELIVERED")));
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_eq!(heard[0].body, heard[1].body);
    assert!(heard[1].is_signed_by(&hook.secret));
    world.app.stop().await;
}

async fn rotation_signs_with_both_secrets(engine: Engine) {
    let (world, receiver, olga, _, chat) = talk(engine).await;
    let first = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    let rotate = async || {
        let input = json!({ "webhookId": first.id });
        let updated = world.admin.done("rotateSigningSecret", "webhook { id } signingSecret", input).await;
        Hook { id: first.id.clone(), secret: text(&updated["signingSecret"]) }
    };
    let signed_by = async |count: usize| {
        say(&olga, &chat, "Hello").await;
        receiver.wait_for_requests(count).await.remove(count - 1)
    };
    let second = rotate().await;
    // For a day both sign,
    let received = signed_by(1).await;
    assert!(received.is_signed_by(&first.secret) && received.is_signed_by(&second.secret));
    assert_eq!(received.header("webhook-signature").split(' ').count(), 2);
    world.pass(86_399);
    assert!(signed_by(2).await.is_signed_by(&first.secret));
    // then the new one alone.
    world.pass(1);
    let received = signed_by(3).await;
    assert!(!received.is_signed_by(&first.secret) && received.is_signed_by(&second.secret));
    // The last two are kept, never more.
    let (third, fourth) = (rotate().await, rotate().await);
    let received = signed_by(4).await;
    assert!(!received.is_signed_by(&second.secret));
    assert!(received.is_signed_by(&third.secret) && received.is_signed_by(&fourth.secret));
    world.app.stop().await;
}
