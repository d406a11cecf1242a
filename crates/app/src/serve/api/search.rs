//! Searching.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use finelens_search::{Backend, Mode};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::answer::{Answer, Took};
use super::fields::Fields;
use super::form::{Form, PICTURES};
use super::question::{Legs, Question, not_lexical};
use crate::found;
use crate::question::{Part, What};
use crate::serve::embedding::NO_MODEL;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::metrics::Stage;
use crate::serve::parts::{self, Shown};
use crate::serve::state::Served;

/// Search by words, by pictures, or by both. Without any question: everything, newest first.
#[utoipa::path(
    get, path = "/api/search", operation_id = "search", tag = "search", params(Question),
    responses(
        (status = 200, body = Answer),
        (status = 400, body = FailureBody, description = "a parameter that cannot be understood"),
        (status = 404, body = FailureBody, description = "a picture or an index that is not there"),
        (status = 422, body = FailureBody, description = "a filter that cannot be understood, or a question without sense"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn get(
    State(served): State<Arc<Served>>,
    fields: Fields,
) -> Result<Response, Failure> {
    let found = asked(&served, fields).await?;
    Ok(rendered(&served, found))
}

/// Answers what an address asks.
pub(crate) async fn asked(served: &Served, fields: Fields) -> Result<Answer, Failure> {
    answer(served, &Question::read(fields)?, Vec::new()).await
}

fn rendered(served: &Served, answer: Answer) -> Response {
    let begun = Instant::now();
    let response = Json(answer).into_response();
    served.metrics.took(Stage::render, begun.elapsed());
    response
}

/// What a search by pictures is sent: the parameters of the search by address, and pictures.
#[derive(Debug)]
pub(crate) struct SearchForm;

impl ToSchema for SearchForm {}

impl PartialSchema for SearchForm {
    fn schema() -> RefOr<Schema> {
        let picture = ObjectBuilder::new().schema_type(Type::String);
        let picture = picture.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let images = ArrayBuilder::new().items(picture).max_items(Some(PICTURES));
        let images =
            images.description(Some("JPEG, PNG, WebP, TIFF, BMP or GIF; may be repeated."));
        let form = ObjectBuilder::new()
            .property("image", images)
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        let parameters = Question::into_params(|| None).into_iter();
        let fields = parameters.filter_map(|field| Some((field.name, field.schema?)));
        fields.fold(form, |form, (name, schema)| form.property(name, schema)).into()
    }
}

/// Search by pictures that are sent along; nothing of them is kept.
#[utoipa::path(
    post, path = "/api/search", operation_id = "search_by_pictures", tag = "search",
    request_body(content = SearchForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Answer),
        (status = 400, body = FailureBody, description = "a field that cannot be understood"),
        (status = 404, body = FailureBody, description = "a picture or an index that is not there"),
        (status = 413, body = FailureBody, description = "too large"),
        (status = 415, body = FailureBody, description = "no picture"),
        (status = 422, body = FailureBody, description = "a damaged picture, or a question without sense"),
        (status = 429, body = FailureBody, description = "too much is asked; see Retry-After"),
        (status = 503, body = FailureBody, description = "the model of the index is not there"),
    )
)]
pub(crate) async fn post(
    State(served): State<Arc<Served>>,
    form: Form,
) -> Result<Response, Failure> {
    let question = Question::read(form.fields)?;
    if question.mode == Legs::Lexical && !form.images.is_empty() {
        return Err(not_lexical("image"));
    }
    let found = answer(&served, &question, form.images).await?;
    Ok(rendered(&served, found))
}

/// Answers a question, to which pictures may have been sent along.
pub(crate) async fn answer(
    served: &Served,
    question: &Question,
    sent: Vec<Bytes>,
) -> Result<Answer, Failure> {
    let (mut query, named) = question.query()?;
    let collection = served.collection(question.index)?;
    let admitted = served.gate.enter()?;
    let begun = Instant::now();
    let parts = shown(named, sent);
    let vector = parts::vector(collection, &served.decoding, &parts).await;
    let (vector, without_model) = or_words_alone(vector, query.mode, &parts)?;
    query.vector = vector;
    let embed = begun.elapsed();
    let reader = Arc::clone(&collection.reader);
    let search = move || {
        let begun = Instant::now();
        let mut results = reader.search(&query)?;
        if let Some(filter) = query.filter.as_ref().filter(|_| results.hits.is_empty()) {
            results.notes.extend(found::reasons(&reader, filter)?);
        }
        Ok::<_, Failure>((results, begun.elapsed()))
    };
    let (found, wait) = admitted.work(search).await?;
    let (mut results, search) = found?;
    results.notes.extend(without_model);
    for (stage, taken) in [(Stage::wait, wait), (Stage::embed, embed), (Stage::search, search)] {
        served.metrics.took(stage, taken);
    }
    Ok(Answer::new(question, results, Took { wait, embed, search }))
}

/// The parts of the question, and after them the pictures that were sent along.
fn shown(named: Vec<Part<String>>, sent: Vec<Bytes>) -> Vec<Part<Shown>> {
    let named = named.into_iter().map(|Part { weight, what }| {
        let what = match what {
            What::Text(text) => What::Text(text),
            What::Id(id) => What::Id(id),
            What::Picture(name) => What::Picture(Shown::Upload(name)),
        };
        Part { weight, what }
    });
    let sent = sent.into_iter();
    let sent = sent.map(|bytes| Part { weight: 1.0, what: What::Picture(Shown::Sent(bytes)) });
    named.chain(sent).collect()
}

/// Where the model cannot be used, words alone may answer, with a note: better than nothing at all.
fn or_words_alone(
    vector: Result<Option<Vec<f32>>, Failure>,
    mode: Mode,
    parts: &[Part<Shown>],
) -> Result<(Option<Vec<f32>>, Option<String>), Failure> {
    let words = |part: &Part<Shown>| matches!(part.what, What::Text(_)) && part.weight > 0.0;
    match vector {
        Err(failure)
            if failure.code() == NO_MODEL && mode == Mode::Hybrid && parts.iter().all(words) =>
        {
            Ok((None, Some(format!("searched by the words alone: {}", failure.message()))))
        }
        vector => Ok((vector?, None)),
    }
}
