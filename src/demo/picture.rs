//! A picture for the demo, drawn in code: a healthy pulse.

use super::Stage;
use super::words::words;
use crate::actions::{Announced, CreateUpload, SendMessage};
use crate::domain::attachment::Attached;
use crate::domain::viewer::Viewer;
use anyhow::anyhow;
use bytes::Bytes;
use entity::ChatId;
use image::{ImageFormat, Rgb, RgbImage};
use std::convert::Infallible;
use std::io::Cursor;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 240;
const PAPER: Rgb<u8> = Rgb([255, 250, 245]);
const GRID: Rgb<u8> = Rgb([245, 205, 200]);
const INK: Rgb<u8> = Rgb([40, 40, 60]);
/// The deflections of a heartbeat's line, in pixels upward.
const BEAT: [(u32, i32); 9] =
    [(0, 0), (30, 0), (40, 12), (50, 0), (66, -10), (74, 90), (82, -30), (90, 0), (128, 0)];

/// Uploads the picture and sends it.
pub(super) async fn send(stage: &Stage<'_>, sender: &Viewer, chat_id: ChatId) -> anyhow::Result<()> {
    let bytes = draw()?;
    let media_type = "image/png".to_owned();
    let input =
        CreateUpload { chat_id, name: "pulse.png".into(), media_type, size: i64::try_from(bytes.len())? };
    let id = stage.actions.create_upload(sender, input).await?.attachment.id;
    let body = futures_util::stream::iter([Ok::<_, Infallible>(bytes)]);
    let taken = stage.actions.take_upload(id, Announced::default(), body).await;
    taken.map_err(|why| anyhow!("the picture was not taken: {why:?}"))?;
    let attached = Attached { files: vec![id], ..Attached::default() };
    let input = SendMessage { attached, ..words(chat_id, "This is what my watch says.") };
    stage.actions.send_message(sender, input).await?;
    Ok(())
}

fn draw() -> anyhow::Result<Bytes> {
    let mut picture =
        RgbImage::from_fn(WIDTH, HEIGHT, |x, y| if x % 16 == 0 || y % 16 == 0 { GRID } else { PAPER });
    let mut before = height_at(0);
    for x in 0..WIDTH {
        let now = height_at(x);
        for y in before.min(now)..=before.max(now) + 1 {
            picture.put_pixel(x, y, INK);
        }
        before = now;
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner().into())
}

/// The height of the line, in pixels from the top.
fn height_at(x: u32) -> u32 {
    let x = x % 128;
    let (start, end) = BEAT
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .find(|(_, end)| x < end.0)
        .unwrap_or((BEAT[0], BEAT[1]));
    let (along, across) = (i64::from(x - start.0), i64::from(end.0 - start.0));
    let up = i64::from(start.1) + i64::from(end.1 - start.1) * along / across;
    u32::try_from(i64::from(HEIGHT * 5 / 8) - up).unwrap_or_default()
}
