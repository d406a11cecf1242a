"""How latency and memory grow with the number of vectors: a Markdown table and a plot, from kept measurements.

    python bench/search/growth.py growth.jsonl --svg docs/img/search-growth.svg
    python bench/search/growth.py growth.jsonl --modes vector hybrid --kind text --aim 0.99

Reads lines as lines.py says, of one engine at several n, as often repeated as you like: medians count. Both axes of
the plot are logarithmic; a search that looks at every vector is a line of slope one. It is written by hand, follows
the reader's light or dark setting and needs the standard library only.
"""

import argparse
import sys
from collections.abc import Callable
from itertools import pairwise
from math import ceil, floor, log10
from pathlib import Path

from lines import Line, middle, parsed, reaching, shown

COLUMNS = {
    "recall10": ("recall@10", 4),
    "p50_us": ("p50, µs", 0),
    "p99_us": ("p99, µs", 0),
    "qps1": ("queries/s, 1 thread", 0),
    "qps2": ("queries/s, 2 threads", 0),
    "build_s": ("build, s", 1),
    "open_s": ("open, s", 2),
    "rss_mib": ("resident, MiB", 0),
    "disk_mib": ("disk, MiB", 0),
}
WIDTH, HEIGHT, PANEL, PLOT, TOP, FLOOR = 880, 330, 440, 254, 56, 280  # Pixels; a panel is its plot and its labels.
COLOURS = ("#2f81f7", "#d9730d", "#8957e5")  # Legible on white and on near-black.
STYLE = """
.paper{fill:#fff} .grid{stroke:#d8dee4} text{fill:#1f2328;font:12px system-ui,sans-serif}
.title{font-weight:600;font-size:14px} .series{fill:none;stroke-width:2} .dashes{stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117} .grid{stroke:#30363d} text{fill:#e6edf3}}
"""

Points = list[tuple[float, float]]
Series = tuple[str, str, bool, Points]  # Its name, its colour, whether it is dashed, and (n, value).


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="measurements, a JSON object a line")
    parser.add_argument("--engine", default="finelens")
    parser.add_argument("--modes", nargs="+", default=["vector"], choices=("vector", "lexical", "hybrid"))
    parser.add_argument("--kind", default="text", choices=("text", "image"))
    parser.add_argument("--aim", type=float, default=0.99, help="recall@10 to reach, where recall is measured")
    parser.add_argument("--svg", type=Path, help="where to write the plot")
    return parser.parse_args()


def by_size(lines: list[Line], aim: float) -> dict[int, list[Line]]:
    """For every n, smallest first, the lines of the fastest setting that reaches the recall."""
    found = {}
    for n in sorted({line["n"] for line in lines}):
        same = [line for line in lines if line["n"] == n]
        found[n] = reaching(same, aim if any(line["recall10"] is not None for line in same) else None)
        if not found[n]:
            print(f"n = {n:,}: no setting reaches recall {aim}", file=sys.stderr)
    return {n: some for n, some in found.items() if some}


def print_table(mode: str, sizes: dict[int, list[Line]]) -> None:
    """Prints the figures of one mode."""
    print(f"| {mode}: N | " + " | ".join(head for head, _ in COLUMNS.values()) + " |")
    print("|" + " ---: |" * (1 + len(COLUMNS)))
    for n, some in sizes.items():
        cells = (shown(middle(some, name), digits) for name, (_, digits) in COLUMNS.items())
        print(f"| {n:,} | " + " | ".join(cells) + " |")
    print()


def points(sizes: dict[int, list[Line]], name: str) -> Points:
    """One number against n, where it is known and can be drawn on a logarithmic axis."""
    values = [(n, middle(some, name)) for n, some in sizes.items()]
    return [(n, value) for n, value in values if value]


def short(n: float) -> str:
    """10k, 1M."""
    return f"{n / 1e6:g}M" if n >= 1e6 else f"{n / 1e3:g}k" if n >= 1e3 else f"{n:g}"


def micros(value: float) -> str:
    """50 µs, 2 ms."""
    return f"{value / 1000:g} ms" if value >= 1000 else f"{value:g} µs"


def mebibytes(value: float) -> str:
    """100 MiB, 2,000 MiB."""
    return f"{value:,g} MiB"


def ticks(low: float, high: float) -> list[float]:
    """Round numbers for an axis: 1, 2, 5 of each power of ten, or the powers alone where that would be many."""
    steps = (1, 2, 5) if high / low < 200 else (1,)
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    every = [step * 10.0**power for power in powers for step in steps]
    first = max((value for value in every if value <= low), default=every[0])
    last = min((value for value in every if value >= high), default=every[-1])
    return [value for value in every if first <= value <= last]


def along(value: float, low: float, high: float, start: float, end: float) -> float:
    """Where a value lies on a logarithmic axis."""
    share = (log10(value) - log10(low)) / (log10(high) - log10(low)) if high > low else 0.5
    return round(start + share * (end - start), 1)


def apart(heights: list[float], gap: float = 15) -> list[float]:
    """The heights of labels, moved down where they would overlap."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for upper, lower in pairwise(order):
        moved[lower] = max(moved[lower], moved[upper] + gap)
    return moved


def panel(left: int, title: str, unit: Callable[[float], str], drawn: list[Series]) -> list[str]:
    """A plot with its title, grid, axes, lines and the names at their ends."""
    sizes = sorted({n for *_, some in drawn for n, _ in some})
    values = [value for *_, some in drawn for _, value in some]
    levels, start, end = ticks(min(values), max(values)), left + 76, left + 76 + PLOT
    x = {n: along(n, sizes[0], sizes[-1], start, end) for n in sizes}

    def y(value: float) -> float:
        return along(value, levels[0], levels[-1], FLOOR, TOP)

    out = [f'<text class="title" x="{start}" y="32">{title}</text>']
    for level in levels:
        out.append(f'<path class="grid" d="M{start} {y(level)}H{end}"/>')
        out.append(f'<text x="{start - 8}" y="{y(level) + 4}" text-anchor="end">{unit(level)}</text>')
    out += [f'<text x="{x[n]}" y="{FLOOR + 20}" text-anchor="middle">{short(n)}</text>' for n in sizes]
    labels = apart([y(some[-1][1]) + 4 for *_, some in drawn])
    for (name, colour, dashed, some), label in zip(drawn, labels):
        path, dashes = "L".join(f"{x[n]} {y(value)}" for n, value in some), " dashes" if dashed else ""
        out.append(f'<path class="series{dashes}" stroke="{colour}" d="M{path}"/>')
        out += [f'<circle cx="{x[n]}" cy="{y(value)}" r="3" fill="{colour}"/>' for n, value in some]
        out.append(f'<path class="series{dashes}" stroke="{colour}" d="M{end + 8} {label - 4}h16"/>')
        out.append(f'<text x="{end + 28}" y="{label}">{name}</text>')
    return out


def plot(found: dict[str, dict[int, list[Line]]]) -> str:
    """The whole picture: latency on the left, memory and disk on the right."""
    several = len(found) > 1
    latency, memory = [], []
    for (mode, sizes), colour in zip(found.items(), COLOURS):
        before = f"{mode} " if several else ""
        latency += [(before + "p99", colour, True, points(sizes, "p99_us"))]
        latency += [(before + "p50", colour, False, points(sizes, "p50_us"))]
    largest = max(found.values(), key=lambda sizes: max(middle(some, "disk_mib") or 0 for some in sizes.values()))
    for name, label, dashed in (("disk_mib", "disk", True), ("rss_mib", "resident", False)):
        memory.append((label, COLOURS[0], dashed, points(largest, name)))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts += ["<title>Latency and memory against the number of vectors</title>", f"<style>{STYLE}</style>"]
    parts.append(f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>')
    panels = [("Latency of a query, one thread", micros, latency), ("Memory and disk", mebibytes, memory)]
    for place, (title, unit, drawn) in enumerate(panels):
        known = [series for series in drawn if series[3]]
        parts += panel(place * PANEL, title, unit, known) if known else []
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    given = arguments()
    lines = [line for path in given.files for line in parsed(path.read_text().splitlines(), str(path))]
    lines = [line for line in lines if line["engine"] == given.engine and line["filter"] is None]
    found = {}
    for mode in given.modes:
        sizes = by_size([line for line in lines if line["mode"] == mode and line["kind"] == given.kind], given.aim)
        if not sizes:
            sys.exit(f"no measurement of {given.engine}, {mode}, {given.kind} that reaches {given.aim}")
        print_table(mode, sizes)
        found[mode] = sizes
    if given.svg:
        given.svg.write_text(plot(found))


if __name__ == "__main__":
    main()
