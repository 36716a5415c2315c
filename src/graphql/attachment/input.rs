//! Inputs for attachments of a message.

use super::super::id::{Halt, Kind, expect_actor};
use crate::domain::attachment::{Attached, NewContact, NewLink};
use crate::domain::field_path::FieldPath;
use async_graphql::{ID, InputObject, OneofObject};
use entity::AttachmentId;

/// A web page to attach as a link.
#[derive(InputObject)]
pub(in crate::graphql) struct LinkInput {
    /// The URL of the page: http or https, up to 2,048 characters, without a user name or password. It is
    /// normalized as in browsers: `https:e.org` becomes `https://e.org/`.
    url: String,
    /// The name to show: 1–200 characters, at least one of them visible. Bidirectional control characters are
    /// removed. Default: the host of the URL.
    name: Option<String>,
}

/// A contact to attach: an actor of the organization, or a card with an address.
#[derive(OneofObject)]
pub(in crate::graphql) enum ContactInput {
    /// The id of a user or visitor whom the viewer can see.
    ActorId(ID),
    /// A card with an address and a name.
    Card(ContactCardInput),
}

/// A contact card with an address and a name.
#[derive(InputObject)]
pub(in crate::graphql) struct ContactCardInput {
    /// A telephone number, an email address or similar: 1–320 characters on one line.
    address: String,
    /// The name to show: 1–200 characters, at least one of them visible. Bidirectional control characters are
    /// removed. Default: the address.
    name: Option<String>,
}

/// The attachments that the input of a message asks for.
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
