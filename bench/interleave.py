"""Runs timing commands in turn, A B A B ..., and prints how their rates compare, round by round.

    python bench/interleave.py --ours "COMMAND" --theirs "python bench/torch_step.py --mode step" --rounds 5

With several `--theirs`, A B C A B C ..., and A is compared with each.

A machine drifts (heat, neighbours), so only rates measured next to each other are divided. Each command prints
JSON lines with at least {"what", "per_second"}; a run counts with its median, and a command that fails ends
everything with its status. Standard library only. Nothing here knows what the commands do.
"""

import argparse
import json
import shlex
import subprocess
import sys
from statistics import median

Run = dict[str, dict[str, float]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="command A, as one string")
    parser.add_argument(
        "--theirs", required=True, action="append", help="command B; the ratio is A's rate to B's; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs")
    parser.add_argument("--at-least", type=float, help="exit 1 where a median ratio is below this")
    return parser.parse_args()


def records(output: str) -> list[dict]:
    """The measurements among the lines that a command printed."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if "what" in line and "per_second" in line]


def run(command: str) -> Run:
    """Runs a command once: the median of every number, by what was measured."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True, check=False)
    found = records(done.stdout)
    if done.returncode != 0 or not found:
        print(f"{command}: exit {done.returncode}, {len(found)} measurements", file=sys.stderr)
        sys.exit(done.returncode or 2)
    kinds = sorted({line["what"] for line in found})
    return {what: medians([line for line in found if line["what"] == what]) for what in kinds}


def medians(lines: list[dict]) -> dict[str, float]:
    """The median of each number over the repeats of one run."""
    names = [name for name, value in lines[0].items() if isinstance(value, (int, float))]
    return {name: median(line[name] for line in lines) for name in names}


def row(label: str, values: list[float], digits: int) -> str:
    """One line of the table."""
    return f"  {label:<24}" + "".join(f"{value:>12.{digits}f}" for value in (min(values), median(values), max(values)))


def report(what: str, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> float:
    """Prints the table of one measurement; returns the median of the ratios of neighbouring runs."""
    setting = ", ".join(f"{name} {ours[0][name]:g}" for name in ("batch", "tokens") if name in ours[0])
    print(f"{what} ({setting})\n  {'':<24}" + "".join(f"{name:>12}" for name in ("min", "median", "max")))
    for name, digits in (("per_second", 2), ("peak_rss_mib", 0)):
        for side, runs in (("ours", ours), ("theirs", theirs)):
            if all(name in one for one in runs):
                print(row(f"{name} {side}", [one[name] for one in runs], digits))
    ratios = [a["per_second"] / b["per_second"] for a, b in zip(ours, theirs)]
    print(row("ratio, round by round", ratios, 3))
    return median(ratios)


def check_same_setting(what: str, ours: dict[str, float], theirs: dict[str, float]) -> None:
    """Refuses to divide the rate of one batch size or text length by that of another."""
    for name in ("batch", "tokens"):
        if name in ours and name in theirs and ours[name] != theirs[name]:
            sys.exit(f"{what}: {name} is {ours.get(name)} here and {theirs.get(name)} there")


def compare(ours: list[Run], theirs: list[Run]) -> list[float]:
    """Reports everything that both measured; returns the median ratios."""
    both = [what for what in ours[0] if what in theirs[0]]
    if not both:
        sys.exit(f"nothing in common: {sorted(ours[0])} and {sorted(theirs[0])}")
    for what in both:
        check_same_setting(what, ours[0][what], theirs[0][what])
    return [report(what, [a[what] for a in ours], [b[what] for b in theirs]) for what in both]


def main() -> None:
    given = arguments()
    commands = [given.ours, *given.theirs]
    rounds: list[list[Run]] = []
    for count in range(1, given.rounds + 1):
        rounds.append([run(command) for command in commands])
        print(f"round {count} of {given.rounds} done", file=sys.stderr)
    ours, *others = zip(*rounds)
    ratios = []
    for command, theirs in zip(given.theirs, others):
        if len(others) > 1:
            print(f"\nagainst {command}")
        ratios += compare(ours, theirs)
    sys.exit(1 if given.at_least is not None and min(ratios) < given.at_least else 0)


if __name__ == "__main__":
    main()
