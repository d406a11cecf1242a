"""A measurement of a search is one line of JSON; these are its fields, and how lines are read and summed up.

    engine      "finelens", "hnswlib", ...
    mode        "vector" (where left out), "lexical" or "hybrid"
    kind        "text" or "image": which queries, text.f32 or image.f32; words come from textq.txt
    filter      null, or the part of the rows that pass: row r passes 0.1 where r % 1000 < 100
    setting     what a recall was bought with, as "ef=77"; the same in every round ("" where left out)
    n, dim      rows and width of base.f32
    recall10    part of the 10 exact neighbours (among rows that pass) that were found; null where there is no truth
    p50_us, p99_us   one query per call, one thread, microseconds
    qps1, qps2  queries per second on one and on two threads, one query per thread
    build_s     from vectors (and captions) in memory to an index that can be saved, two threads
    open_s      from the path of the saved index to the first answer possible, files in the page cache
    rss_mib     VmRSS after timing less VmRSS before opening: heap and mapped pages both count
    disk_mib    everything that must be kept to search again
Numbers that do not apply are null. Other fields are kept and ignored. What is not a JSON object is skipped.
"""

import json
from collections.abc import Iterable
from statistics import median

Line = dict
NEEDED = ("engine", "kind", "n", "dim", "p50_us", "p99_us", "qps1", "qps2")


def parsed(texts: Iterable[str], source: str, also: tuple[str, ...] = ()) -> list[Line]:
    """The measurements among lines of text; `also` names fields that they must have here."""
    found = [json.loads(text) for text in texts if text.startswith("{")]
    for line in found:
        missing = [name for name in NEEDED + also if name not in line]
        if missing:
            raise SystemExit(f"{source}: a measurement lacks {', '.join(missing)}: {line}")
    return [{"mode": "vector", "setting": "", "filter": None, "recall10": None} | line for line in found]


def middle(lines: list[Line], name: str) -> float | None:
    """The median of a number over the lines that have it."""
    values = [line[name] for line in lines if line.get(name) is not None]
    return median(values) if values else None


def reaching(lines: list[Line], aim: float | None) -> list[Line]:
    """The lines of the fastest setting, by median, whose recall is `aim` or more; without an aim, of the fastest."""
    settings: dict[str, list[Line]] = {}
    for line in lines:
        settings.setdefault(line["setting"], []).append(line)
    good = [some for some in settings.values() if aim is None or (middle(some, "recall10") or 0.0) >= aim]
    return min(good, key=lambda some: middle(some, "p50_us"), default=[])


def shown(value: float | None, digits: int = 0) -> str:
    """A number for a table: 12,345 or 0.987, a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"
