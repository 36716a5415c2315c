//! Supervisors read all chats of their rooms.

use super::{add, members_room, sees, waiting_chat};
use crate::harness::Engine;
use crate::harness::calls::outcome;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::json;

on_both!(
    supervisor_reads_private_chats_of_their_rooms_only,
    supervisor_acts_in_no_private_chat_of_others,
    supervisor_administers_nothing,
);

async fn supervisor(world: &World) -> Person {
    let susan = world.operator("Susan").await;
    let input = json!({ "userId": susan.id, "role": "SUPERVISOR" });
    let updated = world.admin.done("updateUser", "user { role }", input).await;
    assert_eq!(updated["user"]["role"], "SUPERVISOR");
    susan
}

async fn private_chat(world: &World, visitor: &Person, room: &str) -> String {
    let input =
        json!({ "roomId": room, "visitorId": visitor.id, "isPrivate": true, "message": "In private" });
    text(&world.admin.done("startChat", "chat { id }", input).await["chat"]["id"])
}

async fn supervisor_reads_private_chats_of_their_rooms_only(engine: Engine) {
    let world = World::new(engine).await;
    let (susan, otto) = (supervisor(&world).await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let own = members_room(&world, "Salaries", &[&susan, &otto]).await;
    let other = members_room(&world, "Patents", &[]).await;
    let open = world.room.clone();
    for (room, sees_public, sees_private) in
        [(&own, true, true), (&other, false, false), (&open, true, false)]
    {
        assert_eq!(sees(&susan, &waiting_chat(&vera, room).await).await, sees_public, "{room}");
        let private = private_chat(&world, &vera, room).await;
        assert_eq!(sees(&susan, &private).await, sees_private, "{room}");
        assert!(!sees(&otto, &private).await, "{room}");
    }
    // In an open room, it takes membership.
    let private = private_chat(&world, &vera, &open).await;
    add(&world, &open, &[&susan]).await;
    assert!(sees(&susan, &private).await);
    // Chats among others stay theirs.
    let group = otto.done("createGroupChat", "chat { id }", json!({ "participantIds": [vera.id] })).await;
    assert!(!sees(&susan, &text(&group["chat"]["id"])).await);
    world.app.stop().await;
}

async fn supervisor_acts_in_no_private_chat_of_others(engine: Engine) {
    let world = World::new(engine).await;
    let (susan, vera) = (supervisor(&world).await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&susan]).await;
    let private = private_chat(&world, &vera, &room).await;
    let calls = [
        ("joinChat", json!({ "chatId": private }), "NOT_PARTICIPANT"),
        ("sendMessage", json!({ "chatId": private, "text": "Hello" }), "NOT_PARTICIPANT"),
        ("tagChat", json!({ "chatId": private, "tags": ["a"] }), "NOT_PARTICIPANT"),
        (
            "archiveMessages",
            json!({ "chatId": private, "before": "2026-11-20T12:00:00Z" }),
            "NOT_PARTICIPANT",
        ),
        ("updateChat", json!({ "chatId": private, "isPrivate": false }), "NOT_PARTICIPANT"),
        ("endChat", json!({ "chatId": private }), "NOT_PARTICIPANT"),
        ("addParticipants", json!({ "chatId": private, "participantIds": [susan.id] }), "INVALID chatId"),
        ("deleteChat", json!({ "chatId": private }), "INVALID chatId"),
    ];
    for (name, input, expected) in calls {
        assert_eq!(outcome(&susan, name, &input).await, expected, "{name}");
    }
    let query = "query($id: ID!) { chat(id: $id) { viewerActions messages { nodes { text } } } }";
    let found = susan.query(query, json!({ "id": private })).await;
    assert_eq!(found["chat"]["viewerActions"], json!([]));
    assert_eq!(found["chat"]["messages"]["nodes"][0]["text"], "In private");
    // As a participant, they act.
    world.admin.done("addParticipants", "", json!({ "chatId": private, "participantIds": [susan.id] })).await;
    susan.done("sendMessage", "", json!({ "chatId": private, "text": "Hello" })).await;
    // And so they do in public.
    let public = waiting_chat(&vera, &room).await;
    susan.done("joinChat", "", json!({ "chatId": public })).await;
    world.app.stop().await;
}

async fn supervisor_administers_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let susan = supervisor(&world).await;
    let role = susan.query("{ viewer { role } }", json!({})).await;
    assert_eq!(role["viewer"]["role"], "SUPERVISOR");
    let room = &world.room;
    let calls = [
        ("createRoom", json!({ "name": "Mine" })),
        ("updateRoom", json!({ "roomId": room, "name": "Mine" })),
        ("addRoomMembers", json!({ "roomId": room, "userIds": [susan.id] })),
        ("createUser", json!({ "name": "Oda", "role": "OPERATOR" })),
        ("updateUser", json!({ "userId": susan.id, "role": "ADMIN" })),
        ("issueToken", json!({ "subject": { "actorId": susan.id } })),
        ("updateOrganization", json!({ "name": "Mine" })),
        ("upsertVisitor", json!({ "externalId": "v" })),
    ];
    for (name, input) in calls {
        assert_eq!(outcome(&susan, name, &input).await, "FORBIDDEN", "{name}");
    }
    world.app.stop().await;
}
