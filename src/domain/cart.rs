//! The rules for shopping carts, and their totals.

use super::field_path::FieldPath;
use super::refused::Refused;
use super::{limits, text};
use entity::{Decimal, Money, shopping_cart_product};

/// A product of a cart to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product's id in the shop.
    pub external_id: String,
    /// The name of the product.
    pub name: String,
    /// The description of the product.
    pub description: Option<String>,
    /// The category of the product.
    pub category: Option<String>,
    /// The product number in the shop.
    pub product_number: Option<String>,
    /// The price of one item.
    pub price: Option<Money>,
    /// The number of items.
    pub quantity: Option<i32>,
    /// The monthly price of one item.
    pub monthly_price: Option<Money>,
    /// The number of items that are paid monthly.
    pub monthly_quantity: Option<i32>,
    /// The number of items in stock.
    pub stock_balance: Option<i32>,
}

/// Checks a currency: three capital letters, as in ISO 4217.
pub fn currency(field: impl Into<FieldPath>, code: &str) -> Result<(), Refused> {
    if code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase()) {
        Ok(())
    } else {
        Err(Refused::Invalid {
            field: field.into(),
            reason: "A currency must be three capital letters, such as `EUR`.",
        })
    }
}

/// Checks the products of one cart: no duplicates, all values within bounds. Removes bidirectional controls
/// from the shown texts.
pub fn products(field: impl Into<FieldPath>, products: &mut [Product]) -> Result<(), Refused> {
    let field = field.into();
    if products.len() > limits::PRODUCTS {
        return Err(Refused::TooMany { field, limit: limits::PRODUCTS });
    }
    for index in 0..products.len() {
        let (before, rest) = products.split_at_mut(index);
        let Some(product) = rest.first_mut() else { break };
        let of = |name| field.item(index).field(name);
        text::external_id(of("externalId"), &product.external_id)?;
        if before.iter().any(|other| other.external_id == product.external_id) {
            let reason = "Each product must have a unique `externalId`.";
            return Err(Refused::Invalid { field: of("externalId"), reason });
        }
        text::name(of("name"), &mut product.name)?;
        for (name, line) in
            [("category", &mut product.category), ("productNumber", &mut product.product_number)]
        {
            if let Some(line) = line {
                text::remove_bidi_controls(line);
                text::line(of(name), line, limits::NAME)?;
            }
        }
        if let Some(description) = &product.description {
            text::note(of("description"), description, limits::DETAIL)?;
        }
        for (name, price) in [("price", product.price), ("monthlyPrice", product.monthly_price)] {
            price.map_or(Ok(()), |price| amount(of(name), price))?;
        }
        for (name, quantity) in
            [("quantity", product.quantity), ("monthlyQuantity", product.monthly_quantity)]
        {
            if quantity.is_some_and(|quantity| !(0..=limits::QUANTITY).contains(&quantity)) {
                let reason = "A quantity must be 0–1,000,000.";
                return Err(Refused::Invalid { field: of(name), reason });
            }
        }
    }
    Ok(())
}

fn amount(field: FieldPath, Money(amount): Money) -> Result<(), Refused> {
    let is_exact = amount.normalize().scale() <= limits::MONEY_DECIMALS;
    if is_exact && amount.abs() <= Decimal::from(limits::MONEY) {
        Ok(())
    } else {
        let reason = "A price can have up to 12 digits before the decimal point and 4 after it.";
        Err(Refused::Invalid { field, reason })
    }
}

/// The total and the monthly total of products. An unknown quantity counts as one.
#[must_use]
pub fn totals(products: &[shopping_cart_product::Model]) -> (Money, Money) {
    let there = || products.iter().filter(|product| product.deleted_at.is_none());
    let of = |price: Option<Money>, quantity: Option<i32>| {
        price.map_or(Decimal::ZERO, |Money(price)| price * Decimal::from(quantity.unwrap_or(1)))
    };
    (
        Money(there().map(|product| of(product.price, product.quantity)).sum()),
        Money(there().map(|product| of(product.monthly_price, product.monthly_quantity)).sum()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(price: &str) -> Product {
        Product {
            external_id: "a".into(),
            name: "A".into(),
            description: None,
            category: None,
            product_number: None,
            price: price.parse().ok(),
            quantity: None,
            monthly_price: None,
            monthly_quantity: None,
            stock_balance: None,
        }
    }

    #[test]
    fn amounts_are_exact_and_bounded() {
        for price in ["0", "-5", "499.90", "0.0001", "0.00010", "999999999999"] {
            assert_eq!(products("products", &mut [product(price)]), Ok(()), "{price}");
        }
        for price in ["0.00001", "1000000000000.0001", "-1000000000001"] {
            assert!(
                matches!(products("products", &mut [product(price)]), Err(Refused::Invalid { .. })),
                "{price}"
            );
        }
        let shown = |text: &str| text.parse().map(|money: Money| money.to_string()).ok();
        assert_eq!(shown("499.9").as_deref(), Some("499.90"));
        assert_eq!(shown("5").as_deref(), Some("5.00"));
        assert_eq!(shown("0.1230").as_deref(), Some("0.123"));
    }

    #[test]
    fn a_product_stands_once_in_a_cart() {
        let mut twice = [product("1"), product("2")];
        assert!(matches!(products("products", &mut twice), Err(Refused::Invalid { .. })));
        let mut many: Vec<_> = (0..=limits::PRODUCTS)
            .map(|number| Product { external_id: number.to_string(), ..product("1") })
            .collect();
        assert!(matches!(products("products", &mut many), Err(Refused::TooMany { .. })));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(currency("currency", "EUR"), Ok(()));
        for code in ["", "eur", "EURO", "€", "E1R"] {
            assert!(matches!(currency("currency", code), Err(Refused::Invalid { .. })), "{code}");
        }
    }
}
