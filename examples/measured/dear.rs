//! Operations that cost as much as is accepted. What they take is measured by the example `cost` and bounded by a
//! test.

use anteroom::graphql::guard::{DocumentLimits, check};
use serde_json::{Value, json};

/// Documents whose cost grows with the number of `$ids`.
pub const GROWING: [(&str, &str); 7] = [
    (
        "ids of messages",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 100) { nodes { id } } } } }",
    ),
    (
        "messages with everything",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 100) { edges { cursor node { id type
         text createdAt sequence sender { id displayName isOnline lastSeenAt } receiver { displayName } viewerActions
         reactions { emoji count } attachments { id name } chat { id title } } } } } } }",
    ),
    (
        "chats with everything",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { id title viewerActions
         viewerParticipation { unreadCount } participations(first: 10) { totalCount nodes { unreadCount
         actor { displayName } } } presences(first: 10) { nodes { id } } chatSessions(first: 10) { nodes { id } } } } }",
    ),
    (
        "searches",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { searchMessages(query: \"zz\", first: 5) {
         nodes { id } } } } }",
    ),
    (
        "searches of several words",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { a: searchMessages(query: \"zz\") { totalCount }
         b: searchMessages(query: \"zzz\") { totalCount } c: searchMessages(query: \"zz zz\") { totalCount }
         d: searchMessages(query: \"z z z\") { totalCount } } } }",
    ),
    (
        "texts",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 25) { nodes { text } } } } }",
    ),
    (
        "attributes",
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 10) { nodes { sender {
         ... on Visitor { attributes { name value } } } } } } } }",
    ),
];

/// The variables with which a document costs as much as is accepted, and what it costs then. All ids are of one chat.
pub fn dearest(document: &str, chat: &str) -> Option<(Value, u64)> {
    (1..=100).rev().find_map(|count| {
        let variables = json!({ "ids": vec![chat; count] });
        let Value::Object(mut given) = variables.clone() else { return None };
        let checked = check(document, None, &mut given, false, &DocumentLimits::default()).ok()?;
        Some((variables, checked.cost.units))
    })
}
