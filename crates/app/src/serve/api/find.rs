//! Looking for something in a picture.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, unknown};
use super::form::Form;
use super::question::which;
use crate::finding::Found;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::finding::Where;
use crate::serve::gate::blocking;
use crate::serve::state::{Served, Which};

/// Bytes of what is looked for at most.
const LONGEST: usize = 1_000;

/// What is looked for, and where.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// What to look for, in words, such as `a boat`.
    text: String,
    /// In the picture of this id; or `picture`.
    id: Option<String>,
    /// In this uploaded picture: what `POST /api/uploads` returned; or `id`.
    picture: Option<String>,
    /// With the model of which index. Default: main.
    #[param(required = false, inline)]
    index: Which,
}

impl Wanted {
    fn read(fields: Fields) -> Result<Self, Failure> {
        let mut wanted = Self { text: String::new(), id: None, picture: None, index: Which::Main };
        for (name, value) in fields.0 {
            match name.as_str() {
                "text" => value.trim().clone_into(&mut wanted.text),
                "id" => wanted.id = Some(value),
                "picture" => wanted.picture = Some(value),
                "index" => wanted.index = which(&value)?,
                _ => return Err(unknown(&name, &["text", "id", "picture", "index"])),
            }
        }
        if wanted.text.is_empty() || wanted.text.len() > LONGEST {
            let told = format!("text: expected what to look for, in at most {LONGEST} bytes");
            return Err(Failure::bad("bad_parameter", told).hint("send for example text=a boat"));
        }
        Ok(wanted)
    }
}

/// What is looked for, in a picture that is sent.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct FindForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// What to look for.
    text: String,
    /// With the model of which index: `main` or `other`.
    index: Option<String>,
}

/// Whether something is in a picture of the index, or in an uploaded one, and where.
#[utoipa::path(
    get, path = "/api/find", tag = "find", params(Wanted),
    responses(
        (status = 200, body = Found),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "a picture that is not there"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    fields: Fields,
) -> Result<Json<Found>, Failure> {
    let Wanted { text, id, picture, index } = Wanted::read(fields)?;
    let collection = served.collection(index)?;
    let at = match (id, picture) {
        (Some(id), None) => Where::Id(id),
        (None, Some(name)) => {
            let uploads = Arc::clone(&collection.uploads);
            let bytes = blocking(move || uploads.query(&name)).await??;
            decoded(&served, index, bytes.into()).await?
        }
        _ => return Err(Failure::bad("bad_parameter", "expected either id or picture")),
    };
    collection.finding.find(at, text).await.map(Json)
}

/// Whether something is in a picture that is sent, and where. Nothing of it is kept.
#[utoipa::path(
    post, path = "/api/find", tag = "find",
    request_body(content = FindForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Found),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn post(
    State(served): State<Arc<Served>>,
    mut form: Form,
) -> Result<Json<Found>, Failure> {
    let image = form.image()?;
    let Wanted { text, id, picture, index } = Wanted::read(form.fields)?;
    if id.is_some() || picture.is_some() {
        return Err(Failure::bad("bad_parameter", "expected image alone, without id and picture"));
    }
    let at = decoded(&served, index, image).await?;
    served.collection(index)?.finding.find(at, text).await.map(Json)
}

async fn decoded(served: &Served, index: Which, bytes: Bytes) -> Result<Where, Failure> {
    let reader = served.collection(index)?.embedding()?.reader().await?;
    served.decoding.decode(bytes, reader.decoder(), |picture| Ok(Where::Picture(picture))).await
}
