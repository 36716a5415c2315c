//! The schema's own scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as Chrono, Datelike, SecondsFormat};
use entity::{Money, Timestamp};

/// A time in the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(pub Timestamp);

/// A time in RFC 3339 format, in UTC with exactly three decimals: `2026-11-20T20:33:51.874Z`. Input can be
/// any RFC 3339 date-time, and is truncated to milliseconds.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let expected = || InputValueError::custom("expected an RFC 3339 date-time");
        let Value::String(text) = value else { return Err(expected()) };
        let moment = Chrono::parse_from_rfc3339(&text).map_err(|_| expected())?;
        // An offset can move the year outside the four digits of the format.
        if !(0..=9999).contains(&moment.to_utc().year()) {
            return Err(expected());
        }
        Ok(Self(Timestamp(moment.timestamp_millis())))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A decimal number in the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal(pub Money);

/// An exact decimal number as a string with at least two decimals, such as `"499.90"`. Input can be a string
/// or a whole number. A JSON number with a decimal point is refused, because it may have been rounded.
#[Scalar(name = "Decimal", specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if number.is_i64() => number.to_string(),
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => String::new(),
        };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        text.parse()
            .ok()
            .filter(|_| is_plain)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("expected a decimal number as a string"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_or_none() {
        let parsed = |value: Value| Decimal::parse(value).ok().map(|amount| amount.to_value());
        assert_eq!(parsed(Value::from("499.9")), Some(Value::from("499.90")));
        assert_eq!(parsed(Value::from(-5)), Some(Value::from("-5.00")));
        for wrong in ["", " 1", "1e3", "1,5", "1_000", "+1", "0x1", "NaN", "1.2.3", "."] {
            assert_eq!(parsed(Value::from(wrong)), None, "{wrong}");
        }
        assert_eq!(parsed(Value::from(0.1)), None);
        assert_eq!(parsed(Value::Null), None);
    }

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
