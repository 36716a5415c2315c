//! A recent chat is resumed. A chat that is old, over, private or in another room is not.

use super::{in_room, start, with};
use crate::harness::Engine;
use crate::harness::scene::program;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::json;

on_both!(
    a_chat_that_is_over_or_old_or_elsewhere_is_not_resumed,
    visitor_resumes_most_recently_active_chat,
    resume_window_is_configurable,
    a_user_resumes_and_joins_in_one_step,
    private_chat_is_resumed_only_for_participants,
    a_retry_is_answered_as_the_first_call_was,
    refused_start_creates_no_presence,
);

const MINUTE: u64 = 60;

async fn a_chat_that_is_over_or_old_or_elsewhere_is_not_resumed(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let resume = json!({ "autoResume": true });
    let other = world.admin.done("createRoom", "room { id }", json!({ "name": "Billing" })).await;
    let elsewhere = json!({ "roomId": other["room"]["id"], "autoResume": true });
    // Given a chat in another room and one of somebody else,
    vera.done("startChat", "", elsewhere).await;
    start(&victor, &world, resume.clone()).await;
    // then Vera's is a new one;
    let first = start(&vera, &world, resume.clone()).await;
    assert_eq!(first["isResumed"], false);
    // the same one a millisecond before it is too old, and another one then;
    world.pass(30 * MINUTE);
    let again = start(&vera, &world, resume.clone()).await;
    assert_eq!((&again["isResumed"], &again["chat"]["id"]), (&json!(true), &first["chat"]["id"]));
    world.app.clock.advance(std::time::Duration::from_millis(1));
    let second = start(&vera, &world, resume.clone()).await;
    assert_eq!(second["isResumed"], false);
    assert_ne!(second["chat"]["id"], first["chat"]["id"]);
    // and another one when that has ended, or when it was not asked for.
    vera.done("endChat", "", json!({ "chatId": second["chat"]["id"] })).await;
    assert_eq!(start(&vera, &world, resume).await["isResumed"], false);
    assert_eq!(start(&vera, &world, json!({})).await["isResumed"], false);
    world.app.stop().await;
}

async fn visitor_resumes_most_recently_active_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let one = world.chat(&vera).await;
    world.pass(MINUTE);
    let two = world.chat(&vera).await;
    world.pass(MINUTE);
    let resume = json!({ "autoResume": true, "message": "Hello again" });
    let resumed = start(&vera, &world, resume.clone()).await;
    assert_eq!((&resumed["isResumed"], &resumed["chat"]["id"]), (&json!(true), &json!(two)));
    assert_eq!(resumed["messageEdge"]["node"]["text"], "Hello again");
    // A message is activity.
    world.pass(MINUTE);
    vera.done("sendMessage", "", json!({ "chatId": one, "text": "Hello" })).await;
    assert_eq!(start(&vera, &world, resume).await["chat"]["id"], one);
    world.app.stop().await;
}

async fn resume_window_is_configurable(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let resume = || json!({ "autoResume": true });
    start(&vera, &world, resume()).await;
    let set = async |minutes: i32| {
        let input = json!({ "roomId": world.room, "resumeWindowMinutes": minutes });
        let room = world.admin.done("updateRoom", "room { resumeWindowMinutes name }", input).await;
        assert_eq!(room["room"], json!({ "resumeWindowMinutes": minutes, "name": "Reception" }));
    };
    set(0).await;
    assert_eq!(start(&vera, &world, resume()).await["isResumed"], false);
    set(60).await;
    world.pass(59 * MINUTE);
    assert_eq!(start(&vera, &world, resume()).await["isResumed"], true);
    // It is for admins to know.
    let query = "query($id: ID!) { room(id: $id) { resumeWindowMinutes endAfterIdleMinutes } }";
    let id = json!({ "id": world.room });
    let nothing = json!({ "resumeWindowMinutes": null, "endAfterIdleMinutes": null });
    assert_eq!(olga.query(query, id.clone()).await["room"], nothing);
    let known = json!({ "resumeWindowMinutes": 60, "endAfterIdleMinutes": 0 });
    assert_eq!(world.admin.query(query, id).await["room"], known);
    world.app.stop().await;
}

async fn a_user_resumes_and_joins_in_one_step(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    // Given a recent chat, when Olga resumes it, then she is in it at once,
    let resumed = start(&olga, &world, with(&vera, &olga)).await;
    let there = json!({ "id": chat, "presentUserCount": 1, "userParticipationCount": 0 });
    assert_eq!((&resumed["isResumed"], &resumed["chat"]), (&json!(true), &there));
    assert_eq!(resumed["presence"]["user"]["id"], olga.id);
    // with a JOIN as if she had joined,
    let query = "query($id: ID!) { chat(id: $id) { presences(includeEnded: true) { totalCount }
        messages(types: [JOIN]) { nodes { sender { id } } } viewerParticipation { id } } }";
    let seen = olga.query(query, json!({ "id": chat })).await["chat"].clone();
    assert_eq!(seen["messages"]["nodes"], json!([{ "sender": { "id": olga.id } }]));
    assert!(seen["viewerParticipation"].is_object());
    // and doing it again only renews her presence;
    let again = start(&olga, &world, with(&vera, &olga)).await;
    assert_eq!((&again["presence"], &again["chat"]), (&resumed["presence"], &there));
    assert_eq!(
        olga.query(query, json!({ "id": chat })).await["chat"]["presences"]["totalCount"],
        1,
        "one presence"
    );
    // where there is none to resume, she is in the new one.
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    let mut input = with(&vera, &olga);
    input["message"] = json!("Good morning");
    let started = start(&olga, &world, input).await;
    assert_eq!((&started["isResumed"], &started["chat"]["presentUserCount"]), (&json!(false), &json!(1)));
    assert_eq!(started["messageEdge"]["node"]["sender"]["id"], olga.id);
    // A program does it for her.
    let program = program(&world.app, &world.admin).await;
    let resumed = start(&program, &world, with(&vera, &olga)).await;
    assert_eq!((&resumed["isResumed"], &resumed["presence"]), (&json!(true), &started["presence"]));
    world.app.stop().await;
}

async fn private_chat_is_resumed_only_for_participants(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let otto = world.operator("Otto").await;
    let private = json!({ "roomId": world.room, "visitorId": vera.id, "isPrivate": true });
    let chat = text(&olga.done("startChat", "chat { id }", private).await["chat"]["id"]);
    // Otto does not see it, the admin sees it without participating, and API clients never see private chats.
    let program = program(&world.app, &world.admin).await;
    for (by, user) in [(&otto.client, &otto), (&world.admin.client, &world.admin), (&program, &olga)] {
        let started = start(by, &world, with(&vera, user)).await;
        assert_eq!(started["isResumed"], false);
        world.admin.done("endChat", "", json!({ "chatId": started["chat"]["id"] })).await;
    }
    let resumed = start(&olga, &world, with(&vera, &olga)).await;
    assert_eq!((&resumed["isResumed"], &resumed["chat"]["id"]), (&json!(true), &json!(chat)));
    // It is the visitor's own too.
    let resume = || json!({ "autoResume": true });
    assert_eq!(start(&vera, &world, resume()).await["chat"]["id"], chat);
    // With `isPrivate`, a newer public chat is not resumed.
    world.pass(1);
    let public = world.chat(&vera).await;
    let mut secret = resume();
    secret["isPrivate"] = json!(true);
    assert_eq!(start(&vera, &world, secret).await["chat"]["id"], chat);
    assert_eq!(start(&vera, &world, resume()).await["chat"]["id"], public);
    world.app.stop().await;
}

async fn a_retry_is_answered_as_the_first_call_was(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let mut calls = Vec::new();
    for number in 0..2 {
        let mut input = with(&vera, &olga);
        input["message"] = json!(format!("Hello {number}"));
        input["requestId"] = json!(format!("call {number}"));
        let first = start(&olga, &world, input.clone()).await;
        assert_eq!(first["isResumed"], number == 1);
        calls.push((input, first));
    }
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    for (input, first) in &calls {
        let again = start(&olga, &world, input.clone()).await;
        for field in ["isResumed", "presence", "messageEdge"] {
            assert_eq!(again[field], first[field], "{field}");
        }
        assert_eq!(again["chat"]["id"], first["chat"]["id"]);
    }
    assert_unchanged(&before, &stored.tables().await, "retries");
    let mut other = calls[1].0.clone();
    other["autoResumeUserId"] = json!(null);
    assert_eq!(olga.refused("startChat", in_room(&world, other)).await, ["CONFLICT"]);
    world.app.stop().await;
}

async fn refused_start_creates_no_presence(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let otto = world.operator("Otto").await;
    world.admin.done("updateUser", "", json!({ "userId": otto.id, "isActive": false })).await;
    world.chat(&vera).await;
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    let resume = |more: &str| in_room(&world, json!({ "visitorId": vera.id, more: true }));
    assert_eq!(olga.refused("startChat", resume("autoResume")).await, ["INVALID"]);
    let gone = in_room(&world, with(&vera, &otto));
    assert_eq!(world.admin.refused("startChat", gone).await, ["NOT_FOUND"]);
    assert_unchanged(&before, &stored.tables().await, "refused starts");
    world.app.stop().await;
}
