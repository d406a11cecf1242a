//! The address of a search page: what is asked, and which hit is open.

use form_urlencoded::{Serializer, byte_serialize};

use crate::serve::api::fields::Fields;
use crate::serve::api::question::NAMES;

/// Hits on a page; as many as the script asks for.
pub(super) const PAGE: usize = 48;

/// Whether a parameter is one of a search; others, as those that mailers add to links, are left out. The page has a size of
/// its own.
fn is_asked(name: &str) -> bool {
    name != "limit" && NAMES.contains(&name)
}

/// What an address says.
#[derive(Debug, Clone, Default)]
pub(super) struct Address {
    asked: Vec<(String, String)>,
    open: Option<String>,
}

impl Address {
    /// Takes the parameters apart.
    pub(super) fn of(fields: Fields) -> Self {
        let mut address = Self::default();
        for (name, value) in fields.0 {
            if name == "open" {
                address.open = Some(value);
            } else if is_asked(&name) && !value.is_empty() {
                address.asked.push((name, value));
            }
        }
        address
    }

    /// The same as the API is asked.
    pub(super) fn question(&self) -> Fields {
        let mut asked = self.asked.clone();
        asked.push(("limit".to_owned(), PAGE.to_string()));
        Fields(asked)
    }

    /// The first value of a parameter, or nothing.
    pub(super) fn value(&self, name: &str) -> &str {
        self.asked.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(super) fn words(&self) -> &str {
        self.value("q")
    }

    pub(super) fn open(&self) -> Option<&str> {
        self.open.as_deref()
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    pub(super) fn offset(&self) -> usize {
        self.value("offset").parse().unwrap_or(0)
    }

    pub(super) fn is_first_page(&self) -> bool {
        self.offset() == 0
    }

    /// Parameters but those named, as a form repeats them.
    pub(super) fn without(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let kept = self.asked.iter().filter(move |(name, _)| !names.contains(&name.as_str()));
        kept.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// This page with a hit open.
    pub(super) fn opening(&self, id: &str) -> String {
        written(self.without(&[]).chain([("open", id)]))
    }

    /// This page with none open.
    pub(super) fn closed(&self) -> String {
        written(self.without(&[]))
    }

    /// The page that begins there.
    pub(super) fn from(&self, offset: usize) -> String {
        let offset = offset.to_string();
        let first = (offset != "0").then_some(("offset", offset.as_str()));
        written(self.without(&["offset"]).chain(first))
    }
}

/// An address of the search with these parameters.
pub(super) fn written<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
}

/// Where the API has a picture; `what` is its part.
pub(super) fn picture(id: &str, what: &str) -> String {
    // In a path a space is never a plus.
    let id = byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20");
    format!("/api/pictures/{id}/{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(query: &str) -> Address {
        Address::of(Fields::of_query(query))
    }

    #[test]
    fn links_keep_what_is_asked_and_drop_what_is_not_ours() {
        let address = address("q=a+red+boat&utm_source=mail&filter=&like=a%2Fb&open=x%26y");
        assert_eq!(address.closed(), "/?q=a+red+boat&like=a%2Fb");
        assert_eq!(address.opening("<1>"), "/?q=a+red+boat&like=a%2Fb&open=%3C1%3E");
        assert_eq!(address.from(48), "/?q=a+red+boat&like=a%2Fb&offset=48");
        assert_eq!(address.from(0), "/?q=a+red+boat&like=a%2Fb");
        assert_eq!(address.open(), Some("x&y"));
    }

    #[test]
    fn ids_are_one_part_of_a_path() {
        assert_eq!(
            picture("a b/ü?.jpg", "thumbnail"),
            "/api/pictures/a%20b%2F%C3%BC%3F.jpg/thumbnail"
        );
    }
}
