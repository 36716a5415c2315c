//! The schema's own scalar.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as Chrono, Datelike, SecondsFormat};
use entity::Timestamp;

/// A moment in the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(pub Timestamp);

/// A moment: RFC 3339, UTC with `Z`, exactly three decimals, as in `2026-11-20T20:33:51.874Z`. As input any
/// RFC 3339 date-time is taken, and cut to milliseconds.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let expected = || InputValueError::custom("expected an RFC 3339 date-time");
        let Value::String(text) = value else { return Err(expected()) };
        let moment = Chrono::parse_from_rfc3339(&text).map_err(|_| expected())?;
        // An offset can carry the year out of the four digits that an answer has for it.
        if !(0..=9999).contains(&moment.to_utc().year()) {
            return Err(expected());
        }
        Ok(Self(Timestamp(moment.timestamp_millis())))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_three_decimals_and_z() {
        assert_eq!(DateTime(Timestamp(0)).to_value(), Value::from("1970-01-01T00:00:00.000Z"));
        let parsed =
            DateTime::parse(Value::from("2026-11-20T22:33:51.8749+02:00")).map(|moment| moment.to_value());
        assert_eq!(parsed.ok(), Some(Value::from("2026-11-20T20:33:51.874Z")));
        assert!(DateTime::parse(Value::from("2026-11-20")).is_err());
        assert!(DateTime::parse(Value::from(1)).is_err());
    }
}
