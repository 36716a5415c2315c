//! `viewerActions` lists exactly the actions that the mutations accept, for every caller and state.

use super::{Clinic, create, done, give, refusal, seen};
use crate::harness::Engine;
use crate::harness::world::Person;
use crate::on_both;
use serde_json::json;

on_both!(
    viewer_actions_match_allowed_transitions,
    start_is_not_listed_while_another_session_is_open,
    start_session_action_matches_create_chat_session,
);

/// How a session comes to where it stands: who gives which action.
const SITUATIONS: [&[(Role, &str)]; 8] = [
    &[],
    &[(Role::Starter, "START")],
    &[(Role::Creator, "START")],
    &[(Role::Starter, "START"), (Role::Answerer, "ACCEPT")],
    &[(Role::Answerer, "REJECT")],
    &[(Role::Starter, "START"), (Role::Answerer, "REJECT")],
    &[(Role::Starter, "START"), (Role::Starter, "FINISH")],
    &[(Role::Starter, "START"), (Role::Answerer, "ACCEPT"), (Role::Creator, "FINISH")],
];

const DIRECTIVES: [&str; 4] = ["START", "ACCEPT", "REJECT", "FINISH"];

#[derive(Clone, Copy)]
enum Role {
    Creator,
    Starter,
    Answerer,
}

impl Clinic {
    fn person(&self, role: Role) -> &Person {
        match role {
            Role::Creator => &self.olga,
            Role::Starter => &self.odile,
            Role::Answerer => &self.vera,
        }
    }

    /// A session of these, with another colleague who is called.
    async fn brought_to(&self, situation: &[(Role, &str)], other: &Person) -> String {
        let chat = self.world.chat(&self.vera).await;
        let called = [&self.odile.id, &self.vera.id, &other.id];
        let session =
            create(&self.olga, json!({ "in": { "chat": { "id": chat, "participantIds": called } } })).await;
        for (role, action) in situation {
            done(self.person(*role), action, &session).await;
        }
        session
    }
}

/// The buttons that the viewer sees.
async fn buttons(viewer: &Person, session: &str) -> Vec<String> {
    let seen = seen(viewer, session, "viewerActions").await;
    let shown = seen["viewerActions"].as_array().expect("a session that the viewer sees");
    shown.iter().map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// Whether the action moves the session on.
async fn moves(viewer: &Person, action: &str, session: &str) -> bool {
    let before = seen(viewer, session, "state").await["state"].clone();
    let payload = give(viewer, action, session).await;
    let has_moved = payload["chatSession"]["state"] != before;
    assert!(refusal(&payload).is_none() || !has_moved, "{action}: {payload:#}");
    has_moved
}

async fn viewer_actions_match_allowed_transitions(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let other = clinic.world.operator("Oona").await;
    let viewers = [&clinic.olga, &clinic.odile, &clinic.vera, &other, &clinic.world.admin, &clinic.otto];
    for (at, situation) in SITUATIONS.into_iter().enumerate() {
        for (who, viewer) in viewers.into_iter().enumerate() {
            let mut session = clinic.brought_to(situation, &other).await;
            let shown = buttons(viewer, &session).await;
            for action in DIRECTIVES {
                let has_moved = moves(viewer, action, &session).await;
                let is_shown = shown.iter().any(|one| one == action);
                assert_eq!(has_moved, is_shown, "situation {at}, viewer {who}: {action} of {shown:?}");
                if has_moved {
                    session = clinic.brought_to(situation, &other).await;
                }
            }
        }
    }
    clinic.stop().await;
}

async fn start_is_not_listed_while_another_session_is_open(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    // Vera is not called to the one that rings, and cannot see it.
    let rings = create(
        &clinic.olga,
        json!({ "in": { "chat": { "id": chat, "participantIds": [clinic.odile.id] } } }),
    )
    .await;
    let waits = clinic.session_in(&chat).await;
    let viewers = [&clinic.olga, &clinic.odile, &clinic.vera, &clinic.world.admin];
    let offers = async |expected: bool| {
        for (who, viewer) in viewers.into_iter().enumerate() {
            let shown = buttons(viewer, &waits).await;
            assert_eq!(shown.contains(&"START".to_owned()), expected, "viewer {who}: {shown:?}");
        }
    };
    offers(true).await;
    done(&clinic.olga, "START", &rings).await;
    offers(false).await;
    assert_eq!(refusal(&give(&clinic.vera, "START", &waits).await), Some("SESSION_OPEN"));
    done(&clinic.odile, "ACCEPT", &rings).await;
    offers(false).await;
    done(&clinic.odile, "FINISH", &rings).await;
    offers(true).await;
    done(&clinic.vera, "START", &waits).await;
    clinic.stop().await;
}

async fn start_session_action_matches_create_chat_session(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let chat = clinic.world.chat(&clinic.vera).await;
    let session = clinic.session_in(&chat).await;
    let actions = "query($id: ID!) { chat(id: $id) { viewerActions } }";
    let offers = async |person: &Person| {
        let seen = person.query(actions, json!({ "id": chat })).await;
        seen["chat"]["viewerActions"].as_array().unwrap().contains(&json!("START_SESSION"))
    };
    let start = json!({
        "in": { "chat": { "id": chat, "participantIds": [clinic.vera.id, clinic.olga.id] } },
        "start": true
    });
    for person in [&clinic.olga, &clinic.vera, &clinic.otto] {
        assert!(offers(person).await);
    }
    done(&clinic.olga, "START", &session).await;
    for person in [&clinic.olga, &clinic.vera, &clinic.otto] {
        assert!(!offers(person).await);
        assert_eq!(person.refused("createChatSession", start.clone()).await, ["SESSION_OPEN"]);
    }
    done(&clinic.olga, "FINISH", &session).await;
    clinic.otto.done("createChatSession", "", start).await;
    assert!(!offers(&clinic.vera).await);
    clinic.stop().await;
}
