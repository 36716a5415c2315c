//! The conditions of `store::access` select what the rules of `domain::policy` say, for every role and for chats of every
//! type, privacy, visitor, room access, membership, participation, deletion and organization.

mod matrix;
mod states;

use crate::harness::Engine;
use crate::on_both;
use anteroom::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use anteroom::domain::event::MessageRow;
use anteroom::domain::page::{Order, Page, PageRequest};
use anteroom::domain::policy::{self, ChatAccess, Ties};
use anteroom::domain::search::{Matching, Query};
use anteroom::domain::viewer::{Viewer, ViewerRole};
use anteroom::store::chats::ListedChats;
use anteroom::store::messages::Listed;
use anteroom::store::search::Scope;
use anteroom::store::sessions::{ListedSessions, SessionFilter, SessionOrderField};
use anteroom::store::{chats, feed, log, members, messages, participations, rooms, search, sessions};
use entity::{ChatId, RoomId, Timestamp};
use matrix::{Matrix, TEXT, Talk};
use std::collections::BTreeSet;

on_both!(
    chats_are_selected_as_the_policy_says,
    messages_and_sessions_are_selected_as_the_policy_says,
    feeds_and_queues_are_selected_as_the_policy_says,
    rooms_are_selected_as_the_policy_says,
);

/// Larger than the matrix.
const ALL: PageRequest = PageRequest {
    limit: 10_000,
    end: anteroom::domain::page::End::First,
    after: None,
    before: None,
    with_total: true,
};

/// A new role belongs into the matrix: this match does not compile without it.
fn name(role: ViewerRole) -> &'static str {
    match role {
        ViewerRole::Admin => "admin",
        ViewerRole::Supervisor => "supervisor",
        ViewerRole::Operator => "operator",
        ViewerRole::Visitor => "visitor",
        ViewerRole::ApiClient => "API client",
        ViewerRole::Widget => "widget",
    }
}

fn access(viewer: &Viewer, talk: &Talk) -> ChatAccess {
    ChatAccess::of(viewer, &talk.chat, Ties::of(talk.participation_of(viewer)))
}

/// Asserts that a list of chats has exactly those for which the rule holds.
fn assert_chats(
    matrix: &Matrix,
    viewer: &Viewer,
    list: &str,
    found: impl IntoIterator<Item = ChatId>,
    rule: impl Fn(&Talk) -> bool,
) {
    let found: BTreeSet<_> = found.into_iter().collect();
    for talk in &matrix.talks {
        let is_found = found.contains(&talk.chat.id);
        assert_eq!(is_found, rule(talk), "{list} of {}: {talk}", name(viewer.role));
    }
}

fn ids<T, I>(page: Page<T>, id: impl Fn(&T) -> I) -> Vec<I> {
    assert!(!page.has_next && !page.has_previous);
    assert_eq!(page.total, u64::try_from(page.rows.len()).ok());
    page.rows.iter().map(|(_, row)| id(row)).collect()
}

async fn chats_are_selected_as_the_policy_says(engine: Engine) {
    let matrix = Matrix::new(engine).await;
    let store = &matrix.store;
    let order = ChatOrder { field: ChatOrderField::StartedAt, is_descending: false };
    for viewer in &matrix.viewers {
        let sees = |talk: &Talk| access(viewer, talk).sees();
        let seen = matrix.talks.iter().filter(|talk| sees(talk)).count();
        assert_eq!(seen == 0, viewer.widget_room().is_some(), "{}", name(viewer.role));
        assert!(seen < matrix.talks.len() / 2, "{}", name(viewer.role));

        let found = chats::find_many_visible(store, viewer, &matrix.chat_ids()).await.expect("chats");
        assert_chats(&matrix, viewer, "chats by id", found.iter().map(|chat| chat.id), sees);

        let all = ChatFilter::default();
        let listed = |filter| ListedChats { filter, order, include_hidden: true };
        let page = chats::list_visible(store, viewer, listed(&all), &ALL).await.expect("chats");
        assert_chats(&matrix, viewer, "the list", ids(page, |chat| chat.id), sees);

        // Few chats match: they are found by their ids.
        let own = ChatFilter { participant_ids: vec![viewer.actor_id], ..all.clone() };
        let page = chats::list_visible(store, viewer, listed(&own), &ALL).await.expect("chats");
        let is_own = |talk: &Talk| sees(talk) && access(viewer, talk).participates();
        assert_chats(&matrix, viewer, "the list by participant", ids(page, |chat| chat.id), is_own);

        let page = chats::list_inbox(store, viewer, listed(&all), &ALL).await.expect("an inbox");
        assert_chats(&matrix, viewer, "the inbox", ids(page, |chat| chat.id), is_own);

        for talk in &matrix.talks {
            let ties = participations::ties_of(store, talk.chat.id, viewer.actor_id).await.expect("ties");
            assert_eq!(ties, Ties::of(talk.participation_of(viewer)), "{talk}");
        }
    }
}

async fn messages_and_sessions_are_selected_as_the_policy_says(engine: Engine) {
    let matrix = Matrix::new(engine).await;
    let store = &matrix.store;
    let query = Query::new(TEXT, Matching::Folded).expect("a query");
    for viewer in &matrix.viewers {
        let role = name(viewer.role);
        let sees_message = |row: &&MessageRow| policy::sees_message(viewer, row);
        let seen: Vec<_> = matrix.talks.iter().filter(|talk| access(viewer, talk).sees()).collect();
        let seen_ids: Vec<_> = seen.iter().map(|talk| talk.chat.id).collect();

        let listed = Listed { viewer, types: None, include_archived: true };
        let pages = messages::list_of_each(store, &seen_ids, listed, &ALL).await.expect("messages");
        for (talk, page) in seen.iter().zip(pages) {
            let expected: Vec<_> =
                talk.messages.iter().filter(sees_message).map(|row| row.message.id).collect();
            assert_eq!(ids(page, |row| row.message.id), expected, "messages of {role}: {talk}");
            let read = log::messages_after(store, talk.chat.id, viewer, 0, 100).await.expect("messages");
            let read: Vec<_> = read.expect("a chat").messages.iter().map(|row| row.message.id).collect();
            assert_eq!(read, expected, "messages after a position of {role}: {talk}");
        }

        let expected = seen.iter().flat_map(|talk| talk.messages.iter().filter(sees_message));
        let expected: BTreeSet<_> =
            expected.filter(|row| row.message.text.is_some()).map(|row| row.message.id).collect();
        let scope = Scope { viewer, chat_id: None, visitor_id: None, include_archived: true };
        for walked in [0, 10_000] {
            store.set_walked(walked);
            let page = search::page(store, &scope, &query, &ALL).await.expect("hits");
            let found: BTreeSet<_> = page.rows.iter().map(|(_, row)| row.message.id).collect();
            assert_eq!(found, expected, "hits of {role}, {walked} texts walked");
        }

        let rows = || seen.iter().flat_map(|talk| &talk.sessions);
        let expected: BTreeSet<_> = rows()
            .filter(|row| policy::sees_session(viewer, &row.participant_ids))
            .map(|row| row.session.id)
            .collect();
        let order = Order { field: SessionOrderField::CreatedAt, is_descending: false };
        let all = ListedSessions { filter: SessionFilter::default(), order };
        let page = sessions::list_visible(store, viewer, &all, &ALL).await.expect("sessions");
        let found: BTreeSet<_> = ids(page, |row| row.session.id).into_iter().collect();
        assert_eq!(found, expected, "sessions of {role}");

        let pages = sessions::list_of_each(store, viewer, &seen_ids, &all, &ALL).await.expect("sessions");
        let found: BTreeSet<_> = pages.into_iter().flat_map(|page| ids(page, |row| row.session.id)).collect();
        assert_eq!(found, expected, "sessions of each chat of {role}");

        let own = rows().filter(|row| row.has_participant(viewer.actor_id) && !row.session.state.is_over());
        let expected: BTreeSet<_> = own.map(|row| row.session.id).collect();
        let found = sessions::list_not_over_of_viewer(store, viewer, 10_000).await.expect("sessions");
        let found: BTreeSet<_> = found.iter().map(|row| row.session.id).collect();
        assert_eq!(found, expected, "open sessions of {role}");
    }
}

async fn feeds_and_queues_are_selected_as_the_policy_says(engine: Engine) {
    let matrix = Matrix::new(engine).await;
    for viewer in &matrix.viewers {
        for room in &matrix.rooms {
            assert_feed_and_queue(&matrix, viewer, room.id).await;
        }
    }
}

async fn assert_feed_and_queue(matrix: &Matrix, viewer: &Viewer, room_id: RoomId) {
    let (store, since) = (&matrix.store, matrix.between);
    let is_here = |talk: &Talk| {
        talk.chat.room_id == Some(room_id) && talk.chat.organization_id == viewer.organization_id
    };
    let place = feed::Place::Room(room_id);
    let found = feed::changed_in_place(store, viewer, &place, since, None, 10_000).await.expect("changes");
    let has_changed = |talk: &Talk| is_here(talk) && policy::changed_at(viewer, &talk.chat) >= since;
    assert_chats(matrix, viewer, "the feed", found.iter().map(|found| found.chat.id), has_changed);

    let waits =
        |talk: &Talk| is_here(talk) && talk.chat.waiting_since.is_some() && talk.chat.ended_at.is_none();
    let later = Timestamp(i64::MAX);
    let found = feed::queued_in_rooms(store, viewer, &[room_id], later, 10_000).await.expect("a queue");
    assert_chats(matrix, viewer, "the queue", found.iter().map(|queued| queued.chat.id), waits);
    for queued in found {
        let talk = matrix.talks.iter().find(|talk| talk.chat.id == queued.chat.id).expect("a chat");
        let ties = Ties::of(talk.participation_of(viewer));
        assert_eq!(Ties::among(&queued.members, viewer.actor_id), ties, "{talk}");
    }

    if !policy::sees_staff_fields(viewer) {
        return;
    }
    let is_counted = |talk: &&Talk| waits(talk) && access(viewer, talk).sees();
    let expected = i64::try_from(matrix.talks.iter().filter(is_counted).count()).unwrap();
    let counts = rooms::waiting_counts(store, viewer, &[room_id]).await.expect("counts");
    let expected: Vec<_> = (expected > 0).then_some((room_id, expected)).into_iter().collect();
    assert_eq!(counts, expected, "{}", name(viewer.role));
}

async fn rooms_are_selected_as_the_policy_says(engine: Engine) {
    let matrix = Matrix::new(engine).await;
    for viewer in &matrix.viewers {
        let page = rooms::list_visible(&matrix.store, viewer, &ALL).await.expect("rooms");
        let found = ids(page, |room| room.id);
        for room in &matrix.rooms {
            let role = name(viewer.role);
            assert_eq!(found.contains(&room.id), policy::sees_room(viewer, room), "{room:?} of {role}");
        }
        let own = members::list_of_each_actor(&matrix.store, viewer, &[viewer.actor_id], &ALL).await;
        let own = own.expect("rooms").pop().expect("a page").rows;
        let is_widget = viewer.widget_room().is_some();
        assert_eq!(own.len(), if is_widget { 0 } else { 4 }, "rooms of {}", name(viewer.role));
    }
}
