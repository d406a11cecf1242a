//! Pictures themselves: thumbnails and originals.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use utoipa::IntoParams;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::fields::{Fields, flag, unknown, wrong};
use super::form::{Binary, Id};
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::images;
use crate::serve::state::Served;

/// Sides of a thumbnail that can be asked for.
const SIZES: [usize; 3] = [96, 192, 384];

/// How large a thumbnail is to be.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a parameter; `side` reads it")]
struct Side {
    /// Longer side in pixels. Default: 384.
    #[param(required = false, schema_with = sides)]
    size: usize,
}

fn sides() -> Schema {
    let size = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
    size.enum_values(Some(SIZES)).into()
}

/// A small JPEG of a picture, the right way up.
#[utoipa::path(
    get, path = "/api/pictures/{id}/thumbnail", operation_id = "thumbnail", tag = "pictures",
    params(
        ("id" = String, Path, description = "id of the picture"),
        Side,
    ),
    responses(
        (status = 200, content_type = "image/jpeg", body = Binary, headers(("ETag" = String, description = "send it as If-None-Match"))),
        (status = 304, description = "the same as If-None-Match says"),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn thumbnail(
    State(served): State<Arc<Served>>,
    Id(id): Id,
    fields: Fields,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let mut size = SIZES[2];
    for (name, value) in fields.0 {
        match name.as_str() {
            "size" => size = side(&value)?,
            _ => return Err(unknown(&name, &["size"])),
        }
    }
    images::thumbnail(served, id, size, &headers).await
}

fn side(value: &str) -> Result<usize, Failure> {
    let known = SIZES.into_iter().find(|size| size.to_string() == value);
    known.ok_or_else(|| wrong("size", value, "96, 192 or 384"))
}

/// The original of a picture. Unless it is downloaded, it is the right way up, and a JPEG where browsers do not show its format.
#[utoipa::path(
    get, path = "/api/pictures/{id}/original", operation_id = "original", tag = "pictures",
    params(
        ("id" = String, Path, description = "id of the picture"),
        ("download" = Option<bool>, Query, description = "the file as it is, to be kept"),
    ),
    responses(
        (status = 200, content_type = "image/*", body = Binary, headers(("ETag" = String, description = "send it as If-None-Match"))),
        (status = 304, description = "the same as If-None-Match says"),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "no picture of this id, or its original is not there"),
        (status = 413, body = FailureBody, description = "too large to be shown"),
        (status = 415, body = FailureBody, description = "the file is no picture any more"),
        (status = 422, body = FailureBody, description = "the file is damaged"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "it takes too long to be decoded"),
    )
)]
pub(crate) async fn original(
    State(served): State<Arc<Served>>,
    Id(id): Id,
    fields: Fields,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let mut download = false;
    for (name, value) in fields.0 {
        match name.as_str() {
            "download" => download = flag("download", &value)?,
            _ => return Err(unknown(&name, &["download"])),
        }
    }
    images::original(served, id, download, &headers).await
}
