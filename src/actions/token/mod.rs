//! Access tokens.

mod authenticate;
mod issue;
pub(super) mod jws;
pub(super) mod jwt_hmac;
mod renew;
pub(super) mod revoke;
mod secret;
pub(super) mod sign;

pub use issue::{IssueToken, TokenSubject};
pub use secret::Secret;
pub use sign::IssuedToken;
