//! Creating sessions in a chat or between participants, and changing them until they are over.

use super::{Clinic, create, done, refusal, seen};
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::{NOON, ids, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    participant_ids_find_or_create_chat,
    a_chat_that_ended_is_not_found_again,
    session_calls_all_or_given_participants,
    outside_colleagues_can_be_called_only_in_visitor_chats,
    session_needs_another_participant,
    deactivated_user_is_not_called_but_retry_succeeds,
    session_keeps_its_input,
    the_call_room_is_for_participants_only,
    creating_again_with_the_same_request_id_answers_the_same_session,
    update_changes_only_given_fields,
    session_participants_can_be_changed,
    only_participants_and_admins_update_unfinished_sessions,
    texts_and_ring_times_have_limits,
    session_has_up_to_a_hundred_participants,
);

/// The chat that a session between these people gets, with its type.
async fn chat_of(client: &Client, people: &[&str]) -> (String, String) {
    let input = json!({ "in": { "participantIds": people } });
    let created = client.done("createChatSession", "chat { id type }", input).await;
    (text(&created["chat"]["id"]), text(&created["chat"]["type"]))
}

async fn called(client: &Client, session: &str) -> Vec<String> {
    let session = seen(client, session, "participants { actor { id } }").await;
    let participants = session["participants"].as_array().unwrap();
    let mut called: Vec<_> = participants.iter().map(|one| text(&one["actor"]["id"])).collect();
    called.sort();
    called
}

fn sorted(people: &[&str]) -> Vec<String> {
    let mut people: Vec<_> = people.iter().map(|&id| id.to_owned()).collect();
    people.sort();
    people
}

async fn participant_ids_find_or_create_chat(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, otto, vera, .. } = &clinic;

    let (pair, kind) = chat_of(olga, &[&odile.id]).await;
    assert_eq!(kind, "DIRECT");
    assert_eq!(chat_of(odile, &[&olga.id, &odile.id]).await.0, pair);

    let (group, kind) = chat_of(olga, &[&odile.id, &otto.id]).await;
    assert_eq!(kind, "GROUP");
    assert_eq!(chat_of(otto, &[&olga.id, &odile.id]).await.0, group);
    assert_ne!(chat_of(olga, &[&odile.id, &otto.id, &vera.id]).await.0, group);

    // The pair has a DIRECT chat, which createDirectChat finds too.
    let input = json!({ "participantId": olga.id });
    let found = odile.done("createDirectChat", "chat { id } isExisting", input).await;
    assert_eq!((text(&found["chat"]["id"]), &found["isExisting"]), (pair, &json!(true)));
    clinic.stop().await;
}

async fn a_chat_that_ended_is_not_found_again(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let people = [clinic.odile.id.as_str(), &clinic.otto.id];
    let (first, _) = chat_of(&clinic.olga, &people).await;
    clinic.olga.done("endChat", "", json!({ "chatId": first })).await;
    let (second, _) = chat_of(&clinic.olga, &people).await;
    assert_ne!(first, second);
    clinic.stop().await;
}

async fn session_calls_all_or_given_participants(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, otto, vera, .. } = &clinic;
    let input = json!({ "participantIds": [odile.id, otto.id, vera.id] });
    let chat = text(&olga.done("createGroupChat", "chat { id }", input).await["chat"]["id"]);

    let everybody = create(olga, json!({ "in": { "chat": { "id": chat } } })).await;
    assert_eq!(called(olga, &everybody).await, sorted(&[&olga.id, &odile.id, &otto.id, &vera.id]));
    let two =
        create(vera, json!({ "in": { "chat": { "id": chat, "participantIds": [odile.id, odile.id] } } }))
            .await;
    assert_eq!(called(olga, &two).await, sorted(&[&vera.id, &odile.id]));

    // A visitor sees the sessions that call them; colleagues see all of a chat that they see.
    let between =
        create(olga, json!({ "in": { "chat": { "id": chat, "participantIds": [otto.id] } } })).await;
    assert_eq!(seen(vera, &between, "id").await, json!(null));
    assert_eq!(seen(odile, &between, "id").await, json!({ "id": between }));
    let sessions = "query($id: ID!) { chat(id: $id) { chatSessions { nodes { id } } } }";
    for (person, expected) in [(vera, vec![&everybody, &two]), (odile, vec![&everybody, &two, &between])] {
        let listed = person.query(sessions, json!({ "id": chat })).await;
        assert_eq!(ids(&listed["chat"]["chatSessions"]["nodes"]).iter().collect::<Vec<_>>(), expected);
    }
    clinic.stop().await;
}

async fn outside_colleagues_can_be_called_only_in_visitor_chats(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, otto, vera } = &clinic;
    let victor = world.visitor("victor").await;
    let chat = world.chat(vera).await;

    let session =
        create(olga, json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id, odile.id] } } }))
            .await;
    assert_eq!(called(olga, &session).await, sorted(&[&olga.id, &odile.id, &vera.id]));
    // Everybody who is called becomes a participant of the chat.
    let own = "query($id: ID!) { chat(id: $id) { viewerParticipation { id } participationCount } }";
    let seen_by_odile = odile.query(own, json!({ "id": chat })).await;
    assert!(seen_by_odile["chat"]["viewerParticipation"].is_object());
    assert_eq!(seen_by_odile["chat"]["participationCount"], 3);

    let stranger = json!({ "in": { "chat": { "id": chat, "participantIds": [victor.id] } } });
    assert_eq!(olga.refused("createChatSession", stranger).await, ["NOT_FOUND"]);
    let pair = olga.done("createDirectChat", "chat { id }", json!({ "participantId": odile.id }));
    let third = json!({ "in": { "chat": { "id": pair.await["chat"]["id"], "participantIds": [odile.id, otto.id] } } });
    assert_eq!(olga.refused("createChatSession", third).await, ["NOT_FOUND"]);
    clinic.stop().await;
}

async fn session_needs_another_participant(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, .. } = &clinic;
    let chat = world.chat(vera).await;
    for (who, input) in [
        (olga, json!({ "in": { "participantIds": [olga.id] } })),
        (olga, json!({ "in": { "participantIds": [] } })),
        (olga, json!({ "in": { "chat": { "id": chat, "participantIds": [] } } })),
        // Only Vera is in her chat so far.
        (vera, json!({ "in": { "chat": { "id": chat } } })),
        // A visitor does not choose whom to talk to.
        (vera, json!({ "in": { "participantIds": [olga.id] } })),
    ] {
        assert_eq!(who.refused("createChatSession", input.clone()).await, ["INVALID"], "{input}");
    }
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(
        olga.refused("createChatSession", json!({ "in": { "chat": { "id": chat } } })).await,
        ["CHAT_ENDED"]
    );
    clinic.stop().await;
}

async fn deactivated_user_is_not_called_but_retry_succeeds(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, otto, .. } = &clinic;
    let people = json!([odile.id, otto.id]);
    let session = json!({ "in": { "participantIds": people }, "requestId": "session" });
    let chat = json!({ "participantIds": people, "requestId": "chat" });
    let first = create(olga, session.clone()).await;
    let group = olga.done("createGroupChat", "chat { id }", chat.clone()).await["chat"].clone();
    world.admin.done("updateUser", "", json!({ "userId": otto.id, "isActive": false })).await;

    let everybody = create(olga, json!({ "in": { "chat": { "id": group["id"] } } })).await;
    assert_eq!(called(olga, &everybody).await, sorted(&[&olga.id, &odile.id]));
    let by_name = json!({ "in": { "chat": { "id": group["id"], "participantIds": [otto.id] } } });
    assert_eq!(olga.refused("createChatSession", by_name).await, ["NOT_FOUND"]);
    assert_eq!(create(olga, session).await, first);
    assert_eq!(olga.done("createGroupChat", "chat { id }", chat).await["chat"], group);
    clinic.stop().await;
}

async fn session_keeps_its_input(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, .. } = &clinic;
    let fields = "type state outcome title callRoom createdAt createdBy { id } scheduledAt startedAt \
                  startedBy { id } acceptedAt rejectedAt finishedAt ringsUntil chat { id }";
    let chat = world.chat(vera).await;
    let later = "2026-11-21T09:30:00.000Z";
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } },
                        "title": "Knee", "callRoom": "knee-1",
                        "scheduledAt": "2026-11-21T10:30:00+01:00", "type": "TELEMED" });
    let planned = create(olga, input).await;
    let expected = json!({
        "type": "TELEMED", "state": "CREATED", "outcome": null, "title": "Knee", "callRoom": "knee-1",
        "createdAt": NOON, "createdBy": { "id": olga.id }, "scheduledAt": later, "startedAt": null,
        "startedBy": null, "acceptedAt": null, "rejectedAt": null, "finishedAt": null, "ringsUntil": null,
        "chat": { "id": chat }
    });
    assert_eq!(seen(olga, &planned, fields).await, expected);

    let input = json!({
        "in": { "chat": { "id": chat, "participantIds": [vera.id] } },
        "start": true, "ringSeconds": 60
    });
    let at_once = create(olga, input).await;
    let session = seen(olga, &at_once, fields).await;
    assert_eq!(session["state"], "STARTED");
    assert_eq!((&session["startedAt"], &session["startedBy"]), (&json!(NOON), &json!({ "id": olga.id })));
    assert_eq!(session["ringsUntil"], "2026-11-20T12:01:00.000Z");
    assert_eq!(session["title"], json!(null));
    clinic.stop().await;
}

async fn the_call_room_is_for_participants_only(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let (one, other) = (clinic.session_in(&chat).await, clinic.session_in(&chat).await);
    let room =
        async |client: &Client, session: &str| seen(client, session, "callRoom").await["callRoom"].clone();
    let name = room(&clinic.olga, &one).await;
    assert_eq!(room(&clinic.vera, &one).await, name);
    // The name cannot be guessed.
    assert!(text(&name).len() >= 22, "{name} is short");
    assert_ne!(room(&clinic.olga, &other).await, name);
    for outsider in [&clinic.world.admin, &clinic.otto] {
        assert_eq!(room(outsider, &one).await, json!(null));
    }
    clinic.stop().await;
}

async fn creating_again_with_the_same_request_id_answers_the_same_session(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, .. } = &clinic;
    let chat = world.chat(vera).await;
    let in_chat = json!({
        "in": { "chat": { "id": chat, "participantIds": [vera.id] } },
        "start": true, "requestId": "one"
    });
    let between = json!({ "in": { "participantIds": [odile.id] }, "requestId": "two" });
    for input in [&in_chat, &between] {
        let first = create(olga, input.clone()).await;
        assert_eq!(create(olga, input.clone()).await, first);
    }
    // It is answered as it now stands.
    let session = create(olga, in_chat.clone()).await;
    done(vera, "ACCEPT", &session).await;
    let again = olga.done("createChatSession", "chatSession { state }", in_chat.clone()).await;
    assert_eq!(again["chatSession"]["state"], "ACCEPTED");

    let conflict = |change: (&str, Value)| {
        let mut input = in_chat.clone();
        input[change.0] = change.1;
        input
    };
    for change in [("title", json!("Other")), ("ringSeconds", json!(50)), ("start", json!(false))] {
        let input = conflict(change);
        assert_eq!(olga.refused("createChatSession", input.clone()).await, ["CONFLICT"], "{input}");
    }
    // An id that the caller used for another mutation is a conflict; ids of other callers are not.
    let group = json!({ "participantIds": [odile.id], "requestId": "one" });
    assert_eq!(olga.refused("createGroupChat", group).await, ["CONFLICT"]);
    let others = json!({ "in": { "participantIds": [olga.id] }, "requestId": "one" });
    assert_ne!(create(odile, others).await, session);
    clinic.stop().await;
}

async fn update_changes_only_given_fields(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let session = clinic.session().await;
    let fields = "title callRoom scheduledAt";
    let change = async |mut input: Value| {
        input["chatSessionId"] = json!(session);
        let changed =
            clinic.olga.done("updateChatSession", &format!("chatSession {{ {fields} }}"), input).await;
        changed["chatSession"].clone()
    };
    let first = change(json!({ "title": "Knee", "callRoom": "knee", "scheduledAt": NOON })).await;
    assert_eq!(first, json!({ "title": "Knee", "callRoom": "knee", "scheduledAt": NOON }));
    let second = change(json!({ "title": "Both knees" })).await;
    assert_eq!(second, json!({ "title": "Both knees", "callRoom": "knee", "scheduledAt": NOON }));
    let third = change(json!({ "title": null, "scheduledAt": null })).await;
    assert_eq!(third, json!({ "title": null, "callRoom": "knee", "scheduledAt": null }));
    // A change moves nothing on.
    assert_eq!(
        seen(&clinic.olga, &session, "state startedAt").await,
        json!({ "state": "CREATED", "startedAt": null })
    );
    clinic.stop().await;
}

async fn session_participants_can_be_changed(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, otto, vera, .. } = &clinic;
    let session = clinic.session().await;
    let call = |people: &[&String]| json!({ "chatSessionId": session, "participantIds": people });
    // The creator remains, regardless of the caller.
    odile.done("updateChatSession", "", call(&[&otto.id, &odile.id])).await;
    assert_eq!(called(olga, &session).await, sorted(&[&olga.id, &odile.id, &otto.id]));
    assert_eq!(seen(vera, &session, "id").await, json!(null), "Vera is no longer a participant");
    assert_eq!(olga.refused("updateChatSession", call(&[])).await, ["INVALID"]);
    assert_eq!(called(olga, &session).await, sorted(&[&olga.id, &odile.id, &otto.id]));
    // So does the user who started it.
    done(otto, "START", &session).await;
    olga.done("updateChatSession", "", call(&[])).await;
    assert_eq!(called(olga, &session).await, sorted(&[&olga.id, &otto.id]));
    clinic.stop().await;
}

async fn only_participants_and_admins_update_unfinished_sessions(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let session = clinic.running().await;
    let input = json!({ "chatSessionId": session, "title": "Knee" });
    for person in [&clinic.olga, &clinic.odile, &clinic.vera, &clinic.world.admin] {
        person.done("updateChatSession", "", input.clone()).await;
    }
    assert_eq!(clinic.otto.refused("updateChatSession", input.clone()).await, ["NOT_PARTICIPANT"]);
    done(&clinic.olga, "FINISH", &session).await;
    let over = clinic.olga.mutate("updateChatSession", "chatSession { state title }", input).await;
    assert_eq!(refusal(&over), Some("INVALID"));
    assert_eq!(over["chatSession"], json!({ "state": "FINISHED", "title": "Knee" }));
    clinic.stop().await;
}

async fn texts_and_ring_times_have_limits(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let place = json!({ "chat": { "id": chat, "participantIds": [clinic.vera.id] } });
    let with = |field: &str, value: Value| json!({ "in": place, field: value });
    for (field, value) in [
        ("title", json!("x".repeat(200))),
        ("callRoom", json!("x".repeat(200))),
        ("requestId", json!("x".repeat(128))),
        ("ringSeconds", json!(5)),
        ("ringSeconds", json!(180)),
    ] {
        create(&clinic.olga, with(field, value)).await;
    }
    for (field, value, code) in [
        ("title", json!("x".repeat(201)), "TOO_LONG"),
        ("title", json!(""), "INVALID"),
        ("callRoom", json!("x".repeat(201)), "TOO_LONG"),
        ("requestId", json!("x".repeat(129)), "TOO_LONG"),
        ("requestId", json!(""), "INVALID"),
        ("ringSeconds", json!(4), "INVALID"),
        ("ringSeconds", json!(181), "INVALID"),
    ] {
        let refused = clinic.olga.refused("createChatSession", with(field, value.clone())).await;
        assert_eq!(refused, [code], "{field}: {value}");
    }
    clinic.stop().await;
}

async fn session_has_up_to_a_hundred_participants(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let mut people = Vec::new();
    for number in 0..100 {
        let input = json!({ "name": format!("Operator {number}"), "role": "OPERATOR" });
        let created = clinic.world.admin.done("createUser", "user { id }", input).await;
        people.push(text(&created["user"]["id"]));
    }
    let among = |people: &[String]| json!({ "in": { "participantIds": people } });
    let in_chat = |people: &[String]| json!({ "in": { "chat": { "id": chat, "participantIds": people } } });
    // With the caller they are one too many.
    for (more, most) in [(among(&people), among(&people[1..])), (in_chat(&people), in_chat(&people[1..]))] {
        assert_eq!(clinic.olga.refused("createChatSession", more.clone()).await, ["TOO_MANY"], "{more}");
        let session = create(&clinic.olga, most).await;
        assert_eq!(called(&clinic.olga, &session).await.len(), 100);
    }
    clinic.stop().await;
}
