//! Removes ended sign-ins.

use crate::actions::{Actions, Result};
use crate::store::{Tx, sign_ins};
use entity::Timestamp;

impl Actions {
    /// Removes ended sign-ins and refresh tokens. Returns whether there may be more.
    pub async fn forget_sign_ins(&self) -> Result<bool> {
        let now = self.now();
        Ok(self.write(forget, now).await?.value)
    }
}

/// The maximum number of rows removed in one transaction.
const ROWS: u64 = 500;

async fn forget(tx: &mut Tx, before: Timestamp) -> Result<bool> {
    Ok(sign_ins::forget_before(tx, before, ROWS).await?)
}
