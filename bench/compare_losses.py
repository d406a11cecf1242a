"""Compares the losses of finelens with those of torch_train.py on the same batches.

    python bench/compare_losses.py RUN/events.jsonl OUT/losses.jsonl

Ours are the events with a step and a loss; theirs are the lines of losses.jsonl. Over the first 50 steps every
loss is compared, after that the means of 20 steps in a row. Exit 1 where they lie further apart than allowed,
2 where there is nothing to compare. Standard library only.
"""

import argparse
import json
import sys
from pathlib import Path

Losses = dict[int, float]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=Path, help="events.jsonl of a run")
    parser.add_argument("theirs", type=Path, help="losses.jsonl of torch_train.py")
    parser.add_argument("--first", type=int, default=50, help="steps compared one by one")
    parser.add_argument("--window", type=int, default=20, help="steps in a mean after those")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="relative, over the first steps")
    parser.add_argument("--smoothed-tolerance", type=float, default=2e-2, help="relative, of the means after those")
    return parser.parse_args()


def step_record(line: dict) -> dict | None:
    """The part of a line that holds a step's number and loss, at its top or one level down; else None."""
    kind = str(line.get("event", line.get("type", "step"))).lower()
    candidates = [line, *(value for value in line.values() if isinstance(value, dict))]
    found = [part for part in candidates if "step" in part and "loss" in part]
    return found[0] if found and kind.startswith("step") else None


def losses(file: Path) -> Losses:
    """Step number to loss; null is NaN. A step that was logged twice (a resumed run) counts as logged last."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = [record for line in lines if (record := step_record(line))]
    return {int(record["step"]): float("nan" if record["loss"] is None else record["loss"]) for record in found}


def smoothed(values: list[float], window: int) -> list[float]:
    """The mean of every `window` values in a row; empty where there are fewer."""
    return [sum(values[start : start + window]) / window for start in range(len(values) - window + 1)]


def worst(ours: list[float], theirs: list[float]) -> float:
    """The largest |a - b| / |b|; NaN counts as infinitely far."""
    differences = [abs(a - b) / abs(b) if b else abs(a) for a, b in zip(ours, theirs, strict=True)]
    return max(value if value == value else float("inf") for value in differences)


def line_of_table(name: str, ours: list[float], theirs: list[float], tolerance: float) -> bool:
    """Prints one comparison; true where it holds."""
    if not ours:
        print(f"{name:<34}{0:>6}{'-':>12}{tolerance:>12.1e}  not enough steps")
        return True
    difference = worst(ours, theirs)
    holds = difference <= tolerance
    print(f"{name:<34}{len(ours):>6}{difference:>12.2e}{tolerance:>12.1e}  {'ok' if holds else 'TOO FAR'}")
    return holds


def compare(ours: Losses, theirs: Losses, given: argparse.Namespace) -> bool:
    """Prints the table over the steps that both have; true where all of it holds."""
    steps = sorted(ours.keys() & theirs.keys())
    a, b = [ours[step] for step in steps], [theirs[step] for step in steps]
    print(f"steps: {len(ours)} ours, {len(theirs)} theirs, {len(steps)} in both ({steps[0]} to {steps[-1]})")
    print(f"loss at the first: {a[0]:.6f} and {b[0]:.6f}; at the last: {a[-1]:.6f} and {b[-1]:.6f}")
    print(f"{'':<34}{'values':>6}{'max rel.':>12}{'allowed':>12}")
    first, window = given.first, given.window
    early = line_of_table(f"first {first} steps", a[:first], b[:first], given.tolerance)
    late_a, late_b = smoothed(a[first:], window), smoothed(b[first:], window)
    late = line_of_table(f"after, means of {window}", late_a, late_b, given.smoothed_tolerance)
    return early and late


def main() -> None:
    given = arguments()
    ours, theirs = losses(given.ours), losses(given.theirs)
    if not ours.keys() & theirs.keys():
        print(f"no step in both: {len(ours)} in {given.ours}, {len(theirs)} in {given.theirs}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if compare(ours, theirs, given) else 1)


if __name__ == "__main__":
    main()
