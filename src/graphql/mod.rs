//! How it is asked for: translation between the public schema and the actions, and nothing else. A type is a
//! newtype over a row with an accessor for each exposed field; a root field calls one action.

mod actor;
mod attachment;
mod caller;
mod cart;
mod chat;
mod connection;
pub mod door;
mod enums;
mod error;
pub mod guard;
mod id;
mod interfaces;
mod loaders;
mod message;
mod nullable_errors;
mod order;
mod organization;
mod participation;
mod payload;
mod presence;
mod query;
pub mod renewal;
pub mod resume;
mod room;
pub mod rounds;
mod scalar;
mod session;
mod sign_in;
mod subscription;
pub mod turn;
mod viewer;
mod web_page;
mod webhook;

use crate::actions::Actions;
use crate::domain::viewer::Viewer;
use crate::live::Live;
use async_graphql::{MergedObject, Request, SDLExportOptions};
use caller::Caller;
use entity::{ActorId, OrganizationId};
pub use nullable_errors::ANSWER_BYTES;
use rounds::Rounds;
use uuid::Uuid;

/// The schema, with everything that it needs to answer.
pub type Schema = async_graphql::Schema<query::Query, Mutation, subscription::Subscription>;

/// Everything that changes something. Each mutation takes one `input`; what the domain refuses comes back in
/// `userErrors`, with the thing as it now stands.
#[derive(MergedObject, Default)]
pub struct Mutation(
    organization::mutation::OrganizationMutation,
    room::mutation::RoomMutation,
    actor::mutation::ActorMutation,
    cart::mutation::CartMutation,
    chat::mutation::ChatMutation,
    chat::participants::ParticipantMutation,
    chat::deletion::DeletionMutation,
    participation::mutation::OwnViewMutation,
    chat::tags::TagMutation,
    presence::mutation::PresenceMutation,
    message::archive::ArchiveMutation,
    message::edit::EditMutation,
    message::reaction::ReactionMutation,
    message::mutation::MessageMutation,
    attachment::mutation::UploadMutation,
    session::mutation::SessionMutation,
    sign_in::SignInMutation,
    webhook::mutation::WebhookMutation,
);

fn builder() -> async_graphql::SchemaBuilder<query::Query, Mutation, subscription::Subscription> {
    async_graphql::Schema::build(query::Query, Mutation::default(), subscription::Subscription)
        .register_output_type::<actor::Actor>()
        .register_output_type::<interfaces::Interfaces>()
        .disable_suggestions()
}

/// The schema on these actions and live streams.
#[must_use]
pub fn schema(actions: Actions, live: Live) -> Schema {
    guard::warm_up();
    builder()
        .extension(nullable_errors::NullableErrors)
        .extension(interfaces::Interfaces)
        .data(actions)
        .data(live)
        .finish()
}

/// The schema in its definition language: what `schema.graphql` holds.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    builder().finish().sdl_with_options(options)
}

/// The request as this viewer makes it, and what must run along with it to load its edges.
#[must_use]
pub fn with_viewer(request: Request, actions: &Actions, viewer: &Viewer) -> (Request, Rounds) {
    let (caller, rounds) = Caller::new(actions.clone(), viewer.clone());
    (request.data(caller).data(rounds.slice()), rounds)
}

/// The public id of an organization.
#[must_use]
pub fn organization_id(id: OrganizationId) -> String {
    id::Kind::Organization.encode(id.0).0
}

/// The public id of a user.
#[must_use]
pub fn user_id(id: ActorId) -> String {
    id::Kind::User.encode(id.0).0
}

/// The actor whom a public id names, or a UUID.
#[must_use]
pub fn actor_of_id(text: &str) -> Option<Uuid> {
    let named = |kind: id::Kind| kind.decode(&async_graphql::ID(text.to_owned())).ok().flatten();
    named(id::Kind::User).or_else(|| named(id::Kind::Visitor)).or_else(|| text.parse().ok())
}
