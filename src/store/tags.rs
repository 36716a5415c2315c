//! The index of chats by their tags.

use super::{Result, Rows, Tx};
use entity::{chat, chat_tag};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

/// Adds tags of the locked chat to the index. They must be new.
pub async fn insert(tx: &Tx, tags: &[String]) -> Result<()> {
    let chat = tx.chat()?;
    let rows = tags.iter().map(|tag| row(chat, tag).into_active_model());
    chat_tag::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Removes tags of the locked chat from the index.
pub async fn delete(tx: &Tx, tags: &[String]) -> Result<()> {
    chat_tag::Entity::delete_many()
        .filter(chat_tag::Column::ChatId.eq(tx.chat()?.id))
        .filter(chat_tag::Column::Tag.is_in(tags))
        .exec(tx.connection())
        .await?;
    Ok(())
}

fn row(chat: &chat::Model, tag: &str) -> chat_tag::Model {
    chat_tag::Model {
        organization_id: chat.organization_id,
        tag: tag.to_owned(),
        started_at: chat.started_at,
        chat_id: chat.id,
    }
}
