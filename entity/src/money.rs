//! An exact amount of money, stored as decimal text because SQLite has no exact decimal type.

use sea_orm::DeriveValueType;
use sea_orm::prelude::Decimal;
use std::fmt;
use std::str::FromStr;

/// An amount, with at least two decimals, as in `499.90`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct Money(pub Decimal);

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.0.normalize();
        amount.rescale(amount.scale().max(2));
        amount.fmt(formatter)
    }
}

impl FromStr for Money {
    type Err = <Decimal as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Decimal::from_str_exact(text).map(Self)
    }
}
