//! A secret that is stored in plain text, because it is sent or used for signing. Its debug output is a
//! placeholder, and its memory is cleared when it is dropped.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, QueryResult, TryGetError, TryGetable, Value};
use secrecy::{ExposeSecret, SecretString};

/// A secret text.
#[derive(Clone, Debug)]
pub struct SecretText(SecretString);

impl SecretText {
    /// The text, for sending or signing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SecretText {}

impl From<SecretText> for Value {
    fn from(secret: SecretText) -> Self {
        secret.expose().into()
    }
}

impl TryGetable for SecretText {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        String::try_get_by(row, index).map(Self::from)
    }
}

impl ValueType for SecretText {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <String as ValueType>::try_from(value).map(Self::from)
    }

    fn type_name() -> String {
        "SecretText".to_owned()
    }

    fn array_type() -> ArrayType {
        String::array_type()
    }

    fn column_type() -> ColumnType {
        String::column_type()
    }
}

impl Nullable for SecretText {
    fn null() -> Value {
        String::null()
    }
}
