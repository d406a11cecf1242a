//! What a search answers: modes, signs, filters, pages, folds, and what it refuses.

use std::collections::BTreeSet;

use finelens_search::{
    Backend, Embedded, Error, Filter, Item, Mode, Query, Rule, Trial, Value, Words,
};

use crate::pictures::{DIM, id, item, mix, own_word, settings, vector};

/// Pictures in the index.
const COUNT: u64 = 300;

fn filled() -> (tempfile::TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let index = Embedded::create(&folder.path().join("index"), &settings("model")).unwrap();
    let items: Vec<Item> = (0..COUNT).map(|number| item(number, 1)).collect();
    index.put(&items).unwrap();
    (folder, index)
}

fn query(words: &str, vector: Option<Vec<f32>>, mode: Mode) -> Query {
    Query { mode, ..Query::new(Words::parse(words), vector) }
}

fn ids(index: &Embedded, query: &Query) -> Vec<String> {
    index.search(query).unwrap().hits.into_iter().map(|hit| hit.record.id).collect()
}

const MODES: [Mode; 3] = [Mode::Lexical, Mode::Vector, Mode::Hybrid];

#[test]
fn every_hit_of_a_hybrid_search_has_both_scores_and_says_why_it_is_there() {
    let (_folder, index) = filled();
    let of_seven = item(7, 1).vector;
    let results = index.search(&query("red field", Some(of_seven.clone()), Mode::Hybrid)).unwrap();
    assert_eq!(results.rule, Some(Rule::Rrf));
    assert_eq!((results.hits.len(), results.more), (10, true));
    for hit in &results.hits {
        let scores = hit.scores;
        let number = match hit.record.metadata["number"] {
            Value::Number(number) => number as u64,
            _ => panic!("a number was put"),
        };
        let cosine: f32 = item(number, 1).vector.iter().zip(&of_seven).map(|(a, b)| a * b).sum();
        assert!((scores.vector.unwrap() - cosine).abs() < 1e-5);
        assert_eq!(scores.lexical.unwrap() > 0.0, !hit.matched.is_empty());
        assert!(scores.lexical_rank.is_some() || scores.vector_rank.is_some());
        for (caption, marks) in hit.record.captions.iter().zip(&hit.marks) {
            for range in marks {
                assert!(["red", "field"].contains(&&caption[range.clone()]));
            }
        }
    }
    let fused: Vec<f32> = results.hits.iter().map(|hit| hit.scores.fused).collect();
    assert!(fused.is_sorted_by(|a, b| a >= b), "{fused:?}");
}

#[test]
fn pages_neither_overlap_nor_leave_anything_out() {
    let (_folder, index) = filled();
    let more: Vec<Item> = (COUNT..1_000).map(|number| item(number, 1)).collect();
    index.put(&more).unwrap();
    for mode in MODES {
        let all = Query { limit: 700, ..query("red field", Some(vector(3)), mode) };
        let all = ids(&index, &all);
        let pages: Vec<String> = (0..70)
            .flat_map(|page| {
                let page = Query { offset: page * 10, ..query("red field", Some(vector(3)), mode) };
                ids(&index, &page)
            })
            .collect();
        assert_eq!(pages, all, "{mode:?}");
    }
    let beyond = Query { offset: usize::MAX, ..query("field", Some(vector(3)), Mode::Hybrid) };
    let results = index.search(&beyond).unwrap();
    assert_eq!((results.hits.len(), results.more), (0, false));
    let everything = Query { limit: usize::MAX, ..query("", Some(vector(3)), Mode::Vector) };
    assert_eq!(ids(&index, &everything).len(), 1_000);
}

#[test]
fn signs_and_filters_bind_every_mode_exactly() {
    let (_folder, index) = filled();
    let is_red = |number: &u64| mix(*number, 1).is_multiple_of(3);
    let filter = Filter::parse("number >= 100 and colour in (red, green)").unwrap();
    for mode in MODES {
        let limit = COUNT as usize;
        let binding = Query { limit, ..query("+red", Some(vector(1)), mode) };
        let found: BTreeSet<String> = ids(&index, &binding).into_iter().collect();
        assert_eq!(found, (0..COUNT).filter(is_red).map(id).collect(), "{mode:?}");
        let filtered = Query { filter: Some(filter.clone()), ..binding };
        let found: BTreeSet<String> = ids(&index, &filtered).into_iter().collect();
        assert_eq!(found, (100..COUNT).filter(is_red).map(id).collect(), "{mode:?}");
        let nothing = query(&format!("+{} -field", own_word(5, 1)), Some(vector(1)), mode);
        assert!(ids(&index, &nothing).is_empty(), "{mode:?}");
    }
}

#[test]
fn without_words_or_vector_what_was_put_last_comes_first() {
    let (_folder, index) = filled();
    let filter = Some(Filter::parse("number < 3").unwrap());
    let found = ids(&index, &Query { filter, ..query("", None, Mode::Hybrid) });
    assert_eq!(found, [id(2), id(1), id(0)]);
}

#[test]
fn what_is_like_a_picture_is_not_the_picture() {
    let (_folder, index) = filled();
    let of_nine = index.get(&id(9)).unwrap().unwrap().vector;
    let like = Query { without: vec![id(9)], ..query("", Some(of_nine), Mode::Vector) };
    let found = ids(&index, &like);
    assert!(found.len() == 10 && !found.contains(&id(9)), "{found:?}");
}

#[test]
fn pictures_that_look_the_same_are_folded_into_the_best() {
    let (_folder, index) = filled();
    let twins: Vec<Item> = (0..3)
        .map(|number| Item { vector: item(9, 1).vector, ..item(1_000 + number, 1) })
        .collect();
    index.put(&twins).unwrap();
    let query = Query {
        fold_duplicates: Some(0.99),
        limit: 5,
        ..query("", Some(item(9, 1).vector), Mode::Vector)
    };
    let hits = index.search(&query).unwrap().hits;
    assert_eq!(hits[0].record.id, id(9));
    assert_eq!(hits[0].duplicates, [id(1_000), id(1_001), id(1_002)]);
    assert_eq!(hits.len(), 5);
    assert!(hits[1].scores.vector.unwrap() < 0.99);
}

#[test]
fn the_weight_is_fitted_kept_and_survives_compaction() {
    let (folder, index) = filled();
    let trial = |number: u64| Trial { id: id(number), caption: 0, vector: item(number, 1).vector };
    let fitted = index.fit(&(0..60).map(trial).collect::<Vec<_>>()).unwrap();
    assert_eq!(fitted.queries, 60);
    assert!(fitted.vector > 0.99 && fitted.chosen >= fitted.lexical.max(fitted.vector));
    let rule = index.stats().unwrap().rule;
    assert_eq!(rule, Rule::Convex { weight: 1.0 });
    index.delete(&[id(0).as_str()]).unwrap();
    index.compact(&mut |_, _, _| {}).unwrap();
    drop(index);
    let index = Embedded::open_read_only(&folder.path().join("index")).unwrap();
    let stats = index.stats().unwrap();
    assert_eq!((stats.rule, stats.fitted), (rule, Some(fitted)));
    assert_eq!((stats.pictures, stats.dead_rows), (COUNT as usize - 1, 0));
}

#[test]
fn words_and_facts_change_without_the_vector() {
    let (_folder, index) = filled();
    let mut record = index.get(&id(4)).unwrap().unwrap().record;
    record.captions = vec!["a lighthouse".to_owned()];
    index.update(&[record]).unwrap();
    assert_eq!(ids(&index, &query("lighthouse", None, Mode::Lexical)), [id(4)]);
    assert!(ids(&index, &query(&own_word(4, 1), None, Mode::Lexical)).is_empty());
    assert_eq!(ids(&index, &query("", Some(item(4, 1).vector), Mode::Vector))[0], id(4));
    let unknown = item(9_999, 1).record;
    assert!(matches!(index.update(&[unknown]), Err(Error::Id { .. })));
}

#[test]
fn a_successor_with_other_vectors_takes_over_at_once() {
    let (folder, index) = filled();
    let reader = Embedded::open_read_only(&folder.path().join("index")).unwrap();
    let successor = index.successor(&settings("better")).unwrap();
    assert!(successor.compact(&mut |_, _, _| {}).is_err());
    let (_other_folder, other) = filled();
    assert!(other.succeed(other.successor(&settings("better")).unwrap()).is_ok());
    let items: Vec<Item> = (0..50).map(|number| item(number, 2)).collect();
    successor.put(&items).unwrap();
    assert_eq!(index.stats().unwrap().pictures, COUNT as usize);
    index.succeed(successor).unwrap();
    for index in [&index, &reader] {
        assert_eq!(index.settings().model.name, "better");
        assert_eq!(ids(index, &query(&own_word(3, 2), None, Mode::Lexical)), [id(3)]);
        assert!(ids(index, &query(&own_word(3, 1), None, Mode::Lexical)).is_empty());
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (folder, index) = filled();
    let put = |change: fn(&mut Item)| {
        let mut wrong = item(5_000, 1);
        change(&mut wrong);
        index.put(&[item(6_000, 1), wrong]).unwrap_err()
    };
    assert!(matches!(
        put(|item| item.vector.truncate(3)),
        Error::Width { expected: DIM, found: 3, .. }
    ));
    assert!(matches!(put(|item| item.vector[0] = 7.0), Error::NotUnit { .. }));
    assert!(matches!(put(|item| item.vector[0] = f32::NAN), Error::NotUnit { .. }));
    assert!(matches!(put(|item| item.record.id.clear()), Error::Id { .. }));
    assert_eq!(index.stats().unwrap().pictures, COUNT as usize);
    let ask = |query: Query| index.search(&query).unwrap_err();
    let base = query("red", Some(vector(1)), Mode::Hybrid);
    assert!(matches!(ask(Query { vector: Some(vec![1.0]), ..base.clone() }), Error::Width { .. }));
    for number in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let vector = Some(vec![number; DIM]);
        let told = ask(Query { vector, ..base.clone() });
        assert!(matches!(told, Error::NotUnit { .. }), "{number}: {told}");
    }
    assert!(matches!(ask(Query { weight: Some(f32::NAN), ..base.clone() }), Error::Query { .. }));
    assert!(matches!(ask(Query { weight: Some(1.5), ..base }), Error::Query { .. }));
    let wide = finelens_search::Settings { dim: 5_000, ..settings("wide") };
    let refused = Embedded::create(&folder.path().join("wide"), &wide);
    assert!(matches!(refused, Err(Error::Dimension { found: 5_000, .. })));
    let reader = Embedded::open_read_only(&folder.path().join("index")).unwrap();
    assert!(matches!(reader.put(&[item(1, 1)]), Err(Error::ReadOnly { .. })));
    assert!(matches!(Embedded::open(&folder.path().join("index")), Err(Error::Locked { .. })));
}
