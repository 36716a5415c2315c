//! The widget's door: what a visitor on a page of the organization's site may do, and from where.

mod identity;
mod leaving;
mod origins;
mod refreshing;
mod signing_in;
