//! Pictures to search with, kept for a while so that a search by them has an address.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::unknown;
use super::form::{Binary, Form, Id};
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::gate::blocking;
use crate::serve::images;
use crate::serve::state::Served;

/// A picture that is sent.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct UploadForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    image: Binary,
}

/// Where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Upload {
    /// SHA-256 of its bytes: what the parameter `picture` takes.
    picture: String,
}

/// Keep a picture to search with. The ones not asked for the longest are forgotten.
#[utoipa::path(
    post, path = "/api/uploads", operation_id = "upload", tag = "search",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Upload),
        (status = 400, body = FailureBody, description = "no form with one picture"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "it takes too long to be decoded"),
    )
)]
pub(crate) async fn post(
    State(served): State<Arc<Served>>,
    mut form: Form,
) -> Result<(StatusCode, Json<Upload>), Failure> {
    let bytes = form.image()?;
    if let Some((name, _)) = form.fields.0.first() {
        return Err(unknown(name, &["image"]));
    }
    // Only what can be decoded is kept.
    served.decoding.check(bytes.clone()).await?;
    let picture = blocking(move || served.main.uploads.keep_query(&bytes)).await??;
    Ok((StatusCode::CREATED, Json(Upload { picture })))
}

/// A picture that was kept, encoded anew.
#[utoipa::path(
    get, path = "/api/uploads/{picture}", operation_id = "uploaded", tag = "search",
    params(("picture" = String, Path, description = "what the upload was answered with")),
    responses(
        (status = 200, content_type = "image/jpeg", body = Binary),
        (status = 404, body = FailureBody, description = "never uploaded, or forgotten"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "it takes too long to be decoded"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    Id(picture): Id,
) -> Result<Response, Failure> {
    let (known, name) = (Arc::clone(&served), picture.clone());
    let bytes = blocking(move || known.main.uploads.query(&name)).await??;
    images::reencoded(&served, bytes.into(), &picture).await
}
