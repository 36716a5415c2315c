//! Deliveries of a webhook: who can read them, what they store and show, and how they end.

use crate::harness::Engine;
use crate::harness::client::{error_code, is_null, mutation};
use crate::harness::hooks::{current_webhook, delivered, delivery, frozen, hook, ledger, say, to_loopback};
use crate::harness::receiver::{Receiver, Reply, status, until};
use crate::harness::scene::program;
use crate::harness::stored::Stored;
use crate::harness::world::{World, ids, organization, text};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    webhooks_are_for_admins,
    secrets_are_shown_once,
    the_ledger_is_paged_both_ways_and_by_state,
    disabling_fails_pending_deliveries,
    deleting_webhook_deletes_its_deliveries,
    deliveries_are_removed_after_thirty_days,
    an_organization_has_twenty_webhooks_at_most,
    events_reach_only_their_organization,
);

async fn webhooks_are_for_admins(engine: Engine) {
    let world = frozen(engine).await;
    let receiver = Receiver::start().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let row = delivered(&world.admin, &hook).await;
    let create =
        json!({ "url": "https://example.org/", "events": ["CHAT_ENDED"], "apiKey": "k", "apiSecret": "s" });
    let calls = [
        ("createWebhook", create),
        ("updateWebhook", json!({ "webhookId": hook.id, "isEnabled": false })),
        ("redeliverWebhook", json!({ "deliveryId": row["id"] })),
        ("deleteWebhook", json!({ "webhookId": hook.id })),
    ];
    for client in [&olga.client, &vera.client, &program(&world.app, &world.admin).await] {
        for (name, input) in &calls {
            let answer = client.ask(&mutation(name, ""), json!({ "input": input })).await;
            assert_eq!(error_code(&answer), "FORBIDDEN", "{name}");
        }
        let answer = client.ask("{ organization { webhooks { totalCount } } }", json!({})).await;
        assert!(is_null(&answer, "/organization/webhooks"));
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let found = client.query(query, json!({ "ids": [hook.id, row["id"]] })).await;
        assert_eq!(found["nodes"], json!([null, null]));
    }
    let listed =
        world.admin.query("{ organization { webhooks { nodes { id } totalCount } } }", json!({})).await;
    assert_eq!(listed["organization"]["webhooks"], json!({ "nodes": [{ "id": hook.id }], "totalCount": 1 }));
    world.app.stop().await;
}

async fn secrets_are_shown_once(engine: Engine) {
    let world = frozen(engine).await;
    let hook =
        hook(&world.admin, "https://hooks.example.org/", &["CHAT_ENDED", "MESSAGE_ADDED", "CHAT_ENDED"])
            .await;
    assert!(hook.secret.starts_with("whsec_"));
    let found = current_webhook(&world.admin, &hook).await;
    assert_eq!(
        (&found["apiKey"], &found["events"]),
        (&json!("the-key"), &json!(["MESSAGE_ADDED", "CHAT_ENDED"]))
    );
    // No field of any type but the two payloads has a secret in its name.
    for definition in ["Webhook", "WebhookDelivery", "RedeliverWebhookPayload", "DeleteWebhookPayload"] {
        let fields = crate::harness::sdl::fields(definition);
        assert!(!fields.keys().any(|field| field.to_lowercase().contains("secret")), "{definition}");
    }
    // The row itself prints placeholders.
    let rows = Stored::of(&world.app).await.tables().await;
    let row = &rows["webhook"][0];
    assert!(row.contains("REDACTED") && !row.contains("whsec_") && !row.contains("the-secret"), "{row}");
    world.app.stop().await;
}

async fn the_ledger_is_paged_both_ways_and_by_state(engine: Engine) {
    let world = frozen(engine).await;
    let receiver = Receiver::start().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    receiver.behave(|received, _| status(if received.json()["message"] == "3" { 500 } else { 200 }));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    for number in 1..=5 {
        say(&olga, &chat, &number.to_string()).await;
        world.pass(1);
    }
    let rows = until("all five", async || {
        let rows = ledger(&world.admin, &hook).await;
        (rows.len() == 5 && rows.iter().all(|row| !row["lastStatus"].is_null())).then_some(rows)
    })
    .await;
    let all: Vec<_> = rows.iter().map(|row| text(&row["id"])).collect();
    let page = async |arguments: &str| {
        let query = format!(
            "query($id: ID!) {{ node(id: $id) {{ ... on Webhook {{ deliveries({arguments}) {{ totalCount
                nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }} }}"
        );
        world.admin.query(&query, json!({ "id": hook.id })).await["node"]["deliveries"].clone()
    };
    let first = page("first: 2").await;
    assert_eq!((ids(&first["nodes"]), &first["totalCount"]), (all[..2].to_vec(), &json!(5)));
    let after = text(&first["pageInfo"]["endCursor"]);
    let second = page(&format!("first: 10, after: \"{after}\"")).await;
    assert_eq!(ids(&second["nodes"]), all[2..]);
    let last = page("last: 2").await;
    assert_eq!(
        (ids(&last["nodes"]), &last["pageInfo"]["hasPreviousPage"]),
        (all[3..].to_vec(), &json!(true))
    );
    let failed = page("states: [PENDING]").await;
    assert_eq!((ids(&failed["nodes"]), &failed["totalCount"]), (vec![all[2].clone()], &json!(1)));
    assert_eq!(page("states: [DELIVERED, FAILED]").await["totalCount"], 4);
    assert_eq!(page("states: []").await["totalCount"], 0);
    world.app.stop().await;
}

async fn disabling_fails_pending_deliveries(engine: Engine) {
    let world = frozen(engine).await;
    let receiver = Receiver::start().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    receiver.reply(status(500));
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    delivery(&world.admin, &hook, |row| row["lastStatus"] == 500).await;
    let change = |is_enabled: bool| json!({ "webhookId": hook.id, "isEnabled": is_enabled });
    world.admin.done("updateWebhook", "", change(false)).await;
    let row = delivery(&world.admin, &hook, |row| row["state"] == "FAILED").await;
    assert_eq!(
        (&row["lastError"], &row["nextAttemptAt"]),
        (&json!("The webhook was disabled."), &Value::Null)
    );
    // An admin did it: there is no reason but that.
    assert_eq!(current_webhook(&world.admin, &hook).await["disabledReason"], Value::Null);
    // Events while the webhook is disabled are not sent, neither now nor later.
    say(&olga, &chat, "Meanwhile").await;
    receiver.reply(status(200));
    world.admin.done("updateWebhook", "", change(true)).await;
    say(&olga, &chat, "Afterwards").await;
    let heard = receiver.wait_for_requests(2).await;
    assert_eq!(heard[1].json()["message"], "Afterwards");
    assert_eq!(ledger(&world.admin, &hook).await.len(), 2);
    world.app.stop().await;
}

async fn deleting_webhook_deletes_its_deliveries(engine: Engine) {
    let world = World::frozen_with(engine, |config| {
        to_loopback(config);
        config.webhooks.clear = Duration::from_millis(50);
    });
    let world = world.await;
    let receiver = Receiver::start().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    receiver.reply(status(500));
    let kept = hook(&world.admin, &receiver.url("/kept"), &["MESSAGE_TO_VISITOR"]).await;
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Hello").await;
    let row = delivery(&world.admin, &hook, |row| row["lastStatus"] == 500).await;
    let input = json!({ "webhookId": hook.id });
    let deleted = world.admin.done("deleteWebhook", "deletedWebhookId", input.clone()).await;
    assert_eq!(deleted["deletedWebhookId"], hook.id);
    // It is not there any more, nor what was sent,
    assert_eq!(world.admin.refused("deleteWebhook", input).await, ["NOT_FOUND"]);
    let again = json!({ "deliveryId": row["id"] });
    assert_eq!(world.admin.refused("redeliverWebhook", again).await, ["NOT_FOUND"]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } organization { webhooks { nodes { id } } } }";
    let found = world.admin.query(query, json!({ "ids": [hook.id, row["id"]] })).await;
    assert_eq!(found["nodes"], json!([null, null]));
    assert_eq!(ids(&found["organization"]["webhooks"]["nodes"]), std::slice::from_ref(&kept.id));
    // and after a while nothing of it is stored.
    world.pass(660);
    let stored = Stored::of(&world.app).await;
    until("only the other one", async || {
        let tables = stored.tables().await;
        (tables["webhook"].len() == 1 && tables["webhook_delivery"].len() == 1).then_some(())
    })
    .await;
    assert_eq!(ledger(&world.admin, &kept).await.len(), 1);
    world.app.stop().await;
}

async fn deliveries_are_removed_after_thirty_days(engine: Engine) {
    let world = World::frozen_with(engine, |config| {
        to_loopback(config);
        config.webhooks.clear = Duration::from_millis(50);
    });
    let world = world.await;
    let receiver = Receiver::start().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let hook = hook(&world.admin, &receiver.url("/"), &["MESSAGE_TO_VISITOR"]).await;
    say(&olga, &chat, "Old").await;
    delivered(&world.admin, &hook).await;
    world.pass(30 * 86_400);
    // Thirty days and no more: it is still there.
    say(&olga, &chat, "New").await;
    receiver.wait_for_requests(2).await;
    assert_eq!(ledger(&world.admin, &hook).await.len(), 2);
    world.pass(1);
    let rows = until("the new one alone", async || {
        Some(ledger(&world.admin, &hook).await).filter(|rows| rows.len() == 1)
    })
    .await;
    assert!(text(&rows[0]["body"]).contains("New"));
    world.app.stop().await;
}

async fn an_organization_has_twenty_webhooks_at_most(engine: Engine) {
    let world = World::frozen(engine).await;
    let mut last = None;
    for _ in 0..limits::WEBHOOKS {
        last = Some(hook(&world.admin, "https://hooks.example.org/", &["CHAT_ENDED"]).await);
    }
    let input = json!({
        "url": "https://hooks.example.org/", "events": ["CHAT_ENDED"], "apiKey": "k", "apiSecret": "s"
    });
    assert_eq!(world.admin.refused("createWebhook", input.clone()).await, ["INVALID"]);
    world.admin.done("deleteWebhook", "", json!({ "webhookId": last.expect("a webhook").id })).await;
    world.admin.done("createWebhook", "", input).await;
    world.app.stop().await;
}

async fn events_reach_only_their_organization(engine: Engine) {
    let world = frozen(engine).await;
    let (own, their) = (Receiver::start().await, Receiver::start().await);
    let (stranger, _) = organization(&world.app, "hospital").await;
    their.reply(Reply::Hang(String::new()));
    let events =
        ["MESSAGE_TO_VISITOR", "MESSAGE_ADDED", "CHAT_STARTED", "CHAT_ENDED", "CHAT_SESSION_CHANGED"];
    let theirs = hook(&stranger, &their.url("/"), &events).await;
    let ours = hook(&world.admin, &own.url("/"), &events).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    say(&olga, &chat, "Hello").await;
    own.wait_for_requests(3).await;
    assert_eq!(ledger(&world.admin, &ours).await.len(), 3);
    assert_eq!((ledger(&stranger, &theirs).await.len(), their.connections()), (0, 0));
    world.app.stop().await;
}
