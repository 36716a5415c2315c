//! A chat for each combination of what decides about who sees it, and a viewer of each role.

use crate::harness::{Engine, postgres};
use anteroom::clock::Clock;
use anteroom::domain::event::{MessageRow, SessionRow};
use anteroom::domain::viewer::Viewer;
use anteroom::store::{
    Error, Store, Tx, actors, members, messages, organizations, participations, rooms, sessions, sign_ins,
};
use chrono::TimeDelta;
use entity::room::Origins;
use entity::{
    ActorId, ActorType, ChatId, ChatType, MessageId, MessageType, OrganizationId, ParticipationId,
    RoomAccess, RoomId, SessionId, SessionState, SessionType, SignInId, Timestamp, UserRole, actor, chat,
    chat_session, message, organization, participation, room,
};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

/// The text of every message that has one.
pub const TEXT: &str = "needle";

/// A chat, and the relation of every viewer to it.
#[derive(Clone, Copy, Debug)]
struct Case {
    chat_type: ChatType,
    is_private: bool,
    visitor: WhichVisitor,
    room: WhichRoom,
    participation: Participation,
    is_deleted: bool,
    is_foreign: bool,
}

/// The visitor of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhichVisitor {
    Nobody,
    Viewer,
    Other,
}

/// The room of a VISITOR chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhichRoom {
    /// Open, and nobody is a member.
    Open,
    /// Open, and the viewers are members.
    OpenWithMembers,
    /// For members only, and the viewers are members.
    Own,
    /// For members only, and the viewers are not members.
    Closed,
}

impl WhichRoom {
    const ALL: [Self; 4] = [Self::Open, Self::OpenWithMembers, Self::Own, Self::Closed];

    fn access(self) -> RoomAccess {
        match self {
            Self::Open | Self::OpenWithMembers => RoomAccess::Open,
            Self::Own | Self::Closed => RoomAccess::Members,
        }
    }

    fn has_members(self) -> bool {
        match self {
            Self::OpenWithMembers | Self::Own => true,
            Self::Open | Self::Closed => false,
        }
    }
}

/// The participation of each of the viewers in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Participation {
    None,
    Current,
    Ended,
}

/// A chat with what is in it.
pub struct Talk {
    case: Case,
    pub chat: chat::Model,
    participations: Vec<participation::Model>,
    pub sessions: Vec<SessionRow>,
    pub messages: Vec<MessageRow>,
}

impl std::fmt::Display for Talk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", self.case)
    }
}

impl Talk {
    pub fn participation_of(&self, viewer: &Viewer) -> Option<&participation::Model> {
        self.participations.iter().find(|row| row.actor_id == viewer.actor_id)
    }
}

/// Chats and viewers on a fresh store.
pub struct Matrix {
    pub store: Store,
    /// One of each role, all of one organization.
    pub viewers: Vec<Viewer>,
    /// The rooms of both organizations, those of the viewers' own first.
    pub rooms: Vec<room::Model>,
    pub talks: Vec<Talk>,
    /// Events that everybody learns of are before this, those among staff after it.
    pub between: Timestamp,
    _folder: TempDir,
}

/// An organization, and who is in it beside the viewers.
struct Tenant {
    organization_id: OrganizationId,
    rooms: Vec<room::Model>,
    other: actor::Model,
}

impl Matrix {
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display()),
            Engine::Postgres => postgres::new_database(),
        };
        let store = Store::open(&url, 4, Clock::system()).await.expect("a store").into_store(Arc::new(()));
        let made = store.transaction(async |tx| Ok::<_, Error>(people_of_two_organizations(tx).await));
        let (own, foreign, people, between) = made.await.expect("committed").value;
        let mut viewers = Vec::new();
        for actor in &people {
            let principal = sign_ins::actor_of_token(&store, actor.id, SignInId(Uuid::nil())).await;
            let principal = principal.expect("read").expect("an actor");
            viewers.push(Viewer::of(&principal, Timestamp(i64::MAX), None).expect("a role"));
        }
        viewers.push(Viewer::widget(&own.rooms[0]));
        let mut talks = Vec::new();
        for case in cases() {
            let tenant = if case.is_foreign { &foreign } else { &own };
            let made = store
                .transaction(async |tx| Ok::<_, Error>(talk(tx, case, tenant, &people, between).await))
                .await;
            talks.push(made.expect("committed").value);
        }
        let rooms = own.rooms.into_iter().chain(foreign.rooms).collect();
        Self { store, viewers, rooms, talks, between, _folder: folder }
    }

    pub fn chat_ids(&self) -> Vec<ChatId> {
        self.talks.iter().map(|talk| talk.chat.id).collect()
    }
}

/// Two organizations, the people of the first one, and a moment.
async fn people_of_two_organizations(tx: &Tx) -> (Tenant, Tenant, Vec<actor::Model>, Timestamp) {
    let (own, foreign) = (tenant(tx, "own").await, tenant(tx, "foreign").await);
    let kinds = [
        (ActorType::User, Some(UserRole::Admin)),
        (ActorType::User, Some(UserRole::Supervisor)),
        (ActorType::User, Some(UserRole::Operator)),
        (ActorType::Visitor, None),
        (ActorType::ApiClient, None),
    ];
    let mut people = Vec::new();
    for (actor_type, role) in kinds {
        people.push(person(tx, own.organization_id, actor_type, role).await);
    }
    let ids: Vec<_> = people.iter().map(|actor| actor.id).collect();
    for tenant in [&own, &foreign] {
        for (room, which) in tenant.rooms.iter().zip(WhichRoom::ALL) {
            if which.has_members() {
                members::insert(tx, room.id, &ids, tx.now()).await.expect("members");
            }
        }
    }
    (own, foreign, people, tx.now())
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for chat_type in [ChatType::Visitor, ChatType::Direct, ChatType::Group] {
        let visitors = match chat_type {
            ChatType::Visitor => &[WhichVisitor::Viewer, WhichVisitor::Other][..],
            ChatType::Direct | ChatType::Group => &[WhichVisitor::Nobody],
        };
        let rooms = match chat_type {
            ChatType::Visitor => &WhichRoom::ALL[..],
            ChatType::Direct | ChatType::Group => &[WhichRoom::Open],
        };
        let places = visitors.iter().flat_map(|visitor| rooms.iter().map(move |room| (*visitor, *room)));
        for (visitor, room) in places {
            for participation in [Participation::None, Participation::Current, Participation::Ended] {
                for bits in 0..8 {
                    let [is_private, is_deleted, is_foreign] = [1, 2, 4].map(|bit| bits & bit != 0);
                    cases.push(Case {
                        chat_type,
                        is_private,
                        visitor,
                        room,
                        participation,
                        is_deleted,
                        is_foreign,
                    });
                }
            }
        }
    }
    cases
}

async fn tenant(tx: &Tx, name: &str) -> Tenant {
    let organization_id = OrganizationId(tx.new_id());
    let organization = organization::Model {
        id: organization_id,
        tenant_name: name.into(),
        instance_name: "main".into(),
        name: name.into(),
        created_at: tx.now(),
        edit_window_minutes: 15,
    };
    organizations::insert(tx, &organization).await.expect("an organization");
    let mut all = Vec::new();
    for which in WhichRoom::ALL {
        let room = new_room(tx, organization_id, which.access());
        rooms::insert(tx, &room).await.expect("a room");
        all.push(room);
    }
    let other = person(tx, organization_id, ActorType::Visitor, None).await;
    Tenant { organization_id, rooms: all, other }
}

fn new_room(tx: &Tx, organization_id: OrganizationId, access: RoomAccess) -> room::Model {
    let id = RoomId(tx.new_id());
    room::Model {
        id,
        organization_id,
        name: "Reception".into(),
        created_at: tx.now(),
        widget_key: format!("key-{id}"),
        identity_secret: String::from("secret").into(),
        allowed_origins: Origins::default(),
        resume_window_minutes: 0,
        end_after_idle_minutes: 0,
        access,
    }
}

async fn person(
    tx: &Tx,
    organization_id: OrganizationId,
    actor_type: ActorType,
    role: Option<UserRole>,
) -> actor::Model {
    let row = actor::Model {
        role,
        ..actor::Model::new(ActorId(tx.new_id()), organization_id, actor_type, tx.now())
    };
    actors::insert(tx, &row).await.expect("an actor");
    row
}

async fn talk(tx: &mut Tx, case: Case, tenant: &Tenant, people: &[actor::Model], between: Timestamp) -> Talk {
    let chat = new_chat(tx, case, tenant, people, between);
    tx.add_chat(chat.clone()).await.expect("a chat");
    let mut participations = Vec::new();
    if case.participation != Participation::None {
        for actor in people {
            let id = ParticipationId(tx.new_id());
            let mut row = participation::Model::new(id, chat.id, actor.id, actor.actor_type, tx.now());
            row.ended_at = (case.participation == Participation::Ended).then(|| tx.now());
            participations::insert(tx, &row).await.expect("a participation");
            participations.push(row);
        }
    }
    let everybody: Vec<_> = people.iter().map(|actor| actor.id).collect();
    let called = session(tx, &chat, SessionState::Started, &everybody).await;
    let sessions = vec![
        session(tx, &chat, SessionState::Created, &[tenant.other.id]).await,
        session(tx, &chat, SessionState::Finished, &everybody).await,
        called,
    ];
    let mut messages = Vec::new();
    for (is_internal, session) in [(false, None), (true, None), (false, Some(0)), (false, Some(2))] {
        let session = session.map(|index: usize| &sessions[index]);
        let sequence = i64::try_from(messages.len()).unwrap() + 1;
        messages.push(new_message(tx, &chat, sequence, is_internal, session));
    }
    for row in &messages {
        messages::insert(tx, &row.message).await.expect("a message");
    }
    Talk { case, chat, participations, sessions, messages }
}

fn new_chat(
    tx: &Tx,
    case: Case,
    tenant: &Tenant,
    people: &[actor::Model],
    between: Timestamp,
) -> chat::Model {
    let id = ChatId(tx.new_id());
    let mut row = chat::Model::new(id, tenant.organization_id, case.chat_type, tx.now());
    row.token = id.to_string();
    row.is_private = case.is_private;
    row.last_sequence = 4;
    row.last_message_sequence = Some(2);
    row.updated_at = between.minus(TimeDelta::minutes(1));
    row.logged_at = between.plus(TimeDelta::minutes(1));
    row.deleted_at = case.is_deleted.then(|| tx.now());
    row.ended_at = row.deleted_at;
    let viewer = people.iter().find(|actor| actor.actor_type == ActorType::Visitor).expect("a visitor");
    row.visitor_id = match case.visitor {
        WhichVisitor::Nobody => None,
        WhichVisitor::Viewer => Some(viewer.id),
        WhichVisitor::Other => Some(tenant.other.id),
    };
    if row.visitor_id.is_some() {
        let index = WhichRoom::ALL.iter().position(|room| *room == case.room).expect("a room");
        row.room_id = Some(tenant.rooms[index].id);
        row.waiting_since = (!case.is_deleted).then(|| tx.now());
    }
    row
}

async fn session(tx: &Tx, chat: &chat::Model, state: SessionState, called_ids: &[ActorId]) -> SessionRow {
    let mut participant_ids = called_ids.to_vec();
    participant_ids.sort_unstable();
    let session = chat_session::Model {
        id: SessionId(tx.new_id()),
        chat_id: chat.id,
        organization_id: chat.organization_id,
        session_type: SessionType::Telemed,
        state,
        outcome: None,
        title: None,
        call_room: "room".into(),
        created_at: tx.now(),
        created_by: participant_ids[0],
        scheduled_at: None,
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
        // Before everything else, so that it moves no chat in a feed.
        changed_at: Timestamp(0),
    };
    let row = SessionRow { session, participant_ids };
    sessions::insert(tx, &row).await.expect("a session");
    row
}

fn new_message(
    tx: &Tx,
    chat: &chat::Model,
    sequence: i64,
    is_internal: bool,
    session: Option<&SessionRow>,
) -> MessageRow {
    let id = MessageId(tx.new_id());
    let message = message::Model {
        chat_id: chat.id,
        sequence,
        id,
        message_type: if session.is_some() { MessageType::Session } else { MessageType::Message },
        sender_id: None,
        text: session.is_none().then(|| TEXT.into()),
        external_id: id.to_string(),
        created_at: tx.now(),
        session_id: session.map(|row| row.session.id),
        session_state: session.map(|row| row.session.state),
        edited_at: None,
        deleted_at: None,
        sent_digest: None,
        is_internal,
        reply_to_sequence: None,
    };
    let called_ids = session.map(|row| row.participant_ids.clone()).unwrap_or_default();
    MessageRow { message, sender: None, called_ids }
}
