//! Searching without JavaScript: a form, a grid, pages, and a picture opened.

use maud::{Markup, html};
use serde_json::Value;

use super::assets;
use super::hits::{Found, Hit};
use super::link::{Address, PAGE, picture, written};
use crate::serve::failure::Failure;

const MODES: [(&str, &str); 3] =
    [("hybrid", "Words and meaning"), ("lexical", "Words"), ("vector", "Meaning")];

/// The form with what came of it.
pub(super) fn page(address: &Address, body: &Markup) -> Markup {
    html! {
        (brand())
        (form(address))
        main.search { (body) }
    }
}

/// Our mark and name.
pub(super) fn brand() -> Markup {
    html! {
        header.bar { a.brand href="/" { img src=(assets::address("favicon.svg")) width="26" height="26" alt=""; span { "finelens" } } }
    }
}

fn form(address: &Address) -> Markup {
    let mode = address.value("mode");
    html! {
        form.unscripted-form action="/" role="search" {
            input type="search" name="q" value=(address.words()) placeholder="What is in the picture?" aria-label="Search";
            select name="mode" aria-label="Search by" {
                @for (value, name) in MODES { option value=(value) selected[mode == value] { (name) } }
            }
            input type="text" name="filter" value=(address.value("filter")) placeholder="year >= 2010" aria-label="Condition";
            @for (name, value) in address.without(&["q", "mode", "filter", "offset"]) {
                input type="hidden" name=(name) value=(value);
            }
            button.primary { "Search" }
        }
    }
}

/// The grid, and the way to the next page.
pub(super) fn found(address: &Address, found: &Found) -> Markup {
    html! {
        @for note in &found.notes { p.quiet { (note) } }
        @if found.hits.is_empty() { (nothing(address)) }
        ul.tiles.with-captions {
            @for hit in &found.hits { (tile(address, hit)) }
        }
        (pager(address, found.more))
    }
}

fn tile(address: &Address, hit: &Hit) -> Markup {
    html! {
        li {
            a href=(address.opening(&hit.id)) {
                img src=(picture(&hit.id, "thumbnail?size=384")) alt=(hit.name()) loading="lazy";
            }
            p.caption { (caption(hit, 0)) }
        }
    }
}

fn caption(hit: &Hit, index: usize) -> Markup {
    html! {
        @for (piece, matched) in hit.pieces(index) {
            @if matched { mark { (piece) } } @else { (piece) }
        }
    }
}

fn pager(address: &Address, more: bool) -> Markup {
    let offset = address.offset();
    html! {
        nav.row.middle.pager aria-label="Pages" {
            @if offset > 0 { a.button rel="prev" href=(address.from(offset.saturating_sub(PAGE))) { "Back" } }
            @if more { a.button rel="next" href=(address.from(offset + PAGE)) { "More" } }
        }
    }
}

fn nothing(address: &Address) -> Markup {
    html! {
        section.empty {
            @if address.is_empty() {
                h2 { "This index is empty" }
                p { "Fill it with " code { "finelens index DATA --into INDEX" } "." }
            } @else {
                h2 { "No picture fits all of this" }
                p { "Fewer words find more, and so does a wider condition." }
                p { a href="/" { "Start over" } }
            }
        }
    }
}

/// Why there is no answer.
pub(super) fn refused(failure: &Failure) -> Markup {
    html! {
        section.empty.problem role="alert" {
            h2 { (failure.message()) }
            @if let Some(hint) = failure.advice() { p { (hint) } }
        }
    }
}

/// One picture with all that is known of it.
pub(super) fn opened(address: &Address, found: &Found, id: &str) -> Markup {
    let hit = found.hits.iter().find(|hit| hit.id == id);
    html! {
        p { a href=(address.closed()) { "← Back to the pictures" } }
        article.unscripted-picture {
            img src=(picture(id, "original")) alt=(hit.map_or(id, Hit::name));
            div {
                @if let Some(hit) = hit { (told(hit)) }
                p.row.wrap {
                    a.button href=(written([("like", id)].into_iter())) { "More like this" }
                    a.button href=(picture(id, "original?download")) download { "Download" }
                }
                p.identity { (id) }
            }
        }
    }
}

fn told(hit: &Hit) -> Markup {
    html! {
        ul.captions { @for index in 0..hit.captions.len() { li { (caption(hit, index)) } } }
        dl.metadata {
            (score("words", hit.scores.lexical, hit.scores.lexical_rank))
            (score("meaning", hit.scores.vector, hit.scores.vector_rank))
            @for (field, value) in &hit.metadata { dt { (field) } dd { (plain(value)) } }
        }
    }
}

fn score(leg: &str, score: Option<f64>, rank: Option<usize>) -> Markup {
    html! {
        @if let Some(score) = score {
            dt { (leg) }
            dd { (format!("{score:.3}")) @if let Some(rank) = rank { " (number " (rank) ")" } }
        }
    }
}

/// A value as one writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Where the token is typed.
pub(super) fn login(next: &str) -> Markup {
    html! {
        main.login {
            form action="/api/login" method="post" {
                h1 { "finelens" }
                label for="token" { "Token" }
                input #token type="password" name="token" required;
                input type="hidden" name="next" value=(next);
                button.primary { "Log in" }
            }
        }
    }
}
