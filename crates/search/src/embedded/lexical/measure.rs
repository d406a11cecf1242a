//! Not committed.
use std::time::Instant;
use super::*;
use crate::embedded::lexical::testing::settings;
use crate::filter::Filter;
use crate::rows::RowSet;
use crate::settings::Language;
use crate::words::Words;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

fn zipf(random: &mut StdRng, cumulative: &[f64]) -> usize {
    let at = random.random::<f64>() * cumulative.last().unwrap();
    cumulative.partition_point(|sum| *sum < at)
}
fn pct(mut times: Vec<f64>, what: &str) {
    times.sort_by(f64::total_cmp);
    let n = times.len();
    println!("{what}: p50 {:.1} us, p90 {:.1}, p99 {:.1}, max {:.1}", times[n / 2] * 1e6, times[n * 9 / 10] * 1e6, times[n * 99 / 100] * 1e6, times[n - 1] * 1e6);
}
fn us<T>(f: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let out = f();
    (start.elapsed().as_secs_f64(), out)
}

#[test]
#[ignore]
fn measure() {
    let n: usize = std::env::var("N").map_or(200_000, |n| n.parse().unwrap());
    let mut random = StdRng::seed_from_u64(1);
    let mut sum = 0.0;
    let cumulative: Vec<f64> = (1..=50_000).map(|rank| { sum += 1.0 / (rank as f64 + 2.0); sum }).collect();
    let mut entry = |row: u32| {
        let len = random.random_range(6..=14);
        let caption = (0..len).map(|_| format!("w{}x", zipf(&mut random, &cumulative))).collect::<Vec<_>>().join(" ");
        let metadata = serde_json::json!({"half": row % 2, "tenth": row % 10, "year": 1990.0 + random.random::<f64>() * 30.0, "class": format!("class {}", random.random_range(0..100)), "big": random.random_bool(0.5)});
        Entry { row, captions: vec![caption], metadata: serde_json::from_value(metadata).unwrap() }
    };
    let entries: Vec<Entry> = (0..n as u32).map(&mut entry).collect();
    let more: Vec<Entry> = (n as u32..n as u32 + 3000).map(&mut entry).collect();
    let dir = tempfile::tempdir_in("/work").unwrap();
    let settings = settings(Language::English);
    let mut lexical = Lexical::open(dir.path(), &settings, true).unwrap();
    println!("build {:.2} s", us(|| lexical.bulk(&mut entries.iter().cloned().map(Ok), n).unwrap()).0);
    println!("segments {}; optimise {:.2} s", lexical.disk.segments().len(), us(|| lexical.optimise().unwrap()).0);
    let bytes: u64 = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    println!("disk {:.1} MB", bytes as f64 / 1e6);
    for _ in 0..3 { println!("open (reader) {:.1} ms", us(|| Lexical::open(dir.path(), &settings, false).unwrap()).0 * 1e3); }
    let view = lexical.view();
    let all = RowSet::all(n);
    let mut random = StdRng::seed_from_u64(2);
    let queries: Vec<String> = (0..1000).map(|_| {
        let caption = &entries[random.random_range(0..n)].captions[0];
        let words: Vec<&str> = caption.split(' ').collect();
        (0..5).map(|_| words[random.random_range(0..words.len())]).collect::<Vec<_>>().join(" ")
    }).collect();
    let measure = |view: &View, what: &str, shape: &dyn Fn(&str) -> Words, allowed: &RowSet| {
        let (mut plans, mut searches, mut scores) = (vec![], vec![], vec![]);
        let mut random = StdRng::seed_from_u64(3);
        for query in queries.iter().chain(&queries) {
            let words = shape(query);
            let (t, plan) = us(|| view.plan(&words).unwrap());
            plans.push(t);
            let (t, _) = us(|| view.search(&plan, 200, allowed).unwrap());
            searches.push(t);
            let rows: Vec<Row> = (0..200).map(|_| random.random_range(0..n as u32)).collect();
            scores.push(us(|| view.scores(&plan, &rows).unwrap()).0);
        }
        pct(plans.split_off(1000), &format!("{what} plan"));
        pct(searches.split_off(1000), &format!("{what} search 200"));
        pct(scores.split_off(1000), &format!("{what} scores of 200"));
    };
    measure(&view, "plain", &Words::parse, &all);
    let top = |q: &str| Words::parse(q.split(' ').take(2).collect::<Vec<_>>().join(" ").as_str());
    measure(&view, "two words", &top, &all);
    for part in [2, 10, 100, 1000] {
        let mut some = RowSet::none(n);
        (0..n as u32).step_by(part).for_each(|row| some.insert(row));
        measure(&view, &format!("plain, 1 of {part} allowed"), &Words::parse, &some);
    }
    measure(&view, "required", &|q| Words::parse(&format!("+{q}")), &all);
    measure(&view, "phrase", &|q| Words::parse(&format!("\"{}\" {q}", q.split(' ').take(2).collect::<Vec<_>>().join(" "))), &all);
    measure(&view, "prefix w1*", &|q| Words::parse(&format!("w1* {q}")), &all);
    measure(&view, "prefix w123*", &|q| Words::parse(&format!("w123* {q}")), &all);
    measure(&view, "fuzzy", &|q| Words::parse(q).fuzzy(), &all);
    for text in ["half = 1", "tenth = 3", "year < 2005", "year < 1993", "year < 1990.3", "class = \"class 7\"", "class < \"class 5\"", "big = true", "big exists", "not tenth = 3", "class in (\"class 1\", \"class 2\", \"class 3\")", "half = 1 and year < 1993", "tenth = 3 or year < 1993"] {
        let filter = Filter::parse(text).unwrap();
        let mut count = 0;
        let times: Vec<f64> = (0..50).map(|_| { let (t, rows) = us(|| view.filter(&filter, &all).unwrap()); count = rows.count(); t }).collect();
        pct(times, &format!("filter {text} ({:.1} %)", count as f64 * 100.0 / n as f64));
    }
    let (mut more, rest) = { let mut more = more; let rest = more.split_off(2000); (more, rest) };
    let bulk = more.split_off(1000);
    let mut at = n;
    let mut times = vec![];
    for entry in more { at += 1; times.push(us(|| lexical.add(vec![entry], at).unwrap()).0); }
    pct(times, "add of one, 1,000 times");
    println!("memory runs {}", lexical.memory.segments().count());
    at += 1000;
    println!("add of 1,000 {:.1} ms", us(|| lexical.add(bulk, at).unwrap()).0 * 1e3);
    let view2 = lexical.view();
    measure(&view2, "plain, with memory", &Words::parse, &RowSet::all(at));
    println!("commit {:.1} ms", us(|| lexical.commit().unwrap()).0 * 1e3);
    at += 1000;
    lexical.add(rest, at).unwrap();
    println!("commit {:.1} ms", us(|| lexical.commit().unwrap()).0 * 1e3);
    println!("verify {:.1} ms", us(|| lexical.verify().unwrap()).0 * 1e3);
}
