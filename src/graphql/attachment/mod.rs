//! What is attached to messages, behind one interface.

pub(super) mod input;
pub(super) mod mutation;

use super::actor::{Actor, display_name};
use super::caller::{Caller, caller};
use super::error::{Fault, Result};
use super::id::Kind;
use super::loaders::Seen;
use super::scalar::DateTime;
use crate::domain::policy;
use crate::domain::text::web_url;
use crate::files::Purpose;
use async_graphql::{Context, ID, Interface, Object};
use entity::{AttachmentKind, Timestamp, attachment};

/// Something that is attached to a message.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "id", ty = "ID", desc = "The global id."),
    field(name = "name", ty = "Result<String>", desc = "The name.")
)]
pub(super) enum Attachment {
    File(FileAttachment),
    Link(LinkAttachment),
    Contact(ContactAttachment),
}

impl Attachment {
    pub(super) fn new(row: attachment::Model) -> Self {
        match row.kind {
            AttachmentKind::File => Self::File(FileAttachment(row)),
            AttachmentKind::Link => Self::Link(LinkAttachment(row)),
            AttachmentKind::Contact => Self::Contact(ContactAttachment(row)),
        }
    }
}

fn broken() -> Fault {
    Fault::internal("an attachment lacks what its kind has")
}

/// A file.
#[derive(Clone)]
pub(super) struct FileAttachment(pub attachment::Model);

impl FileAttachment {
    fn link(&self, caller: &Caller, purpose: Purpose) -> (String, Timestamp) {
        caller.actions.files().links().to_file(purpose, self.0.id, caller.actions.now())
    }
}

/// A file. While it is an upload that was not sent, its uploader alone sees it, for a day.
#[Object]
impl FileAttachment {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::FileAttachment.encode(self.0.id.0)
    }

    /// The name that the uploader gave. A name to show, not to write to a disk unseen.
    pub(super) async fn name(&self) -> Result<String> {
        self.0.name.clone().ok_or_else(broken)
    }

    /// Media type of the file, such as `image/png`: what its uploader said, where the bytes begin as such files
    /// do, and
    /// `application/octet-stream` otherwise. It may change when the bytes arrive.
    async fn media_type(&self) -> Result<&str> {
        self.0.media_type.as_deref().ok_or_else(broken)
    }

    /// Size in bytes. It may shrink when the bytes arrive: by default the metadata of PNG, JPEG, GIF and WebP images
    /// (place, camera, times, texts) is removed, but for their orientation and color profile.
    async fn size(&self) -> Result<i32> {
        self.0.size.and_then(|size| i32::try_from(size).ok()).ok_or_else(broken)
    }

    /// For a PNG, JPEG, GIF or WebP image, its width in pixels as it is looked at. Null for other files, and until
    /// it is
    /// uploaded.
    async fn width(&self) -> Option<i32> {
        self.0.width
    }

    /// For a PNG, JPEG, GIF or WebP image, its height in pixels as it is looked at. Null for other files, and
    /// until it
    /// is uploaded.
    async fn height(&self) -> Option<i32> {
        self.0.height
    }

    /// The URL at which anybody who has it can fetch the file until `urlExpiresAt`, without a token; for 15
    /// minutes at
    /// least. It is answered as a download (`Content-Disposition: attachment`), which an `img` shows all the same,
    /// and
    /// in parts where `Range` asks for them. Within a quarter of an hour it is the same URL. Until the file is
    /// uploaded
    /// there is nothing at it.
    async fn url(&self, context: &Context<'_>) -> Result<String> {
        Ok(self.link(caller(context)?, Purpose::File).0)
    }

    /// Until when the URLs work: fetch the attachment again for new ones.
    async fn url_expires_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.link(caller(context)?, Purpose::File).1))
    }

    /// For a PNG, JPEG, GIF or WebP image, the URL of a preview that can be fetched until `urlExpiresAt`, a PNG or
    /// a JPEG
    /// with at most 320 pixels on each side. Null for other files, for images that take more than about 200 MiB to
    /// decode, and until it is uploaded.
    async fn preview_url(&self, context: &Context<'_>) -> Result<Option<String>> {
        if self.0.preview_type.is_none() {
            return Ok(None);
        }
        Ok(Some(self.link(caller(context)?, Purpose::Preview).0))
    }
}

/// A link to a page.
#[derive(Clone)]
pub(super) struct LinkAttachment(pub attachment::Model);

/// A link to a page.
#[Object]
impl LinkAttachment {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::LinkAttachment.encode(self.0.id.0)
    }

    /// The name that the sender gave, or else the host of the URL.
    pub(super) async fn name(&self) -> Result<String> {
        self.0.name.clone().ok_or_else(broken)
    }

    /// The URL of the page: http or https, in the normal form that browsers give it. It is not checked any further.
    async fn url(&self) -> Result<String> {
        let stored = self.0.url.as_deref().ok_or_else(broken)?;
        // Stored before URLs were normalized, it may mean another place within a page.
        Ok(web_url(stored).map_or_else(|| stored.to_owned(), Into::into))
    }
}

/// Somebody to get in touch with.
#[derive(Clone)]
pub(super) struct ContactAttachment(pub attachment::Model);

/// Somebody to get in touch with: an actor of the organization, or an address.
#[Object]
impl ContactAttachment {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::ContactAttachment.encode(self.0.id.0)
    }

    /// The name: what the sender gave, or else the actor's name, as this viewer may see it, or the address.
    pub(super) async fn name(&self, context: &Context<'_>) -> Result<String> {
        if let Some(name) = self.0.name.as_ref().or(self.0.address.as_ref()) {
            return Ok(name.clone());
        }
        let (caller, id) = (caller(context)?, self.0.actor_id.ok_or_else(broken)?);
        Ok(display_name(policy::names(&caller.viewer), &caller.need(id).await?))
    }

    /// The actor. Null for an address, and where this viewer does not see them.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        match self.0.actor_id {
            Some(id) => Ok(caller(context)?.load(Seen(id)).await?.and_then(Actor::new)),
            None => Ok(None),
        }
    }

    /// The address: a telephone number, an e-mail address or whatever the sender wrote; null where it is an
    /// actor.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }
}
