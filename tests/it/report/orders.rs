//! The databases read each order of chat sessions, participations and a large inbox through an index.

use super::plans::{CHATS, MINUTE, filled};
use crate::harness::Engine;
use crate::harness::stored::Stored;
use crate::harness::world::World;
use crate::on_both;
use anteroom::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use anteroom::domain::page::{Key, Order, PageRequest};
use anteroom::domain::viewer::Viewer;
use anteroom::store::chats::{self, ListedChats};
use anteroom::store::own_views::{self, ListedParticipations, ParticipationOrderField};
use anteroom::store::sessions::{self, ListedSessions, SessionFilter, SessionOrderField};
use entity::{
    ActorType, ChatId, ParticipationId, SessionId, SessionState, SessionType, Timestamp, chat_session,
    participation,
};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

on_both!(every_order_is_read_through_an_index);

/// The number of chats in which the viewer participates: more than the server sorts instead of scanning an index.
const OWN: i64 = 4_000;

fn uuid(number: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(number).unwrap() << 64 | 1)
}

/// Adds a session to each of the viewer's chats.
async fn add_sessions(world: &World, viewer: &Viewer) {
    let stored = Stored::of(&world.app).await;
    let connection = &stored.0;
    let numbers: Vec<_> = (CHATS - OWN..CHATS).collect();
    for numbers in numbers.chunks(500) {
        let participations = numbers.iter().map(|number| {
            let (id, at) = (uuid(*number), Timestamp(number * MINUTE));
            let own = (ParticipationId(id), ChatId(id), viewer.actor_id, ActorType::User);
            participation::Model::new(own.0, own.1, own.2, own.3, at).into_active_model()
        });
        participation::Entity::insert_many(participations).exec_without_returning(connection).await.unwrap();
        let sessions = numbers.iter().map(|number| session(viewer, *number).into_active_model());
        chat_session::Entity::insert_many(sessions).exec_without_returning(connection).await.unwrap();
    }
    if connection.get_database_backend() == sea_orm::DbBackend::Postgres {
        connection.execute_unprepared("ANALYZE").await.unwrap();
    }
}

fn session(viewer: &Viewer, number: i64) -> chat_session::Model {
    let at = Timestamp(number * MINUTE);
    chat_session::Model {
        id: SessionId(uuid(number)),
        chat_id: ChatId(uuid(number)),
        organization_id: viewer.organization_id,
        session_type: SessionType::Telemed,
        state: SessionState::Created,
        outcome: None,
        title: None,
        call_room: number.to_string(),
        created_at: at,
        created_by: viewer.actor_id,
        scheduled_at: Some(at),
        started_at: None,
        started_by: None,
        accepted_at: None,
        accepted_by: None,
        accept_request_id: None,
        rejected_at: None,
        rejected_by: None,
        reject_reason: None,
        finished_at: None,
        finished_by: None,
        finish_reason: None,
        rings_until: None,
        changed_at: at,
    }
}

async fn every_order_is_read_through_an_index(engine: Engine) {
    let world = World::new(engine).await;
    let (viewer, _, _) = filled(&world).await;
    add_sessions(&world, &viewer).await;
    let store = world.app.app.actions().store();
    let first = PageRequest::new(Some(25), None, None, None).unwrap();
    let middle = Key { value: (CHATS - OWN / 2) * MINUTE, id: Uuid::nil() };
    let (next, last) = (
        PageRequest { after: Some(middle), ..first.clone() },
        PageRequest::new(None, None, Some(25), Some(middle)).unwrap(),
    );
    let mut bad = Vec::new();
    let mut check = |what: String, plan: Vec<String>| {
        let plan = plan.join("\n");
        let is_bad = match engine {
            Engine::Sqlite => plan.contains("SCAN") || plan.contains("TEMP B-TREE"),
            Engine::Postgres => ["Seq Scan on chat_session", "Seq Scan on participation", "Sort"]
                .iter()
                .any(|step| plan.contains(step)),
        };
        if is_bad {
            bad.push(format!("{what}:\n{plan}\n"));
        }
    };
    for (page, is_descending) in
        [&first, &next, &last].into_iter().flat_map(|page| [(page, false), (page, true)])
    {
        let way = format!("descending {is_descending}, {page:?}");
        for field in [SessionOrderField::CreatedAt, SessionOrderField::ScheduledAt] {
            let order = Order { field, is_descending };
            let asked = ListedSessions { filter: SessionFilter::default(), order };
            let plan = sessions::explain_visible(store, &viewer, &asked, page).await.unwrap();
            check(format!("sessions by {field:?}, {way}"), plan);
        }
        for field in [ParticipationOrderField::CreatedAt, ParticipationOrderField::ActiveAt] {
            for include_hidden in [false, true] {
                let order = Order { field, is_descending };
                let asked = ListedParticipations { actor_type: None, order, include_hidden };
                let plan = own_views::explain_of_actor(store, viewer.actor_id, asked, page).await.unwrap();
                check(format!("participations by {field:?}, {way}"), plan);
            }
        }
    }
    // The second part of an inbox is little, and is sorted: no order is walked through the whole table.
    for field in [
        ChatOrderField::StartedAt,
        ChatOrderField::UpdatedAt,
        ChatOrderField::EndedAt,
        ChatOrderField::ActiveAt,
    ] {
        for page in [&first, &next] {
            let (filter, order) = (ChatFilter::default(), ChatOrder::descending(field));
            let asked = ListedChats { filter: &filter, order, include_hidden: false };
            let plan = chats::explain_inbox(store, &viewer, asked, page).await.unwrap().join("\n");
            if plan.contains("SCAN chat") || plan.contains("Seq Scan on chat") {
                bad.push(format!("the inbox by {field:?}:\n{plan}\n"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    world.app.stop().await;
}
