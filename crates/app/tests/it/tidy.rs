//! The rules of the house that no compiler knows: directions, fences, names, lengths.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which crates of ours a crate may know.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("finelens-compute", &[]),
    ("finelens-data", &[]),
    ("finelens-clip", &["finelens-compute"]),
    ("finelens-finetune", &["finelens-clip", "finelens-compute", "finelens-data"]),
    ("finelens-search", &[]),
    (
        "finelens",
        &[
            "finelens-clip",
            "finelens-compute",
            "finelens-data",
            "finelens-finetune",
            "finelens-search",
        ],
    ),
];

/// Foreign crates that only one of ours may use.
const FENCES: &[(&str, &[&str])] = &[
    ("finelens-compute", &["gemm", "cudarc"]),
    ("finelens-data", &["csv", "tar", "parquet"]),
    ("finelens-search", &["memmap2", "rusqlite", "tantivy"]),
    (
        "finelens",
        &[
            "clap",
            "anyhow",
            "axum",
            "http-body",
            "hyper",
            "hyper-util",
            "maud",
            "prometheus-client",
            "sha2",
            "subtle",
            "tokio",
            "tower",
            "tower-http",
            "utoipa",
            "utoipa-axum",
            "indicatif",
            "hf-hub",
            "ctrlc",
            "ureq",
            "tracing-subscriber",
        ],
    ),
];

/// Where `unsafe` is allowed: where the instructions of a processor are used, and where a file is mapped.
const MAY_BE_UNSAFE: &[&str] = &[
    "crates/compute/",
    "crates/search/src/embedded/vector/kernel/",
    "crates/search/src/embedded/mapped.rs",
];

/// File names that say nothing.
const VAGUE: &[&str] = &["util", "utils", "common", "base", "helper", "helpers", "misc"];

/// Longest source file, its tests not counted.
const LONGEST_FILE: usize = 500;

/// Longest README.
const LONGEST_README: usize = 150;

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Names of what a package needs to run, tests not counted.
fn needs(package: &Package) -> Vec<&str> {
    let normal =
        package.dependencies.iter().filter(|needed| needed.kind != DependencyKind::Development);
    normal.map(|needed| needed.name.as_str()).collect()
}

/// All Rust files below the folders of a crate.
fn rust_files() -> Vec<PathBuf> {
    let mut folders = vec![root().join("crates")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 50, "only {} Rust files were found", files.len());
    files
}

/// A source file without its tests at the end.
fn without_tests(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]").map_or(text, |(source, _)| source)
}

fn is_library_source(path: &Path) -> bool {
    let path = path.display().to_string();
    path.contains("/src/") && !path.contains("/crates/app/")
}

#[test]
fn tidy_dependencies_point_one_way() {
    for package in &metadata().packages {
        let name = package.name.as_str();
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
            panic!("{name} is new: say in MAY_KNOW which crates of ours it may know")
        };
        for needed in needs(package).into_iter().filter(|needed| needed.starts_with("finelens")) {
            assert!(allowed.contains(&needed), "{name} may not know {needed}");
        }
    }
}

#[test]
fn tidy_foreign_crates_stay_inside_their_fence() {
    for package in &metadata().packages {
        for needed in needs(package) {
            let owner = FENCES.iter().find(|(_, fenced)| fenced.contains(&needed));
            if let Some((owner, _)) = owner {
                assert_eq!(package.name.as_str(), *owner, "only {owner} may use {needed}");
            }
        }
    }
}

#[test]
fn tidy_every_file_begins_with_a_sentence_about_itself() {
    for path in rust_files() {
        let text = fs_err::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let sentence = first
            .strip_prefix("//! ")
            .unwrap_or_else(|| panic!("{}: no `//! ` in the first line", path.display()));
        assert!(sentence.len() > 5, "{}: the first line says too little", path.display());
    }
}

#[test]
fn tidy_no_file_is_too_long_to_read() {
    for path in rust_files()
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        // A file that holds nothing but the tests of a folder.
        .filter(|path| !path.ends_with("tests.rs"))
    {
        let text = fs_err::read_to_string(&path).unwrap();
        let lines = without_tests(&text).lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{}: {lines} lines, {LONGEST_FILE} are allowed",
            path.display()
        );
    }
}

#[test]
fn tidy_file_names_say_what_is_inside() {
    for path in rust_files() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!VAGUE.contains(&stem.as_str()), "{}: the name says nothing", path.display());
    }
}

#[test]
fn tidy_only_kernels_and_mapped_files_may_be_unsafe() {
    // Put together, so that this file does not find itself.
    let words = ["{", "fn", "impl", "trait", "extern"].map(|next| format!("{} {next}", "unsafe"));
    let exception = format!("{}_code", "unsafe");
    let may = |path: &Path| {
        let path = path.display().to_string();
        MAY_BE_UNSAFE.iter().any(|allowed| path.contains(allowed))
    };
    for path in rust_files().into_iter().filter(|path| !may(path)) {
        let text = fs_err::read_to_string(&path).unwrap();
        let found = words.iter().chain([&exception]).find(|word| text.contains(word.as_str()));
        assert_eq!(found, None, "{}: only {MAY_BE_UNSAFE:?} may", path.display());
    }
}

#[test]
fn tidy_libraries_do_not_read_the_environment() {
    for path in rust_files().into_iter().filter(|path| is_library_source(path)) {
        let text = fs_err::read_to_string(&path).unwrap();
        let source = without_tests(&text);
        for forbidden in ["env::var", "env::args", "process::exit", "current_dir("] {
            assert!(
                !source.contains(forbidden),
                "{}: only the application may use {forbidden}",
                path.display()
            );
        }
    }
}

#[test]
fn tidy_the_readme_is_short() {
    if let Ok(text) = fs_err::read_to_string(root().join("README.md")) {
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_README,
            "README.md has {lines} lines, {LONGEST_README} are allowed"
        );
    }
}

#[test]
fn tidy_the_architecture_describes_each_crate_as_its_manifest_does() {
    let Ok(text) = fs_err::read_to_string(root().join("ARCHITECTURE.md")) else { return };
    for package in &metadata().packages {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        let description = package
            .description
            .as_deref()
            .unwrap_or_else(|| panic!("{} has no description", package.name));
        let described =
            |line: &str| line.contains(&format!("crates/{folder}")) && line.contains(description);
        assert!(
            text.lines().any(described),
            "ARCHITECTURE.md: no line with crates/{folder} and {description:?}"
        );
    }
}
