# One cargo line per recipe; `just` lists them.

export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", cache_directory() / "finelens-target")

_list:
    @just --list --unsorted

# Everything that is cheap: form, lints, the rules of the house.
check:
    cargo fmt --check
    cargo clippy --release --workspace --all-targets --locked -- -D warnings
    cargo test --release --locked -p finelens --test it tidy

# All tests; UPDATE_DOCS=1 rewrites docs/cli.md.
test *ARGS:
    cargo test --release --workspace --locked {{ ARGS }}

# The documentation of every item, private ones too.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --document-private-items --locked

# Compare with PyTorch; see bench/README.md for what it needs.
bench *ARGS:
    python3 bench/interleave.py {{ ARGS }}

# Make the golden values again, with transformers; see the head of the script for what it needs.
golden:
    python3 fixtures/make_golden.py

# Licences, advisories, sources and spelling; needs cargo-deny and typos.
audit:
    cargo deny check
    typos

# What a clean machine runs.
ci:
    .ci/run
