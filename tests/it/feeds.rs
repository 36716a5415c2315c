//! Feeds: the updates of a desk, a visitor's page and any list of chats always lead to the state that a query
//! shows.

mod desk;
mod matrix;
mod picture;
mod returning;
