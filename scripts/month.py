"""One page of a run of configs/experiments/month.yaml, finished or not: python -m scripts.month [RUN] [--out FOLDER]

RUN is a run's folder or id; the newest one called month below MATINEE_RUNS (./runs) unless told. While the run goes on
the page has the entries that have ended, measured here from their stored lists. FOLDER is docs/results unless told, and
the pictures go to docs/pictures/results; elsewhere they go beside the page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import table

from matinee.cli.terminal import note
from matinee.errors import MatineeError, ModelError
from matinee.evaluation.compare import LEVEL, holm
from matinee.evaluation.rank_agreement import agreement
from matinee.experiment.folder import RunFolder, find
from matinee.report import pictures
from scripts import middle_or_next
from scripts.month_answers import answers, coefficient, direction, told, word
from scripts.month_known import LADDER, NINE, PUBLIC, PUBLIC_ENSEMBLES
from scripts.month_run import MAIN, Month
from scripts.reports import PAGES, PICTURES, draw, interval, named, write

SHORT, COLD = "history_length=up to 50", "item_popularity=lowest fifth"
"""Segments that stand for a cold start: short histories, and items that hardly anybody has had."""
ENOUGH = 0.9
"""Of a rank correlation: an order that foretells so well can be chosen by."""
GAINED = 3
"""Places above the overall one from which on something counts as a strength."""
FEW = 100
"""Users that a segment must have for its order to count as a strength."""
ABOUT = (
    "Recall@10 at test, with 95 % intervals; tail is what came next, gap what is missing from the middle; short: "
    "histories of up to 50; cold: the fifth of the hidden items that fewest had. ≈: cannot be told from the first "
    "(paired bootstrap, Holm). Seconds of an ensemble are its own, without its members'; MB are the peak of the whole "
    "process; *: found again, as measured by the run that made it."
)


@dataclass(frozen=True)
class Place:
    """Where pictures of a page go, and how the page names them."""

    page: Path
    pictures: Path

    @classmethod
    def of(cls, out: Path) -> Place:
        return cls(out / "month.md", PICTURES if out.resolve() == PAGES.resolve() else out)

    def drawn(self, name: str, about: str, picture: str) -> list[str]:
        path = self.pictures / f"month-{name}.svg"
        draw(path, picture)
        return ["", f"![{about}]({os.path.relpath(path, self.page.parent)})", ""]


def page(month: Month, place: Place) -> Iterator[str]:
    """The lines of the page. Pictures are drawn on the way."""
    yield from head(month)
    if len(month.done) < 2:
        yield "Not yet: two entries must have ended."
        return
    yield from entries(month, place)
    yield from segments(month)
    yield from strengths(month)
    yield from anchors(month)
    yield from ladder(month, place)
    yield from nine(month, place)
    yield from ["", "## The open questions of the reports"]
    yield from answers(month)
    yield from provenance(month)


def head(month: Month) -> Iterator[str]:
    data, split, all_ = month.folder.manifest["data"], month.folder.manifest["split"]["settings"], month.families
    yield from ["# The month: the whole house side by side", "",
                "Made by `python -m scripts.month` ([how](../guides/month.md)) from a run of "
                "[the experiment](../../configs/experiments/month.yaml).", ""]
    yield (f"{named(month.config['data']['path'])}: {data['users']:,} users, {data['items']:,} items, "
           f"{data['events']:,} events; "
           f"{', '.join(f'{key} {value}' for key, value in split.items() if value not in (None, False))}.")
    yield from ["", f"**Question.** {' '.join((month.config['question'] or '').split())}", ""]
    left = month.lacks(*all_)
    yield (f"All {len(all_)} entries have ended." if not left else
           f"**The run is not finished**: {len(month.done)} of {len(all_)} entries have ended; to come: "
           f"{', '.join(f'`{id_}`' for id_ in left)}.")
    yield ""


def level(month: Month) -> set[str]:
    """Those that cannot be told from the best (Holm)."""
    best, *others = month.ranked
    found = [month.against(best, other) for other in others]
    corrected = holm([one.p for one in found])
    return {other for other, one, p in zip(others, found, corrected, strict=True)
            if p >= LEVEL or one.verdict == "cannot tell"}


def entries(month: Month, place: Place) -> Iterator[str]:
    ids, alike = month.ranked, level(month)
    rows: list[Mapping[str, Any]] = [{**month.figures[id_, MAIN, None], "ensemble": month.families[id_] == "ensemble"}
                                     for id_ in ids]
    yield from ["## Every entry", "", ABOUT]
    yield from place.drawn("leaderboard", "recall@10 of each entry, with 95 % intervals",
                           pictures.leaderboard(rows, MAIN))
    shown = []
    for at, id_ in enumerate(ids, 1):
        fit, rank, peak, again = month.cost(id_)
        mark = "*" if again else ""
        shown.append([at, f"`{id_}`", month.families[id_],
                      f"{month.figure(id_):.4f}{' ≈' if id_ in alike else ''}",
                      interval(month.figures[id_, MAIN, None]),
                      *(number(month.figure(id_, label))
                        for label in ("hidden_part=tail", "hidden_part=gap", SHORT, COLD)),
                      f"{fit:.1f}{mark}", f"{rank:.1f}{mark}", "" if np.isnan(peak) else f"{peak:.0f}"])
    yield from table(["", "entry", "kind", MAIN, "95 % interval", "tail", "gap", "short", "cold", "s to fit",
                      "s to rank", "MB"], shown)
    if month.shortened:
        yield from ["", "Trained for fewer epochs than their defaults: " + ", ".join(
            f"`{id_}` {given} of {usual}" for id_, (given, usual) in month.shortened.items()) + "."]
    yield from tail_and_gap(month, [id_ for id_ in ids if id_ in month.models], place)


def tail_and_gap(month: Month, ids: Sequence[str], place: Place) -> Iterator[str]:
    if not ids:
        return
    both = [{"family": month.families[id_], "runs": [{"parts": {
        part: month.figure(id_, f"hidden_part={part}") for part in ("tail", "gap")}}]} for id_ in ids]
    yield from ["", "The models by what they find at the end and in the middle; numbers are their order among models: "
                + ", ".join(f"{at} {id_}" for at, id_ in enumerate(ids, 1)) + "."]
    yield from place.drawn("tail-gap", "each model by tail and gap", middle_or_next.picture(both))


def number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


def segments(month: Month) -> Iterator[str]:
    labels = [label for label in month.labels if not label.startswith("hidden_part")]
    if not labels:
        return
    users = [month.figures[month.ranked[0], MAIN, label]["users"] for label in labels]
    yield from ["", "## By segment", "",
                "Recall@10 of what lies in each segment, and how many users have any of it.", ""]
    yield from table(["entry", *(f"{label.split('=')[0].replace('_', ' ')}: {label.split('=')[1]} ({n:,})"
                                 for label, n in zip(labels, users, strict=True))],
                     ([f"`{id_}`", *(number(month.figure(id_, label)) for label in labels)] for id_ in month.ranked))


def columns(month: Month) -> dict[str, list[float]]:
    """What entries are put into order by, the higher the better, in the order of `ranked`."""
    found = {label.split("=", 1)[1] if label.startswith("hidden") else label.replace("_", " ").replace("=", " "):
             [month.figure(id_, label) for id_ in month.ranked] for label in counted(month)}
    found |= {metric: [month.figure(id_, None, metric) for id_ in month.ranked]
              for metric in month.config["evaluate"]["metrics"][1:]}
    found["seconds to fit"] = [-month.cost(id_)[0] if id_ in month.models else np.nan for id_ in month.ranked]
    return {name: values for name, values in found.items() if np.isfinite(values).sum() > 1}


def counted(month: Month) -> list[str]:
    """Segments that have enough users, and not all of them."""
    first = month.ranked[0]
    users = {label: month.figures[first, MAIN, label]["users"] for label in month.labels}
    all_ = month.figures[first, MAIN, None]["users"]
    return [label for label, n in users.items()
            if n >= min(FEW, all_ // 10) and (n < all_ or not label.startswith(("history", "short", "active")))]


def places(values: Sequence[float], *, humble: bool = False) -> list[int | None]:
    """1 for the highest; equals share the better place, or the last if `humble`; None where there is no figure."""
    known = np.array([value for value in values if np.isfinite(value)])
    return [None if not np.isfinite(value) else
            int((known >= value).sum()) if humble else int((known > value).sum()) + 1 for value in values]


def strengths(month: Month) -> Iterator[str]:
    """Where each is placed highest above its overall place."""
    # Humble: of the many that find nothing of the rarest items none is strong there.
    ranks = {name: places(values, humble=True) for name, values in columns(month).items()}
    overall = places([month.figure(id_) for id_ in month.ranked])
    yield from ["", "## What each is good at", "",
                f"Among {len(overall)} entries (seconds: among models): where an entry stands at least {GAINED} places "
                f"above its overall one, the highest climb first; segments of {FEW} users and more. Places that lie "
                "near each other may be chance.", ""]
    rows = []
    for at, id_ in enumerate(month.ranked):
        own = overall[at]
        assert own is not None
        climbs = sorted((place - own, name, place) for name, column in ranks.items()
                        if (place := column[at]) is not None and own - place >= GAINED)
        first = [name for name, column in ranks.items() if column[at] == 1]
        said = ", ".join(f"{name} ({place})" for _, name, place in climbs[:3]) or "even: nowhere far above its place"
        rows.append([own, f"`{id_}`", said, ", ".join(first)])
    yield from table(["overall", "entry", "stronger in (place)", "first in"], rows)


def anchors(month: Month) -> Iterator[str]:
    """Our order against the public one, of what both have."""
    yield from ["", "## Does our order foretell the leaderboard?", "",
                "Public Recall@10 is what teams told of theirs on the competition's leaderboard, one implementation "
                "each, on other data: the order may agree, the numbers cannot."]
    for title, known in {"models": PUBLIC, "models and ensembles": PUBLIC | PUBLIC_ENSEMBLES}.items():
        both = sorted((id_ for id_ in known if id_ in month.done), key=lambda id_: -known[id_])
        left = [id_ for id_ in known if id_ not in month.done]
        yield ""
        if len(both) < 2:
            yield f"Of {title} fewer than two have ended."
            continue
        found = agreement([month.figure(id_) for id_ in both], [known[id_] for id_ in both])
        said = direction(found.spearman, found.n, "better than chance", "worse than chance")
        reached = "is not reached" if found.spearman.high < ENOUGH else "is within the interval"
        yield (f"{title.capitalize()}: {coefficient(found.spearman, found.n)}: **{said}**"
               + (f" (without {', '.join(left)})" if left else "")
               + f"; {ENOUGH}, by which one could choose, {reached}.")
    both = sorted((id_ for id_ in PUBLIC | PUBLIC_ENSEMBLES if id_ in month.done),
                  key=lambda id_: -(PUBLIC | PUBLIC_ENSEMBLES)[id_])
    if both:
        ours = places([month.figure(id_) for id_ in both])
        yield from ["", *table(["public place", "entry", "public", "here", "place here"], (
            [at, f"`{id_}`", f"{(PUBLIC | PUBLIC_ENSEMBLES)[id_]:.4f}", f"{month.figure(id_):.4f}", place]
            for at, (id_, place) in enumerate(zip(both, ours, strict=True), 1)))]


def ladder(month: Month, place: Place) -> Iterator[str]:
    """Each rung against the one before it."""
    rungs = [id_ for id_ in LADDER if id_ in month.done]
    yield from ["", "## The ladder of the wrap-up report", "",
                "Rank sums of thirty places, one member more at a time; gains are over the rung before, paired over "
                "users.", ""]
    if len(rungs) < 2 or month.lacks(*rungs):
        yield "Not yet: " + ", ".join(f"`{id_}`" for id_ in month.lacks(*LADDER)) + " to come."
        return
    members = {id_: month.members.get(id_, [id_]) for id_ in rungs}
    rows, verdicts = [], []
    for at, id_ in enumerate(rungs):
        added, before = members[id_][-1], members[id_][:-1]
        row = [f"`{id_}`", f"`{added}`", f"{month.figure(id_):.4f}", interval(month.figures[id_, MAIN, None])]
        if at:
            found = month.against(id_, rungs[at - 1])
            verdicts.append(word(found, "gains", "loses"))
            row += [told(found), verdicts[-1], f"{month.shared([added, *before])[0, 1:].mean():.0%}"]
        public = LADDER[id_]
        rows.append([*row, *([""] * (7 - len(row))), "" if public is None else f"{public:.4f}"])
    yield from table(["rung", "adds", MAIN, "95 % interval", "gain", "the member", "shared with those before",
                      "public"], rows)
    told_ = month.against(rungs[-1], month.chosen(members[rungs[-1]]))
    yield from ["", f"Of {len(verdicts)} steps {verdicts.count('gains')} gain, {verdicts.count('loses')} lose and "
                    f"{verdicts.count('cannot tell')} cannot be told. The last rung against the best of its members by "
                    f"valid, `{month.chosen(members[rungs[-1]])}`: {told(told_)}, "
                    f"{word(told_, 'better', 'worse')}."]
    if left := month.lacks(*LADDER):
        yield from ["", f"To come: {', '.join(f'`{id_}`' for id_ in left)}."]
    yield from place.drawn("ladder", "shares of common items in the first ten of the ladder's members, in %",
                           pictures.overlap(members[rungs[-1]], month.shared(members[rungs[-1]])))


def nine(month: Month, place: Place) -> Iterator[str]:
    """Team 7's combinations against the best of their members."""
    known = [id_ for id_ in NINE if id_ in month.done]
    yield from ["", "## The nine combinations of team 7", ""]
    if left := month.lacks(*NINE):
        yield from [f"To come: {', '.join(f'`{id_}`' for id_ in left)}.", ""]
    if not known:
        return
    rows = []
    for id_ in known:
        members = month.members[id_]
        best = month.chosen(members)
        found = month.against(id_, best)
        shared = month.shared(members)
        rows.append([f"`{id_}`", ", ".join(members), f"{month.figure(id_):.4f}",
                     interval(month.figures[id_, MAIN, None]), f"`{best}`", told(found), word(found, "better", "worse"),
                     f"{shared[np.triu_indices(len(members), 1)].mean():.0%}", f"{NINE[id_]:.4f}"])
    rows.sort(key=lambda row: row[2], reverse=True)
    yield from table(["combination", "members", MAIN, "95 % interval", "best member by valid", "over it", "that is",
                      "members share", "public"], rows)
    if len(known) > 2:
        order = agreement([month.figure(id_) for id_ in known], [NINE[id_] for id_ in known])
        said = direction(order.spearman, order.n, "the same order", "the opposite order")
        yield from ["", f"Our order of them against theirs: {coefficient(order.spearman, order.n)}: {said}."]
    for one, other in (("best_4", "best_3"), ("best_4", "best_7"), ("top_5", "top_10"), ("dae_ub", "dae_mvae")):
        if not month.lacks(one, other):
            pair = month.against(one, other)
            yield from ["", f"`{one}` against `{other}`: {told(pair)}, {word(pair, 'better', 'worse')}."]
    used = [id_ for id_ in dict.fromkeys(one for id_ in known for one in month.members[id_]) if id_ in month.models]
    if len(used) > 1:
        yield from place.drawn("nine", "shares of common items in the first ten of their models, in %",
                               pictures.overlap(used, month.shared(used)))


def provenance(month: Month) -> Iterator[str]:
    manifest = month.folder.manifest
    code, machine, packages = manifest["code"], manifest["machine"], manifest["packages"]
    versions = ", ".join(f"{name} {packages[name]}" for name in ("matinee", "numpy", "scipy", "numba"))
    seconds = sum(sum(month.cost(id_)[:2]) for id_ in month.done)
    yield from ["", f"- `{month.folder.id}`, {manifest['made']}, commit {(code['commit'] or 'unknown')[:12]}"
                    f"{' with changes' if code['diff'] else ''}, seed {manifest['seed']}, {seconds:.0f} s to fit and "
                    f"rank; {machine['processor']}, {manifest['threads']} threads; {versions}"]


def newest_run(runs: Path) -> RunFolder:
    """Raises ModelError where there is none."""
    found = [RunFolder(path.parent) for path in runs.glob("month-*/manifest.json")]
    if not found:
        raise ModelError("no-run", f"no run of month.yaml is below {runs}",
                         "begin one: matinee run configs/experiments/month.yaml")
    return max(found, key=lambda folder: (folder.manifest["made"], folder.id))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", metavar="RUN")
    parser.add_argument("--out", type=Path, default=PAGES, metavar="FOLDER")
    asked = parser.parse_args(argv)
    runs = Path(os.environ.get("MATINEE_RUNS", "runs"))
    try:
        folder = find(asked.run, runs)[0] if asked.run else newest_run(runs)
        place = Place.of(asked.out)
        write(place.page, "\n".join(page(Month(folder), place)).rstrip() + "\n")
    except MatineeError as error:
        note(str(error))
        return 1
    note(str(place.page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
