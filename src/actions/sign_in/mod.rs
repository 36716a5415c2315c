//! Sign-ins of visitors.

pub(super) mod family;
mod forget;
mod identity;
mod sign_in_visitor;
mod sign_out;

pub use family::SignedIn;
pub use sign_in_visitor::SignInVisitor;
