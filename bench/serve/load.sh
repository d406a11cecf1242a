#!/usr/bin/env bash
# Text searches over HTTP at rising concurrency, until the server refuses; see README.md.
# usage: load.sh FINELENS INDEX WORDS_FILE [SECONDS] [lexical|vector|hybrid]     needs wrk, curl
set -euo pipefail
finelens=$1 index=$2 words=$3 seconds=${4:-5} mode=${5:-lexical}
out=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; rm -r "$out"' EXIT

begun=$(date +%s%N)
"$finelens" serve --index "$index" --addr 127.0.0.1:0 --read-only >"$out/address" 2>/dev/null &
server=$!
until [[ -s $out/address ]]; do sleep 0.01; done
address=$(cat "$out/address")
until curl -sfo /dev/null "${address}readyz"; do sleep 0.01; done
curl -sfo /dev/null "${address}api/search?mode=$mode&q=river"
echo "first answer after $((($(date +%s%N) - begun) / 1000000)) ms"
memory() { awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$server/status"; }

cat >"$out/words.lua" <<LUA
dofile("$(dirname "$0")/counting.lua")
local words = {}
for line in io.lines("$words") do words[#words + 1] = line:gsub("[^%w]+", "+") end
local next, asked, begun = math.random(#words), 0, os.time()
request = function()
  next, asked = next % #words + 1, asked + 1
  local question = words[next]
  -- With a model every question is another one, also in the next run, so that no vector is remembered.
  if "$mode" ~= "lexical" then question = question .. "+" .. begun .. "x" .. asked end
  return wrk.format("GET", "/api/search?mode=$mode&limit=24&q=" .. question)
end
done = function(summary, latency)
  local good, busy, failed = counted(summary)
  local second = summary.duration / 1e6
  io.write(string.format("%8.0f %8.0f %6d %8.2f %8.2f", good / second, busy / second,
    failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
LUA
echo "clients  found/s    429/s  other   p50 ms   p99 ms   MB"
for clients in 1 2 4 8 16 32 64 128; do
  line=$(wrk -t1 -c"$clients" -d"${seconds}s" -s "$out/words.lua" "$address" | tail -1)
  printf '%7d %s %4d\n' "$clients" "$line" "$(memory)"
done
curl -s "${address}metrics" | grep -E 'stage_duration_seconds_(sum|count)' || true
