//! What is given to attach to a message.

use super::super::id::{Halt, Kind, expect_actor};
use crate::domain::attachment::{Attached, NewContact, NewLink};
use crate::domain::field_path::FieldPath;
use async_graphql::{ID, InputObject, OneofObject};
use entity::AttachmentId;

/// A link to attach.
#[derive(InputObject)]
pub(in crate::graphql) struct LinkInput {
    /// The URL of the page: http or https, at most 2048 characters, without a user name or password. It is
    /// normalized as
    /// browsers do: `https:e.org` becomes `https://e.org/`.
    url: String,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed. The host of
    /// the URL, if absent.
    name: Option<String>,
}

/// A contact to attach: somebody of the organization or a card with an address.
#[derive(OneofObject)]
pub(in crate::graphql) enum ContactInput {
    /// The id of a user or a visitor that the viewer sees.
    ActorId(ID),
    /// A name and an address.
    Card(ContactCardInput),
}

/// A name and an address to attach as a contact.
#[derive(InputObject)]
pub(in crate::graphql) struct ContactCardInput {
    /// A telephone number, an email address or the like: 1–320 characters on one line.
    address: String,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed. Default: the
    /// address.
    name: Option<String>,
}

/// What a message has attached.
pub(in crate::graphql) fn attached(
    attachment_ids: Option<Vec<ID>>,
    links: Option<Vec<LinkInput>>,
    contacts: Option<Vec<ContactInput>>,
) -> Result<Attached, Halt> {
    let files = attachment_ids.unwrap_or_default();
    let file = |(index, id): (usize, &ID)| {
        let field = FieldPath::of("attachmentIds").item(index);
        Kind::FileAttachment.expect(id, "upload", field).map(AttachmentId)
    };
    let link = |LinkInput { url, name }| NewLink { url, name };
    let contact = |(index, contact)| match contact {
        ContactInput::ActorId(id) => {
            let field = FieldPath::of("contacts").item(index).field("actorId");
            let actor_id = Some(expect_actor(&id, field)?);
            Ok::<_, Halt>(NewContact { actor_id, address: None, name: None })
        }
        ContactInput::Card(ContactCardInput { address, name }) => {
            Ok(NewContact { actor_id: None, address: Some(address), name })
        }
    };
    Ok(Attached {
        files: files.iter().enumerate().map(file).collect::<Result<_, _>>()?,
        links: links.unwrap_or_default().into_iter().map(link).collect(),
        contacts: contacts
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(contact)
            .collect::<Result<_, _>>()?,
    })
}
