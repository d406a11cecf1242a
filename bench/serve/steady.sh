#!/usr/bin/env bash
# Ten minutes of searches while pictures are added and deleted: does memory stay flat, is anything refused? See README.md.
# usage: steady.sh FINELENS INDEX WORDS_FILE PICTURE [MINUTES] [CLIENTS]     needs wrk, curl; writes to INDEX: give it a copy
set -euo pipefail
finelens=$1 index=$2 words=$3 picture=$4 minutes=${5:-10} clients=${6:-4}
out=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$out"' EXIT

"$finelens" serve --index "$index" --addr 127.0.0.1:0 >"$out/address" 2>"$out/log" &
server=$!
until [[ -s $out/address ]]; do sleep 0.05; done
address=$(cat "$out/address")
until curl -sfo /dev/null "${address}readyz"; do sleep 0.05; done

# Every question is another one, so that no answer is remembered.
cat >"$out/questions.lua" <<LUA
dofile("$(dirname "$0")/counting.lua")
local words = {}
for line in io.lines("$words") do words[#words + 1] = line:gsub("[^%w]+", "+") end
local modes, count = { "hybrid", "vector", "lexical" }, 0
request = function()
  count = count + 1
  local mode, question = modes[count % 3 + 1], words[math.random(#words)] .. "+" .. count
  return wrk.format("GET", "/api/search?limit=24&mode=" .. mode .. "&q=" .. question)
end
done = function(summary, latency)
  local good, busy, failed = counted(summary)
  io.write(string.format("%.0f answers/s, p50 %.1f ms, p99 %.1f ms, %d refused, %d other errors\n",
    good / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, busy, failed))
end
LUA
writes() {
    while true; do
        curl -sf -H 'X-Finelens: 1' -F "image=@$picture" -F 'caption=a picture of the load' -F id=load.jpg \
            "${address}api/pictures" >/dev/null && echo added
        curl -sf -H 'X-Finelens: 1' -X DELETE "${address}api/pictures/load.jpg" >/dev/null && echo deleted
        sleep 1
    done
}
memory() { awk '/^(VmRSS|RssAnon)/ {printf "%8d", $2 / 1024}' "/proc/$server/status"; }

writes >"$out/writes" 2>/dev/null &
wrk -t1 -c"$clients" -d"$((minutes * 60))s" -s "$out/questions.lua" "$address" >"$out/answers" &
load=$!
echo "minute  MB resident, of these not files  pictures added"
for ((minute = 0; minute <= minutes; minute++)); do
    printf '%6d %s %8d\n' "$minute" "$(memory)" "$(grep -c added "$out/writes" || true)"
    ((minute == minutes)) || sleep 60
done
wait "$load"
tail -1 "$out/answers"
echo "$(grep -c added "$out/writes") pictures added, $(grep -c deleted "$out/writes") deleted"
