"""The command line of the benchmark; see scripts/bench."""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from pathlib import Path

from bench import growth
from bench.contenders import CONTENDERS
from bench.machine import load, machine
from bench.measure import Contest, Measured, measure
from bench.report import page, table
from bench.rows import ROWS, Row
from bench.worker import CLOCK


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Compare backpath with its peers.")
    parser.add_argument("--quick", action="store_true", help="3 short rounds, for a first impression")
    parser.add_argument("--growth", action="store_true", help="draw the growth curves instead")
    parser.add_argument("--rows", default=",".join(row.key for row in ROWS), help="rows (default: %(default)s)")
    parser.add_argument("--contenders", help=f"contenders to measure (default: {','.join(CONTENDERS)})")
    parser.add_argument("--cpu", action="store_true", help="measure processor time, on a machine that is in use")
    parser.add_argument("--keep", type=Path, help="folder for measured rows; the page shows all rows in it")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder for the page and the pictures")
    return parser.parse_args()


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    options = arguments()
    usual = growth.CONTENDERS if options.growth else CONTENDERS
    who = options.contenders.split(",") if options.contenders else usual
    rounds, seconds = (3, 0.05) if options.quick else (5, 0.2) if options.growth else (11, 0.3)
    if options.cpu:
        os.environ[CLOCK] = "1"
    facts = [*machine(), f"{load()} at the start"]
    say("\n".join(facts))
    with Contest([f"bench.contenders.{name}" for name in who], rounds, seconds, say) as contest:
        if options.growth:
            results = draw_growth_curves(contest, options.out)
        else:
            results = measure_rows(contest, options)
            write_page(results, [*facts, ", ".join(contest.versions())], rounds, options.out)
            print(table(results))
    return report_refused(results)


def report_refused(results: list[Measured]) -> int:
    """Print the contenders with other weights than the reference; returns the exit status."""
    refused = sorted({name for result in results for name in result.refused})
    if refused:
        say(f"refused, because they do not reach the reference's weights: {', '.join(refused)}")
    return 1 if refused else 0


def measure_rows(contest: Contest, options: argparse.Namespace) -> list[Measured]:
    rows = [row for row in ROWS if row.key in options.rows.split(",")]
    return measure(rows, contest) if options.keep is None else keep(rows, contest, options.keep)


def keep(rows: list[Row], contest: Contest, folder: Path) -> list[Measured]:
    """Store each row in the folder when it is measured; returns all rows there, from this and earlier runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        (measured,) = measure([row], contest)
        (folder / f"{row.key}.pickle").write_bytes(pickle.dumps(measured))
    paths = (folder / f"{row.key}.pickle" for row in ROWS)
    return [pickle.loads(path.read_bytes()) for path in paths if path.exists()]


def write_page(results: list[Measured], facts: list[str], rounds: int, out: Path) -> None:
    from bench.pictures import draw_ratios

    draw_ratios(results, out / "images" / "benchmarks.svg")
    grown = (out / "images" / "growth.svg").exists()
    (out / "benchmarks.md").write_text(page(results, facts, rounds, grown, CLOCK in os.environ), encoding="utf-8")


def draw_growth_curves(contest: Contest, out: Path) -> list[Measured]:
    from bench.pictures import draw_growth

    drawn = {
        title: [(x, contest.measure(row)) for x, row in points]
        for title, points in growth.panels().items()
        if not contest.say(title)
    }
    draw_growth(drawn, out / "images" / "growth.svg")
    return [result for points in drawn.values() for _, result in points]


if __name__ == "__main__":
    sys.exit(main())
