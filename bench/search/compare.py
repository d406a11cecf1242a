"""Runs our engine and its peers in turn, A B C A B C ..., and prints how they compare, as Markdown.

    python bench/search/compare.py --rounds 5 --keep lines.jsonl \\
        --ours "target/release/examples/engine measure DIR INDEX" \\
        --peer "python bench/search/peers.py hnswlib DIR" --peer "python bench/search/peers.py faiss DIR"
    python bench/search/compare.py --read lines.jsonl          prints the tables of a comparison made before

Every command prints lines as lines.py says and keeps its index on disk, so a round only times. The first round of a
command may build; nothing of that is timed here. Figures are medians over the rounds; ratios are taken within a round,
because a machine drifts, then their median. For each recall an engine counts with its fastest setting that reaches it.
Above 1 in a ratio is ahead for ours. Standard library only.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import median

from lines import Line, middle, parsed, reaching, shown

KEPT = ("round", "side")  # What a line has more once it is kept.
AIMS = (0.95, 0.99)
SPEEDS = {"p50_us": "p50, µs", "p99_us": "p99, µs", "qps1": "queries/s, 1 thread", "qps2": "queries/s, 2 threads"}
COSTS = {
    "build_s": ("build, s", 1),
    "open_s": ("open, s", 2),
    "rss_mib": ("resident, MiB", 0),
    "disk_mib": ("disk, MiB", 0),
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", help="the command that measures our engine, as one string")
    parser.add_argument("--peer", action="append", default=[], help="the command that measures a peer; repeatable")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument("--keep", type=Path, help="append the measurements to this file")
    parser.add_argument("--read", type=Path, nargs="+", help="files kept before, instead of running anything")
    given = parser.parse_args()
    if not (given.ours or given.read):
        parser.error("--ours or --read is needed")
    return given


def run(command: str) -> list[Line]:
    """The measurements that a command prints."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True, check=False)
    found = parsed(done.stdout.splitlines(), command)
    if done.returncode != 0 or not found:
        print(f"{command}: exit {done.returncode}, {len(found)} measurements", file=sys.stderr)
        sys.exit(done.returncode or 2)
    return found


def in_turn(given: argparse.Namespace) -> list[Line]:
    """All measurements of all rounds, each with its round and its side."""
    lines: list[Line] = []
    for count in range(1, given.rounds + 1):
        for side, command in [("ours", given.ours), *(("peer", command) for command in given.peer)]:
            fresh = [line | {"round": count, "side": side} for line in run(command)]
            lines += fresh
            if given.keep:
                with given.keep.open("a") as file:
                    file.writelines(json.dumps(line) + "\n" for line in fresh)
        print(f"round {count} of {given.rounds} done", file=sys.stderr)
    return lines


def by(lines: list[Line], *names: str) -> dict[tuple, list[Line]]:
    """The lines in groups that agree in some fields, in the order in which they came."""
    groups: dict[tuple, list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line[name] for name in names), []).append(line)
    return groups


def table(heads: list[str], rows: list[list[str]], words: int) -> str:
    """A Markdown table; the first columns hold words, the others numbers."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)) + "\n"


def asked(kind: str, part: float | None, aim: float | None) -> list[str]:
    """The cells that say what was measured."""
    return [kind, "–" if part is None else f"{100 * part:g} %", "–" if aim is None else f"≥ {aim}"]


def rounds_won(ours: list[Line], theirs: list[Line], name: str) -> list[float]:
    """How many times better ours was in each round."""
    theirs_in = {line["round"]: line[name] for line in theirs}
    both = [(line[name], theirs_in[line["round"]]) for line in ours if line["round"] in theirs_in]
    return [other / own if name.endswith("_us") else own / other for own, other in both]


def ratio(ours: list[Line], peers: list[list[Line]], name: str) -> str:
    """Ours against the peer that is best at this, in words."""
    sign = 1 if name.endswith("_us") else -1
    best = min(peers, key=lambda lines: sign * middle(lines, name))
    won = rounds_won(ours, best, name)
    if not won:
        return "–"
    verdict = "" if median(won) >= 1 else ", **behind**"
    return f"{median(won):.2f} ({min(won):.2f} to {max(won):.2f}) {best[0]['engine']}{verdict}"


def speed_tables(lines: list[Line]) -> tuple[str, str]:
    """What each engine reaches, and ours against the best peer, for one mode."""
    reached, compared = [], []
    for (kind, part), group in by(lines, "kind", "filter").items():
        for aim in AIMS if any(line["recall10"] is not None for line in group) else (None,):
            ours, peers = [], []
            for (engine, side), own in by(group, "engine", "side").items():
                best = reaching(own, aim)
                reached.append(speed_row(engine, asked(kind, part, aim), best))
                (ours if side == "ours" else peers).append(best)
            good = [best for best in peers if best]
            if ours and ours[0] and good:
                compared.append(asked(kind, part, aim) + [ratio(ours[0], good, name) for name in SPEEDS])
    heads = ["queries", "filter", "recall@10"]
    units = list(SPEEDS.values())
    first = table([*heads, "engine", "setting", "reached", *units], reached, 5)
    return first, table(heads + units, compared, 3) if compared else ""


def speed_row(engine: str, cells: list[str], best: list[Line]) -> list[str]:
    """One engine at one recall."""
    if not best:
        return [*cells, engine, "not reached", *["–"] * 5]
    numbers = [shown(middle(best, "recall10"), 4), *(shown(middle(best, name)) for name in SPEEDS)]
    return [*cells, engine, best[0]["setting"] or "–", *numbers]


def cost_table(lines: list[Line]) -> str:
    """What each engine costs to build, open and keep."""
    ours = middle([line for line in lines if line["side"] == "ours"], "build_s")
    rows = []
    for (engine, mode), own in by(lines, "engine", "mode").items():
        build = middle(own, "build_s")
        times = build / ours if ours and build is not None else None
        numbers = [shown(middle(own, name), digits) for name, (_, digits) in COSTS.items()]
        rows.append([engine, mode, *numbers, shown(times, 1)])
    return table(["engine", "mode", *(head for head, _ in COSTS.values()), "build, times ours"], rows, 2)


def report(lines: list[Line]) -> None:
    """Prints everything, a section for each size and mode."""
    for (n, dim), sized in by(lines, "n", "dim").items():
        rounds = len({line["round"] for line in sized})
        print(f"### {n:,} vectors of {dim}, medians of {rounds} rounds in turn\n")
        for (mode,), group in by(sized, "mode").items():
            reached, compared = speed_tables(group)
            print(f"{mode.capitalize()} search\n\n{reached}")
            if compared:
                print(f"Ours against the best peer, median (least to most) of the rounds\n\n{compared}")
        print(cost_table(sized))


def main() -> None:
    given = arguments()
    if given.read:
        lines = [line for path in given.read for line in parsed(path.read_text().splitlines(), str(path), KEPT)]
    else:
        lines = in_turn(given)
    report(lines)


if __name__ == "__main__":
    main()
