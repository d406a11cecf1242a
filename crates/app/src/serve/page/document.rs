//! The frame of every page: what a browser loads, and what stands there until the script takes over.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{address, names};

/// A page before it is sent.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// What the tab says, beside our name.
    pub(super) title: &'a str,
    /// What is seen without JavaScript.
    pub(super) body: Markup,
    /// The API's answer to what the address asks, for the script.
    pub(super) first: Option<&'a str>,
}

impl Document<'_> {
    /// All of it.
    pub(super) fn draw(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head { (self.head()) }
                body {
                    div #page { div.unscripted { (self.body) } }
                    @if let Some(json) = self.first {
                        script #first-results type="application/json" { (PreEscaped(inside_script(json))) }
                    }
                }
            }
        }
    }

    fn head(&self) -> Markup {
        html! {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { @if self.title.is_empty() { "finelens" } @else { (self.title) " – finelens" } }
            link rel="icon" type="image/svg+xml" href=(address("favicon.svg"));
            @for name in names("css") { link rel="stylesheet" href=(address(name)); }
            script src=(address("theme.js")) {}
            @for name in names("js").filter(|name| *name != "theme.js") {
                link rel="modulepreload" href=(address(name));
            }
            script type="module" src=(address("app.js")) {}
        }
    }
}

/// JSON that cannot end the element around it.
fn inside_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_can_neither_end_the_script_nor_begin_an_element() {
        let json = r#"{"captions":["</script><img src=x onerror=alert(1)>"]}"#;
        let title = "<img onerror>";
        let body = html! { (title) };
        let drawn = Document { title, body, first: Some(json) }.draw().into_string();
        assert!(!drawn.contains("<img"), "{drawn}");
        assert_eq!(drawn.matches("</script>").count(), 3, "{drawn}");
        let inside: serde_json::Value = serde_json::from_str(&inside_script(json)).unwrap();
        assert_eq!(inside, serde_json::from_str::<serde_json::Value>(json).unwrap());
    }

    #[test]
    fn no_script_and_no_style_is_inline() {
        let drawn = Document { title: "", body: html! {}, first: None }.draw().into_string();
        assert!(
            !drawn.contains("<style") && !drawn.contains(" style=") && !drawn.contains(" on"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("<script").count(), drawn.matches("<script src=").count() + 1);
    }
}
