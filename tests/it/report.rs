//! Reports: lists of many chats by every filter and in every order.

mod filters;
mod orders;
mod plans;
mod stability;
