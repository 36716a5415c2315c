//! Adding and removing participants: who may do so in which chat, and the result.

use super::{add, direct, group, participant_ids, refusal, remove, seen};
use crate::harness::Engine;
use crate::harness::world::{World, text, visitor};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::json;

on_both!(
    only_owner_and_admins_change_group_participants,
    users_add_only_colleagues_to_visitor_chats,
    added_participant_sees_private_chat,
    direct_chats_cannot_get_participants,
    adding_participant_again_changes_nothing,
    former_participant_can_be_added_again,
    a_chat_has_up_to_a_hundred_participants,
    ended_chat_allows_only_leaving,
);

const COUNTERS: &str = "participationCount userParticipationCount visitorParticipationCount";

async fn only_owner_and_admins_change_group_participants(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let (otto, vera) = (world.operator("Otto").await, world.visitor("vera").await);
    let chat = group(&olga, &[&odile]).await;
    assert_eq!(add(&otto, &chat, &[&otto]).await.as_deref(), Some("NOT_FOUND chatId"));
    assert_eq!(add(&odile, &chat, &[&otto]).await.as_deref(), Some("INVALID chatId"));
    assert_eq!(remove(&odile, &chat, &olga).await.as_deref(), Some("INVALID participantId"));
    assert_eq!(add(&olga, &chat, &[]).await.as_deref(), Some("INVALID participantIds"));
    assert_eq!(participant_ids(&olga, &chat).await, [olga.id.as_str(), &odile.id]);
    assert_eq!(add(&olga, &chat, &[&vera]).await, None);
    assert_eq!(add(&world.admin, &chat, &[&otto]).await, None);
    assert_eq!(remove(&world.admin, &chat, &odile).await, None);
    assert_eq!(participant_ids(&otto, &chat).await, [olga.id.as_str(), &vera.id, &otto.id]);
    let counted = seen(&olga, &chat, COUNTERS).await;
    let expected =
        json!({ "participationCount": 3, "userParticipationCount": 2, "visitorParticipationCount": 1 });
    assert_eq!(counted, expected);
    // Only participants can be removed. For a former participant, the ended participation is returned.
    assert_eq!(remove(&olga, &chat, &world.admin).await.as_deref(), Some("NOT_FOUND participantId"));
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    assert_eq!(seen(&olga, &chat, COUNTERS).await, expected);
    world.app.stop().await;
}

async fn users_add_only_colleagues_to_visitor_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let chat = world.chat(&vera).await;
    assert_eq!(add(&olga, &chat, &[&odile, &victor]).await.as_deref(), Some("INVALID participantIds"));
    assert_eq!(participant_ids(&olga, &chat).await, [vera.id.as_str()]);
    assert_eq!(add(&olga, &chat, &[&odile]).await, None);
    assert_eq!(participant_ids(&olga, &chat).await, [vera.id.as_str(), &odile.id]);
    // The chat is the visitor's: they stay, and decide nothing about it.
    assert_eq!(remove(&olga, &chat, &vera).await.as_deref(), Some("INVALID participantId"));
    for person in [&vera, &odile] {
        assert_eq!(remove(&vera, &chat, person).await.as_deref(), Some("INVALID participantId"));
    }
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    assert_eq!(participant_ids(&vera, &chat).await, [vera.id.as_str()]);
    world.app.stop().await;
}

async fn added_participant_sees_private_chat(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let input = json!({ "roomId": world.room, "visitorId": vera.id, "isPrivate": true });
    let chat = text(&olga.done("startChat", "chat { id }", input).await["chat"]["id"]);
    assert_eq!(seen(&odile, &chat, "id").await, json!(null));
    assert_eq!(add(&odile, &chat, &[&odile]).await.as_deref(), Some("NOT_FOUND chatId"));
    assert_eq!(add(&olga, &chat, &[&odile]).await, None);
    assert_eq!(seen(&odile, &chat, "id").await["id"], chat);
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    assert_eq!(seen(&odile, &chat, "id").await, json!(null));
    world.app.stop().await;
}

async fn direct_chats_cannot_get_participants(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let otto = world.operator("Otto").await;
    let chat = direct(&olga, &odile).await;
    for client in [&olga, &world.admin] {
        assert_eq!(add(client, &chat, &[&otto]).await.as_deref(), Some("INVALID chatId"));
        assert_eq!(remove(client, &chat, &odile).await.as_deref(), Some("INVALID participantId"));
    }
    assert_eq!(remove(&odile, &chat, &odile).await.as_deref(), Some("INVALID participantId"));
    assert_eq!(participant_ids(&olga, &chat).await.len(), 2);
    world.app.stop().await;
}

async fn adding_participant_again_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    let before = seen(&olga, &chat, "updatedAt participations { nodes { id createdAt } }").await;
    let input = json!({ "chatId": chat, "participantIds": [odile.id, odile.id, olga.id] });
    let added = olga.done("addParticipants", "participations { actor { id } endedAt }", input).await;
    let expected = json!([
        { "actor": { "id": olga.id }, "endedAt": null }, { "actor": { "id": odile.id }, "endedAt": null }
    ]);
    assert_eq!(added["participations"], expected);
    assert_eq!(seen(&olga, &chat, "updatedAt participations { nodes { id createdAt } }").await, before);
    world.app.stop().await;
}

async fn former_participant_can_be_added_again(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    let sent = json!({ "chatId": chat, "text": "Before" });
    odile.done("sendMessage", "", sent).await;
    let own = "viewerParticipation { id endedAt messageCount unreadCount } participationCount";
    let before = seen(&odile, &chat, own).await;
    remove(&olga, &chat, &odile).await;
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Meanwhile" })).await;
    assert_eq!(seen(&olga, &chat, "participationCount").await["participationCount"], 1);
    assert_eq!(add(&olga, &chat, &[&odile]).await, None);
    // It is the same participation, and what was said meanwhile is unread.
    let after = seen(&odile, &chat, own).await;
    let mut expected = before.clone();
    expected["viewerParticipation"]["unreadCount"] = json!(1);
    assert_eq!(after, expected);
    world.app.stop().await;
}

async fn a_chat_has_up_to_a_hundred_participants(engine: Engine) {
    let world = World::new(engine).await;
    let olga = world.operator("Olga").await;
    let mut guests = Vec::new();
    for number in 0..limits::PARTICIPANTS {
        let input = json!({ "externalId": format!("guest-{number}") });
        let guest = world.admin.done("upsertVisitor", "visitor { id }", input).await;
        guests.push(text(&guest["visitor"]["id"]));
    }
    let chat = group(&olga, &[]).await;
    let named = |ids: &[String]| json!({ "chatId": chat, "participantIds": ids });
    let refused = olga.mutate("addParticipants", "", named(&guests)).await;
    assert_eq!(refusal(&refused).as_deref(), Some("TOO_MANY participantIds"));
    assert_eq!(participant_ids(&olga, &chat).await.len(), 1);
    olga.done("addParticipants", "", named(&guests[1..])).await;
    assert_eq!(participant_ids(&olga, &chat).await.len(), limits::PARTICIPANTS);
    // Existing participants do not count toward the limit again.
    olga.done("addParticipants", "", named(&guests[1..3])).await;
    let one_more = olga.mutate("addParticipants", "", named(&guests[..2])).await;
    assert_eq!(refusal(&one_more).as_deref(), Some("TOO_MANY participantIds"));
    world.app.stop().await;
}

async fn ended_chat_allows_only_leaving(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = visitor(&world.app, &world.admin, "vera").await;
    let chat = group(&olga, &[&odile]).await;
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(add(&olga, &chat, &[&vera]).await.as_deref(), Some("CHAT_ENDED"));
    assert_eq!(remove(&odile, &chat, &odile).await, None);
    assert_eq!(participant_ids(&olga, &chat).await, [olga.id.as_str()]);
    world.app.stop().await;
}
