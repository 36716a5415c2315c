//! Users, visitors and API clients.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::text::contains_text;
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use crate::domain::search::{Matching, fold};
use entity::{ActorId, ActorType, OrganizationId, UserRole, actor};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

/// A lock that excludes other lockers of the actor, but not writers of rows that refer to it: they hold a
/// chat's lock, for which the holder of this one may be waiting.
const LOCK: LockType = LockType::NoKeyUpdate;

/// Finds an actor of the organization.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: ActorId,
) -> Result<Option<actor::Model>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Finds actors of the organization, ordered by id.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[ActorId],
) -> Result<Vec<actor::Model>> {
    Ok(actor::Entity::find()
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(actor::Column::Id)
        .all(rows.connection())
        .await?)
}

/// Locks the actors of the organization until the transaction ends, in the order of their ids.
pub async fn lock_in_organization(
    tx: &Tx,
    organization_id: OrganizationId,
    ids: &[ActorId],
) -> Result<Vec<actor::Model>> {
    Ok(actor::Entity::find()
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(actor::Column::Id)
        .lock(LOCK)
        .all(tx.connection())
        .await?)
}

/// Finds the actor with this external id.
pub async fn find_by_external_id(
    rows: &impl Rows,
    organization_id: OrganizationId,
    actor_type: ActorType,
    external_id: &str,
) -> Result<Option<actor::Model>> {
    Ok(actor::Entity::find()
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(actor::Column::ActorType.eq(actor_type))
        .filter(actor::Column::ExternalId.eq(external_id))
        .one(rows.connection())
        .await?)
}

/// Finds the first actor of the organization with this name.
pub async fn find_by_name(
    rows: &impl Rows,
    organization_id: OrganizationId,
    actor_type: ActorType,
    name: &str,
) -> Result<Option<actor::Model>> {
    Ok(of_type(organization_id, actor_type)
        .filter(actor::Column::Name.eq(name))
        .order_by_asc(actor::Column::CreatedAt)
        .one(rows.connection())
        .await?)
}

/// Lists the organization's users, oldest first.
pub async fn list_users(
    rows: &impl Rows,
    organization_id: OrganizationId,
    page: &PageRequest,
) -> Result<Page<actor::Model>> {
    keyset::page(rows, of_type(organization_id, ActorType::User), by_age(), page).await
}

/// Lists the organization's visitors, oldest first: all, or those with `query` in their name or as their
/// external id. Names are compared folded, or as written if the matching is exact.
pub async fn list_visitors(
    rows: &impl Rows,
    organization_id: OrganizationId,
    query: Option<(&str, Matching)>,
    page: &PageRequest,
) -> Result<Page<actor::Model>> {
    let mut list = of_type(organization_id, ActorType::Visitor);
    if let Some((query, matching)) = query.filter(|(query, _)| !query.is_empty()) {
        let column = |column| Expr::col((actor::Entity, column));
        let is_known_as = actor::Column::ExternalId.eq(query);
        let folded = fold(query.trim());
        let mut is_named = Condition::all();
        match matching {
            // A query that folds to nothing matches no name.
            Matching::Folded if folded.is_empty() => is_named = is_named.add(Expr::val(1).eq(0)),
            Matching::Folded => {
                is_named = is_named.add(contains_text(rows, column(actor::Column::FoldedName), &folded));
            }
            Matching::Exact => {
                is_named = is_named.add(contains_text(rows, column(actor::Column::Name), query));
            }
        }
        list = list.filter(Condition::any().add(is_named).add(is_known_as));
    }
    keyset::page(rows, list, by_age(), page).await
}

/// Locks an actor together with the organization's active admins until the transaction ends, in the order of
/// their ids. This keeps two admins from demoting each other at the same time.
pub async fn lock_with_active_admins(
    tx: &Tx,
    organization_id: OrganizationId,
    id: ActorId,
) -> Result<Vec<actor::Model>> {
    let is_active_admin = Condition::all()
        .add(actor::Column::ActorType.eq(ActorType::User))
        .add(actor::Column::Role.eq(UserRole::Admin))
        .add(actor::Column::DeactivatedAt.is_null());
    Ok(actor::Entity::find()
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(Condition::any().add(actor::Column::Id.eq(id)).add(is_active_admin))
        .order_by_asc(actor::Column::Id)
        .lock(LOCK)
        .all(tx.connection())
        .await?)
}

/// Adds an actor, and indexes their name. Fails with `Taken` if the external id is in use.
pub async fn insert(tx: &Tx, row: &actor::Model) -> Result<()> {
    actor::Entity::insert(with_folded_name(row).into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

fn with_folded_name(row: &actor::Model) -> actor::Model {
    actor::Model { folded_name: fold(row.name.as_deref().unwrap_or_default()), ..row.clone() }
}

pub async fn update(tx: &Tx, row: &actor::Model) -> Result<()> {
    actor::Entity::update_many()
        .set(all_but_key(&with_folded_name(row)))
        .filter(actor::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

fn of_type(organization_id: OrganizationId, actor_type: ActorType) -> sea_orm::Select<actor::Entity> {
    actor::Entity::find()
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(actor::Column::ActorType.eq(actor_type))
}

fn by_age() -> Sorting<actor::Entity> {
    Sorting::ascending(actor::Column::CreatedAt, actor::Column::Id)
}
