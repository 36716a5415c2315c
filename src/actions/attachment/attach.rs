//! Attaches files, links and contacts to a message.

use crate::actions::Result;
use crate::domain::attachment::{Attached, NewContact, NewLink};
use crate::domain::field_path::FieldPath;
use crate::domain::policy;
use crate::domain::refused::Refused;
use crate::domain::text::web_url;
use crate::domain::viewer::Viewer;
use crate::store::attachments::{self, Uploads};
use crate::store::{Tx, actors};
use entity::{
    ActorId, ActorType, AttachmentId, AttachmentKind, MessageId, OrganizationId, actor, attachment, message,
};
use std::collections::HashMap;

/// An attachment of the locked chat, without content.
pub(super) fn blank(tx: &Tx, viewer: &Viewer, kind: AttachmentKind) -> Result<attachment::Model> {
    Ok(attachment::Model {
        id: AttachmentId(tx.new_id()),
        organization_id: viewer.organization_id,
        chat_id: tx.chat()?.id,
        creator_id: viewer.actor_id,
        kind,
        message_id: None,
        position: 0,
        name: None,
        media_type: None,
        size: None,
        object: None,
        width: None,
        height: None,
        preview_type: None,
        url: None,
        actor_id: None,
        address: None,
        created_at: tx.now(),
        removed_at: None,
    })
}

/// Attaches everything to a message that was just written. The caller has checked that it can be attached.
pub(in crate::actions) async fn attach(
    tx: &Tx,
    viewer: &Viewer,
    message: &message::Model,
    attached: &Attached,
) -> Result<()> {
    let Attached { files, links, contacts } = attached;
    let mut position = 0;
    for (index, id) in files.iter().enumerate() {
        attach_file(tx, viewer, *id, message.id, index).await?;
        position += 1;
    }
    let actors = contact_actors(tx, viewer, contacts).await?;
    let mut rows = Vec::new();
    for link in links {
        let blank = blank(tx, viewer, AttachmentKind::Link)?;
        rows.push(attachment::Model { name: Some(link.name()), url: Some(link.url.clone()), ..blank });
    }
    for contact in contacts {
        let NewContact { actor_id, address, name } = contact.clone();
        let name = name.or_else(|| actor_id.and_then(|id| actors.get(&id)).and_then(own_name));
        let blank = blank(tx, viewer, AttachmentKind::Contact)?;
        rows.push(attachment::Model { name, actor_id, address, ..blank });
    }
    for row in &mut rows {
        (row.message_id, row.position) = (Some(message.id), position);
        position += 1;
    }
    if !rows.is_empty() {
        attachments::insert(tx, rows).await?;
    }
    Ok(())
}

/// Attaches an upload. An upload of somebody else, or for another chat, is not found.
async fn attach_file(
    tx: &Tx,
    viewer: &Viewer,
    id: AttachmentId,
    message_id: MessageId,
    index: usize,
) -> Result<()> {
    let position = i32::try_from(index).unwrap_or(i32::MAX);
    let field = FieldPath::of("attachmentIds").item(index);
    let uploads = Uploads {
        organization_id: viewer.organization_id,
        chat_id: tx.chat()?.id,
        creator_id: viewer.actor_id,
    };
    if attachments::attach(tx, uploads, id, message_id, position).await? {
        return Ok(());
    }
    let found = attachments::find_many_in_organization(tx, uploads.organization_id, &[id]).await?;
    let is_own = |row: &attachment::Model| {
        row.kind == AttachmentKind::File
            && row.chat_id == uploads.chat_id
            && row.creator_id == uploads.creator_id
    };
    let reason = match found.first().filter(|row| is_own(row)) {
        None => return Err(Refused::NotFound { what: "upload", field }.into()),
        Some(row) if row.message_id.is_some() => "The file was already sent. Upload it again.",
        Some(_) => "The upload of the file is not complete.",
    };
    Err(Refused::Invalid { field, reason }.into())
}

async fn contact_actors(
    tx: &Tx,
    viewer: &Viewer,
    contacts: &[NewContact],
) -> Result<HashMap<ActorId, actor::Model>> {
    let named = contacts.iter().enumerate();
    let named: Vec<_> = named.filter_map(|(index, contact)| Some((index, contact.actor_id?))).collect();
    let ids: Vec<_> = named.iter().map(|(_, id)| *id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = actors::find_many_in_organization(tx, viewer.organization_id, &ids).await?;
    let seen = found.into_iter().filter(|actor| policy::sees_actor(viewer, actor));
    let seen: HashMap<_, _> = seen.map(|actor| (actor.id, actor)).collect();
    match named.iter().find(|(_, id)| !seen.contains_key(id)) {
        None => Ok(seen),
        Some((index, _)) => {
            let field = FieldPath::of("contacts").item(*index).field("actorId");
            Err(Refused::NotFound { what: "actor", field }.into())
        }
    }
}

/// The name to store with a contact. A visitor's name is stored for readers who cannot see the visitor; a
/// user's name depends on the reader and is not stored.
fn own_name(actor: &actor::Model) -> Option<String> {
    match actor.actor_type {
        ActorType::Visitor => actor.name.clone(),
        ActorType::User | ActorType::ApiClient => None,
    }
}

/// Whether a message has exactly these attachments.
pub(in crate::actions) async fn is_same(
    tx: &Tx,
    organization_id: OrganizationId,
    message_id: MessageId,
    attached: &Attached,
) -> Result<bool> {
    let rows = attachments::list_of_each(tx, organization_id, &[message_id]).await?;
    let Attached { files, links, contacts } = attached;
    let (mut files, mut links, mut contacts) = (files.iter(), links.iter(), contacts.iter());
    let is_same = rows.iter().all(|row| match row.kind {
        AttachmentKind::File => files.next() == Some(&row.id),
        AttachmentKind::Link => links.next().is_some_and(|link| is_link(row, link)),
        AttachmentKind::Contact => contacts.next().is_some_and(|contact| is_contact(row, contact)),
    });
    Ok(is_same && files.next().is_none() && links.next().is_none() && contacts.next().is_none())
}

fn is_link(row: &attachment::Model, link: &NewLink) -> bool {
    // Rows from before URLs were normalized must still compare as equal.
    let stored = row.url.as_deref().and_then(web_url).map(String::from);
    stored.as_ref() == Some(&link.url) && row.name == Some(link.name())
}

fn is_contact(row: &attachment::Model, contact: &NewContact) -> bool {
    let NewContact { actor_id, address, name } = contact;
    row.actor_id == *actor_id && row.address == *address && (name.is_none() || row.name == *name)
}
