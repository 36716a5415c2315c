//! Updates of whole rows.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn};

/// All columns of a row except its key. When a key is written, even with the same value, SQLite scans every
/// row that refers to it: for a long chat, all of its messages at each new one.
pub(super) fn all_but_key<M>(row: &M) -> <M::Entity as EntityTrait>::ActiveModel
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
{
    let mut row = row.clone().into_active_model().reset_all();
    for key in <M::Entity as EntityTrait>::PrimaryKey::iter() {
        row.not_set(key.into_column());
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::store_meta;
    use sea_orm::ActiveValue::{NotSet, Set};

    #[test]
    fn a_key_is_never_written_again() {
        let row = store_meta::Model { name: "epoch".into(), value: "1".into() };
        let written = all_but_key(&row);
        assert_eq!((written.name, written.value), (NotSet, Set("1".to_owned())));
    }
}
