//! Anteroom: a self-hosted GraphQL server for conversations.

pub mod actions;
pub mod clock;
pub mod domain;
pub mod live;
pub mod store;
