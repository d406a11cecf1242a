//! Single pictures: what is known of one, adding, changing, deleting.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use finelens_search::{Backend, Item, Metadata, Record};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Document, Form, Id};
use crate::indexing;
use crate::serve::collection::Collection;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::state::{Served, Which};
use crate::serve::uploads;
use crate::thumbnail;

/// What is known of a picture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Picture {
    id: String,
    captions: Vec<String>,
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// Whether its original is there; its thumbnail always is.
    original: bool,
    /// Bytes of the original when it was indexed.
    bytes: Option<u64>,
    /// Which indexes have a picture of this id.
    indexes: Vec<Which>,
}

/// A picture that is sent, with what is said about it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct PictureForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// What it shows; may be repeated.
    #[schema(required = false)]
    caption: Vec<String>,
    /// A JSON object of values to filter by.
    metadata: Option<String>,
    /// Default: the head of the picture's SHA-256. Where the address names it, this must not.
    id: Option<String>,
}

/// What is to be said about a picture from now on; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    captions: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// What is known of a picture.
#[utoipa::path(
    get, path = "/api/pictures/{id}", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    responses(
        (status = 200, body = Picture),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    Id(id): Id,
) -> Result<Json<Picture>, Failure> {
    let admitted = served.gate.enter()?;
    let (picture, _) = admitted.work(move || described(&served, &id)).await?;
    picture.map(Json)
}

/// What any of the indexes knows, the main one first.
fn described(served: &Served, id: &str) -> Result<Picture, Failure> {
    let mut described: Option<Picture> = None;
    for (which, collection) in served.collections() {
        let Some(item) = collection.reader.get(id)? else { continue };
        match &mut described {
            Some(described) => described.indexes.push(which),
            None => described = Some(picture(collection, which, item.record)?),
        }
    }
    described.ok_or_else(|| Failure::no_picture(id))
}

fn picture(collection: &Collection, which: Which, record: Record) -> Result<Picture, Failure> {
    let original = collection.original(&record)?.is_some_and(|file| file.is_file());
    Ok(Picture {
        id: record.id,
        captions: record.captions,
        metadata: record.metadata,
        original,
        bytes: record.place.map(|place| place.bytes),
        indexes: vec![which],
    })
}

/// Add a picture: it is embedded at once, and found by the next search.
#[utoipa::path(
    post, path = "/api/pictures", tag = "pictures",
    request_body(content = PictureForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Picture, headers(("Location" = String, description = "where it is"))),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here"),
        (status = 409, body = FailureBody, description = "the id is taken, or somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn post(
    State(served): State<Arc<Served>>,
    form: Form,
) -> Result<impl IntoResponse, Failure> {
    let sent = Sent::read(form, None)?;
    let picture = put_picture(served, sent, Put::New).await?;
    let id: String = form_urlencoded::byte_serialize(picture.id.as_bytes()).collect();
    let place = format!("/api/pictures/{}", id.replace('+', "%20"));
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(picture)))
}

/// Replace a picture of the index by another, with what is said about it.
#[utoipa::path(
    put, path = "/api/pictures/{id}", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    request_body(content = PictureForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Picture),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 409, body = FailureBody, description = "somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn put(
    State(served): State<Arc<Served>>,
    Id(id): Id,
    form: Form,
) -> Result<Json<Picture>, Failure> {
    let sent = Sent::read(form, Some(&id))?;
    put_picture(served, sent, Put::Known).await.map(Json)
}

/// Say something else about a picture.
#[utoipa::path(
    patch, path = "/api/pictures/{id}", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    request_body = Change,
    responses(
        (status = 200, body = Picture),
        (status = 400, body = FailureBody, description = "a document that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 409, body = FailureBody, description = "somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no JSON"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn patch(
    State(served): State<Arc<Served>>,
    Id(id): Id,
    Document(change): Document<Change>,
) -> Result<Json<Picture>, Failure> {
    served.must_be_writable()?;
    if let Some(captions) = &change.captions {
        check_captions(captions)?;
    }
    let admitted = served.gate.enter()?;
    let (picture, _) = admitted.work(move || reword(&served.main, &id, change)).await?;
    picture.map(Json)
}

fn reword(collection: &Collection, id: &str, change: Change) -> Result<Picture, Failure> {
    let record = collection.write(|index| {
        let item = index.get(id)?.ok_or_else(|| Failure::no_picture(id))?;
        let record = Record {
            captions: change.captions.unwrap_or(item.record.captions),
            metadata: change.metadata.unwrap_or(item.record.metadata),
            ..item.record
        };
        indexing::add_changes(index, 1)?;
        index.update(std::slice::from_ref(&record))?;
        Ok(record)
    })?;
    picture(collection, Which::Main, record)
}

/// Take a picture out of the index. An original that lies in a folder of yours stays there.
#[utoipa::path(
    delete, path = "/api/pictures/{id}", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 403, body = FailureBody, description = "nothing may be changed here"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 409, body = FailureBody, description = "somebody else is writing"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
    )
)]
pub(crate) async fn delete(
    State(served): State<Arc<Served>>,
    Id(id): Id,
) -> Result<StatusCode, Failure> {
    served.must_be_writable()?;
    let admitted = served.gate.enter()?;
    let (deleted, _) = admitted.work(move || remove(&served.main, &id)).await?;
    deleted.map(|()| StatusCode::NO_CONTENT)
}

fn remove(collection: &Collection, id: &str) -> Result<(), Failure> {
    collection.write(|index| {
        let item = index.get(id)?.ok_or_else(|| Failure::no_picture(id))?;
        indexing::add_changes(index, 1)?;
        index.delete(&[id])?;
        collection.forget_original(index, item.record.place.as_ref())
    })
}

/// A picture as it was sent.
struct Sent {
    image: Bytes,
    record: Record,
}

impl Sent {
    fn read(mut form: Form, id: Option<&str>) -> Result<Self, Failure> {
        let image = form.image()?;
        let mut record = Record { id: id.unwrap_or_default().to_owned(), ..Record::default() };
        for (name, value) in form.fields.0 {
            match name.as_str() {
                "caption" => record.captions.push(value),
                "metadata" => record.metadata = metadata(&value)?,
                "id" if id.is_none() => record.id = checked_id(value)?,
                _ => {
                    return Err(super::fields::unknown(
                        &name,
                        &["image", "caption", "metadata", "id"],
                    ));
                }
            }
        }
        check_captions(&record.captions)?;
        if record.id.is_empty() {
            record.id = uploads::hash(&image);
            record.id.truncate(NAME);
        }
        Ok(Self { image, record })
    }
}

/// Letters of a hash that name a picture: of a million, no two are likely to share them.
const NAME: usize = 16;

/// Captions of a picture at most.
const CAPTIONS: usize = 100;

/// Bytes of a caption at most: some pages.
const LONGEST_CAPTION: usize = 16 << 10;

fn check_captions(captions: &[String]) -> Result<(), Failure> {
    if captions.len() <= CAPTIONS && captions.iter().all(|text| text.len() <= LONGEST_CAPTION) {
        return Ok(());
    }
    let told = format!("expected at most {CAPTIONS} captions of {LONGEST_CAPTION} bytes each");
    Err(Failure::bad("bad_captions", told))
}

fn metadata(text: &str) -> Result<Metadata, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let told = format!("metadata: expected a JSON object of texts, numbers, true, false and lists of these: {error}");
        Failure::bad("bad_metadata", told).hint("send for example metadata={\"year\": 2020, \"class\": \"port\"}")
    })
}

/// An id that can stand in an address: `.` and `..` would be taken for something else there.
fn checked_id(id: String) -> Result<String, Failure> {
    if matches!(id.as_str(), "" | "." | "..") || id.chars().any(char::is_control) {
        let told = format!("id: expected letters that can stand in an address, found {id:?}");
        return Err(Failure::bad("bad_id", told));
    }
    Ok(id)
}

/// Whether a picture must not be in the index before, or must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    New,
    Known,
}

async fn put_picture(served: Arc<Served>, sent: Sent, put: Put) -> Result<Picture, Failure> {
    served.must_be_writable()?;
    let admitted = served.gate.enter()?;
    let embedding = served.main.embedding()?;
    let reader = embedding.reader().await?;
    let decoder = reader.decoder().clone();
    let prepare = move |picture| {
        let thumbnail = thumbnail::jpeg(&picture).map_err(Failure::internal)?;
        Ok((thumbnail, reader.pixels(&picture)))
    };
    let prepared = served.decoding.decode(sent.image.clone(), &decoder, prepare);
    let (thumbnail, pixels) = prepared.await?;
    let vector = embedding.picture(pixels).await?;
    let record = Record { thumbnail: Some(thumbnail), ..sent.record };
    let item = Item { record, vector };
    let store = move || store(&served.main, &sent.image, item, put);
    admitted.work(store).await?.0
}

fn store(
    collection: &Collection,
    image: &[u8],
    mut item: Item,
    put: Put,
) -> Result<Picture, Failure> {
    let id = item.record.id.clone();
    let record = collection.write(|index| {
        let before = index.get(&id)?;
        match put {
            Put::New if before.is_some() => return Err(taken(&id)),
            Put::Known if before.is_none() => return Err(Failure::no_picture(&id)),
            _ => {}
        }
        item.record.place = Some(collection.uploads.keep_picture(image)?);
        indexing::add_changes(index, 1)?;
        index.put(std::slice::from_ref(&item))?;
        let before = before.and_then(|before| before.record.place);
        collection.forget_original(index, before.as_ref())?;
        Ok(item.record)
    })?;
    picture(collection, Which::Main, record)
}

fn taken(id: &str) -> Failure {
    let shown: String = id.chars().take(80).collect();
    let told = format!("there is a picture of the id {shown:?} already");
    let hint = "send another id, or replace it with PUT /api/pictures/{id}";
    Failure::new(StatusCode::CONFLICT, "taken", told).hint(hint)
}
