//! The GraphQL layer: translates between the public schema and the actions, and does nothing else. A type is
//! a newtype over a row with an accessor for each exposed field. A root field calls one action.

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
use crate::domain::viewer::{Standing, Viewer};
use crate::live::Live;
use async_graphql::{MergedObject, Request, SDLExportOptions};
use caller::Caller;
use entity::{ActorId, OrganizationId};
pub use nullable_errors::ANSWER_BYTES;
use rounds::Rounds;
use tokio::sync::watch;
use uuid::Uuid;

/// The schema, with the data that its resolvers use.
pub type Schema = async_graphql::Schema<query::Query, Mutation, subscription::Subscription>;

/// Write operations on the API. Each mutation takes one `input`. If a rule of the domain refuses it, it
/// changes nothing, and the payload has `userErrors` and the current state of the object.
#[derive(MergedObject, Default)]
pub struct Mutation(
    organization::mutation::OrganizationMutation,
    room::mutation::RoomMutation,
    room::members::RoomMemberMutation,
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

/// Builds the schema on these actions and live streams.
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

/// The schema in SDL: the content of `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    builder().finish().sdl_with_options(options)
}

/// The request of this viewer, and the loads that must run along with it. A subscription goes on with the access that
/// the viewer has later: it is given their standing.
#[must_use]
pub fn with_viewer(
    request: Request,
    actions: &Actions,
    viewer: &Viewer,
    standing: Option<watch::Receiver<Standing>>,
) -> (Request, Rounds) {
    let (caller, rounds) = Caller::new(actions.clone(), viewer.clone(), standing);
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

/// The actor that a public id or a UUID identifies.
#[must_use]
pub fn actor_of_id(text: &str) -> Option<Uuid> {
    let named = |kind: id::Kind| kind.decode(&async_graphql::ID(text.to_owned())).ok().flatten();
    named(id::Kind::User).or_else(|| named(id::Kind::Visitor)).or_else(|| text.parse().ok())
}
