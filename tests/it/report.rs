//! The report: lists of chats by every filter and in every order, over many of them.

mod filters;
mod orders;
mod plans;
mod stability;
