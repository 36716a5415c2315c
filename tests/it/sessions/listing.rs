//! Lists of sessions: of an organization with filters, and of a chat.

use super::{Clinic, create, done};
use crate::harness::Engine;
use crate::harness::client::{Client, error_code};
use crate::harness::world::ids;
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    sessions_are_listed_by_type_state_participant_and_chat,
    a_chat_has_several_sessions_over_time_and_one_that_is_open,
);

async fn listed(client: &Client, filter: Value) -> Vec<String> {
    let query = "query($filter: ChatSessionFilter) { organization { chatSessions(filter: $filter) {
        totalCount nodes { id } } } }";
    let found =
        client.query(query, json!({ "filter": filter })).await["organization"]["chatSessions"].clone();
    let found_ids = ids(&found["nodes"]);
    assert_eq!(found["totalCount"], found_ids.len());
    found_ids
}

async fn sessions_are_listed_by_type_state_participant_and_chat(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, otto, vera } = &clinic;
    let (first, second) = (world.chat(vera).await, world.chat(vera).await);
    let waiting = clinic.session_in(&first).await;
    let running = clinic.session_in(&second).await;
    done(odile, "START", &running).await;
    done(vera, "ACCEPT", &running).await;
    let other = create(olga, json!({ "in": { "chat": { "id": first, "participantIds": [otto.id] } } })).await;
    done(olga, "FINISH", &other).await;
    let all = vec![waiting.clone(), running.clone(), other.clone()];
    assert_eq!(listed(olga, Value::Null).await, all);
    assert_eq!(listed(olga, json!({ "type": "TELEMED" })).await, all);
    for (filter, expected) in [
        (json!({ "states": ["CREATED"] }), vec![&waiting]),
        (json!({ "states": ["ACCEPTED", "FINISHED"] }), vec![&running, &other]),
        (json!({ "states": [] }), vec![]),
        (json!({ "participantIds": [otto.id] }), vec![&other]),
        (json!({ "participantIds": [vera.id] }), vec![&waiting, &running]),
        (json!({ "participantIds": [vera.id, otto.id] }), vec![]),
        (json!({ "participantIds": [vera.id, odile.id, vera.id] }), vec![&waiting, &running]),
        (json!({ "participantIds": [] }), vec![&waiting, &running, &other]),
        (json!({ "chatId": first }), vec![&waiting, &other]),
        (json!({ "chatId": first, "participantIds": [vera.id], "states": ["CREATED"] }), vec![&waiting]),
        (json!({ "chatId": second, "states": ["CREATED"] }), vec![]),
    ] {
        let found = listed(olga, filter.clone()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    // A chat's own list takes the same filter.
    let of_chat =
        "query($id: ID!, $filter: ChatSessionFilter) { chat(id: $id) { chatSessions(filter: $filter) {
        totalCount nodes { id } } } }";
    let filter = json!({ "states": ["FINISHED"], "participantIds": [otto.id] });
    let found =
        olga.query(of_chat, json!({ "id": first, "filter": filter })).await["chat"]["chatSessions"].clone();
    assert_eq!((ids(&found["nodes"]), &found["totalCount"]), (vec![other.clone()], &json!(1)));
    let found = olga.query(of_chat, json!({ "id": first, "filter": { "chatId": second } })).await;
    assert_eq!(found["chat"]["chatSessions"]["totalCount"], 0);
    let people: Vec<_> = (0..11).map(|_| &vera.id).collect();
    let answer = olga.ask(of_chat, json!({ "id": first, "filter": { "participantIds": people } })).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT");
    // A visitor lists the sessions that they are called to.
    assert_eq!(listed(vera, Value::Null).await, [waiting, running]);
    clinic.stop().await;
}

async fn a_chat_has_several_sessions_over_time_and_one_that_is_open(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let mut made = Vec::new();
    for number in 0..3 {
        let session = clinic.session_in(&chat).await;
        done(&clinic.odile, "START", &session).await;
        let query =
            "query($id: ID!) { chat(id: $id) { openChatSession { id } chatSessions { nodes { id } } } }";
        made.push(session.clone());
        let found = clinic.vera.query(query, json!({ "id": chat })).await["chat"].clone();
        assert_eq!(found["openChatSession"]["id"], session);
        assert_eq!(ids(&found["chatSessions"]["nodes"]), made);
        if number < 2 {
            done(&clinic.odile, "FINISH", &session).await;
        }
    }
    clinic.stop().await;
}
