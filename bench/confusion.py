"""Plants the catalogue's mistakes and counts the reported ones: docs/diagnosis-figures.md and its picture."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.patches import Rectangle  # noqa: E402

import backpath as bp  # noqa: E402 - the path comes first
from explain.planted import MISTAKES, READINGS, RIGHT, diagnosed, pairs, right_answer, trials  # noqa: E402
from explain.programs.trials import PRINTED  # noqa: E402
from explain.programs.trials import trials as slips_of_people  # noqa: E402
from explain.test_trust import certain_name  # noqa: E402
from explain.unknown_edits import programs, right_answers  # noqa: E402

PRECISIONS = {None: "full precision", 5: "5 decimals"}
SEVERAL, OTHERS, NOTHING = "one of several", "several others", "nothing"
BEGIN, END = "<!-- made by scripts/confusion -->", "<!-- until here -->"
KEPT = ROOT / "build" / "confusion.json"  # finished counts; delete it after a change of the search
TRUST = ("unknown", "right")
INK, PAPER = "#010203", "#fdfefc"  # placeholders for the theme's colours in the drawing


def taken_for(code: str, reported: tuple[str, ...]) -> str:
    """The column of an outcome: the only reported code, or whether the planted one is among several."""
    if not reported:
        return NOTHING
    if len(reported) == 1:
        return reported[0]
    return SEVERAL if code in reported else OTHERS


def planted_alone(job: tuple) -> Counter:
    mistake, count, decimals = job
    return Counter(taken_for(mistake[0], outcome.reported) for _, outcome in trials([mistake], count, decimals))


def planted_in_pairs(job: tuple) -> Counter:
    pair, count, decimals = job
    codes = {code for code, _ in pair}
    found: Counter = Counter()
    for _, outcome in trials(pair, count, decimals):
        exactly = codes == set(outcome.reported)
        found["certain" if exactly else "named" if outcome.verdict == "named" else "missed"] += 1
    return found


# slips, most conventions, decimals, and intended changes of gradients in people's programs; trials per count
PEOPLE = {
    "one slip, full precision": (1, 0, None, 0, 20),
    "one slip, figures with 5 decimals": (1, 0, 5, 0, 10),
    "one slip, figures and network with 4 to 6 digits": (1, 0, PRINTED, 0, 20),
    "one slip and up to three conventions": (1, 3, None, 0, 15),
    "two slips": (2, 0, None, 0, 10),
    "right, with a penalty, clipping, smoothed targets or another leaky slope": (0, 0, None, 1, 10),
}
GIVEN_AS = {  # kinds of right answers, in words
    "full": "gradients in full precision",
    "decimals": "gradients with 2 to 8 decimals",
    "significant": "gradients with 2 to 8 significant digits",
    "weights": "updated weights in full precision",
    "weights_decimals": "updated weights with 2 to 8 decimals",
    "shortcut": "gradients with δ = A − y of a cross-entropy, 2 to 8 decimals",
    "float32": "gradients computed in float32",
    "some": "some of the gradients",
}
PARTS = 8
EDITS = 100  # parts into which the wrong programs are divided, because they take longer


def of_people(job: tuple) -> Counter:
    slips, conventions, decimals, meant, count, part = job
    found: Counter = Counter()
    for one in slips_of_people(count, slips, conventions, decimals, start=100_000 * (1 + part), meant=meant):
        found["named" if one.named else "missed"] += 1
        found["certain"] += one.named and one.report.certain
        found["certain of another"] += one.report.certain and not one.named
    return found


def false_names(job: tuple) -> Counter:
    """Of some edits that the search cannot know: how many are given a mistake's name as certain."""
    count, part = job
    found: Counter = Counter()
    for k, one in enumerate(programs(count)):
        if k % EDITS == part:
            s = one.scene
            report = bp.diagnose(s.network, s.X, s.y, one.figures, cost=s.cost)
            found["called right" if report.correct else "a false name" if certain_name(report) else "none"] += 1
    return found


def called_wrong(job: tuple) -> Counter:
    count, part = job
    found: Counter = Counter()
    for k, one in enumerate(right_answers(count)):
        if k % PARTS == part:
            s = one.scene
            correct = bp.diagnose(s.network, s.X, s.y, one.claimed, cost=s.cost).correct
            found["right" if correct else "called wrong"] += 1
    return found


def right(job: tuple) -> Counter:
    kind, seeds = job
    return Counter(str(diagnosed(*right_answer(kind, seed)).correct) for seed in range(seeds))


# section -> the function that counts one of its jobs, and its jobs
SECTIONS: dict[str, tuple[Callable[[tuple], Counter], Callable[[int], list[tuple]]]] = {
    "unknown": (false_names, lambda count: [(100 * count, part) for part in range(EDITS)]),
    "right": (called_wrong, lambda count: [(500 * count, part) for part in range(PARTS)]),
    "people": (
        of_people,
        lambda count: [(*kind[:4], -(-kind[4] * count // PARTS), k) for kind in PEOPLE.values() for k in range(PARTS)],
    ),
    "alone": (planted_alone, lambda count: [(mistake, count, p) for mistake in MISTAKES for p in PRECISIONS]),
    "pairs": (planted_in_pairs, lambda count: [(pair, 2, p) for pair in pairs(10 * count) for p in PRECISIONS]),
    "answers": (right, lambda count: [(kind, 250 * count // len(RIGHT)) for kind in RIGHT]),
}


def percent(part: int, whole: int) -> str:
    if not whole:
        return "–"
    return "100" if part == whole else f"{min(99.9, 100 * part / whole):.1f}"


def shares(counts: Counter, code: str) -> str:
    named = counts[code] + counts[SEVERAL]
    return f"{counts.total():,} | {percent(named, counts.total())} | {percent(counts[code], counts.total())}"


def table(by_row: dict, code_of, title: str) -> list[str]:
    """One line per row: trials, named and certain, with full precision and with 5 decimals."""
    lines = [f"| {title} | trials | named % | certain % | trials, 5 decimals | named % | certain % |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    rows = dict.fromkeys(row for row, _ in by_row)
    return lines + [
        f"| {row} | " + " | ".join(shares(by_row[row, p], code_of(row)) for p in PRECISIONS) + " |" for row in rows
    ]


TITLE = "# How reliable diagnose is\n\nMeasured by `scripts/confusion`. Each table gives the number of trials."
PROGRAMS = """## Slips in programs

Random slips at random places, written without the search's tables: networks from (1, 1, 1) to (4, 6, 5, 3), all
activations and costs, batches of 1 to 8, and gradients in one of ten layouts. *Named*: one of the reported explanations
has every slip at its place, or another slip that gives the same figures. If the network is printed too, it has 4 to 6
significant digits, and the figures have 4 to 6 decimals.
"""
INTRODUCTION = """## The catalogue's mistakes

Mistakes are planted in the gradients of a backprop that shares no code with backpath: networks of sizes
(2, 2, 1), (2, 3, 1), (3, 4, 4, 2) and (4, 8, 3), every activation and cost, batches of 1 and 5, weights and inputs of
order 1. *Named*: the planted mistake is reported, alone or with others that give the same figures. *Certain*: only the
planted mistake is reported. A trial whose figures are right as given is not counted, because there is nothing to find.
*Further readings* are other mistakes with the same code.

![planted mistakes, and the mistakes that are reported](images/confusion.svg)
"""


def totals(alone: dict) -> dict:
    found: dict = defaultdict(Counter)
    for (mistake, precision), counts in alone.items():
        kind = "further readings" if mistake in READINGS else "as described"
        for taken, number in counts.items():
            found[kind, precision][taken if taken == SEVERAL else "alone" if taken == mistake[0] else "missed"] += (
                number
            )
    return found


def pair_line(precision: int | None, counts: Counter) -> str:
    named, total = counts["certain"] + counts["named"], counts.total()
    return f"| {PRECISIONS[precision]} | {total:,} | {percent(named, total)} | {percent(counts['certain'], total)} |"


def trust_lines(trust: dict[str, Counter], people: dict[str, Counter]) -> list[list[str]]:
    """The first two tables: false names, and the slips that are named."""
    unknown, answers = trust["unknown"], trust["right"]
    false = f"{unknown['a false name']:,} ({100 * unknown['a false name'] / max(1, unknown.total()):.1f}%)"
    first = [
        "## Trust",
        "",
        "| what | tried | |",
        "|---|--:|---|",
        f"| errors of kinds that the search does not know | {unknown.total():,} | "
        f"{false} are given a mistake's name as certain |",
        f"| of these, called right | {unknown.total():,} | {unknown['called right']:,} |",
        f"| right answers, in any layout, convention and rounding | {answers.total():,} | "
        f"{answers['called wrong']:,} are called wrong |",
    ]
    second = [
        PROGRAMS,
        "| | trials | named at the right place % | certain % | certain but wrong % |",
    ]
    second.append("|---|--:|--:|--:|--:|")
    for what, counts in people.items():
        total = counts["named"] + counts["missed"]
        if not total:
            continue
        cells = [percent(counts[key], total) for key in ("named", "certain", "certain of another")]
        second.append(f"| {what} | {total:,} | " + " | ".join(cells) + " |")
    return [first, second]


def summary(trust: dict[str, Counter], people: dict[str, Counter]) -> str:
    """The table of docs/diagnose.md, with the false names first."""
    unknown, answers = trust["unknown"], trust["right"]
    rows = [
        (
            "wrong in a way that the search does not know",
            unknown.total(),
            f"{unknown['a false name']:,} are given a mistake's name as certain",
        ),
        (
            "right, in any layout, convention and rounding",
            answers.total(),
            f"{answers['called wrong']:,} are called wrong",
        ),
    ]
    for what, counts in people.items():
        total = counts["named"] + counts["missed"]
        rows.append((what, total, f"{percent(counts['named'], total)}% named at the right place"))
    lines = [f"| {what} | {total:,} | {found} |" for what, total, found in rows if total]
    return "\n".join(["| programs | tried | found |", "|---|--:|---|", *lines])


def put_into(text: str, table: str) -> str:
    """The text with the table between the two marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def page(alone: dict, paired: dict, answers: dict, trust: dict, people: dict) -> str:
    by_code: dict = defaultdict(Counter)
    for ((code, _), precision), counts in alone.items():
        by_code[f"`{code}`", precision] += counts
    by_name = {(f"`{code}` {name}", precision): counts for ((code, name), precision), counts in alone.items()}
    sections = [[TITLE], *trust_lines(trust, people)]
    if any(alone.values()):
        sections += [
            [INTRODUCTION, *table(totals(alone), lambda row: "alone", "all mistakes")],
            table(by_code, lambda row: row.strip("`"), "mistake"),
        ]
    if any(paired.values()):
        lines = ["## Two mistakes at once", "", "| figures given | trials | both named % | and nothing else % |"]
        sections += [[*lines, "|---|--:|--:|--:|", *(pair_line(p, counts) for p, counts in paired.items())]]
    if any(answers.values()):
        lines = ["## Right answers", "", "| given as | answers | called wrong |", "|---|--:|--:|"]
        sections += [[*lines, *(f"| {GIVEN_AS[kind]} | {c.total():,} | {c['False']} |" for kind, c in answers.items())]]
    if any(alone.values()):
        sections += [["## Every variant", "", *table(by_name, lambda row: row.split("`")[1], "mistake, variant")]]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def draw(alone: dict, path: Path) -> None:
    """Planted (rows) × reported (columns), in percent of the row."""
    rows = list(dict.fromkeys(code for (code, _), _ in alone))
    columns = [*rows, "unknown", SEVERAL, OTHERS, NOTHING]
    seen = {taken for counts in alone.values() for taken in counts}
    columns += sorted(seen - set(columns))
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "confusion", "font.size": 8, "text.color": INK})
    figure, panels = plt.subplots(2, 1, figsize=(9.5, 14), facecolor=PAPER, layout="constrained")
    for panel, (precision, title) in zip(panels, PRECISIONS.items(), strict=True):
        panel.set(xlim=(0, len(columns)), ylim=(len(rows), 0), aspect="equal", facecolor="none")
        panel.set_title(f"{title}: planted (rows), reported (columns), in percent of the row", loc="left", fontsize=9)
        for i, code in enumerate(rows):
            draw_row(panel, i, code, reported(alone, code, precision), columns)
        panel.set_xticks(
            [j + 0.5 for j in range(len(columns))], columns, rotation=60, ha="right", rotation_mode="anchor"
        )
        panel.set_yticks([i + 0.5 for i in range(len(rows))], rows)
        panel.hlines(range(1, len(rows)), 0, len(columns), color=INK, alpha=0.08, linewidth=0.5)
        panel.vlines([len(rows)], 0, len(rows), color=INK, alpha=0.3, linewidth=0.5)
        panel.tick_params(length=0, colors=INK)
        for spine in panel.spines.values():
            spine.set_color(INK)
            spine.set_alpha(0.3)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    follow_the_theme(path)


def reported(alone: dict, code: str, precision: int | None) -> Counter:
    """What was reported for a planted mistake, in all its variants."""
    return sum((c for (m, p), c in alone.items() if m[0] == code and p == precision), Counter())


def draw_row(panel: plt.Axes, row: int, code: str, counts: Counter, columns: list[str]) -> None:
    """A cell for each answer to a planted mistake."""
    for j, column in enumerate(columns):
        if not counts[column]:
            continue
        part = counts[column] / counts.total()
        colour = "#2f80ed" if column in (code, SEVERAL) else "#e0562d"
        panel.add_patch(Rectangle((j, row), 1, 1, color=colour, alpha=0.15 + 0.4 * part, linewidth=0))
        text = f"{100 * part:.0f}" if part >= 0.01 else "<1"
        panel.text(j + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7)


def follow_the_theme(path: Path) -> None:
    """Dark or light, as the page that shows the picture."""
    style = (
        "<style>:root{--ink:#1c2430;--paper:#ffffff}"
        "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ef;--paper:#12161c}}</style>"
    )
    drawn = path.read_text(encoding="utf-8").replace(INK, "var(--ink)").replace(PAPER, "var(--paper)")
    path.write_text(drawn.replace("<defs>", f"{style}\n <defs>", 1), encoding="utf-8")


def counted(kept: dict[str, dict], counts: dict[str, int], most: int) -> bool:
    """Makes missing counts, up to ``most``; returns whether none is left."""
    jobs = [(name, job) for name, count in counts.items() for job in SECTIONS[name][1](count)]
    left = [(name, job) for name, job in jobs if repr(job) not in kept[name]]
    with ProcessPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as workers:
        running = [(name, job, workers.submit(SECTIONS[name][0], job)) for name, job in left[:most]]
        for name, job, made in running:
            kept[name][repr(job)] = dict(made.result())
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept, indent=1))
    return len(left) <= most


def gathered(kept: dict[str, dict], counts: dict[str, int]) -> dict[str, dict]:
    """The counts of each job, by section."""
    jobs = {name: SECTIONS[name][1](counts[name]) for name in SECTIONS}
    return {name: {job: Counter(kept[name].get(repr(job), {})) for job in jobs[name]} for name in SECTIONS}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20, help="trials of each mistake (20)")
    parser.add_argument("--trust", type=int, help="trials for the first two tables, if different")
    parser.add_argument("--only", choices=SECTIONS, help="one section; the others are read from build/")
    parser.add_argument("--most", type=int, default=10**9, help="jobs to do now; the next call continues")
    parser.add_argument("--page", action="store_true", help="write the page although counts are missing")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    counts = {name: given.trust or given.count if name in TRUST else given.count for name in SECTIONS}
    kept = defaultdict(dict, json.loads(KEPT.read_text()) if KEPT.exists() else {})
    wanted = {given.only: counts[given.only]} if given.only else counts
    if not given.page and (not counted(kept, wanted, given.most) or given.only):
        return
    write(gathered(kept, counts))


def write(found: dict[str, dict]) -> None:
    """The page of the figures, its picture, and the summary in docs/diagnose.md."""
    alone = {(mistake, p): c for (mistake, _, p), c in found["alone"].items()}
    paired: dict = defaultdict(Counter)
    for (_, _, p), c in found["pairs"].items():
        paired[p] += c
    answers = {kind: c for (kind, _), c in found["answers"].items()}
    trust = {name: sum(found[name].values(), Counter()) for name in TRUST}
    people = {
        what: sum((c for job, c in found["people"].items() if job[:4] == kind[:4]), Counter())
        for what, kind in PEOPLE.items()
    }
    text = page(alone, paired, answers, trust, people)
    (ROOT / "docs" / "diagnosis-figures.md").write_text(text, encoding="utf-8")
    docs = ROOT / "docs" / "diagnose.md"
    docs.write_text(put_into(docs.read_text(encoding="utf-8"), summary(trust, people)), encoding="utf-8")
    if any(alone.values()):
        draw(alone, ROOT / "docs" / "images" / "confusion.svg")


if __name__ == "__main__":
    main()
