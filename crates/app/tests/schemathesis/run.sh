#!/usr/bin/env bash
# Asks a running server thousands of questions made from its own description, and fails where the two disagree.
# usage: run.sh TARGET_FOLDER [CASES]     a release build with its examples is there already
#
# schemathesis (Python) is installed into a folder of its own beside the cache; where that cannot be done the test is
# skipped, loudly.
set -euo pipefail
target=$1 cases=${2:-25}
here=$(cd "$(dirname "$0")" && pwd)
version=4.32.5
venv=${FINELENS_SCHEMATHESIS:-${XDG_CACHE_HOME:-$HOME/.cache}/finelens-schemathesis-$version}
out=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$out"' EXIT

if [[ ! -x $venv/bin/schemathesis ]]; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q "schemathesis==$version"; } >"$out/install" 2>&1; then
        tail -n 3 "$out/install" >&2
        rm -rf "$venv"
        echo "SKIPPED: the API was not compared with its description: schemathesis $version cannot be installed" >&2
        exit 0
    fi
fi

finelens=$target/release/finelens
cd "$out"
"$target/release/examples/draw" aerial 24 6 data 64 3 >/dev/null
"$finelens" init model --preset tiny --vocab-from data --vocab-size 600 -q >/dev/null
for index in index other; do "$finelens" index data --model model --into $index -q >/dev/null; done

# Without tokens: of wrong ones a server takes ten a minute, and then none, so that nothing else would be seen (attack_tokens.rs).
"$finelens" serve --index index --compare other --addr 127.0.0.1:0 >address 2>log &
server=$!
until [[ -s address ]]; do
    kill -0 "$server" || { cat log >&2; exit 1; }
    sleep 0.05
done
# Hypothesis keeps what it found beside where it runs.
SCHEMATHESIS_HOOKS="$here/hooks.py" "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$(cat address)api/openapi.json" \
    --wait-for-schema 20 -H "X-Finelens: 1" --checks all --max-examples "$cases" --continue-on-failure --generation-deterministic ||
    { cat log >&2; exit 1; }
