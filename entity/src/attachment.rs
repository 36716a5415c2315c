//! What is attached to a message: a file, a link or a contact. A file begins as an upload, of which no message knows.

use crate::{ActorId, AttachmentId, AttachmentKind, ChatId, MessageId, OrganizationId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttachmentId,
    pub organization_id: OrganizationId,
    /// The only chat in which it can be sent.
    pub chat_id: ChatId,
    /// Who uploaded it, or sent it.
    pub creator_id: ActorId,
    pub kind: AttachmentKind,
    /// Absent while it is an upload that was not sent.
    pub message_id: Option<MessageId>,
    /// Its place among the attachments of its message, from 0.
    pub position: i32,
    /// Absent where the contact is a user, whose name depends on who reads it.
    pub name: Option<String>,
    /// Of a file only: what it was said to be, and was found to be.
    pub media_type: Option<String>,
    /// Of a file only: bytes.
    pub size: Option<i64>,
    /// Of a file only: the name of its bytes, once all of them are there.
    pub object: Option<Uuid>,
    /// Of an image only, in pixels, as it is looked at.
    pub width: Option<i32>,
    /// Of an image only, in pixels, as it is looked at.
    pub height: Option<i32>,
    /// Of an image only: the media type of its preview.
    pub preview_type: Option<String>,
    /// Of a link only.
    pub url: Option<String>,
    /// Of a contact only: who it is, where it is somebody of the organization.
    pub actor_id: Option<ActorId>,
    /// Of a contact only: where to reach them, where it is anybody else.
    pub address: Option<String>,
    pub created_at: Timestamp,
    /// Since when it is there for nobody; its bytes follow.
    pub removed_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
