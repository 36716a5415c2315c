//! Attachments of messages, behind one interface.

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

/// An attachment of a message: a file, a link or a contact.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "id", ty = "ID", desc = "The global id, for `node(id:)`."),
    field(name = "name", ty = "Result<String>", desc = "The name of the attachment to show.")
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

/// A file that is attached to a message.
#[derive(Clone)]
pub(super) struct FileAttachment(pub attachment::Model);

impl FileAttachment {
    fn link(&self, caller: &Caller, purpose: Purpose) -> (String, Timestamp) {
        caller.actions.files().links().to_file(purpose, self.0.id, caller.actions.now())
    }
}

/// A file that is attached to a message. Until it is sent, only its uploader can see it, for up to 24 hours.
#[Object]
impl FileAttachment {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::FileAttachment.encode(self.0.id.0)
    }

    /// The file name that the uploader gave. Do not use it as a path on a disk without checking it.
    pub(super) async fn name(&self) -> Result<String> {
        self.0.name.clone().ok_or_else(broken)
    }

    /// The media type of the file, such as `image/png`. It changes to `application/octet-stream` when the
    /// upload completes if the content does not match the declared type.
    async fn media_type(&self) -> Result<&str> {
        self.0.media_type.as_deref().ok_or_else(broken)
    }

    /// The size in bytes. It can shrink when the upload completes, because by default the server removes the
    /// metadata of PNG, JPEG, GIF and WebP images, such as place, camera and times. Orientation and color
    /// profile are kept.
    async fn size(&self) -> Result<i32> {
        self.0.size.and_then(|size| i32::try_from(size).ok()).ok_or_else(broken)
    }

    /// The width in pixels of a PNG, JPEG, GIF or WebP image, after rotation. Null for other files, or until
    /// the upload completes.
    async fn width(&self) -> Option<i32> {
        self.0.width
    }

    /// The height in pixels of a PNG, JPEG, GIF or WebP image, after rotation. Null for other files, or until
    /// the upload completes.
    async fn height(&self) -> Option<i32> {
        self.0.height
    }

    /// A URL that downloads the file without a token until `urlExpiresAt`, at least 15 minutes from now. It
    /// does not change until then, so browsers can cache the file. The response has `Content-Disposition:
    /// attachment`, works in `<img src>`, and supports `Range` requests. It is 404 until the upload
    /// completes.
    async fn url(&self, context: &Context<'_>) -> Result<String> {
        Ok(self.link(caller(context)?, Purpose::File).0)
    }

    /// The time at which `url` and `previewUrl` expire. Fetch the attachment again for new ones.
    async fn url_expires_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(self.link(caller(context)?, Purpose::File).1))
    }

    /// The URL of a preview image for `<img src>`: a PNG or JPEG of at most 320 pixels on each side, without a
    /// token, until `urlExpiresAt`. Null for files other than PNG, JPEG, GIF and WebP images, for images that
    /// need more than about 200 MiB to decode, or until the upload completes.
    async fn preview_url(&self, context: &Context<'_>) -> Result<Option<String>> {
        if self.0.preview_type.is_none() {
            return Ok(None);
        }
        Ok(Some(self.link(caller(context)?, Purpose::Preview).0))
    }
}

/// A link to a web page, attached to a message.
#[derive(Clone)]
pub(super) struct LinkAttachment(pub attachment::Model);

/// A link to a web page, attached to a message.
#[Object]
impl LinkAttachment {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::LinkAttachment.encode(self.0.id.0)
    }

    /// The name that the sender gave. Default: the host of the URL.
    pub(super) async fn name(&self) -> Result<String> {
        self.0.name.clone().ok_or_else(broken)
    }

    /// The normalized URL of the page: http or https. The server does not check the target.
    async fn url(&self) -> Result<String> {
        let stored = self.0.url.as_deref().ok_or_else(broken)?;
        // A URL that was stored before URLs were normalized could be read differently within a page.
        Ok(web_url(stored).map_or_else(|| stored.to_owned(), Into::into))
    }
}

/// A contact that is attached to a message.
#[derive(Clone)]
pub(super) struct ContactAttachment(pub attachment::Model);

/// A contact that is attached to a message: an actor of the organization, or an address.
#[Object]
impl ContactAttachment {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::ContactAttachment.encode(self.0.id.0)
    }

    /// The name that the sender gave. Default: the actor's name that this viewer can see, or the address.
    pub(super) async fn name(&self, context: &Context<'_>) -> Result<String> {
        if let Some(name) = self.0.name.as_ref().or(self.0.address.as_ref()) {
            return Ok(name.clone());
        }
        let (caller, id) = (caller(context)?, self.0.actor_id.ok_or_else(broken)?);
        Ok(display_name(policy::names(&caller.viewer), &caller.need(id).await?))
    }

    /// The actor. Null if the contact is an address or the viewer cannot see the actor.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        match self.0.actor_id {
            Some(id) => Ok(caller(context)?.load(Seen(id)).await?.and_then(Actor::new)),
            None => Ok(None),
        }
    }

    /// The address that the sender gave, such as a telephone number or an email address. Null if the contact
    /// is an actor.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }
}
