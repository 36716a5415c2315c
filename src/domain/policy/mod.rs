//! Permissions: what each viewer may do and see. No other module makes decisions based on roles.
//!
//! [`may`] checks what a role may do at all. [`ChatAccess`] holds a viewer's permissions in one chat. It is
//! computed once per request, or once per lock, from the chat's row and the viewer's [`Ties`] to it.
//! `store::access` states the visibility of chats, sessions and messages as SQL, and `tests/it/access.rs`
//! compares it with the rules here.
//!
//! Objects that a viewer may not see do not exist for them. [`Forbidden`] is only for actions that a role may
//! never take.

mod access;
mod allowance;
mod content;
mod people;
mod sight;
mod verb;

pub use access::{ChatAccess, Leaving};
pub use allowance::{Allowance, allowance, has_upload_quota};
pub use content::{
    audience_of_session, changed_at, message_reader, sees_all_events, sees_all_sessions, sees_cart,
    sees_entry, sees_message, sees_notes, sees_revisions, sees_session, sees_staff_fields,
};
pub use people::{
    Follows, Names, can_be_involved, can_participate, changes_session, deletes_messages_of_others, follows,
    is_bound_to_rooms, must_name_sender, names, reads_all_own_views, reads_own_views, sees_actor, sees_room,
    session_caller, waits_for_staff,
};
pub use sight::{Ground, Ties, grounds, may_have_been_public, saw_chat, sees_chat};
pub use verb::{Forbidden, Verb, may};
