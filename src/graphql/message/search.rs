//! Searching messages.

use super::super::caller::{Caller, caller};
use super::super::connection::{Bounds, List, PageArguments, PageInfo};
use super::super::enums::TextMatch;
use super::super::error::{Fault, Result};
use super::super::id::Kind;
use super::Message;
use crate::actions::{Found, SearchIn};
use crate::domain::page::{Key, PageRequest};
use crate::domain::search::{Part, Query, snippet};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ActorId, chat};

/// A filter for the messages to search.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "MessageSearchFilter")]
pub(in crate::graphql) struct MessageSearchFilterInput {
    /// Matches messages in chats with this visitor.
    visitor_id: Option<ID>,
}

/// A part of a hit's text. Show the parts in order. Together they are the text around the first match.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SnippetPart {
    /// The text of this part. An ellipsis marks text that was cut off.
    text: String,
    /// True if this part matches the query, so that you can highlight it.
    is_match: bool,
}

/// A hit of a search. To show it among its neighbors, pass the message's id as `around` of `Chat.messages`.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MessageSearchEdge {
    /// The position of the hit in the results. Pass it as `after` or `before` to the same search.
    cursor: String,
    /// The text around the first match, in parts.
    snippet: Vec<SnippetPart>,
    /// The message that was found.
    node: Message,
}

/// A page of hits, newest first.
pub(in crate::graphql) struct MessageSearchConnection {
    edges: Vec<MessageSearchEdge>,
    bounds: Bounds,
}

/// A page of hits, newest first.
#[Object]
impl MessageSearchConnection {
    /// The hits of this page with their cursors.
    async fn edges(&self) -> &[MessageSearchEdge] {
        &self.edges
    }

    /// The messages of this page, without cursors.
    async fn nodes(&self) -> Vec<&Message> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// The position of the page in the results. Both `hasNextPage` and `hasPreviousPage` are always exact.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.bounds.has_previous,
            has_next_page: self.bounds.has_next,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// The number of hits on all pages, counted up to 1,000. Show 1,000 as "1,000 or more". The server counts
    /// hits only if this field is selected.
    async fn total_count(&self) -> Result<i32> {
        self.bounds.total()
    }
}

impl MessageSearchConnection {
    fn new(found: Found, query: &Query, cursor: impl Fn(Key) -> String) -> Self {
        let bounds = Bounds::of(&found);
        let edges = found.rows.into_iter().map(|(key, row)| {
            let parts = snippet(row.message.text.as_deref().unwrap_or_default(), query);
            let snippet = parts.into_iter().map(|Part { text, is_match }| SnippetPart { text, is_match });
            MessageSearchEdge { cursor: cursor(key), snippet: snippet.collect(), node: Message(row) }
        });
        Self { edges: edges.collect(), bounds }
    }
}

/// The arguments of a search.
pub(in crate::graphql) struct SearchArguments<'a> {
    pub query: &'a str,
    pub matching: TextMatch,
    pub filter: Option<MessageSearchFilterInput>,
    pub include_archived: bool,
    pub page: PageArguments,
}

/// Searches one chat.
pub(in crate::graphql) async fn search_chat(
    context: &Context<'_>,
    chat: &chat::Model,
    arguments: SearchArguments<'_>,
) -> Result<MessageSearchConnection> {
    let include_archived = arguments.include_archived;
    // The search is limited to the chat, not to a visitor, so the visitor is compared here.
    hits(context, List::of("searchMessages", chat.id), arguments, |visitor_id| {
        let is_of_chat = visitor_id.is_none() || visitor_id == chat.visitor_id;
        is_of_chat.then_some(SearchIn { chat_id: Some(chat.id), visitor_id: None, include_archived })
    })
    .await
}

/// Searches all messages of the organization that the viewer can see.
pub(in crate::graphql) async fn search_organization(
    context: &Context<'_>,
    arguments: SearchArguments<'_>,
) -> Result<MessageSearchConnection> {
    let include_archived = arguments.include_archived;
    hits(context, List::named("searchMessages"), arguments, |visitor_id| {
        Some(SearchIn { chat_id: None, visitor_id, include_archived })
    })
    .await
}

/// The hits in a place. Nothing is found if `place` returns `None`.
async fn hits(
    context: &Context<'_>,
    list: List,
    arguments: SearchArguments<'_>,
    place: impl FnOnce(Option<ActorId>) -> Option<SearchIn>,
) -> Result<MessageSearchConnection> {
    let SearchArguments { query, matching, filter, include_archived: _, page } = arguments;
    let page = page.request(context, list)?;
    let MessageSearchFilterInput { visitor_id } = filter.unwrap_or_default();
    let visitor_id = visitor_id.map(|id| Kind::Visitor.decode(&id)).transpose()?;
    let place = match visitor_id {
        // The id of another type of object matches no visitor.
        Some(None) => None,
        Some(Some(id)) => place(Some(ActorId(id))),
        None => place(None),
    };
    let Some(place) = place else {
        let query = checked(query, matching)?;
        return Ok(MessageSearchConnection::new(Found::nothing(), &query, |key| list.cursor(key)));
    };
    let (query, found) = search(caller(context)?, (query, matching), place, &page).await?;
    Ok(MessageSearchConnection::new(found, &query, |key| list.cursor(key)))
}

async fn search(
    caller: &Caller,
    (query, matching): (&str, TextMatch),
    place: SearchIn,
    page: &PageRequest,
) -> Result<(Query, Found)> {
    let query = checked(query, matching)?;
    let _permit = caller.search().await?;
    let found = caller.actions.search_messages(&caller.viewer, place, &query, page).await?;
    Ok((query, found))
}

fn checked(query: &str, matching: TextMatch) -> Result<Query> {
    Query::new(query, matching.into()).map_err(|refused| Fault::bad_input(refused.to_string()))
}
