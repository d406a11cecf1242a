//! Parts of the script that have a right answer, asked directly.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn conditions_are_what_facets_chose_and_back() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.search("/");
    let back = |text: &str| {
        let module = "import('/assets/search/filter.js')";
        let call = format!("filter.choicesOf({text:?})");
        stage.browser.value(&format!(
            "{module}.then((filter) => {{ const choices = {call}; return choices && filter.filterText(choices); }})"
        ))
    };
    for text in [
        "",
        "season = summer",
        "season in (summer, autumn)",
        r#"class in (port, "river bank", "say \"no\"") and year >= 1999 and year <= 2004"#,
        r#""a field" = "and""#,
        "cloudy = true and score >= -1.5",
    ] {
        assert_eq!(back(text), json!(text));
    }
    for text in [
        "year > 3",
        "not season = summer",
        "a = 1 or b = 2",
        "(a = 1)",
        "season =",
        "a = 1 and a = 2",
        "exists a",
    ] {
        assert_eq!(back(text), json!(null), "{text}");
    }
}

#[test]
fn marks_are_bytes_and_captions_are_letters() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.search("/");
    let pieces = stage.browser.value(
        "import('/assets/wording.js').then(({ marked }) => marked('ein grüner Fluß', [[4, 11], [12, 17], [90, 95]]).map((piece) => piece.props?.children ?? piece))",
    );
    assert_eq!(pieces, json!(["ein ", "grüner", " ", "Fluß", ""]));
}

#[test]
fn more_heat_is_lighter() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.search("/");
    let lightness = stage.browser.value(
        "import('/assets/find/heat.js').then(({ colourAt }) => [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => {
            const [red, green, blue] = colourAt(share).map((part) => (part / 255) ** 2.2);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue; }))",
    );
    let values: Vec<f64> =
        lightness.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert!(values.is_sorted() && values[5] > 0.8, "{values:?}");
}
