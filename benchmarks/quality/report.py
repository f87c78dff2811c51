"""The quality figures as one page of Markdown: a table a protocol, and the order of models where none is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.provenance import table
from benchmarks.quality.bench import Case
from benchmarks.quality.measure import kept
from benchmarks.quality.store import HITS, Row, hits_file, row_of

from matinee.evaluation.compare import Comparison, Verdict, compare_all

FLOOR = "popularity"
ABOUT = """Made by `make quality`; [how figures come about](../../docs/guides/quality.md). Each row is measured in a
process of its own, at a model's defaults or at the settings that follow its name, and says which commit it is of (`*`:
with changes that were not committed). s.e.: standard error over users of the first seed; the interval is the 95 %
bootstrap of that seed; peak: the whole process, the data included.
"""

Measured = Sequence[tuple[Case, Row]]
"""Cases with their rows, best first."""


def page(
    blocks: Mapping[str, Any], cases: Sequence[Case], rows: Sequence[Row], hits: Path = HITS
) -> Iterator[str]:
    yield from ["# Quality: every model on every protocol", "", ABOUT]
    yield from _machines(rows)
    for name, block in blocks.items():
        found = measured(name, block, cases, rows)
        if found:
            yield from ["", f"## {name}: {block['title']}", "", *_about(block, found), ""]
            yield from _table(block, found)
            yield from _bands(found)
            if block.get("ordered"):
                yield from _order(block, found, hits)


def measured(protocol: str, block: Mapping[str, Any], cases: Sequence[Case], rows: Sequence[Row]) -> Measured:
    own = [(case, row) for case in cases if case.protocol == protocol if (row := row_of(case, rows)) is not None]
    return sorted(own, key=lambda pair: -pair[1]["figures"][block["main"]])


def comparisons(found: Measured, metric: str, hits: Path = HITS) -> dict[tuple[str, str], Comparison]:
    """Every pair of rows over the same users, best first, corrected for all pairs (Holm)."""
    return compare_all({case.name: kept(hits_file(case, hits), metric) for case, _ in found}, seed=0)


def _machines(rows: Sequence[Row]) -> Iterator[str]:
    told: dict[str, None] = {}
    for row in rows:
        machine, origin = row["origin"]["machine"], row["origin"]
        versions = ", ".join(f"{name} {version}" for name, version in origin["versions"].items())
        told[f"- {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB, Python "
             f"{machine['python']}, {origin['threads']} threads; {versions}"] = None
    yield from told
    if rows:
        dates = sorted(row["origin"]["date"] for row in rows)
        loads = [row["origin"]["load_average"][0] for row in rows]
        yield (f"- {dates[0]} to {dates[-1]}; load average {min(loads)} to {max(loads)}: seconds are those of a busy "
               "machine where it is above 2")


def _about(block: Mapping[str, Any], found: Measured) -> Iterator[str]:
    counts, split = block["counts"], ", ".join(f"{key} {value}" for key, value in block["split"].items())
    data = ", ".join(f"{key} {value}" for key, value in block["data"].items() if key != "path")
    yield (f"{block['data']['path']} ({data}): {counts['users']:,} users, {counts['items']:,} items, "
           f"{counts['events']:,} events; {split}; {found[0][1]['runs'][0]['users']:,} users tested; "
           f"seeds {', '.join(map(str, block['seeds']))}{', mean' if len(block['seeds']) > 1 else ''}.")


def _table(block: Mapping[str, Any], found: Measured) -> list[str]:
    main, shown = block["main"], block["shown"]
    parts = sorted(found[0][1]["runs"][0]["parts"]) if block.get("ordered") else []
    several = ["each seed"] if any(len(row["runs"]) > 1 for _, row in found) else []
    head = ["", "model", *shown, f"s.e. of {main}", "95 % interval", *several, *(f"{main}, {part}" for part in parts),
            "fit s", "rank s", "peak MB", "commit"]
    rows = []
    for at, (case, row) in enumerate(found, 1):
        first = row["runs"][0]
        each = [" ".join(f"{run['figures'][main]:.4f}" for run in row["runs"])] if several else []
        figures = [f"{row['figures'][metric]:.4f}" for metric in shown]
        rows.append([at, case.name, *figures, f"{first['errors'][main]:.4f}",
                     _interval(*first["intervals"][main]), *each, *(f"{first['parts'][part]:.4f}" for part in parts),
                     first["fit_seconds"], first["rank_seconds"], row["peak_mb"], commit(row)])
    return table(head, rows)


def _bands(found: Measured) -> list[str]:
    """What had to be reached."""
    rows = [[case.name, bound, f"{row['figures'][bound.metric]:.4f}",
             "yes" if bound.reached(row["figures"][bound.metric]) else "**no**"]
            for case, row in found for bound in case.bounds]
    return ["", *table(["model", "wanted", "figure", "reached"], rows)] if rows else []


def _order(block: Mapping[str, Any], found: Measured, hits: Path) -> Iterator[str]:
    for metric in block["shown"]:
        best = sorted(found, key=lambda pair: -pair[1]["figures"][metric])
        pairs, names = comparisons(best, metric, hits), [case.name for case, _ in best]
        if FLOOR in names and len(names) > 1:
            yield from ["", f"Each against {FLOOR} by {metric}; paired over users, p corrected for all "
                        f"{len(pairs)} pairs (Holm):", ""]
            yield from table(["model", "difference", "95 % interval", "p", "it is"], _against_floor(names, pairs))
        yield from ["", f"Each against each by {metric}: difference of row and column, bold where one is better, plain "
                    "where nobody can tell.", ""]
        yield from table(["", *(str(at + 1) for at in range(1, len(names)))],
                         [[f"{at + 1} {name}", *("" if other <= at else _cell(pairs[name, names[other]])
                                               for other in range(1, len(names)))]
                          for at, name in enumerate(names[:-1])])


def _against_floor(names: Sequence[str], pairs: Mapping[tuple[str, str], Comparison]) -> Iterator[list[str]]:
    for name in names:
        if name == FLOOR:
            continue
        found = pairs[name, FLOOR] if (name, FLOOR) in pairs else _turned(pairs[FLOOR, name])
        yield [name, f"{found.difference:+.4f}", _interval(found.low, found.high), _p(found.p), found.verdict]


def _turned(found: Comparison) -> Comparison:
    """The second against the first."""
    verdicts: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "cannot tell": "cannot tell"}
    return Comparison(-found.difference, -found.high, -found.low, found.p, verdicts[found.verdict])


def _cell(found: Comparison) -> str:
    text = f"{found.difference:+.4f}"
    return text if found.verdict == "cannot tell" else f"**{text}**"


def commit(row: Row) -> str:
    origin = row["origin"]
    return (origin["commit"] or "unknown")[:8] + ("*" if origin["changed"] else "")


def _p(p: float) -> str:
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def _interval(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}"
