//! The rows of Anteroom's tables, their ids and their persisted enums.
//!
//! A row is a SeaORM `Model`. Nothing here makes decisions: rules are in the server's `domain`, SQL is in its
//! `store`. Persisted enums are defined only here.

pub mod actor;
pub mod attachment;
pub mod chat;
pub mod chat_session;
pub mod chat_session_participant;
pub mod chat_tag;
mod enums;
pub mod event;
mod id;
pub mod message;
pub mod message_revision;
pub mod message_text;
mod money;
pub mod organization;
pub mod participation;
pub mod presence;
pub mod reaction;
pub mod refresh_token;
pub mod request;
pub mod room;
pub mod room_departure;
pub mod room_member;
pub mod room_origin;
mod secret;
pub mod shopping_cart;
pub mod shopping_cart_product;
pub mod sign_in;
pub mod store_meta;
mod timestamp;
pub mod upload_usage;
mod web_page;
pub mod webhook;
pub mod webhook_delivery;

pub use enums::{
    ActorType, AttachmentKind, Audience, ChatType, EventKind, MessageType, PresenceEndReason, RequestKind,
    RoomAccess, SessionOutcome, SessionState, SessionType, UserRole, WebhookDeliveryState, WebhookEvent,
};
pub use id::{
    ActorId, AttachmentId, ChatId, MessageId, OrganizationId, ParticipationId, PresenceId, RoomId, SessionId,
    ShoppingCartId, ShoppingCartProductId, SignInId, WebhookDeliveryId, WebhookId,
};
pub use money::Money;
pub use sea_orm::prelude::Decimal;
pub use secret::SecretText;
pub use timestamp::Timestamp;
pub use web_page::WebPage;
