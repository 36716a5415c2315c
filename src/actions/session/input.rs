//! Checks the fields of inputs.

use crate::actions::Result;
use crate::domain::refused::Refused;
use crate::domain::{limits, text};
use chrono::TimeDelta;

pub(super) fn ring_time(seconds: Option<i32>) -> Result<TimeDelta> {
    let (least, default, most) = limits::RING_SECONDS;
    let seconds = seconds.unwrap_or(default);
    if (least..=most).contains(&seconds) {
        Ok(TimeDelta::seconds(seconds.into()))
    } else {
        Err(Refused::Invalid { field: "ringSeconds".into(), reason: "`ringSeconds` must be 5–180." }.into())
    }
}

pub(super) fn check_texts(
    title: Option<&mut String>,
    call_room: Option<&mut String>,
    reason: Option<&str>,
) -> Result<()> {
    if let Some(title) = title {
        text::name("title", title)?;
    }
    if let Some(call_room) = call_room {
        text::name("callRoom", call_room)?;
    }
    if let Some(reason) = reason {
        text::note("reason", reason, limits::REASON)?;
    }
    Ok(())
}
