//! The widget: what a visitor on a page of the organization's website can do, and from which origins.

mod identity;
mod leaving;
mod origins;
mod refreshing;
mod signing_in;
