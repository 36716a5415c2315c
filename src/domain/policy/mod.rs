//! Who may do and see what. No other module decides by role.
//!
//! [`may`] says what a role may do at all. [`ChatAccess`] says what a viewer may do in one chat. It is computed once per
//! request, or once per lock, from the chat's row and the viewer's [`Ties`] to it. `store::access` states as SQL which
//! chats, sessions and messages a viewer sees, and `tests/it/access.rs` compares it with the rules here.
//!
//! What a viewer may not see does not exist for them. [`Forbidden`] is only for what a role may never do.

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
