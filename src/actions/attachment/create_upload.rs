//! Grants an upload: a signed link, within the quotas of its sender.

use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Error, Result};
use crate::domain::media::{self, Looks};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::{Quota, Refused};
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, attachments, upload_usage};
use chrono::TimeDelta;
use entity::{AttachmentKind, ChatId, Timestamp, attachment};

/// The period of a visitor's upload quota.
const DAY: TimeDelta = TimeDelta::days(1);

/// Upload quotas in bytes. An absent quota is unlimited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// The quota of one visitor within 24 hours.
    pub of_visitor: Option<u64>,
    /// The storage quota of one organization.
    pub of_organization: Option<u64>,
}

/// An upload to grant.
#[derive(Clone, Debug)]
pub struct CreateUpload {
    /// The chat that the upload is for.
    pub chat_id: ChatId,
    /// The file's name, 1 to 200 characters.
    pub name: String,
    /// The file's media type.
    pub media_type: String,
    /// The file's size in bytes.
    pub size: i64,
}

/// An upload that was granted.
pub struct GrantedUpload {
    /// The attachment that the upload becomes.
    pub attachment: attachment::Model,
    /// The signed URL for the PUT request.
    pub url: String,
    /// The time by which the PUT request must begin.
    pub expires_at: Timestamp,
}

impl Actions {
    /// Grants an upload to a viewer who may send in the chat.
    pub async fn create_upload(&self, viewer: &Viewer, input: CreateUpload) -> Result<GrantedUpload> {
        let permit = self.permit(viewer, Verb::Upload)?;
        let size = u64::try_from(input.size).unwrap_or_default();
        if !self.0.files.has_room(size).await {
            return Err(Error::Unavailable("the disk for files has too little space left".into()));
        }
        let Quotas { of_visitor, of_organization } = self.0.quotas;
        if let Some(limit) = of_organization {
            let stored = attachments::sum_of_organization(&self.0.store, viewer.organization_id).await?;
            if stored.saturating_add(size) > limit {
                let quota = Quota::Organization { limit };
                return Err(Refused::QuotaExceeded { field: "size".into(), quota }.into());
            }
        }
        let largest = self.0.files.largest();
        let attachment = permit.write(grant, (input, largest, of_visitor)).await?.value;
        let (url, expires_at) = self.0.files.links().to_upload(attachment.id, self.now());
        Ok(GrantedUpload { attachment, url, expires_at })
    }
}

async fn grant(
    tx: &mut Tx,
    viewer: Viewer,
    (input, largest, quota): (CreateUpload, u64, Option<u64>),
) -> Result<attachment::Model> {
    let CreateUpload { chat_id, mut name, media_type, size } = input;
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    text::name("name", &mut name)?;
    let media_type = media::essence("mediaType", &media_type)?;
    let kept_as =
        media::kept_as(&media_type).ok_or(Refused::UnsupportedMedia { field: "mediaType".into() })?;
    let looks = media::looks(kept_as).unwrap_or(Looks::Unknown);
    check_size(size, looks, largest)?;
    if !place.access.sends() {
        return Err(Refused::NotParticipant.into());
    }
    crate::actions::write::refuse_ended(tx)?;
    if attachments::count_unsent(tx, viewer.actor_id).await? >= limits::UNSENT_UPLOADS {
        let reason = "You have 100 uploads that were not sent. Send some, or wait until they are removed.";
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    if let Some(limit) = quota.filter(|_| policy::has_upload_quota(&viewer)) {
        let sum = upload_usage::add(tx, viewer.actor_id, size, DAY).await?;
        if u64::try_from(sum).unwrap_or_default() > limit {
            return Err(
                Refused::QuotaExceeded { field: "size".into(), quota: Quota::Visitor { limit } }.into()
            );
        }
    }
    let row = attachment::Model {
        name: Some(name),
        media_type: Some(kept_as.to_owned()),
        size: Some(size),
        ..crate::actions::attachment::attach::blank(tx, &viewer, AttachmentKind::File)?
    };
    attachments::insert(tx, vec![row.clone()]).await?;
    Ok(row)
}

fn check_size(size: i64, looks: Looks, largest: u64) -> Result<()> {
    let field = "size";
    let size = u64::try_from(size).unwrap_or_default();
    if size == 0 {
        return Err(Refused::Invalid { field: field.into(), reason: "`size` must be at least 1." }.into());
    }
    let is_image = matches!(looks, Looks::Picture | Looks::Heif);
    let limit = if is_image { largest.min(limits::IMAGE_BYTES) } else { largest };
    if size > limit { Err(Refused::TooLarge { field: field.into(), limit }.into()) } else { Ok(()) }
}
