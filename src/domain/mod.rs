//! The rules of the domain: pure and synchronous, without clock, database or network.

pub mod attachment;
pub mod cart;
pub mod change;
pub mod chat_filter;
pub mod description;
pub mod emoji;
pub mod event;
pub mod field_path;
pub mod global_id;
pub mod limits;
pub mod media;
pub mod message;
pub mod origin;
pub mod page;
pub mod policy;
pub mod refused;
pub mod search;
pub mod session;
pub mod session_action;
pub mod text;
pub mod viewer;
pub mod webhook;
