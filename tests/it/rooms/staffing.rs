//! Whether somebody is there to answer in a room, and who is told.

use super::{add, members_room, remove, waiting_chat};
use crate::harness::socket::Socket;
use crate::harness::world::{NOON_MILLIS, Person, World};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use entity::Timestamp;
use serde_json::json;
use std::time::Duration;

on_both!(
    room_for_members_is_staffed_by_its_members_alone,
    visitor_who_waits_is_told_when_somebody_comes_and_goes,
    room_is_followed_until_it_is_lost,
);

/// A world at noon that looks at its rooms all the time.
async fn watchful(engine: Engine) -> World {
    let clock = Clock::frozen(Timestamp(NOON_MILLIS));
    World::on(TestApp::start_with(engine, clock, |config| config.sweep = Duration::from_millis(50)).await)
        .await
}

async fn is_staffed(who: &Person, room: &str) -> bool {
    let query = "query($id: ID!) { room(id: $id) { isStaffed } }";
    who.query(query, json!({ "id": room })).await["room"]["isStaffed"].as_bool().expect("a flag")
}

/// A socket of somebody who follows their own affairs, and so is online.
async fn online(who: &Person) -> Socket {
    let mut socket = Socket::connect(&who.url, &who.token).await;
    socket.subscribe("online", "subscription { viewerEvents { at } }", json!({}), None).await;
    socket.data().await;
    socket
}

async fn becomes(who: &Person, room: &str, expected: bool) {
    for _ in 0..200 {
        if is_staffed(who, room).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("isStaffed stays {}", !expected);
}

async fn room_for_members_is_staffed_by_its_members_alone(engine: Engine) {
    let world = watchful(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let _otto = online(&otto).await;
    becomes(&vera, &world.room, true).await;
    assert!(!is_staffed(&vera, &room).await, "somebody answers there who sees nothing of it");
    let _olga = online(&olga).await;
    becomes(&vera, &room, true).await;
    remove(&world, &room, &olga).await;
    assert!(!is_staffed(&vera, &room).await);
    world.app.stop().await;
}

async fn visitor_who_waits_is_told_when_somebody_comes_and_goes(engine: Engine) {
    let world = watchful(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let mut phone = Socket::connect(&vera.url, &vera.token).await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor change { __typename \
                  ... on ChatResetEvent { chat { room { isStaffed } } } \
                  ... on RoomChangedEvent { room { isStaffed } } } } }";
    phone.subscribe("1", events, json!({ "chat": chat }), None).await;
    let reset = phone.data().await["chatEvents"]["change"].clone();
    assert_eq!(reset["chat"]["room"]["isStaffed"], false);
    let desk = online(&olga).await;
    let told =
        |is_staffed: bool| json!({ "__typename": "RoomChangedEvent", "room": { "isStaffed": is_staffed } });
    assert_eq!(phone.data().await["chatEvents"]["change"], told(true));
    // It is renewed all the time, of which nobody hears.
    assert!(phone.is_quiet(Duration::from_millis(500)).await);
    drop(desk);
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.pass(61);
    assert_eq!(phone.data().await["chatEvents"]["change"], told(false));
    world.app.stop().await;
}

async fn room_is_followed_until_it_is_lost(engine: Engine) {
    let world = watchful(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let room = world.room.clone();
    let mut follower = Socket::connect(&otto.url, &otto.token).await;
    let changed = "subscription($room: ID!) { roomChanged(roomId: $room) { room { name access } } }";
    follower.subscribe("1", changed, json!({ "room": room }), None).await;
    let first = follower.data().await["roomChanged"]["room"].clone();
    assert_eq!(first, json!({ "name": "Reception", "access": "OPEN" }));
    world.admin.done("updateRoom", "", json!({ "roomId": room, "name": "Front desk" })).await;
    assert_eq!(follower.data().await["roomChanged"]["room"]["name"], "Front desk");
    add(&world, &room, &[&olga]).await;
    world.admin.done("updateRoom", "", json!({ "roomId": room, "access": "MEMBERS" })).await;
    loop {
        let message = follower.receive().await;
        if message["type"] == "complete" {
            break;
        }
        // It may be told of the change before it loses the room.
        assert_eq!(message["payload"]["data"]["roomChanged"]["room"]["name"], "Front desk", "{message}");
    }
    world.app.stop().await;
}
