//! Anteroom: a self-hosted GraphQL server for conversations.

pub mod clock;
pub mod domain;
pub mod store;
