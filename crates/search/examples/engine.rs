//! Measures the whole engine on vectors and captions from files; one JSON line per figure.
//!
//! `engine build DIR INDEX` makes an index from base.f32, captions.txt and the queries of DIR, which
//! `scan generate DIR N` writes. `engine measure DIR INDEX` times searches, `engine change DIR INDEX` adds and deletes.
//! bench/search/README.md says how the figures are used.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use finelens_search::{
    Backend, Embedded, Filter, Fingerprint, Item, Language, Metadata, Mode, Query, Record,
    Settings, Value, Words,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// Width of the generated vectors.
const DIM: usize = 512;

/// Pictures put in one call while building.
const BATCH: usize = 5_000;

/// Filters that hold for this share of all pictures: every picture has a `slice` below 1,000.
const SHARES: [(f64, u32); 4] = [(0.5, 500), (0.1, 100), (0.01, 10), (0.001, 1)];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [command, data, index] = words.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        eprintln!("usage: engine build|measure|change DIR INDEX");
        return ExitCode::from(2);
    };
    let (data, index) = (Path::new(data), Path::new(index));
    let done = match command {
        "build" => build(data, index),
        "measure" => measure(data, index),
        "change" => change(data, index),
        _ => Err("expected build, measure or change".into()),
    };
    done.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::from(2)
        },
        |()| ExitCode::SUCCESS,
    )
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

fn item(number: usize, vector: &[f32], caption: &str, slice: u32) -> Item {
    let metadata = Metadata::from([("slice".to_owned(), Value::Number(f64::from(slice)))]);
    let (id, captions) = (format!("{number:08}"), vec![caption.to_owned()]);
    Item { record: Record { id, captions, metadata, ..Record::default() }, vector: vector.to_vec() }
}

fn build(data: &Path, index: &Path) -> Outcome<()> {
    let (base, captions) = (numbers(&data.join("base.f32"))?, lines(&data.join("captions.txt"))?);
    let probes: Vec<Vec<f32>> =
        numbers(&data.join("text.f32"))?.chunks(DIM).skip(700).map(<[f32]>::to_vec).collect();
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let start = Instant::now();
    let model = Fingerprint { hash: "generated".to_owned(), name: "generated".to_owned() };
    let settings =
        Settings { dim: DIM, model, language: Language::English, text_fields: Vec::new() };
    let engine = Embedded::create(index, &settings)?;
    let rows: Vec<&[f32]> = base.chunks(DIM).collect();
    for (batch, rows) in rows.chunks(BATCH).enumerate() {
        let items: Vec<Item> = (batch * BATCH..)
            .zip(rows)
            .map(|(number, row)| item(number, row, &captions[number], dice.random_range(0..1000)))
            .collect();
        engine.put(&items)?;
    }
    let stored_s = start.elapsed().as_secs_f64();
    engine.set_probes(&probes)?;
    engine.optimise(&mut |_, _, _| {})?;
    let build_s = start.elapsed().as_secs_f64();
    drop(engine);
    let raw = base.len() * 4 + captions.iter().map(String::len).sum::<usize>();
    println!(
        "{}",
        json!({"engine": "finelens", "n": rows.len(), "dim": DIM, "build_s": round(build_s),
            "of_which_storing_s": round(stored_s), "disk_mib": round(disk(index)? / MIB),
            "disk_ratio": round(disk(index)? / raw as f64)})
    );
    Ok(())
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

fn measure(data: &Path, index: &Path) -> Outcome<()> {
    let start = Instant::now();
    let engine = Embedded::open_read_only(index)?;
    let open_s = start.elapsed().as_secs_f64();
    let texts = numbers(&data.join("text.f32"))?;
    let images = numbers(&data.join("image.f32"))?;
    let words = lines(&data.join("textq.txt"))?;
    for case in cases(&texts, &images, &words)? {
        report(&engine, &case, open_s)?;
    }
    Ok(())
}

fn cases<'a>(texts: &[f32], images: &[f32], words: &[String]) -> Outcome<Vec<Case<'a>>> {
    let queries = |vectors: &[f32], mode: Mode, filter: Option<&Filter>| -> Vec<Query> {
        let query = |(vector, words): (&[f32], &String)| {
            let words = if mode == Mode::Vector { Words::default() } else { Words::parse(words) };
            let vector = (mode != Mode::Lexical).then(|| vector.to_vec());
            Query { mode, filter: filter.cloned(), ..Query::new(words, vector) }
        };
        vectors.chunks(DIM).zip(words).take(700).map(query).collect()
    };
    let mut cases = Vec::new();
    for mode in [Mode::Vector, Mode::Lexical, Mode::Hybrid] {
        cases.push(Case { kind: "text", mode, share: None, queries: queries(texts, mode, None) });
    }
    let (mode, queries_of_images) = (Mode::Vector, queries(images, Mode::Vector, None));
    cases.push(Case { kind: "image", mode, share: None, queries: queries_of_images });
    for (share, below) in SHARES {
        let filter = Filter::parse(&format!("slice < {below}"))?;
        for mode in [Mode::Vector, Mode::Hybrid] {
            let queries = queries(texts, mode, Some(&filter));
            cases.push(Case { kind: "text", mode, share: Some(share), queries });
        }
    }
    Ok(cases)
}

fn report(engine: &Embedded, case: &Case<'_>, open_s: f64) -> Outcome<()> {
    let (mut times, mut found) = (Vec::new(), Vec::new());
    for query in case.queries.iter().take(100) {
        engine.search(query)?;
    }
    let start = Instant::now();
    for query in &case.queries {
        let start = Instant::now();
        found.push(ids(&engine.search(query)?.hits));
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let qps1 = case.queries.len() as f64 / start.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let recall = if case.mode == Mode::Vector { Some(recall(engine, case, &found)?) } else { None };
    let stats = engine.stats()?;
    let (rss_mib, anonymous_mib) = resident()?;
    println!(
        "{}",
        json!({"engine": "finelens", "mode": format!("{:?}", case.mode).to_lowercase(), "kind": case.kind,
            "filter": case.share, "recall10": recall, "p50_us": times[times.len() / 2].round(),
            "p99_us": times[times.len() * 99 / 100].round(), "qps1": qps1.round(),
            "qps2": on_two_threads(engine, case).round(), "open_s": round(open_s), "n": stats.pictures,
            "dim": stats.dim, "rss_mib": rss_mib.round(), "anonymous_mib": anonymous_mib.round()})
    );
    Ok(())
}

fn ids(hits: &[finelens_search::Hit]) -> Vec<String> {
    hits.iter().map(|hit| hit.record.id.clone()).collect()
}

fn recall(engine: &Embedded, case: &Case<'_>, found: &[Vec<String>]) -> Outcome<f64> {
    let (mut right, mut all) = (0, 0);
    for (query, found) in case.queries.iter().zip(found).take(300) {
        let exact = ids(&engine.search(&Query { exact: true, ..query.clone() })?.hits);
        right += exact.iter().filter(|id| found.contains(id)).count();
        all += exact.len();
    }
    Ok(round(f64::from(right as u32) / f64::from(all as u32)))
}

fn on_two_threads(engine: &Embedded, case: &Case<'_>) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for half in case.queries.chunks(case.queries.len().div_ceil(2)) {
            scope.spawn(move || {
                for query in half {
                    engine.search(query).expect("this query was answered before");
                }
            });
        }
    });
    case.queries.len() as f64 / start.elapsed().as_secs_f64()
}

/// Adds and deletes pictures while another thread searches.
fn change(data: &Path, index: &Path) -> Outcome<()> {
    let engine = Embedded::open(index)?;
    let texts = numbers(&data.join("text.f32"))?;
    let words = lines(&data.join("textq.txt"))?;
    let query = |place: usize| {
        let vector = texts[place * DIM..][..DIM].to_vec();
        Query::new(Words::parse(&words[place]), Some(vector))
    };
    let alone = searches_during(&engine, &query, || {
        std::thread::sleep(std::time::Duration::from_secs(3));
        Ok(())
    })?;
    let (mut single, mut batch, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let meanwhile = searches_during(&engine, &query, || {
        for number in 0..200 {
            let added =
                item(90_000_000 + number, &texts[number * DIM..][..DIM], "a new picture", 0);
            let start = Instant::now();
            engine.put(&[added])?;
            single.push(start.elapsed().as_secs_f64() * 1e3);
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for number in 0..5 {
            let added: Vec<Item> = (0..1000)
                .map(|i| {
                    item(91_000_000 + number * 1000 + i, &texts[i * DIM..][..DIM], "one of many", 0)
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
    println!(
        "{}",
        json!({"engine": "finelens", "n": engine.stats()?.pictures, "add_1_ms_p50_p99": middle(&mut single),
            "add_1000_ms_p50_max": middle(&mut batch), "delete_ms_p50_p99": middle(&mut deleted),
            "hybrid_us_p50_p99_alone": alone, "hybrid_us_p50_p99_meanwhile": meanwhile})
    );
    Ok(())
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
