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
use utoipa::openapi::schema::{
    ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use super::fields::unknown;
use super::form::{Binary, Document, Form, Id};
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
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct PictureForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    image: Binary,
    /// What it shows; may be repeated.
    #[schema(required = false, max_items = 100)]
    caption: Vec<String>,
    /// Values to filter by, as a JSON object.
    #[schema(required = false, schema_with = values_by_name)]
    metadata: Metadata,
    /// Its id in the index, at most 4,096 bytes. Default: the head of the picture's SHA-256.
    #[schema(required = false, pattern = "^[^\\x00-\\x1F\\x7F-\\x9F]*$")]
    id: String,
}

/// A picture that is sent in place of another, with what is said about it.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a form; `Form` reads it")]
pub(crate) struct ReplacementForm {
    /// JPEG, PNG, WebP, TIFF, BMP or GIF.
    image: Binary,
    /// What it shows; may be repeated.
    #[schema(required = false, max_items = 100)]
    caption: Vec<String>,
    /// Values to filter by, as a JSON object.
    #[schema(required = false, schema_with = values_by_name)]
    metadata: Metadata,
}

/// Texts, numbers, truth values, and lists of these by their names.
fn values_by_name() -> Schema {
    named_values(SchemaType::new(Type::Object))
}

/// The same, or nothing.
fn values_by_name_if_any() -> Schema {
    named_values(SchemaType::from_iter([Type::Object, Type::Null]))
}

fn named_values(kind: SchemaType) -> Schema {
    let single = || {
        let types = [Type::String, Type::Number, Type::Boolean];
        ObjectBuilder::new().schema_type(SchemaType::from_iter(types))
    };
    let list = ArrayBuilder::new().items(single());
    let value = OneOfBuilder::new().item(single()).item(list);
    let values = ObjectBuilder::new().schema_type(kind);
    values.additional_properties(Some(Schema::from(value))).into()
}

/// What is to be said about a picture from now on; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    #[schema(max_items = 100)]
    captions: Option<Vec<String>>,
    #[schema(required = false, schema_with = values_by_name_if_any)]
    metadata: Option<Metadata>,
}

/// What is known of a picture.
#[utoipa::path(
    get, path = "/api/pictures/{id}", operation_id = "picture", tag = "pictures",
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
    post, path = "/api/pictures", operation_id = "add_picture", tag = "pictures",
    request_body(content = PictureForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Picture, headers(("Location" = String, description = "where it is"))),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here, or not this picture"),
        (status = 409, body = FailureBody, description = "the id is taken, or somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture, or an id or captions that cannot be"),
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
    put, path = "/api/pictures/{id}", operation_id = "replace_picture", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    request_body(content = ReplacementForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Picture),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here, or not this picture"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 409, body = FailureBody, description = "somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture, or an id or captions that cannot be"),
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
    patch, path = "/api/pictures/{id}", operation_id = "change_picture", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    request_body = Change,
    responses(
        (status = 200, body = Picture),
        (status = 400, body = FailureBody, description = "a document that cannot be understood"),
        (status = 403, body = FailureBody, description = "nothing may be changed here, or not this picture"),
        (status = 404, body = FailureBody, description = "no picture of this id"),
        (status = 409, body = FailureBody, description = "somebody else is writing"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no JSON"),
        (status = 422, body = FailureBody, description = "captions or metadata that cannot be"),
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
    let (picture, _) = admitted.work(move || reword(&served, &id, change)).await?;
    picture.map(Json)
}

fn reword(served: &Served, id: &str, change: Change) -> Result<Picture, Failure> {
    let collection = &served.main;
    let record = collection.write(|index| {
        let item = index.get(id)?.ok_or_else(|| not_here(served, id))?;
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
    delete, path = "/api/pictures/{id}", operation_id = "delete_picture", tag = "pictures",
    params(("id" = String, Path, description = "id of the picture")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 403, body = FailureBody, description = "nothing may be changed here, or not this picture"),
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
    let (deleted, _) = admitted.work(move || remove(&served, &id)).await?;
    deleted.map(|()| StatusCode::NO_CONTENT)
}

/// Why a picture cannot be changed: there is none, or it is in the other index alone.
fn not_here(served: &Served, id: &str) -> Failure {
    let other = served.other.as_ref().and_then(|other| other.reader.get(id).ok().flatten());
    if other.is_none() {
        return Failure::no_picture(id);
    }
    let told = "this picture is only in the index to compare with, and that one stays as it is";
    Failure::forbidden("compared_only", told).hint("serve that index with --index to change it")
}

fn remove(served: &Served, id: &str) -> Result<(), Failure> {
    let collection = &served.main;
    collection.write(|index| {
        let item = index.get(id)?.ok_or_else(|| not_here(served, id))?;
        indexing::add_changes(index, 1)?;
        index.delete(&[id])?;
        collection.forget_original(index, id, item.record.place.as_ref())
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
        let known: &[&str] = &["image", "caption", "metadata", "id"];
        let known = &known[..known.len() - usize::from(id.is_some())];
        for (name, value) in form.fields.0 {
            match name.as_str() {
                "caption" => record.captions.push(value),
                "metadata" => record.metadata = metadata(&value)?,
                "id" if id.is_none() => record.id = checked_id(value)?,
                _ => return Err(unknown(&name, known)),
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
    Err(Failure::senseless("bad_captions", told))
}

fn metadata(text: &str) -> Result<Metadata, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let told = format!("metadata: expected a JSON object of texts, numbers, true, false and lists of these: {error}");
        Failure::bad("bad_metadata", told).hint("send for example metadata={\"year\": 2020, \"class\": \"port\"}")
    })
}

/// An id that can stand in an address: `.` and `..` would be taken for something else there.
fn checked_id(id: String) -> Result<String, Failure> {
    if matches!(id.as_str(), "." | "..") || id.chars().any(char::is_control) {
        let told = format!("id: expected letters that can stand in an address, found {id:?}");
        return Err(Failure::senseless("bad_id", told));
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
    let store = move || store(&served, &sent.image, item, put);
    admitted.work(store).await?.0
}

fn store(served: &Served, image: &[u8], mut item: Item, put: Put) -> Result<Picture, Failure> {
    let collection = &served.main;
    let id = item.record.id.clone();
    let record = collection.write(|index| {
        let before = index.get(&id)?;
        match put {
            Put::New if before.is_some() => return Err(taken(&id)),
            Put::Known if before.is_none() => return Err(not_here(served, &id)),
            _ => {}
        }
        let place = collection.uploads.keep_picture(image, &id)?;
        let before = before.and_then(|before| before.record.place);
        let before = before.filter(|before| before.path != place.path);
        item.record.place = Some(place);
        indexing::add_changes(index, 1)?;
        indexing::note_precision(index)?;
        index.put(std::slice::from_ref(&item))?;
        collection.forget_original(index, &id, before.as_ref())?;
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
