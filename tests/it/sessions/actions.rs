//! Actions on chat sessions: their timestamps, refusals, retries and history entries.

use super::{Clinic, create, done, give, give_with, mutation_of, refusal, seen};
use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::scene::program;
use crate::harness::world::{NOON, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    actions_record_actor_and_server_time,
    reasons_are_kept,
    invalid_transition_returns_current_session,
    losing_accept_returns_the_winner,
    repeated_action_by_same_actor_is_idempotent,
    request_id_distinguishes_two_tabs,
    outsiders_and_api_clients_are_refused,
    history_has_every_step_of_a_session,
    only_one_session_of_a_chat_rings_or_is_in_progress,
    ending_the_chat_finishes_its_sessions,
);

const STAMPS: &str = "state outcome startedAt startedBy { id } acceptedAt acceptedBy { id } rejectedAt \
                      rejectedBy { id } finishedAt finishedBy { id }";

async fn actions_record_actor_and_server_time(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, .. } = &clinic;
    let session = clinic.session().await;
    done(odile, "START", &session).await;
    world.pass(5);
    done(vera, "ACCEPT", &session).await;
    world.pass(60);
    done(olga, "FINISH", &session).await;
    let expected = json!({
        "state": "FINISHED", "outcome": "COMPLETED",
        "startedAt": NOON, "startedBy": { "id": odile.id },
        "acceptedAt": "2026-11-20T12:00:05.000Z", "acceptedBy": { "id": vera.id },
        "rejectedAt": null, "rejectedBy": null,
        "finishedAt": "2026-11-20T12:01:05.000Z", "finishedBy": { "id": olga.id },
    });
    assert_eq!(seen(vera, &session, STAMPS).await, expected);

    let session = clinic.session().await;
    done(vera, "REJECT", &session).await;
    let declined = seen(olga, &session, STAMPS).await;
    assert_eq!((&declined["state"], &declined["outcome"]), (&json!("REJECTED"), &json!("REJECTED")));
    assert_eq!(declined["rejectedAt"], "2026-11-20T12:01:05.000Z");
    assert_eq!(declined["rejectedBy"], json!({ "id": vera.id }));
    assert_eq!((&declined["startedAt"], &declined["finishedAt"]), (&json!(null), &json!(null)));

    let session = clinic.ringing().await;
    done(olga, "FINISH", &session).await;
    assert_eq!(seen(olga, &session, "outcome").await, json!({ "outcome": "CANCELLED" }));
    clinic.stop().await;
}

async fn reasons_are_kept(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let reasons = "rejectReason finishReason";
    let with = |session: &str, reason: Value| json!({ "chatSessionId": session, "reason": reason });
    let longest = "é".repeat(1_000);

    let session = clinic.ringing().await;
    let too_long = give_with(&clinic.vera, "REJECT", with(&session, json!(format!("{longest}x")))).await;
    assert_eq!(
        (refusal(&too_long), &too_long["chatSession"]["state"]),
        (Some("TOO_LONG"), &json!("STARTED"))
    );
    give_with(&clinic.vera, "REJECT", with(&session, json!(longest))).await;
    let expected = json!({ "rejectReason": longest, "finishReason": null });
    assert_eq!(seen(&clinic.olga, &session, reasons).await, expected);
    // A second rejection by the same actor keeps the first reason.
    give_with(&clinic.vera, "REJECT", with(&session, json!("Another"))).await;
    assert_eq!(seen(&clinic.olga, &session, reasons).await, expected);

    let session = clinic.running().await;
    give_with(&clinic.olga, "FINISH", with(&session, json!("Done\nfor today"))).await;
    let expected = json!({ "rejectReason": null, "finishReason": "Done\nfor today" });
    assert_eq!(seen(&clinic.vera, &session, reasons).await, expected);
    clinic.stop().await;
}

async fn invalid_transition_returns_current_session(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let session = clinic.session().await;
    let refused = give(&clinic.vera, "ACCEPT", &session).await;
    let expected = json!({ "code": "INVALID_TRANSITION", "field": null,
        "message": "The chat session is CREATED, which does not allow ACCEPT. Allowed: START, REJECT, FINISH." });
    assert_eq!(refused["userErrors"], json!([expected]));
    assert_eq!(refused["chatSession"]["state"], "CREATED");

    // The user who started a session cannot answer it.
    done(&clinic.olga, "START", &session).await;
    for action in ["ACCEPT", "REJECT"] {
        assert_eq!(refusal(&give(&clinic.olga, action, &session).await), Some("INVALID_TRANSITION"));
    }
    done(&clinic.vera, "REJECT", &session).await;
    for (person, action) in [(&clinic.odile, "REJECT"), (&clinic.olga, "FINISH"), (&clinic.vera, "START")] {
        let refused = give(person, action, &session).await;
        assert_eq!(refusal(&refused), Some("INVALID_TRANSITION"), "{action}");
        assert_eq!(refused["chatSession"]["state"], "REJECTED", "{action}");
    }
    clinic.stop().await;
}

async fn losing_accept_returns_the_winner(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let session = clinic.session().await;
    done(&clinic.olga, "START", &session).await;
    done(&clinic.vera, "ACCEPT", &session).await;
    let lost = give(&clinic.odile, "ACCEPT", &session).await;
    assert_eq!(refusal(&lost), Some("INVALID_TRANSITION"));
    let expected = json!({ "state": "ACCEPTED", "outcome": null, "acceptedBy": { "id": clinic.vera.id } });
    assert_eq!(lost["chatSession"], expected);
    clinic.stop().await;
}

async fn repeated_action_by_same_actor_is_idempotent(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, .. } = &clinic;
    let session = clinic.session().await;
    let mut given = Vec::new();
    for (person, action) in [(odile, "START"), (vera, "ACCEPT"), (olga, "FINISH")] {
        done(person, action, &session).await;
        given.push((person, action));
        world.pass(1);
        // All that was given before is a retry now, however far the session has come.
        let before = seen(olga, &session, STAMPS).await;
        for (person, action) in &given {
            done(person, action, &session).await;
        }
        assert_eq!(seen(olga, &session, STAMPS).await, before);
    }
    // A finished session is finished for everybody, including admins.
    let before = seen(olga, &session, STAMPS).await;
    for person in [olga, odile, vera, &world.admin] {
        done(person, "FINISH", &session).await;
    }
    assert_eq!(seen(olga, &session, STAMPS).await, before);
    // None of it is in the history: START, ACCEPT and FINISH happened once.
    assert_eq!(history(&clinic, &session).await.len(), 3);
    clinic.stop().await;
}

async fn request_id_distinguishes_two_tabs(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let session = clinic.ringing().await;
    let accept = async |tab: Option<&str>| {
        let mut input = json!({ "chatSessionId": session });
        if let Some(tab) = tab {
            input["requestId"] = json!(tab);
        }
        give_with(&clinic.vera, "ACCEPT", input).await
    };
    let won = accept(Some("tab 1")).await;
    assert_eq!(refusal(&won), None);
    // The winner's retry is answered as the first time; the other tab lost.
    assert_eq!(accept(Some("tab 1")).await, won);
    assert_eq!(refusal(&accept(None).await), None);
    let lost = accept(Some("tab 2")).await;
    assert_eq!(refusal(&lost), Some("INVALID_TRANSITION"));
    assert_eq!(lost["chatSession"], won["chatSession"]);
    clinic.stop().await;
}

async fn outsiders_and_api_clients_are_refused(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let program = program(&clinic.world.app, &clinic.world.admin).await;
    let session = clinic.ringing().await;
    for action in ["START", "ACCEPT", "REJECT", "FINISH"] {
        let refused = give(&clinic.otto, action, &session).await;
        assert_eq!(refusal(&refused), Some("NOT_PARTICIPANT"), "{action}");
        let name = mutation_of(action);
        let document = crate::harness::client::mutation(&name, "");
        let input = json!({ "input": { "chatSessionId": session } });
        assert_eq!(error_code(&program.ask(&document, input).await), "FORBIDDEN", "{action}");
    }
    // An admin starts and ends what others may, but answers nobody's call.
    for action in ["ACCEPT", "REJECT"] {
        let refused = give(&clinic.world.admin, action, &session).await;
        assert_eq!(refusal(&refused), Some("NOT_PARTICIPANT"), "{action}");
    }
    done(&clinic.world.admin, "FINISH", &session).await;
    clinic.stop().await;
}

/// The SESSION entries of a session's chat that are about it: who moved it to which state.
async fn history(clinic: &Clinic, session: &str) -> Vec<(Value, Value)> {
    let fields = "chat { messages(types: [SESSION]) { nodes { type text sender { id } chatSessionState chatSession { id } } } }";
    let answer = seen(&clinic.olga, session, fields).await;
    let nodes = answer["chat"]["messages"]["nodes"].as_array().unwrap().clone();
    let own = nodes.iter().filter(|node| node["chatSession"]["id"] == session);
    own.map(|node| {
        assert_eq!((&node["type"], &node["text"]), (&json!("SESSION"), &json!(null)));
        (node["sender"]["id"].clone(), node["chatSessionState"].clone())
    })
    .collect()
}

async fn history_has_every_step_of_a_session(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, vera, .. } = &clinic;
    let by = |person: &str, state: &str| (json!(person), json!(state));
    let session = clinic.running().await;
    done(olga, "FINISH", &session).await;
    let expected = [by(&odile.id, "STARTED"), by(&vera.id, "ACCEPTED"), by(&olga.id, "FINISHED")];
    assert_eq!(history(&clinic, &session).await, expected);
    // A session that nothing happened to, and what was refused, leave no trace; nor do counters move.
    let session = clinic.session().await;
    give(vera, "ACCEPT", &session).await;
    assert_eq!(history(&clinic, &session).await, []);
    done(vera, "REJECT", &session).await;
    assert_eq!(history(&clinic, &session).await, [by(&vera.id, "REJECTED")]);
    let chat =
        seen(olga, &session, "chat { messageCount lastMessage { id } viewerParticipation { unreadCount } }")
            .await;
    let expected =
        json!({ "messageCount": 0, "lastMessage": null, "viewerParticipation": { "unreadCount": 0 } });
    assert_eq!(chat["chat"], expected);
    clinic.stop().await;
}

async fn only_one_session_of_a_chat_rings_or_is_in_progress(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, vera, .. } = &clinic;
    let chat = clinic.world.chat(vera).await;
    let (first, second) = (clinic.session_in(&chat).await, clinic.session_in(&chat).await);
    let open = "query($id: ID!) { chat(id: $id) { openChatSession { id } } }";
    let open = async || olga.query(open, json!({ "id": chat })).await["chat"]["openChatSession"].clone();
    assert_eq!(open().await, json!(null));

    done(odile, "START", &first).await;
    for state in ["STARTED", "ACCEPTED"] {
        let refused = give(olga, "START", &second).await;
        assert_eq!(
            (refusal(&refused), &refused["chatSession"]["state"]),
            (Some("SESSION_OPEN"), &json!("CREATED"))
        );
        let at_once = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true });
        assert_eq!(olga.refused("createChatSession", at_once).await, ["SESSION_OPEN"]);
        assert_eq!(open().await, json!({ "id": first }));
        if state == "STARTED" {
            done(vera, "ACCEPT", &first).await;
        }
    }
    // More may wait; once the first is over, the next one rings.
    let third = create(olga, json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } })).await;
    done(vera, "FINISH", &first).await;
    assert_eq!(open().await, json!(null));
    done(olga, "START", &third).await;
    let sessions = vera.query("{ viewer { openChatSessions { id } } }", json!({})).await;
    assert_eq!(sessions["viewer"]["openChatSessions"], json!([{ "id": third }, { "id": second }]));
    clinic.stop().await;
}

async fn ending_the_chat_finishes_its_sessions(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, odile, vera, .. } = &clinic;
    let chat = clinic.world.chat(vera).await;
    let (runs, waits) = (clinic.session_in(&chat).await, clinic.session_in(&chat).await);
    let declined = clinic.session_in(&chat).await;
    done(vera, "REJECT", &declined).await;
    done(odile, "START", &runs).await;
    done(vera, "ACCEPT", &runs).await;
    let rings = clinic.ringing().await;
    for session in [&runs, &rings] {
        let chat = text(&seen(olga, session, "chat { id }").await["chat"]["id"]);
        olga.done("endChat", "", json!({ "chatId": chat })).await;
    }
    let by_olga = json!({ "id": olga.id });
    for (session, outcome, by) in [
        (&runs, "COMPLETED", &by_olga),
        (&waits, "CANCELLED", &by_olga),
        (&rings, "CANCELLED", &by_olga),
        (&declined, "REJECTED", &json!(null)),
    ] {
        let ended = seen(vera, session, "outcome finishedBy { id } ringsUntil viewerActions").await;
        let expected =
            json!({ "outcome": outcome, "finishedBy": by, "ringsUntil": null, "viewerActions": [] });
        assert_eq!(ended, expected);
    }
    assert_eq!(history(&clinic, &waits).await, [(json!(olga.id), json!("FINISHED"))]);
    clinic.stop().await;
}
