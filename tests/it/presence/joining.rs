//! Users join and leave chats; the history records it, and others see who is present.

use super::{entry, group, history, join, seen, send};
use crate::harness::Engine;
use crate::harness::client::{error_code, mutation};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::{NOON, World, ids, text};
use crate::on_both;
use serde_json::json;

on_both!(
    join_creates_presence_and_history_entry,
    joining_again_renews_presence,
    leaving_visitor_chat_ends_only_presence,
    exclusive_join_returns_present_users,
    exclusive_rejoin_renews,
    presences_are_seen_live,
    join_requires_user_with_access,
    ending_the_chat_ends_every_presence,
    deactivation_ends_all_presences,
);

const PRESENT: &str = "presentUserCount presences { nodes { user { id } endedAt } }";

async fn join_creates_presence_and_history_entry(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let presence = join(&olga, &chat).await;
    assert_eq!((&presence["createdAt"], &presence["lastSeenAt"]), (&json!(NOON), &json!(NOON)));
    assert_eq!(presence["expiresAt"], "2026-11-20T12:01:00.000Z");
    let expected = json!({ "presentUserCount": 1,
        "presences": { "nodes": [{ "user": { "id": olga.id }, "endedAt": null }] } });
    assert_eq!(seen(&vera, &chat, PRESENT).await, expected);
    assert_eq!(history(&vera, &chat).await, [entry("JOIN", &olga.id)]);
    // It is no message to be counted or read.
    let counters = "messageCount userMessageCount lastMessage { id } viewerParticipation { unreadCount }";
    let expected = json!({ "messageCount": 0, "userMessageCount": 0, "lastMessage": null,
                           "viewerParticipation": { "unreadCount": 0 } });
    assert_eq!(seen(&vera, &chat, counters).await, expected);
    // The chat is where the user finds it.
    let lists = "query($id: ID!) { user(id: $id) { currentChats { nodes { id } } } viewer { inbox { nodes { id } } } }";
    let lists = olga.query(lists, json!({ "id": olga.id })).await;
    assert_eq!(ids(&lists["user"]["currentChats"]["nodes"]), [chat.as_str()]);
    assert_eq!(ids(&lists["viewer"]["inbox"]["nodes"]), [chat.as_str()]);
    world.app.stop().await;
}

async fn joining_again_renews_presence(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let first = join(&olga, &chat).await;
    let before = seen(&olga, &chat, "updatedAt presentUserCount").await;
    world.pass(30);
    let again = join(&olga, &chat).await;
    assert_eq!((&again["id"], &again["createdAt"]), (&first["id"], &json!(NOON)));
    assert_eq!(again["lastSeenAt"], "2026-11-20T12:00:30.000Z");
    assert_eq!(again["expiresAt"], "2026-11-20T12:01:30.000Z");
    assert_eq!(history(&vera, &chat).await, [entry("JOIN", &olga.id)]);
    assert_eq!(seen(&olga, &chat, "updatedAt presentUserCount").await, before);
    world.app.stop().await;
}

async fn leaving_visitor_chat_ends_only_presence(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let first = join(&olga, &chat).await;
    world.pass(10);
    let leave = async || {
        let selection =
            "endedParticipationId participation { id } presence { id expiresAt endedAt endReason }
            chat { presentUserCount viewerActions viewerParticipation { id } }";
        olga.done("leaveChat", selection, json!({ "chatId": chat })).await
    };
    let left = leave().await;
    let expected = json!({ "id": first["id"], "expiresAt": null, "endedAt": "2026-11-20T12:00:10.000Z",
                           "endReason": "LEFT" });
    assert_eq!(left["presence"], expected);
    assert_eq!(left["chat"]["presentUserCount"], 0);
    assert!(left["chat"]["viewerParticipation"].is_object());
    assert_eq!((&left["endedParticipationId"], &left["participation"]), (&json!(null), &json!(null)));
    let actions = left["chat"]["viewerActions"].to_string();
    assert!(actions.contains("SEND") && actions.contains("JOIN") && !actions.contains("LEAVE"), "{actions}");
    // Leaving again returns the same, and is no event.
    world.pass(10);
    assert_eq!(leave().await, left);
    assert_eq!(vera.refused("leaveChat", json!({ "chatId": chat })).await, ["INVALID"]);
    let second = join(&olga, &chat).await;
    assert_ne!(second["id"], first["id"]);
    let told = [entry("JOIN", &olga.id), entry("LEAVE", &olga.id), entry("JOIN", &olga.id)];
    assert_eq!(history(&vera, &chat).await, told);
    // Ended presences do not disappear.
    let all = "presences(includeEnded: true) { nodes { id } }";
    let all = seen(&vera, &chat, all).await;
    assert_eq!(ids(&all["presences"]["nodes"]), [text(&first["id"]), text(&second["id"])]);
    world.app.stop().await;
}

async fn exclusive_join_returns_present_users(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    let exclusive = json!({ "chatId": chat, "exclusive": true });
    let selection = "presence { id } chat { presences { nodes { user { id } } } viewerParticipation { id } }";
    let refused = odile.mutate("joinChat", selection, exclusive.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "CHAT_TAKEN");
    let there =
        json!({ "presences": { "nodes": [{ "user": { "id": olga.id } }] }, "viewerParticipation": null });
    assert_eq!((&refused["presence"], &refused["chat"]), (&json!(null), &there));
    // Nobody keeps her from joining like everybody, nor from being alone once Olga has left.
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    odile.done("joinChat", "", exclusive.clone()).await;
    join(&olga, &chat).await;
    assert_eq!(seen(&vera, &chat, "presentUserCount").await["presentUserCount"], 2);
    assert_eq!(odile.refused("joinChat", exclusive).await, ["CHAT_TAKEN"]);
    world.app.stop().await;
}

async fn exclusive_rejoin_renews(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let first = join(&olga, &chat).await;
    let exclusive = json!({ "chatId": chat, "exclusive": true });
    let again = olga.done("joinChat", "presence { id }", exclusive).await;
    assert_eq!(again["presence"]["id"], first["id"]);
    world.app.stop().await;
}

async fn presences_are_seen_live(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut socket = Socket::connect(&world.app.url, &vera.token).await;
    let changes = "subscription($id: ID!) { presenceChanged(chatId: $id) { action presence { id user { id } endReason } } }";
    socket.subscribe("1", changes, json!({ "id": chat }), None).await;
    socket.subscribe("2", "{ viewer { role } }", json!({}), None).await;
    assert_eq!(socket.data().await["viewer"]["role"], "VISITOR");
    assert_eq!(socket.receive().await["type"], "complete");
    let presence = join(&olga, &chat).await;
    join(&olga, &chat).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    for (action, reason) in [("ADDED", json!(null)), ("REMOVED", json!("LEFT"))] {
        let change = socket.data().await["presenceChanged"].clone();
        assert_eq!(change["action"], action);
        assert_eq!(
            (&change["presence"]["id"], &change["presence"]["user"]["id"]),
            (&presence["id"], &json!(olga.id))
        );
        // An event may show its subject as it is by now, never as it was before.
        assert!(change["presence"]["endReason"] == reason || action == "ADDED", "{change:#}");
    }
    world.app.stop().await;
}

async fn join_requires_user_with_access(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let program = program(&world.app, &world.admin).await;
    let chat = world.chat(&vera).await;
    for outsider in [&vera.client, &program] {
        for name in ["joinChat", "keepPresence"] {
            let answer = outsider.ask(&mutation(name, ""), json!({ "input": { "chatId": chat } })).await;
            assert_eq!(error_code(&answer), "FORBIDDEN", "{name}");
        }
    }
    // An admin can read the chats of others without participating in them.
    let between = group(&olga, &[&odile.id]).await;
    assert_eq!(world.admin.refused("joinChat", json!({ "chatId": between })).await, ["NOT_PARTICIPANT"]);
    olga.done("endChat", "", json!({ "chatId": between })).await;
    assert_eq!(odile.refused("joinChat", json!({ "chatId": between })).await, ["CHAT_ENDED"]);
    world.app.stop().await;
}

async fn ending_the_chat_ends_every_presence(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    join(&odile, &chat).await;
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    let all = "presentUserCount presences(includeEnded: true) { nodes { endReason expiresAt } }";
    let ended = json!({ "endReason": "CHAT_ENDED", "expiresAt": null });
    let expected = json!({ "presentUserCount": 0, "presences": { "nodes": [ended, ended] } });
    assert_eq!(seen(&olga, &chat, all).await, expected);
    let told = history(&vera, &chat).await;
    assert_eq!(told[2..], [entry("LEAVE", &olga.id), entry("LEAVE", &odile.id)]);
    // Leaving afterwards returns the presence that the end of the chat has ended.
    let left = olga.done("leaveChat", "presence { endReason }", json!({ "chatId": chat })).await;
    assert_eq!(left["presence"]["endReason"], "CHAT_ENDED");
    world.app.stop().await;
}

async fn deactivation_ends_all_presences(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let mut chats = Vec::new();
    for _ in 0..3 {
        let chat = world.chat(&vera).await;
        join(&olga, &chat).await;
        send(&olga, &chat, "Good morning").await;
        chats.push(chat);
    }
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "isActive": false })).await;
    for chat in &chats {
        let all = "presentUserCount presences(includeEnded: true) { nodes { endReason } }";
        let expected =
            json!({ "presentUserCount": 0, "presences": { "nodes": [{ "endReason": "SIGNED_OUT" }] } });
        assert_eq!(seen(&vera, chat, all).await, expected);
        assert_eq!(history(&vera, chat).await.last(), Some(&entry("LEAVE", &olga.id)));
    }
    world.app.stop().await;
}
