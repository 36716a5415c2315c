//! Processing of uploaded images: decodes them for the preview, and stores them without metadata.

use super::image::{self, Survey};
use super::receive::{Expected, NotKept, Received};
use super::{DECODING, Files, Part, engine};
use bytes::Bytes;
use object_store::{ObjectStoreExt, PutPayload};

impl Files {
    /// Decodes a received image, stores its preview, and removes its metadata.
    pub(super) async fn look_at(&self, expected: &Expected, received: Received) -> Result<Received, NotKept> {
        let _place = self.0.pictures.enter(expected.uploader).await;
        let store = &self.0.engine.store;
        let path = engine::path(expected.id, expected.object, Part::Whole);
        let file = store.get(&path).await?.bytes().await?;
        let survey = {
            let (file, media_type) = (file.clone(), received.media_type.clone());
            blocking(move || image::survey(&file, &media_type)).await?
        };
        let mut picture = survey.picture();
        let (survey, preview) = self.preview(&file, &received.media_type, survey).await?;
        if let Some((preview_type, preview)) = preview {
            picture.preview_type = Some(preview_type);
            let path = engine::path(expected.id, expected.object, Part::Preview);
            store.put(&path, PutPayload::from(preview)).await?;
        }
        let mut size = received.size;
        if !self.0.settings.keeps_exif
            && let Some(parts) = survey.kept.parts(&file)
        {
            let payload = PutPayload::from_iter(parts);
            size = payload.content_length() as u64;
            store.put(&path, payload).await?;
        }
        Ok(Received { size, picture: Some(picture), ..received })
    }

    /// Removes the metadata of a HEIC or AVIF image.
    pub(super) async fn blank(&self, expected: &Expected, received: Received) -> Result<Received, NotKept> {
        if self.0.settings.keeps_exif {
            return Ok(received);
        }
        let _place = self.0.pictures.enter(expected.uploader).await;
        let store = &self.0.engine.store;
        let path = engine::path(expected.id, expected.object, Part::Whole);
        let mut file = Vec::from(store.get(&path).await?.bytes().await?);
        let blanked = blocking(move || image::heif::blank(&mut file).then_some(file)).await?;
        store.put(&path, PutPayload::from(blanked)).await?;
        Ok(received)
    }

    /// Creates the preview of an image, unless it would take more memory than all images may use.
    async fn preview(
        &self,
        file: &Bytes,
        media_type: &str,
        survey: Survey,
    ) -> Result<(Survey, Option<(&'static str, Vec<u8>)>), NotKept> {
        let memory = survey.memory();
        if memory > DECODING {
            return Ok((survey, None));
        }
        let memory = u32::try_from(memory.div_ceil(1024)).unwrap_or(u32::MAX);
        let _memory = self.0.decoding.acquire_many(memory).await.map_err(|_| NotKept::Busy)?;
        let (file, media_type) = (file.clone(), media_type.to_owned());
        blocking(move || image::preview(&file, &media_type, &survey).map(|preview| (survey, Some(preview))))
            .await
    }
}

/// Runs a slow function on another thread. If the decoder panics, the file is not a valid image.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Result<T, NotKept> {
    tokio::task::spawn_blocking(work).await.ok().flatten().ok_or(NotKept::NoImage)
}
