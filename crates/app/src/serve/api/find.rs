//! Looking for something in a picture.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use utoipa::{IntoParams, ToSchema};

use super::fields::{Fields, unknown};
use super::form::{Binary, Form};
use super::question::which;
use crate::finding::Found;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::finding::Where;
use crate::serve::gate::blocking;
use crate::serve::state::{Served, Which};

/// Letters of what is looked for at most.
const LONGEST: usize = 1_000;

/// What is looked for, and where.
#[derive(Debug, Clone, PartialEq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// What to look for, in words, such as `a boat`.
    #[param(min_length = 1, max_length = 1_000, pattern = "\\S")]
    text: String,
    /// In the picture of this id; either this or `picture`.
    #[param(value_type = String, required = false)]
    id: Option<String>,
    /// In this uploaded picture: what `POST /api/uploads` returned; either this or `id`.
    #[param(value_type = String, required = false)]
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
        if wanted.text.is_empty() || wanted.text.chars().count() > LONGEST {
            let told = format!("text: expected what to look for, in at most {LONGEST} letters");
            return Err(Failure::bad("bad_parameter", told).hint("send for example text=a boat"));
        }
        Ok(wanted)
    }
}

/// What is looked for, in a picture that is sent.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct FindForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    image: Binary,
    /// What to look for.
    #[schema(min_length = 1, max_length = 1_000, pattern = "\\S")]
    text: String,
    /// With the model of which index. Default: main.
    #[schema(required = false)]
    index: Which,
}

/// Whether something is in a picture of the index, or in an uploaded one, and where.
#[utoipa::path(
    get, path = "/api/find", operation_id = "find", tag = "find", params(Wanted),
    responses(
        (status = 200, body = Found),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "a picture or an index that is not there"),
        (status = 422, body = FailureBody, description = "no picture to look in, or two"),
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
        _ => return Err(Failure::senseless("bad_query", "expected either id or picture")),
    };
    collection.finding.find(at, text).await.map(Json)
}

/// Whether something is in a picture that is sent, and where. Nothing of it is kept.
#[utoipa::path(
    post, path = "/api/find", operation_id = "find_in_picture", tag = "find",
    request_body(content = FindForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Found),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 404, body = FailureBody, description = "an index that is not there"),
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
    let named = form.fields.0.iter().find(|(name, _)| matches!(name.as_str(), "id" | "picture"));
    if let Some((name, _)) = named {
        return Err(unknown(name, &["image", "text", "index"]));
    }
    let Wanted { text, index, .. } = Wanted::read(form.fields)?;
    let at = decoded(&served, index, image).await?;
    served.collection(index)?.finding.find(at, text).await.map(Json)
}

async fn decoded(served: &Served, index: Which, bytes: Bytes) -> Result<Where, Failure> {
    let reader = served.collection(index)?.embedding()?.reader().await?;
    served.decoding.decode(bytes, reader.decoder(), |picture| Ok(Where::Picture(picture))).await
}
