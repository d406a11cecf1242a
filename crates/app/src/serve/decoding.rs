//! Decoding pictures that others sent: by their size, within bounds of memory and time.
//!
//! A decoder cannot be stopped in the middle. So its work is known before it begins, from the header; what is given up
//! after a time holds its room until it is done.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use finelens_clip::{Decoder, Header, Picture, PictureError};
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::gate::blocking;
use super::metrics::{Metrics, Stage};

/// Pixels of a picture at most. Own choice: what telephones call 64 megapixels fits.
const MOST_PIXELS: u64 = 66_000_000;

/// Pixels that are worked on at once, in thousands: one of the largest pictures, or five of 12 megapixels. A progressive JPEG needs
/// 12 bytes for each pixel, a PNG of 16 bits up to 23, so that this is 0.8 to 1.5 GB at worst.
const TOGETHER: u32 = 66_000;

/// Pictures that may wait for each that is worked on. Own choice: the last one waits a few seconds.
const WAITING: usize = 8;

/// Longest time for one picture, its turn included.
const PATIENCE: Duration = Duration::from_secs(20);

/// Room for pictures.
#[derive(Debug, Clone)]
pub(crate) struct Decoding {
    /// Thousands of pixels.
    pixels: Arc<Semaphore>,
    /// Pictures inside.
    places: Arc<Semaphore>,
    most: usize,
    metrics: Arc<Metrics>,
}

impl Decoding {
    /// As many at once as there are cores.
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let most = cores() * (1 + WAITING);
        let pixels = Arc::new(Semaphore::new(TOGETHER as usize));
        Self { pixels, places: Arc::new(Semaphore::new(most)), most, metrics }
    }

    /// Pictures at work or waiting.
    pub(crate) fn inside(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// Decodes a picture, and makes something of it in the same go.
    ///
    /// # Errors
    /// What is no picture, is damaged, or is larger than a camera makes.
    pub(crate) async fn decode<T: Send + 'static>(
        &self,
        bytes: Bytes,
        decoder: &Decoder,
        make: impl FnOnce(Picture) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let limited = limited(decoder);
        let header = self.header(bytes.clone(), &limited).await?;
        let decode = move || make(limited.decode(&bytes).map_err(|error| refused(&error))?.picture);
        self.work(header.width * header.height, decode).await?
    }

    /// Makes sure that these bytes are a whole picture.
    pub(crate) async fn check(&self, bytes: Bytes) -> Result<(), Failure> {
        self.decode(bytes, &Decoder::default(), |_| Ok(())).await
    }

    /// What a picture says of itself.
    pub(crate) async fn header(&self, bytes: Bytes, decoder: &Decoder) -> Result<Header, Failure> {
        let limited = limited(decoder);
        let read = move || limited.header(&bytes).map_err(|error| refused(&error));
        // Metadata can be compressed, too.
        self.work(0, read).await?
    }

    /// Works on so many pixels when there is room for them.
    async fn work<T: Send + 'static>(
        &self,
        pixels: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failure::busy())?;
        let least = TOGETHER.div_ceil(cores() as u32);
        let wanted = (pixels.div_ceil(1000) as u32).clamp(least, TOGETHER);
        let (turns, metrics) = (Arc::clone(&self.pixels), Arc::clone(&self.metrics));
        let turn = async move {
            let turn = turns.acquire_many_owned(wanted).await;
            blocking(move || {
                let _held = (turn, place);
                let begun = Instant::now();
                let made = work();
                metrics.took(Stage::decode, begun.elapsed());
                made
            })
            .await
        };
        tokio::time::timeout(PATIENCE, turn).await.map_err(|_| too_slow())?
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

fn limited(decoder: &Decoder) -> Decoder {
    Decoder { max_pixels: MOST_PIXELS.min(decoder.max_pixels), ..decoder.clone() }
}

fn too_slow() -> Failure {
    let told = format!("the picture was not decoded within {} s", PATIENCE.as_secs());
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow_to_decode", told)
        .hint("send a smaller one, or ask again later")
}

/// Why a picture cannot be used.
pub(crate) fn refused(error: &PictureError) -> Failure {
    let (status, code) = match error {
        PictureError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        PictureError::UnknownFormat { .. } | PictureError::Unsupported { .. } => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "no_picture")
        }
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "damaged_picture"),
    };
    Failure::new(status, code, error.to_string())
        .hint("send a JPEG, PNG, WebP, TIFF, BMP or GIF picture of at most 66 megapixels")
}
