//! Reads shopping carts.

use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use crate::store::carts;
use entity::{ShoppingCartId, ShoppingCartProductId, shopping_cart, shopping_cart_product};
use std::collections::HashMap;

pub use crate::store::carts::CartsOf;

impl Actions {
    /// Lists the same page of carts for each owner. The caller has checked that the viewer sees
    /// the visitors or chats.
    pub async fn carts_of_each(
        &self,
        viewer: &Viewer,
        places: &[CartsOf],
        is_descending: bool,
        page: &PageRequest,
    ) -> Result<HashMap<CartsOf, Page<shopping_cart::Model>>> {
        let (store, organization_id) = (&self.0.store, viewer.organization_id);
        let pages = carts::list_of_each(store, organization_id, places, is_descending, page).await?;
        Ok(places.iter().copied().zip(pages).collect())
    }

    /// Filters carts by visibility to the viewer.
    pub async fn visible_carts(
        &self,
        viewer: &Viewer,
        ids: &[ShoppingCartId],
    ) -> Result<Vec<shopping_cart::Model>> {
        let mut found = carts::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|cart| policy::sees_cart(viewer, cart));
        Ok(found)
    }

    /// Filters products by visibility of their carts.
    pub async fn visible_products(
        &self,
        viewer: &Viewer,
        ids: &[ShoppingCartProductId],
    ) -> Result<Vec<shopping_cart_product::Model>> {
        let mut found = carts::find_products(&self.0.store, ids).await?;
        let cart_ids: Vec<_> = found.iter().map(|product| product.cart_id).collect();
        let seen = self.visible_carts(viewer, &cart_ids).await?;
        found.retain(|product| seen.iter().any(|cart| cart.id == product.cart_id));
        Ok(found)
    }

    /// Lists the current and removed products of each cart, in the order they were added.
    pub async fn products_of_each(
        &self,
        ids: &[ShoppingCartId],
    ) -> Result<HashMap<ShoppingCartId, Vec<shopping_cart_product::Model>>> {
        let mut products: HashMap<_, Vec<_>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        for product in carts::products_of_each(&self.0.store, ids).await? {
            products.entry(product.cart_id).or_default().push(product);
        }
        Ok(products)
    }
}
