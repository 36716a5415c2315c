//! A session rings for a limited time and for its participants, and only people can start one.

use super::{Clinic, create, done, give, give_with, refusal, seen};
use crate::harness::Engine;
use crate::harness::world::World;
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    ring_time_is_45_seconds_by_default,
    unanswered_session_becomes_missed_by_server_clock,
    late_accept_of_ringing_session_succeeds,
    answered_session_is_not_missed,
    planned_session_does_not_start_automatically,
    participants_have_call_statuses,
    participant_in_a_session_is_busy_until_it_ends,
    called_participant_who_did_not_accept_is_not_busy,
);

async fn ring_time_is_45_seconds_by_default(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let start = async |input: Value| {
        let session = clinic.session().await;
        let mut input = input;
        input["chatSessionId"] = json!(session);
        let payload = give_with(&clinic.olga, "START", input).await;
        match refusal(&payload) {
            Some(code) => json!(code),
            None => seen(&clinic.vera, &session, "ringsUntil").await["ringsUntil"].clone(),
        }
    };
    assert_eq!(start(json!({})).await, "2026-11-20T12:00:45.000Z");
    assert_eq!(start(json!({ "ringSeconds": 5 })).await, "2026-11-20T12:00:05.000Z");
    assert_eq!(start(json!({ "ringSeconds": 180 })).await, "2026-11-20T12:03:00.000Z");
    for seconds in [4, 181] {
        assert_eq!(start(json!({ "ringSeconds": seconds })).await, "INVALID");
    }
    // A session that no longer rings has no `ringsUntil`.
    let session = clinic.running().await;
    assert_eq!(seen(&clinic.vera, &session, "ringsUntil").await["ringsUntil"], json!(null));
    clinic.stop().await;
}

/// Waits until the server itself did something.
async fn until_state(clinic: &Clinic, session: &str, state: &str) {
    for _ in 0..300 {
        if seen(&clinic.olga, session, "state").await["state"] == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session never came to {state}");
}

async fn unanswered_session_becomes_missed_by_server_clock(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, vera, .. } = &clinic;
    let session = clinic.ringing().await;
    world.pass(44);
    world.app.app.actions().miss_sessions().await.expect("looked at");
    assert_eq!(seen(olga, &session, "state").await["state"], "STARTED");
    world.pass(1);
    until_state(&clinic, &session, "FINISHED").await;
    let missed = seen(olga, &session, "outcome finishedAt finishedBy { id } finishReason ringsUntil").await;
    let expected = json!({ "outcome": "MISSED", "finishedAt": "2026-11-20T12:00:45.000Z", "finishedBy": null,
                           "finishReason": null, "ringsUntil": null });
    assert_eq!(missed, expected);
    // The history says so too, and that nobody did it.
    let last =
        "chat { messages(last: 1) { nodes { type sender { id } chatSessionState } } openChatSession { id } }";
    let last = seen(olga, &session, last).await["chat"].clone();
    assert_eq!(
        last["messages"]["nodes"],
        json!([{ "type": "SESSION", "sender": null, "chatSessionState": "FINISHED" }])
    );
    assert_eq!(last["openChatSession"], json!(null));
    let late = give(vera, "ACCEPT", &session).await;
    assert_eq!(
        (refusal(&late), &late["chatSession"]["outcome"]),
        (Some("INVALID_TRANSITION"), &json!("MISSED"))
    );
    clinic.stop().await;
}

/// A clinic whose server never looks at its clock by itself.
async fn without_ticks(engine: Engine) -> Clinic {
    Clinic::on(World::frozen_with(engine, |config| config.tick = Duration::from_hours(1)).await).await
}

async fn late_accept_of_ringing_session_succeeds(engine: Engine) {
    let clinic = without_ticks(engine).await;
    let session = clinic.ringing().await;
    clinic.world.pass(60);
    done(&clinic.vera, "ACCEPT", &session).await;
    clinic.world.app.app.actions().miss_sessions().await.expect("looked at");
    assert_eq!(seen(&clinic.olga, &session, "state").await["state"], "ACCEPTED");
    clinic.stop().await;
}

async fn answered_session_is_not_missed(engine: Engine) {
    let clinic = without_ticks(engine).await;
    let mut answered = Vec::new();
    for (action, state) in [("ACCEPT", "ACCEPTED"), ("REJECT", "REJECTED"), ("FINISH", "FINISHED")] {
        let session = clinic.ringing().await;
        done(&clinic.vera, action, &session).await;
        answered.push((session, state));
    }
    let rings = clinic.ringing().await;
    clinic.world.pass(600);
    assert_eq!(clinic.world.app.app.actions().miss_sessions().await.expect("looked at"), 1);
    assert_eq!(seen(&clinic.olga, &rings, "outcome").await["outcome"], "MISSED");
    for (session, state) in &answered {
        let session = seen(&clinic.olga, session, "state outcome").await;
        assert_eq!(session["state"], *state);
        assert_ne!(session["outcome"], "MISSED");
    }
    clinic.stop().await;
}

async fn planned_session_does_not_start_automatically(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let soon = "2026-11-20T12:00:10.000Z";
    let input =
        json!({ "in": { "chat": { "id": chat, "participantIds": [clinic.vera.id] } }, "scheduledAt": soon });
    let planned = create(&clinic.olga, input).await;
    let rings = clinic.ringing().await;
    clinic.world.pass(3_600);
    // By then the server has looked at its clock.
    until_state(&clinic, &rings, "FINISHED").await;
    let expected = json!({ "state": "CREATED", "scheduledAt": soon, "startedAt": null, "outcome": null });
    assert_eq!(seen(&clinic.vera, &planned, "state scheduledAt startedAt outcome").await, expected);
    clinic.stop().await;
}

/// The call status of each of these people, as Olga sees it.
async fn statuses(clinic: &Clinic, session: &str, people: &[&str]) -> Vec<String> {
    let session = seen(&clinic.olga, session, "participants { actor { id } status }").await;
    let participants = session["participants"].as_array().unwrap();
    let status = |person: &&str| {
        let participant = participants.iter().find(|one| one["actor"]["id"] == **person);
        participant.expect("called")["status"].as_str().unwrap().to_owned()
    };
    people.iter().map(status).collect()
}

async fn participants_have_call_statuses(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let people = [clinic.olga.id.as_str(), &clinic.odile.id, &clinic.vera.id];
    let session = clinic.session().await;
    assert_eq!(statuses(&clinic, &session, &people).await, ["WAITING", "WAITING", "WAITING"]);
    done(&clinic.odile, "START", &session).await;
    assert_eq!(statuses(&clinic, &session, &people).await, ["RINGING", "WAITING", "RINGING"]);
    done(&clinic.vera, "ACCEPT", &session).await;
    assert_eq!(statuses(&clinic, &session, &people).await, ["WAITING", "ACCEPTED", "ACCEPTED"]);
    done(&clinic.vera, "FINISH", &session).await;
    assert_eq!(statuses(&clinic, &session, &people).await, ["WAITING", "WAITING", "WAITING"]);

    let session = clinic.ringing().await;
    done(&clinic.vera, "REJECT", &session).await;
    assert_eq!(statuses(&clinic, &session, &people).await, ["WAITING", "WAITING", "REJECTED"]);
    clinic.stop().await;
}

async fn participant_in_a_session_is_busy_until_it_ends(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let people = [clinic.olga.id.as_str(), &clinic.odile.id, &clinic.vera.id];
    let runs = clinic.running().await;
    let other = clinic.session().await;
    assert_eq!(statuses(&clinic, &other, &people).await, ["WAITING", "BUSY", "BUSY"]);
    done(&clinic.olga, "START", &other).await;
    assert_eq!(statuses(&clinic, &other, &people).await, ["WAITING", "BUSY", "BUSY"]);
    // Busy is only shown: a busy participant can still accept the other call.
    done(&clinic.vera, "ACCEPT", &other).await;
    assert_eq!(statuses(&clinic, &other, &people).await, ["ACCEPTED", "BUSY", "ACCEPTED"]);
    done(&clinic.olga, "FINISH", &runs).await;
    assert_eq!(statuses(&clinic, &other, &people).await, ["ACCEPTED", "WAITING", "ACCEPTED"]);
    clinic.stop().await;
}

async fn called_participant_who_did_not_accept_is_not_busy(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    // Odile calls, Vera takes it: Olga was called too, and is free again.
    clinic.running().await;
    let other = clinic.session().await;
    done(&clinic.odile, "START", &other).await;
    assert_eq!(statuses(&clinic, &other, &[&clinic.olga.id]).await, ["RINGING"]);
    clinic.stop().await;
}
