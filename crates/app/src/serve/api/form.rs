//! Forms with pictures, and documents, as they come in.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::fields::Fields;
use crate::serve::failure::Failure;

/// Pictures in a form at most.
pub(crate) const PICTURES: usize = 8;

/// Fields of a form at most.
const FIELDS: usize = 256;

/// Bytes of a field that is no picture at most.
const LONGEST_FIELD: usize = 64 << 10;

/// A form: its pictures, and all else.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// What was sent as `image`, in order.
    pub(crate) images: Vec<Bytes>,
    /// The other fields, in order.
    pub(crate) fields: Fields,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let multipart = Multipart::from_request(request, state).await;
        let mut multipart = multipart.map_err(|rejection| {
            Failure::new(rejection.status(), "bad_form", rejection.body_text())
                .hint("send multipart/form-data, as curl -F does")
        })?;
        let mut form = Self::default();
        loop {
            let field = multipart.next_field().await;
            match field.map_err(|error| broken(error.status(), error.body_text()))? {
                Some(field) => form.take(field).await?,
                None => return Ok(form),
            }
        }
    }
}

impl Form {
    async fn take(&mut self, field: axum::extract::multipart::Field<'_>) -> Result<(), Failure> {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "image" {
            check_kind(field.content_type())?;
        }
        let bytes =
            field.bytes().await.map_err(|error| broken(error.status(), error.body_text()))?;
        if name == "image" {
            if self.images.len() >= PICTURES {
                return Err(Failure::bad(
                    "bad_form",
                    format!("expected at most {PICTURES} pictures"),
                ));
            }
            self.images.push(bytes);
            return Ok(());
        }
        if self.fields.0.len() >= FIELDS || bytes.len() > LONGEST_FIELD {
            let told = format!("expected at most {FIELDS} fields of {LONGEST_FIELD} bytes each");
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", told));
        }
        let value = String::from_utf8(bytes.to_vec())
            .map_err(|_| Failure::bad("bad_form", format!("{name}: expected text in UTF-8")))?;
        self.fields.0.push((name, value));
        Ok(())
    }

    /// The one picture of a form that has to have one.
    pub(crate) fn image(&mut self) -> Result<Bytes, Failure> {
        match (self.images.pop(), self.images.len()) {
            (Some(image), 0) if !image.is_empty() => Ok(image),
            (Some(_), 0) => {
                let told = "image: expected a picture, found an empty file";
                Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no_picture", told))
            }
            (image, more) => {
                let found = more + usize::from(image.is_some());
                let told = format!("expected one picture as the field image, found {found}");
                Err(Failure::bad("no_picture", told).hint("curl -F image=@photo.jpg sends one"))
            }
        }
    }
}

/// What says of itself that it is no picture is believed; what says that it is one is looked at.
fn check_kind(kind: Option<&str>) -> Result<(), Failure> {
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let picture = kind.starts_with("image/") && !kind.starts_with("image/svg");
    if picture || matches!(kind.as_str(), "" | "application/octet-stream") {
        return Ok(());
    }
    let told = format!("image: expected a picture, found {kind:?}");
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "no_picture", told)
        .hint("send a JPEG, PNG, WebP, TIFF, BMP or GIF picture"))
}

fn broken(status: StatusCode, told: String) -> Failure {
    Failure::new(status, "bad_form", told).hint("send multipart/form-data, as curl -F does")
}

/// The bytes of a picture, as the description calls them.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes a body; what is sent has no type of its own")]
pub(crate) struct Binary(Vec<u8>);

/// A document in JSON.
#[derive(Debug)]
pub(crate) struct Document<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Document<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let told = format!("expected application/json, found {kind:?}");
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_document", told));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| broken(rejection.status(), rejection.body_text()))?;
        object(&bytes).map(Self)
    }
}

/// What a JSON object says; serde would also take a list for one, value by value.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Failure::bad("bad_document", "expected a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|error| Failure::bad("bad_document", error.to_string()))
}

/// The id of a picture, as it stands in an address.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        let id = id.map_err(|rejection| Failure::bad("bad_id", rejection.body_text()))?;
        Ok(Self(id.0))
    }
}
