//! What a page of a report costs with a long history: fills a store with chats and prints a table of medians.
//!
//! `cargo run --release --example report -- FOLDER 1000000 [postgres://…]`: the folder is made, the database must
//! be empty.

#![expect(clippy::disallowed_macros, reason = "a measurement prints its table")]

mod measured;

use anteroom::actions::{Actions, CreateRoom, CreateUser, ListedChats, UpsertVisitor};
use anteroom::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use anteroom::domain::page::{Key, PageRequest};
use anteroom::domain::viewer::{Viewer, ViewerRole};
use entity::chat::Tags;
use entity::{ActorId, ChatId, ChatType, RoomId, Timestamp, UserRole, chat, chat_tag};
use measured::{Measured, median, participation};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel,
};
use std::time::Instant;
use uuid::Uuid;

/// Between the starts of two chats.
const MINUTE: i64 = 60_000;
const BATCH: i64 = 400;
const RUNS: usize = 7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (Measured { app, admin, count }, config) = Measured::open().await?;
    let actions = app.actions();
    let place = Place::new(actions, admin).await?;
    let options = ConnectOptions::new(config.database.clone()).sqlx_logging(false).to_owned();
    let connection = Database::connect(options).await?;
    let started = Instant::now();
    place.fill(&connection, count).await?;
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared("ANALYZE").await?;
    }
    println!("{count} chats written in {:.0} s", started.elapsed().as_secs_f64());
    println!("{:<40} {:>10} {:>10} {:>10}", "25 chats", "first ms", "middle ms", "count ms");
    let first = PageRequest::new(Some(25), None, None, None).map_err(|bad| anyhow::anyhow!("{bad}"))?;
    let key = Key { value: count / 2 * MINUTE, id: Uuid::nil() };
    let pages = [PageRequest { after: Some(key), ..first.clone() }, first.clone().with_total(true)];
    let pages = [&first, &pages[0], &pages[1]];
    for (name, filter, field) in place.cases(count) {
        let order = ChatOrder::descending(field);
        let asked = ListedChats { filter: &filter, order, include_hidden: true };
        let mut times = Vec::new();
        for page in pages {
            let time = median(RUNS, async || {
                actions.chats(&place.viewer, asked, page).await?;
                Ok(())
            });
            times.push(time.await?);
        }
        println!("{name:<40} {:>10.2} {:>10.2} {:>10.2}", times[0], times[1], times[2]);
    }
    let (all, newcomer) = (ChatFilter::default(), place.newcomer());
    let latest = ChatOrder::descending(ChatOrderField::ActiveAt);
    let asked = ListedChats { filter: &all, order: latest, include_hidden: false };
    for (name, viewer) in [("inbox, a tenth", &place.viewer), ("inbox, one old chat", &newcomer)] {
        let mut times = Vec::new();
        for page in pages {
            let time = median(RUNS, async || {
                actions.inbox(viewer, asked, page).await?;
                Ok(())
            });
            times.push(time.await?);
        }
        println!("{name:<40} {:>10.2} {:>10.2} {:>10.2}", times[0], times[1], times[2]);
    }
    app.stop().await;
    Ok(())
}

/// An organization with a room that most chats are in, one that few are in, and people.
struct Place {
    viewer: Viewer,
    large: RoomId,
    small: RoomId,
    visitor: ActorId,
    /// A user who takes part in the oldest chat alone.
    newcomer: ActorId,
}

impl Place {
    async fn new(actions: &Actions, viewer: Viewer) -> anyhow::Result<Self> {
        let room = |name: &str| CreateRoom {
            name: name.into(),
            allowed_origins: Vec::new(),
            resume_window_minutes: None,
            end_after_idle_minutes: None,
            access: None,
        };
        let (large, small) = (room("large"), room("small"));
        let visitor = UpsertVisitor { external_id: "vera".into(), display_name: None, attributes: None };
        let newcomer = CreateUser {
            name: "Olga".into(),
            public_name: None,
            role: UserRole::Operator,
            external_id: None,
        };
        Ok(Self {
            newcomer: actions.create_user(&viewer, newcomer).await?.id,
            large: actions.create_room(&viewer, large).await?.id,
            small: actions.create_room(&viewer, small).await?.id,
            visitor: actions.upsert_visitor(&viewer, visitor).await?.id,
            viewer,
        })
    }

    fn newcomer(&self) -> Viewer {
        Viewer { actor_id: self.newcomer, role: ViewerRole::Operator, ..self.viewer.clone() }
    }

    async fn fill(&self, connection: &DatabaseConnection, count: i64) -> anyhow::Result<()> {
        for start in (0..count).step_by(usize::try_from(BATCH)?) {
            let numbers = start..(start + BATCH).min(count);
            let rows: Vec<_> = numbers.map(|number| self.chat(number, count)).collect();
            let tags: Vec<_> =
                rows.iter().flat_map(tags_of).map(IntoActiveModel::into_active_model).collect();
            let own = rows.iter().filter(|row| row.started_at.0 / MINUTE % 10 == 6);
            let own = own.map(|row| participation(row.id.0, row.id, self.viewer.actor_id, row.active_at));
            let oldest = rows.iter().filter(|row| row.started_at.0 == 0);
            let oldest = oldest.map(|row| participation(Uuid::max(), row.id, self.newcomer, row.active_at));
            let own: Vec<_> = own.chain(oldest).map(IntoActiveModel::into_active_model).collect();
            let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
            chat::Entity::insert_many(rows).exec_without_returning(connection).await?;
            if !tags.is_empty() {
                chat_tag::Entity::insert_many(tags).exec_without_returning(connection).await?;
            }
            if !own.is_empty() {
                entity::participation::Entity::insert_many(own).exec_without_returning(connection).await?;
            }
        }
        Ok(())
    }

    /// A chat of a minute: what is rare is so however many there are.
    fn chat(&self, number: i64, count: i64) -> chat::Model {
        let id = ChatId(Uuid::from_u128(u128::from(number.unsigned_abs()) << 64 | 1));
        let started = Timestamp(number * MINUTE);
        let mut row = chat::Model::new(id, self.viewer.organization_id, ChatType::Visitor, started);
        let is_rare = number % (count / 50).max(1) == 0;
        let is = |every: i64, at: i64| number % every == at;
        row.chat_type = if is(10, 1) { ChatType::Group } else { ChatType::Visitor };
        row.token = number.to_string();
        row.room_id = Some(if is_rare { self.small } else { self.large });
        row.visitor_id = is_rare.then_some(self.visitor);
        row.is_private = is(10, 3);
        row.ended_at = (!is_rare).then_some(Timestamp(number * MINUTE + 1));
        row.waiting_since = is_rare.then_some(started);
        row.last_message_sequence = Some(1);
        let users = if is(10, 5) { 2 } else { 0 };
        (row.user_message_count, row.visitor_message_count) = (users, 1);
        row.message_count = if is_rare { 100 } else { users + 1 };
        row.tags = Tags(match (is(10, 7), is_rare) {
            (true, true) => vec!["rare".into()],
            (true, false) => Vec::new(),
            (false, true) => vec!["common".into(), "rare".into()],
            (false, false) => vec!["common".into()],
        });
        row
    }

    fn cases(&self, count: i64) -> Vec<(&'static str, ChatFilter, ChatOrderField)> {
        use ChatOrderField::{EndedAt, LastMessageAt, StartedAt, UpdatedAt, WaitingSince};
        let all = ChatFilter::default;
        let in_room = |id: RoomId| ChatFilter { room_ids: Some(vec![id]), ..all() };
        let tagged = |tag: &str| ChatFilter { tags: vec![tag.into()], ..all() };
        let middle = Timestamp(count / 2 * MINUTE);
        let id = ChatId(Uuid::from_u128(u128::from((count / 2).unsigned_abs()) << 64 | 1));
        vec![
            ("all, by start", all(), StartedAt),
            ("all, by end", all(), EndedAt),
            ("all, by change", all(), UpdatedAt),
            ("all, by newest message", all(), LastMessageAt),
            ("all, by waiting", all(), WaitingSince),
            ("large room, by start", in_room(self.large), StartedAt),
            ("large room, by end", in_room(self.large), EndedAt),
            ("large room, by change", in_room(self.large), UpdatedAt),
            ("small room, by start", in_room(self.small), StartedAt),
            ("small room, by change", in_room(self.small), UpdatedAt),
            (
                "both rooms, by start",
                ChatFilter { room_ids: Some(vec![self.large, self.small]), ..all() },
                StartedAt,
            ),
            ("visitor", ChatFilter { visitor_id: Some(self.visitor), ..all() }, StartedAt),
            (
                "participant in a tenth",
                ChatFilter { participant_ids: vec![self.viewer.actor_id], ..all() },
                StartedAt,
            ),
            (
                "present user, nowhere",
                ChatFilter { present_user_id: Some(self.viewer.actor_id), ..all() },
                StartedAt,
            ),
            ("participant in one", ChatFilter { participant_ids: vec![self.newcomer], ..all() }, StartedAt),
            ("type of a tenth", ChatFilter { chat_type: Some(ChatType::Group), ..all() }, StartedAt),
            ("common tag, by start", tagged("common"), StartedAt),
            ("common tag, by change", tagged("common"), UpdatedAt),
            ("rare tag, by start", tagged("rare"), StartedAt),
            ("rare tag, by change", tagged("rare"), UpdatedAt),
            ("started from the middle", ChatFilter { started_from: Some(middle), ..all() }, StartedAt),
            (
                "ended before the middle, by start",
                ChatFilter { ended_before: Some(middle), ..all() },
                StartedAt,
            ),
            ("ended before the middle, by end", ChatFilter { ended_before: Some(middle), ..all() }, EndedAt),
            ("since the middle", ChatFilter { since: Some((middle, id)), ..all() }, StartedAt),
            ("ended, nearly all", ChatFilter { is_ended: Some(true), ..all() }, StartedAt),
            ("open, few", ChatFilter { is_ended: Some(false), ..all() }, StartedAt),
            ("waiting, few", ChatFilter { is_waiting: Some(true), ..all() }, StartedAt),
            ("real, a tenth", ChatFilter { is_real_conversation: Some(true), ..all() }, StartedAt),
            ("not real", ChatFilter { is_real_conversation: Some(false), ..all() }, StartedAt),
            ("private, a tenth", ChatFilter { is_private: Some(true), ..all() }, StartedAt),
            ("public", ChatFilter { is_private: Some(false), ..all() }, StartedAt),
            ("3 messages, a tenth", ChatFilter { min_message_count: Some(3), ..all() }, StartedAt),
            ("100 messages, few", ChatFilter { min_message_count: Some(100), ..all() }, StartedAt),
        ]
    }
}

fn tags_of(row: &chat::Model) -> Vec<chat_tag::Model> {
    let found_by = |tag: &String| chat_tag::Model {
        organization_id: row.organization_id,
        tag: tag.clone(),
        started_at: row.started_at,
        chat_id: row.id,
    };
    row.tags.0.iter().map(found_by).collect()
}
