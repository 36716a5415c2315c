//! What a page of a report costs with a long history: fills a store with chats and prints a table of medians.
//!
//! `cargo run --release --example report -- FOLDER 1000000 [postgres://…]`: the folder is made, the database must
//! be empty.

use anteroom::actions::{Actions, CreateRoom, NewOrganization, UpsertVisitor};
use anteroom::app::App;
use anteroom::clock::Clock;
use anteroom::config::Settings;
use anteroom::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use anteroom::domain::page::{Key, PageRequest};
use anteroom::domain::viewer::{Viewer, ViewerRole};
use anyhow::Context;
use entity::chat::Tags;
use entity::{ActorId, ChatId, ChatType, ParticipationId, RoomId, Timestamp, chat, chat_tag, participation};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel,
};
use std::path::PathBuf;
use std::time::Instant;
use uuid::Uuid;

/// Between the starts of two chats.
const MINUTE: i64 = 60_000;
const BATCH: i64 = 400;
const RUNS: usize = 7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("name a folder")?);
    let count: i64 = arguments.next().context("say how many chats")?.parse()?;
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse()?),
        data: Some(folder),
        database: arguments.next(),
        ..Settings::default()
    };
    let config = settings.resolve()?;
    let app = App::start(config.clone(), Clock::system()).await?;
    let place = Place::new(app.actions()).await?;
    let options = ConnectOptions::new(config.database.clone()).sqlx_logging(false).to_owned();
    let connection = Database::connect(options).await?;
    let started = Instant::now();
    place.fill(&connection, count).await?;
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared("ANALYZE").await?;
    }
    println!("{count} chats written in {:.0} s", started.elapsed().as_secs_f64());
    println!("{:<40} {:>10} {:>10} {:>10}", "25 chats", "first ms", "middle ms", "count ms");
    for (name, filter, field) in place.cases(count) {
        let order = ChatOrder { field, is_descending: true };
        let first = PageRequest::new(Some(25), None, None, None).map_err(|bad| anyhow::anyhow!("{bad}"))?;
        let key = Key { value: count / 2 * MINUTE, id: Uuid::nil() };
        let middle = PageRequest { after: Some(key), ..first.clone() };
        let counted = first.clone().with_total(true);
        let mut times = Vec::new();
        for page in [first, middle, counted] {
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                let started = Instant::now();
                app.actions().chats(&place.viewer, &filter, order, &page).await?;
                runs.push(started.elapsed().as_secs_f64() * 1e3);
            }
            runs.sort_by(f64::total_cmp);
            times.push(runs[RUNS / 2]);
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
}

impl Place {
    async fn new(actions: &Actions) -> anyhow::Result<Self> {
        let (organization, admin) = actions
            .create_organization(NewOrganization {
                tenant_name: "measured".into(),
                instance_name: "main".into(),
                name: "measured".into(),
                admin_name: "Ada".into(),
            })
            .await?;
        let viewer = Viewer {
            organization_id: organization.id,
            actor_id: admin.id,
            role: ViewerRole::Admin,
            expires_at: Timestamp(i64::MAX),
            auth_version: admin.auth_version,
            pass: None,
        };
        let room = |name: &str| CreateRoom {
            name: name.into(),
            allowed_origins: Vec::new(),
            resume_window_minutes: None,
            end_after_idle_minutes: None,
        };
        let (large, small) = (room("large"), room("small"));
        let visitor = UpsertVisitor { external_id: "vera".into(), display_name: None, attributes: None };
        Ok(Self {
            large: actions.create_room(&viewer, large).await?.id,
            small: actions.create_room(&viewer, small).await?.id,
            visitor: actions.upsert_visitor(&viewer, visitor).await?.id,
            viewer,
        })
    }

    async fn fill(&self, connection: &DatabaseConnection, count: i64) -> anyhow::Result<()> {
        for start in (0..count).step_by(usize::try_from(BATCH)?) {
            let numbers = start..(start + BATCH).min(count);
            let rows: Vec<_> = numbers.map(|number| self.chat(number, count)).collect();
            let tags: Vec<_> =
                rows.iter().flat_map(tags_of).map(IntoActiveModel::into_active_model).collect();
            let own = rows.iter().filter(|row| row.started_at.0 / MINUTE % 10 == 6);
            let own: Vec<_> = own.map(|row| self.participation(row).into_active_model()).collect();
            let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
            chat::Entity::insert_many(rows).exec_without_returning(connection).await?;
            if !tags.is_empty() {
                chat_tag::Entity::insert_many(tags).exec_without_returning(connection).await?;
            }
            if !own.is_empty() {
                participation::Entity::insert_many(own).exec_without_returning(connection).await?;
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

    fn participation(&self, row: &chat::Model) -> participation::Model {
        participation::Model {
            id: ParticipationId(row.id.0),
            chat_id: row.id,
            actor_id: self.viewer.actor_id,
            actor_type: entity::ActorType::User,
            created_at: row.started_at,
            ended_at: None,
            is_counted: true,
            message_count: 0,
            first_message_at: None,
            last_read_sequence: 0,
            last_read_at: None,
            name: None,
            detail: None,
            hidden_sequence: None,
            viewed_at: None,
            updated_at: row.started_at,
            active_at: row.active_at,
        }
    }

    fn cases(&self, count: i64) -> Vec<(&'static str, ChatFilter, ChatOrderField)> {
        use ChatOrderField::{EndedAt, LastMessageAt, StartedAt, UpdatedAt, WaitingSince};
        let all = ChatFilter::default;
        let in_room = |id: RoomId| ChatFilter { room_ids: Some(vec![id]), ..all() };
        let tagged = |tag: &str| ChatFilter { tag: Some(tag.into()), ..all() };
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
            ("waiting, few", ChatFilter { is_waiting_response: Some(true), ..all() }, StartedAt),
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
