//! An attachment: a file, a link or a contact. A file starts as an upload that belongs to no message yet.

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
    /// The actor who uploaded or sent it.
    pub creator_id: ActorId,
    pub kind: AttachmentKind,
    /// Absent for an unsent upload.
    pub message_id: Option<MessageId>,
    /// The position among the attachments of its message, from 0.
    pub position: i32,
    /// Absent if the contact is a user, because the name to show depends on the reader.
    pub name: Option<String>,
    /// Files only: the declared media type, or the detected one.
    pub media_type: Option<String>,
    /// Files only: the size in bytes.
    pub size: Option<i64>,
    /// Files only: the name of the object in the storage, once the upload is complete.
    pub object: Option<Uuid>,
    /// Images only: the width in pixels, after rotation.
    pub width: Option<i32>,
    /// Images only: the height in pixels, after rotation.
    pub height: Option<i32>,
    /// Images only: the media type of the preview.
    pub preview_type: Option<String>,
    /// Links only: the URL.
    pub url: Option<String>,
    /// Contacts only: the actor, if it is one of the organization.
    pub actor_id: Option<ActorId>,
    /// Contacts only: the address, if it is not an actor.
    pub address: Option<String>,
    pub created_at: Timestamp,
    /// The time of removal. The file's bytes are deleted later.
    pub removed_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
