//! Shopping carts.

mod read;
mod upsert;

pub use read::CartsOf;
pub use upsert::UpsertCart;
