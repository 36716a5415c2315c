//! What is given to attach to a message.

use super::super::id::{Halt, Kind, expect_actor};
use crate::domain::attachment::{Attached, NewContact, NewLink};
use async_graphql::{ID, InputObject};
use entity::AttachmentId;

/// A link to attach.
#[derive(InputObject)]
pub(in crate::graphql) struct LinkInput {
    /// The URL of the page: http or https, at most 2048 characters, without a user name or password. It is normalized as
    /// browsers do: `https:e.org` becomes `https://e.org/`.
    url: String,
    /// What to call it: 1–200 characters, at least one of them visible; bidirectional controls are removed. The host of
    /// the URL, if absent.
    name: Option<String>,
}

/// A contact to attach: an actor or an address.
#[derive(InputObject)]
pub(in crate::graphql) struct ContactInput {
    /// Who it is: a user or a visitor whom the viewer sees.
    actor_id: Option<ID>,
    /// Or where to reach them: a telephone number, an e-mail address, 1 to 320 characters on one line.
    address: Option<String>,
    /// What to call them: 1–200 characters, at least one of them visible; bidirectional controls are removed. The
    /// actor's name or the address, if absent.
    name: Option<String>,
}

/// What a message has attached.
pub(in crate::graphql) fn attached(
    attachment_ids: Option<Vec<ID>>,
    links: Option<Vec<LinkInput>>,
    contacts: Option<Vec<ContactInput>>,
) -> Result<Attached, Halt> {
    let files = attachment_ids.unwrap_or_default();
    let file = |id: &ID| Kind::FileAttachment.expect(id, "upload", "attachmentIds").map(AttachmentId);
    let link = |LinkInput { url, name }| NewLink { url, name };
    let contact = |ContactInput { actor_id, address, name }| {
        let actor_id = actor_id.map(|id| expect_actor(&id, "contacts")).transpose()?;
        Ok::<_, Halt>(NewContact { actor_id, address, name })
    };
    Ok(Attached {
        files: files.iter().map(file).collect::<Result<_, _>>()?,
        links: links.unwrap_or_default().into_iter().map(link).collect(),
        contacts: contacts.unwrap_or_default().into_iter().map(contact).collect::<Result<_, _>>()?,
    })
}
