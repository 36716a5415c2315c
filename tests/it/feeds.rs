//! Feeds: what a whole desk, a visitor's page and any list of chats are told, and that nobody who applies it is
//! ever left with a wrong picture.

mod desk;
mod matrix;
mod picture;
mod returning;
