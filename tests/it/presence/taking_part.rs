//! Participants: actors who were added, who wrote, and, without being counted, who joined.

use super::{group, join, seen, send};
use crate::harness::Engine;
use crate::harness::world::{NOON, Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    visitor_participates_from_the_start,
    first_message_makes_user_a_participant,
    joined_user_participates_without_being_counted,
    named_participants_are_counted,
    message_sent_for_actor_makes_them_participant,
);

const COUNTERS: &str = "participationCount userParticipationCount visitorParticipationCount";

/// The counters, in the order of [`COUNTERS`].
async fn counted(viewer: &Person, chat: &str) -> [i64; 3] {
    let seen = seen(viewer, chat, COUNTERS).await;
    ["participationCount", "userParticipationCount", "visitorParticipationCount"]
        .map(|counter| seen[counter].as_i64().unwrap())
}

async fn participant_ids(viewer: &Person, chat: &str) -> Vec<String> {
    let seen = seen(viewer, chat, "participations { nodes { actor { id } } }").await;
    let nodes = seen["participations"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| text(&node["actor"]["id"])).collect()
}

async fn own(person: &Person, chat: &str) -> Value {
    let fields = "viewerParticipation { createdAt endedAt messageCount firstMessageAt }";
    seen(person, chat, fields).await["viewerParticipation"].clone()
}

async fn visitor_participates_from_the_start(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    assert_eq!(participant_ids(&olga, &chat).await, [vera.id.as_str()]);
    assert_eq!(counted(&olga, &chat).await, [1, 0, 1]);
    let expected = json!({ "createdAt": NOON, "endedAt": null, "messageCount": 0, "firstMessageAt": null });
    assert_eq!(own(&vera, &chat).await, expected);
    assert_eq!(own(&olga, &chat).await, json!(null));
    // A user who starts a chat for her participates, but is not counted before their first message.
    let input = json!({ "roomId": world.room, "visitorId": vera.id });
    let chat = text(&olga.done("startChat", "chat { id }", input).await["chat"]["id"]);
    assert_eq!(participant_ids(&olga, &chat).await, [vera.id.as_str(), &olga.id]);
    assert_eq!(counted(&olga, &chat).await, [1, 0, 1]);
    world.app.stop().await;
}

async fn first_message_makes_user_a_participant(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    world.pass(5);
    for _ in 0..3 {
        send(&olga, &chat, "Good morning").await;
        world.pass(5);
    }
    assert_eq!(counted(&vera, &chat).await, [2, 1, 1]);
    let first = "2026-11-20T12:00:05.000Z";
    let expected = json!({ "createdAt": first, "endedAt": null, "messageCount": 3, "firstMessageAt": first });
    assert_eq!(own(&olga, &chat).await, expected);
    // Writing is not joining.
    assert_eq!(seen(&vera, &chat, "presentUserCount").await["presentUserCount"], 0);
    world.app.stop().await;
}

async fn joined_user_participates_without_being_counted(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    assert_eq!(participant_ids(&vera, &chat).await, [vera.id.as_str(), &olga.id]);
    assert_eq!(counted(&vera, &chat).await, [1, 0, 1]);
    send(&olga, &chat, "Good morning").await;
    assert_eq!(counted(&vera, &chat).await, [2, 1, 1]);
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    join(&olga, &chat).await;
    assert_eq!(counted(&vera, &chat).await, [2, 1, 1]);
    assert_eq!(participant_ids(&vera, &chat).await.len(), 2);
    world.app.stop().await;
}

async fn named_participants_are_counted(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = group(&olga, &[&odile.id, &vera.id]).await;
    assert_eq!(counted(&vera, &chat).await, [3, 2, 1]);
    send(&odile, &chat, "Good morning").await;
    assert_eq!(counted(&vera, &chat).await, [3, 2, 1]);
    // Being called to a session is being named, also for one who had only joined.
    let chat = world.chat(&vera).await;
    join(&odile, &chat).await;
    olga.done(
        "createChatSession",
        "",
        json!({ "in": { "chat": { "id": chat, "participantIds": [odile.id] } } }),
    )
    .await;
    assert_eq!(counted(&vera, &chat).await, [3, 2, 1]);
    world.app.stop().await;
}

async fn message_sent_for_actor_makes_them_participant(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let input = json!({ "chatId": chat, "text": "From the archive", "senderId": olga.id });
    world.admin.done("sendMessage", "", input).await;
    assert_eq!(participant_ids(&vera, &chat).await, [vera.id.as_str(), &olga.id]);
    assert_eq!(own(&world.admin, &chat).await, json!(null));
    assert_eq!(own(&olga, &chat).await["messageCount"], 1);
    world.app.stop().await;
}
