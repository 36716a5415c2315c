//! Pages of lists of several chats.

use crate::domain::page::Page;
use entity::ChatId;
use std::collections::HashMap;

/// The same page of a list for each of several chats.
pub type PageOfEach<T> = HashMap<ChatId, Page<T>>;

pub(super) fn empty<T>() -> Page<T> {
    Page { rows: Vec::new(), has_previous: false, has_next: false, total: None }
}
