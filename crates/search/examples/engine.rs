//! Measures the whole engine on vectors and captions from files; one JSON line per figure.
//!
//! `engine build DIR INDEX` makes an index from base.f32, captions.txt and the queries of DIR, which
//! `generate DIR N` writes. `engine measure DIR INDEX` times searches, `engine vector DIR INDEX` those
//! by vector alone and without filters, `engine usual DIR INDEX` those of text as they are by default, in each mode,
//! `engine change DIR INDEX` adds and deletes. `engine build DIR INDEX MODEL HASH` says which model the vectors are of, as
//! `finelens admin stats --json` prints it, so that a server can answer with it.
//! bench/search/README.md says how the figures are used.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use finelens_search::{
    Backend, Embedded, Filter, Fingerprint, Item, Language, Metadata, Mode, Query, Record,
    Settings, Value, Words,
};
use serde_json::json;

/// Pictures put in one call while building.
const BATCH: usize = 5_000;

/// Queries that the index is calibrated on; the others are asked.
const CALIBRATED: usize = 500;

/// Queries are asked over and over for at least this long where they are counted.
const COUNTED: Duration = Duration::from_secs(1);

/// The recall of searches for which speed counts more.
const SHALLOW: f32 = 0.95;

/// The note that keeps how long building took.
const BUILD_S: &str = "build_s";

/// Filters that hold for this share of all pictures: the `slice` of a picture is its number modulo 1,000.
const SHARES: [(f64, u32); 4] = [(0.5, 500), (0.1, 100), (0.01, 10), (0.001, 1)];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (command, data, index, name, hash) = match words[..] {
        [command, data, index] => (command, data, index, "generated", "generated"),
        ["build", data, index, name, hash] => ("build", data, index, name, hash),
        _ => {
            return Err(
                "usage: engine build|measure|vector|usual|change DIR INDEX [MODEL HASH]".into()
            );
        }
    };
    let (data, index) = (Path::new(data), Path::new(index));
    let model = Fingerprint { hash: hash.to_owned(), name: name.to_owned() };
    match command {
        "build" => build(data, index, model),
        "measure" => measure(data, index, |_| true),
        "vector" => measure(data, index, |case| case.mode == Mode::Vector && case.share.is_none()),
        "usual" => measure(data, index, is_usual),
        "change" => change(data, index),
        _ => Err("expected build, measure, vector, usual or change".into()),
    }
}

fn tell(line: &serde_json::Value) -> Outcome<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// # Shapes
/// `(N, D)`, row by row.
fn numbers(path: &Path) -> Outcome<Vec<f32>> {
    let bytes = fs_err::read(path)?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn lines(path: &Path) -> Outcome<Vec<String>> {
    Ok(fs_err::read_to_string(path)?.lines().map(str::to_owned).collect())
}

fn item(number: usize, vector: &[f32], caption: &str) -> Item {
    let slice = (number % 1000) as f64;
    let metadata = Metadata::from([("slice".to_owned(), Value::Number(slice))]);
    let (id, captions) = (format!("{number:08}"), vec![caption.to_owned()]);
    Item { record: Record { id, captions, metadata, ..Record::default() }, vector: vector.to_vec() }
}

fn build(data: &Path, index: &Path, model: Fingerprint) -> Outcome<()> {
    let (base, captions) = (numbers(&data.join("base.f32"))?, lines(&data.join("captions.txt"))?);
    let dim = base.len() / captions.len();
    let texts = numbers(&data.join("text.f32"))?;
    let probes: Vec<Vec<f32>> = texts.chunks(dim).take(CALIBRATED).map(<[f32]>::to_vec).collect();
    let start = Instant::now();
    let settings = Settings { dim, model, language: Language::English, text_fields: Vec::new() };
    let engine = Embedded::create(index, &settings)?;
    let rows: Vec<&[f32]> = base.chunks(dim).collect();
    for (batch, rows) in rows.chunks(BATCH).enumerate() {
        let items: Vec<Item> = (batch * BATCH..)
            .zip(rows)
            .map(|(number, row)| item(number, row, &captions[number]))
            .collect();
        engine.put(&items)?;
    }
    let stored_s = start.elapsed().as_secs_f64();
    engine.set_probes(&probes)?;
    engine.optimise(&mut |_, _, _| {})?;
    let build_s = start.elapsed().as_secs_f64();
    engine.set_note(BUILD_S, &build_s.to_string())?;
    drop(engine);
    let raw = base.len() * 4 + captions.iter().map(String::len).sum::<usize>();
    tell(&json!({"engine": "finelens", "n": rows.len(), "dim": dim, "build_s": round(build_s),
            "of_which_storing_s": round(stored_s), "disk_mib": round(disk(index)? / MIB),
            "disk_ratio": round(disk(index)? / raw as f64)}))
}

const MIB: f64 = 1024.0 * 1024.0;

fn disk(folder: &Path) -> Outcome<f64> {
    let mut total = 0.0;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        total += if kind.is_dir() { disk(&entry.path())? } else { entry.metadata()?.len() as f64 };
    }
    Ok(total)
}

/// Three figures after the point are more than the noise allows.
fn round(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

/// Resident memory of this process: all of it, and what is not files, in MiB.
fn resident() -> Outcome<(f64, f64)> {
    let status = fs_err::read_to_string("/proc/self/status")?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0)
    };
    Ok((kib("VmRSS:") / 1024.0, kib("RssAnon:") / 1024.0))
}

/// One kind of query over and over.
struct Case<'a> {
    kind: &'a str,
    mode: Mode,
    share: Option<f64>,
    queries: Vec<Query>,
}

/// Text, without filters, at the recall that is usual.
fn is_usual(case: &Case<'_>) -> bool {
    let is_deep = |query: &Query| query.recall > SHALLOW;
    case.kind == "text" && case.share.is_none() && case.queries.iter().all(is_deep)
}

fn measure(data: &Path, index: &Path, wanted: fn(&Case<'_>) -> bool) -> Outcome<()> {
    let texts = numbers(&data.join("text.f32"))?;
    let images = numbers(&data.join("image.f32"))?;
    let words = lines(&data.join("textq.txt"))?;
    let (before, _) = resident()?;
    let start = Instant::now();
    let engine = Embedded::open_read_only(index)?;
    let open_s = start.elapsed().as_secs_f64();
    let facts = json!({"engine": "finelens", "n": engine.stats()?.pictures, "dim": engine.settings().dim,
        "open_s": round(open_s), "disk_mib": round(disk(index)? / MIB),
        "build_s": engine.note(BUILD_S)?.and_then(|text| text.parse::<f64>().ok()).map(round)});
    let mut cases = cases(engine.settings().dim, &texts, &images, &words)?;
    cases.retain(wanted);
    let mut timed = Vec::new();
    for case in &cases {
        timed.push(time(&engine, case, before)?);
    }
    // Last, because comparing with everything brings every vector into memory.
    for (case, mut line) in cases.iter().zip(timed) {
        line["recall10"] = json!(recall(&engine, case)?);
        if let (Some(line), Some(facts)) = (line.as_object_mut(), facts.as_object()) {
            line.extend(facts.clone());
        }
        tell(&line)?;
    }
    Ok(())
}

fn cases<'a>(
    dim: usize,
    texts: &[f32],
    images: &[f32],
    words: &[String],
) -> Outcome<Vec<Case<'a>>> {
    let queries = |vectors: &[f32], mode: Mode, filter: Option<&Filter>| -> Vec<Query> {
        let query = |(vector, words): (&[f32], &String)| {
            let words = if mode == Mode::Vector { Words::default() } else { Words::parse(words) };
            let vector = (mode != Mode::Lexical).then(|| vector.to_vec());
            Query { mode, filter: filter.cloned(), ..Query::new(words, vector) }
        };
        vectors.chunks(dim).zip(words).skip(CALIBRATED).map(query).collect()
    };
    let mut cases = Vec::new();
    for mode in [Mode::Vector, Mode::Lexical, Mode::Hybrid] {
        cases.push(Case { kind: "text", mode, share: None, queries: queries(texts, mode, None) });
    }
    let mode = Mode::Vector;
    cases.push(Case { kind: "image", mode, share: None, queries: queries(images, mode, None) });
    for (kind, vectors) in [("text", texts), ("image", images)] {
        let mut queries = queries(vectors, mode, None);
        for query in &mut queries {
            query.recall = SHALLOW;
        }
        cases.push(Case { kind, mode, share: None, queries });
    }
    for (share, below) in SHARES {
        let filter = Filter::parse(&format!("slice < {below}"))?;
        for mode in [Mode::Vector, Mode::Hybrid] {
            let queries = queries(texts, mode, Some(&filter));
            cases.push(Case { kind: "text", mode, share: Some(share), queries });
        }
    }
    Ok(cases)
}

fn time(engine: &Embedded, case: &Case<'_>, before_mib: f64) -> Outcome<serde_json::Value> {
    for query in case.queries.iter().take(100) {
        engine.search(query)?;
    }
    let mut times = Vec::new();
    for query in &case.queries {
        let start = Instant::now();
        engine.search(query)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let (rss_mib, anonymous_mib) = resident()?;
    Ok(
        json!({"mode": format!("{:?}", case.mode).to_lowercase(), "kind": case.kind, "filter": case.share,
        "setting": case.queries.first().map(|query| format!("recall={}", query.recall)),
        "p50_us": times[times.len() / 2].round(), "p99_us": times[times.len() * 99 / 100].round(),
        "qps1": per_second(engine, case, 1).round(), "qps2": per_second(engine, case, 2).round(),
        "rss_mib": (rss_mib - before_mib).round(), "anonymous_mib": anonymous_mib.round()}),
    )
}

/// Of the best ten that comparing with everything finds, the part that a search finds; for the vector leg alone.
fn recall(engine: &Embedded, case: &Case<'_>) -> Outcome<Option<f64>> {
    if case.mode != Mode::Vector {
        return Ok(None);
    }
    let ids = |query: &Query| -> Outcome<Vec<String>> {
        Ok(engine.search(query)?.hits.into_iter().map(|hit| hit.record.id).collect())
    };
    let (mut right, mut all) = (0_u32, 0_u32);
    for query in &case.queries {
        let found = ids(query)?;
        let exact = ids(&Query { exact: true, ..query.clone() })?;
        right += exact.iter().filter(|id| found.contains(id)).count() as u32;
        all += exact.len() as u32;
    }
    Ok(Some(round(f64::from(right) / f64::from(all))))
}

/// Queries a second on so many threads.
fn per_second(engine: &Embedded, case: &Case<'_>, threads: usize) -> f64 {
    let start = Instant::now();
    let count = |first: usize| {
        let mut asked = 0;
        while start.elapsed() < COUNTED {
            let query = &case.queries[(first + asked * threads) % case.queries.len()];
            engine.search(query).expect("this query was answered before");
            asked += 1;
        }
        asked
    };
    let asked: usize = std::thread::scope(|scope| {
        let counting: Vec<_> =
            (0..threads).map(|first| scope.spawn(move || count(first))).collect();
        counting.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });
    asked as f64 / start.elapsed().as_secs_f64()
}

/// Adds and deletes pictures while another thread searches.
fn change(data: &Path, index: &Path) -> Outcome<()> {
    let engine = Embedded::open(index)?;
    let dim = engine.settings().dim;
    let texts = numbers(&data.join("text.f32"))?;
    let words = lines(&data.join("textq.txt"))?;
    let query = |place: usize| {
        let vector = texts[place * dim..][..dim].to_vec();
        Query::new(Words::parse(&words[place]), Some(vector))
    };
    let alone = searches_during(&engine, &query, || {
        std::thread::sleep(std::time::Duration::from_secs(3));
        Ok(())
    })?;
    let (mut single, mut batch, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let meanwhile = searches_during(&engine, &query, || {
        for number in 0..200 {
            let added = item(90_000_000 + number, &texts[number * dim..][..dim], "a new picture");
            let start = Instant::now();
            engine.put(&[added])?;
            single.push(start.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for number in 0..5 {
            let added: Vec<Item> = (0..1000)
                .map(|i| {
                    item(91_000_000 + number * 1000 + i, &texts[i * dim..][..dim], "one of many")
                })
                .collect();
            let start = Instant::now();
            engine.put(&added)?;
            batch.push(start.elapsed().as_secs_f64() * 1e3);
        }
        for number in 0..200 {
            let start = Instant::now();
            engine.delete(&[&format!("{:08}", 90_000_000 + number)])?;
            deleted.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(())
    })?;
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        (round(times[times.len() / 2]), round(times[times.len() * 99 / 100]))
    };
    tell(
        &json!({"engine": "finelens", "n": engine.stats()?.pictures, "add_1_ms_p50_p99": middle(&mut single),
            "add_1000_ms_p50_max": middle(&mut batch), "delete_ms_p50_p99": middle(&mut deleted),
            "hybrid_us_p50_p99_alone": alone, "hybrid_us_p50_p99_meanwhile": meanwhile}),
    )
}

/// p50 and p99 of hybrid searches, in microseconds, for as long as `work` takes.
fn searches_during(
    engine: &Embedded,
    query: &(impl Fn(usize) -> Query + Sync),
    work: impl FnOnce() -> Outcome<()>,
) -> Outcome<(f64, f64)> {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (done, mut times) = std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let mut times = Vec::new();
            for place in (0..700).cycle() {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let start = Instant::now();
                engine.search(&query(place)).expect("a plain query is answered");
                times.push(start.elapsed().as_secs_f64() * 1e6);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            times
        });
        let done = work();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        (done, searching.join().unwrap_or_default())
    });
    done?;
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2].round(), times[times.len() * 99 / 100].round()))
}
