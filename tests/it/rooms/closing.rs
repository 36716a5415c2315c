//! What users still have of a room that they lost: they leave its open chats.

use super::{add, comes_to_see, members_room, remove, sees, set_access, waiting_chat};
use crate::harness::Engine;
use crate::harness::world::{Person, World};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    removed_member_leaves_the_open_chats,
    closing_a_room_takes_strangers_out_of_its_open_chats,
    user_who_is_a_member_before_the_room_closes_stays,
    departures_that_a_stop_cut_off_are_done_after_it,
    opening_a_room_shows_its_chats_to_all,
    access_that_was_lost_on_the_way_does_not_let_anybody_join,
);

/// The user's last presence in a chat, as an admin reads it.
async fn presence(world: &World, chat: &str) -> Value {
    let query = "query($id: ID!) { chat(id: $id) { participationCount presentUserCount
        presences(last: 1, includeEnded: true) { nodes { endedAt endReason } } messages(last: 1) { nodes { type } } } }";
    world.admin.query(query, json!({ "id": chat })).await["chat"].clone()
}

async fn assert_left(world: &World, who: &Person, chat: &str) {
    comes_to_see(who, chat, false).await;
    let found = presence(world, chat).await;
    assert_eq!(found["presentUserCount"], 0);
    assert_eq!(found["presences"]["nodes"][0]["endReason"], "ACCESS_LOST");
    assert_eq!(found["messages"]["nodes"][0]["type"], "LEAVE");
    assert_eq!(found["participationCount"], 1);
}

async fn removed_member_leaves_the_open_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let (open, ended) = (waiting_chat(&vera, &room).await, waiting_chat(&vera, &room).await);
    for chat in [&open, &ended] {
        olga.done("joinChat", "", json!({ "chatId": chat })).await;
    }
    let elsewhere = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": elsewhere })).await;
    olga.done("endChat", "", json!({ "chatId": ended })).await;
    remove(&world, &room, &olga).await;
    assert_left(&world, &olga, &open).await;
    // They keep the record of what they took part in, and every chat of other rooms.
    assert!(sees(&olga, &ended).await);
    assert!(sees(&olga, &elsewhere).await);
    assert_eq!(presence(&world, &elsewhere).await["presentUserCount"], 1);
    world.app.stop().await;
}

async fn closing_a_room_takes_strangers_out_of_its_open_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let private = world.admin.done(
        "startChat",
        "chat { id }",
        json!({ "roomId": world.room, "visitorId": vera.id, "isPrivate": true }),
    );
    let private = crate::harness::world::text(&private.await["chat"]["id"]);
    for who in [&olga, &otto, &world.admin] {
        who.done("joinChat", "", json!({ "chatId": chat })).await;
    }
    world.admin.done("addParticipants", "", json!({ "chatId": private, "participantIds": [otto.id] })).await;
    add(&world, &world.room.clone(), &[&olga]).await;
    set_access(&world, &world.room.clone(), "MEMBERS").await;
    for chat in [&chat, &private] {
        comes_to_see(&otto, chat, false).await;
    }
    // Members and admins stay.
    assert!(sees(&olga, &chat).await);
    assert_eq!(presence(&world, &chat).await["presentUserCount"], 2);
    // A guest is added afterwards.
    olga.done("addParticipants", "", json!({ "chatId": chat, "participantIds": [otto.id] })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sees(&otto, &chat).await);
    world.app.stop().await;
}

async fn user_who_is_a_member_before_the_room_closes_stays(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    set_access(&world, &room, "OPEN").await;
    remove(&world, &room, &olga).await;
    add(&world, &room, &[&olga]).await;
    set_access(&world, &room, "MEMBERS").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sees(&olga, &chat).await);
    assert_eq!(presence(&world, &chat).await["presentUserCount"], 1);
    world.app.stop().await;
}

async fn departures_that_a_stop_cut_off_are_done_after_it(engine: Engine) {
    use crate::harness::stored::Stored;
    use sea_orm::ConnectionTrait;
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    // As after a stop right behind the commit of the removal.
    let stored = Stored::of(&world.app).await;
    for statement in [
        "INSERT INTO room_departure (room_id, actor_id) SELECT room_id, actor_id FROM room_member",
        "DELETE FROM room_member",
    ] {
        stored.0.execute_unprepared(statement).await.expect(statement);
    }
    comes_to_see(&olga, &chat, false).await;
    assert_left(&world, &olga, &chat).await;
    for _ in 0..100 {
        if stored.tables().await["room_departure"].is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(stored.tables().await["room_departure"].is_empty());
    world.app.stop().await;
}

async fn opening_a_room_shows_its_chats_to_all(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[]).await;
    let chat = waiting_chat(&vera, &room).await;
    assert!(!sees(&olga, &chat).await);
    set_access(&world, &room, "OPEN").await;
    assert!(sees(&olga, &chat).await);
    world.app.stop().await;
}

async fn access_that_was_lost_on_the_way_does_not_let_anybody_join(engine: Engine) {
    use crate::harness::socket::Socket;
    use crate::harness::stored::Stored;
    use sea_orm::ConnectionTrait;
    let world = World::on(
        crate::harness::TestApp::start_with(engine, anteroom::clock::Clock::system(), |config| {
            config.sweep = Duration::from_hours(1);
        })
        .await,
    )
    .await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let mut socket = Socket::connect(&olga.url, &olga.token).await;
    socket.wait_until_subscribed().await;
    // Another node removes her, and this one has not heard of it.
    let stored = Stored::of(&world.app).await;
    stored.0.execute_unprepared("DELETE FROM room_member").await.expect("removed");
    let join = "mutation($chat: ID!) { joinChat(input: { chatId: $chat }) { userErrors { code } } }";
    socket.subscribe("join", join, json!({ "chat": chat }), None).await;
    assert_eq!(socket.next().await["data"]["joinChat"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
    assert!(!sees(&olga, &chat).await);
    world.app.stop().await;
}
