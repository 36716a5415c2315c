//! Shopping carts and their products.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use entity::{
    ActorId, ChatId, OrganizationId, ShoppingCartId, ShoppingCartProductId, shopping_cart,
    shopping_cart_product,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

/// The owner of carts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CartsOf {
    /// All carts of a visitor.
    Visitor(ActorId),
    /// The carts related to a chat.
    Chat(ChatId),
}

impl CartsOf {
    fn holds(self, cart: &shopping_cart::Model) -> bool {
        match self {
            Self::Visitor(visitor_id) => cart.visitor_id == visitor_id,
            Self::Chat(chat_id) => cart.chat_id == Some(chat_id),
        }
    }
}

/// Finds carts of the organization.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[ShoppingCartId],
) -> Result<Vec<shopping_cart::Model>> {
    Ok(shopping_cart::Entity::find()
        .filter(shopping_cart::Column::OrganizationId.eq(organization_id))
        .filter(shopping_cart::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Finds the cart with this id in the organization's shop.
pub async fn find_by_external_id(
    rows: &impl Rows,
    organization_id: OrganizationId,
    external_id: &str,
) -> Result<Option<shopping_cart::Model>> {
    Ok(shopping_cart::Entity::find()
        .filter(shopping_cart::Column::OrganizationId.eq(organization_id))
        .filter(shopping_cart::Column::ExternalId.eq(external_id))
        .one(rows.connection())
        .await?)
}

/// Lists the same page of carts for each owner. The owners must be of the same kind.
pub async fn list_of_each(
    rows: &impl Rows,
    organization_id: OrganizationId,
    places: &[CartsOf],
    is_descending: bool,
    page: &PageRequest,
) -> Result<Vec<Page<shopping_cart::Model>>> {
    let lists = places.iter().map(|place| {
        let place = match place {
            CartsOf::Visitor(visitor_id) => shopping_cart::Column::VisitorId.eq(*visitor_id),
            CartsOf::Chat(chat_id) => shopping_cart::Column::ChatId.eq(*chat_id),
        };
        shopping_cart::Entity::find()
            .filter(shopping_cart::Column::OrganizationId.eq(organization_id))
            .filter(place)
    });
    let sorting = Sorting::by(shopping_cart::Column::OpenedAt, shopping_cart::Column::Id, is_descending);
    let owner =
        |row: &shopping_cart::Model| places.iter().position(|place| place.holds(row)).unwrap_or(usize::MAX);
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

/// Lists the current and removed products of the carts, in the order they were added.
pub async fn products_of_each(
    rows: &impl Rows,
    cart_ids: &[ShoppingCartId],
) -> Result<Vec<shopping_cart_product::Model>> {
    Ok(shopping_cart_product::Entity::find()
        .filter(shopping_cart_product::Column::CartId.is_in(cart_ids.iter().copied()))
        .order_by_asc(shopping_cart_product::Column::AddedAt)
        .order_by_asc(shopping_cart_product::Column::Id)
        .all(rows.connection())
        .await?)
}

/// Finds products of any cart. The caller must check that the viewer sees them.
pub async fn find_products(
    rows: &impl Rows,
    ids: &[ShoppingCartProductId],
) -> Result<Vec<shopping_cart_product::Model>> {
    Ok(shopping_cart_product::Entity::find()
        .filter(shopping_cart_product::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

pub async fn insert(tx: &Tx, row: &shopping_cart::Model) -> Result<()> {
    shopping_cart::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

pub async fn update(tx: &Tx, row: &shopping_cart::Model) -> Result<()> {
    shopping_cart::Entity::update_many()
        .set(all_but_key(row))
        .filter(shopping_cart::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

pub async fn insert_products(tx: &Tx, rows: Vec<shopping_cart_product::Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    shopping_cart_product::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

pub async fn update_product(tx: &Tx, row: &shopping_cart_product::Model) -> Result<()> {
    shopping_cart_product::Entity::update_many()
        .set(all_but_key(row))
        .filter(shopping_cart_product::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
