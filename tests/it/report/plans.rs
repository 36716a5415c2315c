//! Query plans of reports: through an index, in its order, so that a page costs as much as it holds.

use crate::harness::Engine;
use crate::harness::stored::Stored;
use crate::harness::world::World;
use crate::on_both;
use anteroom::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use anteroom::domain::page::{Key, PageRequest};
use anteroom::domain::rooms::Rooms;
use anteroom::domain::viewer::{Viewer, ViewerRole};
use anteroom::store::chats::{self, ListedChats};
use entity::chat::Tags;
use entity::{ActorId, ChatId, ChatType, RoomId, Timestamp, chat, chat_tag, room};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::json;
use uuid::Uuid;

on_both!(every_filter_is_read_through_an_index, rare_matches_use_their_index);

/// The number of chats, started a minute apart.
pub(super) const CHATS: i64 = 20_000;
pub(super) const MINUTE: i64 = 60_000;

/// The chats of a year and who asks for them. Each tenth is in one of the filters, and few wait.
pub(super) async fn filled(world: &World) -> (Viewer, room::Model, ActorId) {
    let stored = Stored::of(&world.app).await;
    let connection = &stored.0;
    let room = room::Entity::find().one(connection).await.unwrap().unwrap();
    let people = entity::actor::Entity::find().all(connection).await.unwrap();
    let admin = people.iter().find(|actor| actor.role.is_some()).unwrap();
    let vera = world.visitor("vera").await;
    let _ = vera;
    let visitor = entity::actor::Entity::find().all(connection).await.unwrap();
    let visitor = visitor.iter().find(|actor| actor.role.is_none()).unwrap().id;
    let mut rows = Vec::new();
    let mut tags = Vec::new();
    for number in 0..CHATS {
        let id = ChatId(Uuid::from_u128(u128::try_from(number).unwrap() << 64 | 1));
        let started = Timestamp(number * MINUTE);
        let mut row = chat::Model::new(id, room.organization_id, ChatType::Visitor, started);
        let is = |every: i64, at: i64| number % every == at;
        row.chat_type = if is(10, 1) { ChatType::Group } else { ChatType::Visitor };
        row.token = number.to_string();
        row.room_id = Some(room.id);
        row.visitor_id = is(100, 2).then_some(visitor);
        row.is_private = is(10, 3);
        row.ended_at = (!is(10, 4)).then(|| Timestamp(number * MINUTE + 1));
        row.waiting_since = is(200, 4).then_some(started);
        row.last_message_sequence = Some(1);
        let (ours, theirs) = if is(10, 5) { (2, 1) } else { (0, 1) };
        (row.user_message_count, row.visitor_message_count, row.message_count) =
            (ours, theirs, ours + theirs);
        if is(2, 0) {
            row.tags = Tags(vec!["common".into()]);
            tags.push(chat_tag::Model {
                organization_id: room.organization_id,
                tag: "common".into(),
                started_at: started,
                chat_id: id,
            });
        }
        rows.push(row.into_active_model());
    }
    for rows in rows.chunks(500) {
        chat::Entity::insert_many(rows.to_vec()).exec_without_returning(connection).await.unwrap();
    }
    for tags in tags.chunks(500) {
        let tags = tags.iter().cloned().map(IntoActiveModel::into_active_model);
        chat_tag::Entity::insert_many(tags).exec_without_returning(connection).await.unwrap();
    }
    if connection.get_database_backend() == sea_orm::DbBackend::Postgres {
        connection.execute_unprepared("ANALYZE").await.unwrap();
    }
    let viewer = Viewer {
        organization_id: room.organization_id,
        actor_id: admin.id,
        role: ViewerRole::Admin,
        rooms: Rooms::default(),
        access_changed_at: Timestamp(0),
        expires_at: Timestamp(i64::MAX),
        auth_version: 1,
        pass: None,
    };
    (viewer, room, visitor)
}

/// Every filter that has an index, in the orders that it is for.
fn cases(room_id: RoomId, visitor_id: ActorId) -> Vec<(&'static str, ChatFilter, Vec<ChatOrderField>)> {
    use ChatOrderField::{ActiveAt, EndedAt, LastMessageAt, StartedAt, UpdatedAt, WaitingSince};
    let all = ChatFilter::default;
    let middle = Timestamp(CHATS / 2 * MINUTE);
    let id = ChatId(Uuid::from_u128(u128::try_from(CHATS / 2).unwrap() << 64 | 1));
    let in_room = || ChatFilter { room_ids: Some(vec![room_id]), ..all() };
    vec![
        ("all", all(), vec![StartedAt, EndedAt, UpdatedAt, WaitingSince, LastMessageAt, ActiveAt]),
        ("room", in_room(), vec![StartedAt, EndedAt, WaitingSince]),
        (
            "who waits in the room",
            ChatFilter { is_waiting: Some(true), is_ended: Some(false), ..in_room() },
            vec![StartedAt, WaitingSince],
        ),
        ("visitor", ChatFilter { visitor_id: Some(visitor_id), ..all() }, vec![StartedAt]),
        ("type", ChatFilter { chat_type: Some(ChatType::Group), ..all() }, vec![StartedAt]),
        ("tag", ChatFilter { tags: vec!["common".into()], ..all() }, vec![StartedAt]),
        ("a tag that is rare", ChatFilter { tags: vec!["rare".into()], ..all() }, vec![StartedAt]),
        (
            "started from",
            ChatFilter { started_from: Some(middle), ..all() },
            vec![StartedAt, EndedAt, UpdatedAt],
        ),
        ("ended before", ChatFilter { ended_before: Some(middle), ..all() }, vec![StartedAt, EndedAt]),
        ("since", ChatFilter { since: Some((middle, id)), ..all() }, vec![StartedAt, EndedAt, UpdatedAt]),
        ("ended", ChatFilter { is_ended: Some(true), ..all() }, vec![StartedAt, EndedAt]),
        ("open", ChatFilter { is_ended: Some(false), ..all() }, vec![StartedAt, UpdatedAt]),
        ("waiting", ChatFilter { is_waiting: Some(true), ..all() }, vec![StartedAt, WaitingSince]),
        ("real", ChatFilter { is_real_conversation: Some(true), ..all() }, vec![StartedAt]),
        ("not real", ChatFilter { is_real_conversation: Some(false), ..all() }, vec![StartedAt]),
        ("private", ChatFilter { is_private: Some(true), ..all() }, vec![StartedAt]),
        ("public", ChatFilter { is_private: Some(false), ..all() }, vec![StartedAt]),
        ("many messages", ChatFilter { min_message_count: Some(3), ..all() }, vec![StartedAt]),
    ]
}

/// Conditions that lead to few chats, in orders that their own indexes do not have, and the index of the order.
fn rare_cases(
    viewer: &Viewer,
    room_id: RoomId,
) -> Vec<(&'static str, ChatFilter, ChatOrderField, &'static str)> {
    use ChatOrderField::{LastMessageAt, StartedAt, UpdatedAt};
    let all = ChatFilter::default;
    let in_rooms = |ids: &[RoomId]| ChatFilter { room_ids: Some(ids.to_vec()), ..all() };
    let rare = || ChatFilter { tags: vec!["rare".into()], ..all() };
    let own = || ChatFilter { participant_ids: vec![viewer.actor_id], ..all() };
    let present = || ChatFilter { present_user_id: Some(viewer.actor_id), ..all() };
    let long = || ChatFilter { min_message_count: Some(20), ..all() };
    vec![
        ("a small room", in_rooms(&[room_id]), UpdatedAt, "chat_by_update"),
        ("a small room", in_rooms(&[room_id]), LastMessageAt, "chat_by_activity"),
        ("small rooms", in_rooms(&[room_id, RoomId(Uuid::nil())]), StartedAt, "chat_by_start"),
        ("a rare tag", rare(), UpdatedAt, "chat_by_update"),
        ("a rare tag", rare(), LastMessageAt, "chat_by_activity"),
        ("a participant", own(), StartedAt, "chat_by_start"),
        ("a participant", own(), LastMessageAt, "chat_by_activity"),
        ("who is present", present(), StartedAt, "chat_by_start"),
        ("long chats", long(), StartedAt, "chat_by_start"),
        ("long chats", long(), UpdatedAt, "chat_by_update"),
    ]
}

/// Whether a plan leads through all chats, of the table or of the organization.
fn is_whole(plan: &str) -> bool {
    ["SCAN", "Seq Scan on chat", "(organization_id=?)"].iter().any(|walk| plan.contains(walk))
}

/// Rare matches are found by the index of their filter, and then sorted, without scanning an index of the order.
async fn rare_matches_use_their_index(engine: Engine) {
    let world = World::new(engine).await;
    let (viewer, _, _) = filled(&world).await;
    world.admin.done("createRoom", "", json!({ "name": "Small" })).await;
    let stored = Stored::of(&world.app).await;
    let rooms = room::Entity::find().all(&stored.0).await.unwrap();
    let small = rooms.iter().find(|room| room.name == "Small").expect("the room").id;
    let store = world.app.app.actions().store();
    let first = PageRequest::new(Some(25), None, None, None).unwrap();
    let next =
        PageRequest { after: Some(Key { value: CHATS / 2 * MINUTE, id: Uuid::nil() }), ..first.clone() };
    let mut bad = Vec::new();
    for page in [&first, &next] {
        for (name, filter, field, of_order) in rare_cases(&viewer, small) {
            let order = ChatOrder { field, is_descending: true };
            let asked = ListedChats { filter: &filter, order, include_hidden: true };
            let plan = chats::explain_visible(store, &viewer, asked, page).await.unwrap().join("\n");
            if plan.contains(of_order) || is_whole(&plan) {
                bad.push(format!("{name} by {field:?}:\n{plan}\n"));
            }
        }
        // Rooms that are closed to a viewer, and their own, are conditions on the chats that the index leads to.
        let rooms = Rooms::new(vec![RoomId(Uuid::nil())], vec![RoomId(Uuid::max())]);
        for role in [ViewerRole::Admin, ViewerRole::Supervisor, ViewerRole::Operator, ViewerRole::Visitor] {
            let viewer = Viewer { role, rooms: rooms.clone(), ..viewer.clone() };
            let (filter, order) = (ChatFilter::default(), ChatOrder::descending(ChatOrderField::ActiveAt));
            let asked = ListedChats { filter: &filter, order, include_hidden: false };
            let plan = chats::explain_inbox(store, &viewer, asked, page).await.unwrap().join(
                "
",
            );
            // Of few own chats PostgreSQL rather sorts these.
            let is_in_order = engine == Engine::Postgres || plan.contains("participation_by_activity");
            if plan.contains("chat_by_") || !is_in_order || is_whole(&plan) {
                bad.push(format!("the inbox of {role:?}:\n{plan}\n"));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    world.app.stop().await;
}

async fn every_filter_is_read_through_an_index(engine: Engine) {
    let world = World::new(engine).await;
    let (viewer, room, visitor) = filled(&world).await;
    let store = world.app.app.actions().store();
    let first = PageRequest::new(Some(25), None, None, None).unwrap();
    let middle = Key { value: CHATS / 2 * MINUTE, id: Uuid::nil() };
    let next = PageRequest { after: Some(middle), ..first.clone() };
    let mut bad = Vec::new();
    for (name, filter, fields) in cases(room.id, visitor) {
        for field in fields {
            for is_descending in [false, true] {
                for page in [&first, &next] {
                    let order = ChatOrder { field, is_descending };
                    let asked = ListedChats { filter: &filter, order, include_hidden: true };
                    let plan = chats::explain_visible(store, &viewer, asked, page).await.unwrap();
                    let plan = plan.join("\n");
                    let is_bad = match engine {
                        Engine::Sqlite => plan.contains("SCAN") || plan.contains("TEMP B-TREE"),
                        // Rare matches can be sorted once an index has found them: few chats wait at any time.
                        Engine::Postgres => {
                            let is_few = field == ChatOrderField::WaitingSince
                                || ["a tag that is rare", "waiting", "who waits in the room"].contains(&name);
                            plan.contains("Seq Scan") || plan.contains("Sort") && !is_few
                        }
                    };
                    if is_bad {
                        bad.push(format!("{name} by {field:?}, descending {is_descending}:\n{plan}\n"));
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    // And the test can fail: nothing leads to a chat by its name.
    let statement = match engine {
        Engine::Sqlite => "EXPLAIN QUERY PLAN SELECT * FROM chat WHERE name = 'x' ORDER BY token",
        Engine::Postgres => "EXPLAIN SELECT * FROM chat WHERE name = 'x' ORDER BY token",
    };
    let stored = Stored::of(&world.app).await;
    let statement = sea_orm::Statement::from_string(stored.0.get_database_backend(), statement);
    let plan = stored.0.query_all_raw(statement).await.unwrap();
    let column = if engine == Engine::Sqlite { "detail" } else { "QUERY PLAN" };
    let plan: Vec<String> = plan.iter().map(|line| line.try_get("", column).unwrap()).collect();
    let plan = plan.join("\n").to_uppercase();
    assert!(plan.contains("SCAN") && !plan.contains("INDEX"), "{plan}");
    world.app.stop().await;
}
