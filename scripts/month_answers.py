"""The open questions of the reports, answered by a run of month.yaml: sentences that follow the figures.

Who stands for a side of a question is the best of it on valid; what is said of it is of test. An interval that holds 0
gives "cannot tell".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from benchmarks.provenance import table

from matinee.ensemble import METHODS
from matinee.ensemble.method import ListMethod
from matinee.evaluation.compare import Comparison, paired
from matinee.evaluation.rank_agreement import FEWEST, Coefficient, agreement
from scripts.month_known import NEW, YEARS
from scripts.month_run import Month

PAGES = Path(__file__).parents[1] / "docs/results"
MOST = 14
"""Models whose pairs are combined: 91 pairs."""
STRONG = 0.75
"""They have at least so much of the recall of the best one."""
DEPTH = 30
FOUND = "**Found.** "
"""What an answer begins with on the page of an experiment."""


def told(found: Comparison) -> str:
    return f"{found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def word(found: Comparison, better: str, worse: str) -> str:
    return {"better": better, "worse": worse, "cannot tell": "cannot tell"}[found.verdict]


def coefficient(found: Coefficient, n: int) -> str:
    return f"Spearman {found}, p {found.p:.2g}, n {n}"


def direction(found: Coefficient, n: int, up: str, down: str) -> str:
    """What a rank correlation says, where it says anything."""
    if n < FEWEST or not found.p < 0.05 or found.low <= 0 <= found.high:
        return "cannot tell"
    return up if found.value > 0 else down


def answers(month: Month) -> Iterator[str]:
    """A section each; one that lacks entries says which are to come."""
    sections = {
        "Static or sequential?": static_or_sequential, "Is the newest the best?": newest,
        "Diversity or strength of members?": diversity, "DAE or VAE?": dae_or_vae,
        "Are item embeddings worth the work?": embeddings, "Which loss to stop on?": stopping,
    }
    for title, section in sections.items():
        yield from ["", f"### {title}", "", *section(month)]


def pending(month: Month, *ids: str) -> list[str]:
    return [f"Not yet: {', '.join(f'`{id_}`' for id_ in month.lacks(*ids))} to come."]


def sides(month: Month) -> tuple[list[str], list[str]]:
    """Models that are blind to order, and models that read it; a second stage is neither."""
    known = [id_ for id_ in month.models if month.families[id_] not in ("baseline", "second stage")]
    return ([id_ for id_ in known if month.families[id_] != "sequence"],
            [id_ for id_ in known if month.families[id_] == "sequence"])


def static_or_sequential(month: Month) -> Iterator[str]:
    """The best of each side, in all, at the end of histories and in their middle."""
    static, sequential = sides(month)
    if not static or not sequential:
        yield "Not yet: a model of each side is needed."
        return
    rows, verdicts = [], {}
    for title, hidden in {"all that is hidden": None, "what comes next (tail)": "tail",
                          "the middle (gap)": "gap"}.items():
        one, other = month.chosen(static, hidden), month.chosen(sequential, hidden)
        found = month.against(one, other, hidden)
        verdicts[hidden] = word(found, "static", "sequential")
        rows.append([title, f"`{one}` {month.values(one, hidden).mean():.4f}",
                     f"`{other}` {month.values(other, hidden).mean():.4f}", told(found), verdicts[hidden]])
    yield (f"In all: {verdicts[None]}; for what comes next: {verdicts['tail']}; for the middle: {verdicts['gap']}. "
           f"({len(static)} static models, {len(sequential)} sequential ones.)")
    yield ""
    yield from table(["", "static", "sequential", "difference", "better"], rows)
    for id_ in ("half_and_half", "blend"):
        if id_ in month.done:
            member = month.chosen(month.members[id_])
            found = month.against(id_, member)
            yield from ["", f"Together, `{id_}` of {' and '.join(month.members[id_])}: {month.figure(id_):.4f}, "
                            f"against `{member}` alone {told(found)}: "
                            f"{word(found, 'better together', 'worse together')}."]


def newest(month: Month) -> Iterator[str]:
    """Does the year of a model's paper say anything, and does the best new one beat the best old one?"""
    dated = [id_ for id_ in month.models if id_ in YEARS]
    new, old = ([id_ for id_ in dated if (YEARS[id_] >= NEW) is wanted] for wanted in (True, False))
    if not new or not old or len(dated) < FEWEST:
        yield f"Not yet: models from before and after {NEW} are needed, {FEWEST} in all."
        return
    found = agreement([YEARS[id_] for id_ in dated], [month.figure(id_) for id_ in dated])
    said = direction(found.spearman, found.n, "newer is better", "newer is worse")
    one, other = month.chosen(new), month.chosen(old)
    pair = month.against(one, other)
    last = [id_ for id_ in dated if YEARS[id_] == max(YEARS[id_] for id_ in dated)]
    yield (f"Year of the paper against recall@10: {coefficient(found.spearman, found.n)}: {said}. On valid the best "
           f"since {NEW} is `{one}` ({YEARS[one]}, {month.figure(one):.4f}), the best before `{other}` "
           f"({YEARS[other]}, {month.figure(other):.4f}): {told(pair)}, "
           f"{word(pair, 'the newer is better', 'the older is better')}.")
    for id_ in last:
        if id_ != one:
            pair = month.against(id_, one)
            yield (f"The newest of all, `{id_}` ({YEARS[id_]}), has {month.figure(id_):.4f}, against the best new one "
                   f"{told(pair)}: {word(pair, 'better', 'worse')}.")


@dataclass(frozen=True)
class Pair:
    one: str
    other: str
    shared: float
    weaker: float
    """recall@10 of the weaker member."""
    gain: float
    """Of their rank sum over the better member."""


def pairs(month: Month, ids: Sequence[str]) -> list[Pair]:
    """Rank sums of every two of the models, at test."""
    alone = {id_: float(month.values(id_).mean()) for id_ in ids}
    shared, found = month.shared(ids), []
    for a, b in combinations(range(len(ids)), 2):
        both = float(together(month, (ids[a], ids[b])).mean())
        better, weaker = max(alone[ids[a]], alone[ids[b]]), min(alone[ids[a]], alone[ids[b]])
        found.append(Pair(ids[a], ids[b], float(shared[a, b]), weaker, both - better))
    return found


def together(month: Month, ids: Sequence[str]) -> np.ndarray:
    """(V,) of the rank sum of thirty places."""
    method = METHODS["rank_sum"](depth=DEPTH)
    assert isinstance(method, ListMethod)
    return month.measured(method.combine([month.lists(id_, depth=DEPTH) for id_ in ids], None, 10))


def diversity(month: Month) -> Iterator[str]:
    """Over all pairs of the strongest models: what goes with a gain? And what should stand beside the best one?"""
    valid = {id_: float(month.values(id_, part="valid").mean()) for id_ in month.models
             if month.families[id_] != "second stage"}
    most = max(valid.values(), default=0.0)
    ids = sorted((id_ for id_ in valid if valid[id_] >= STRONG * most), key=lambda id_: -valid[id_])[:MOST]
    if len(ids) < 4:
        yield "Not yet: four strong models are needed."
        return
    found = pairs(month, ids)
    gains = [pair.gain for pair in found]
    overlaps = agreement([pair.shared for pair in found], gains)
    strengths = agreement([pair.weaker for pair in found], gains)
    lead, second = ids[0], ids[1]
    other = ids[1:][int(np.argmin(month.shared(ids, "valid")[0, 1:]))]
    yield (f"Of all {len(found)} pairs of the {len(ids)} models that lead on valid, "
           f"{sum(gain > 0 for gain in gains)} have a rank sum above their better member. "
           "The gain and the share of common items: "
           f"{coefficient(overlaps.spearman, overlaps.n)}: "
           f"{direction(overlaps.spearman, overlaps.n, 'the more alike the better', 'the less alike the better')}; "
           f"the gain and the recall of the weaker member: {coefficient(strengths.spearman, strengths.n)}: "
           f"{direction(strengths.spearman, strengths.n, 'the stronger the better', 'the weaker the better')}. "
           "Pairs that have a member in common are no independent draws: the intervals are too narrow.")
    best = max(found, key=lambda pair: pair.gain)
    yield ""
    yield (f"The largest gain is {best.gain:+.4f}, of `{best.one}` and `{best.other}`, whose lists share "
           f"{best.shared:.0%}.")
    if other != second:
        pair = paired_of(month, (lead, other), (lead, second))
        said = word(pair, "the different partner is better", "the strong partner is better")
        yield (f"Beside `{lead}`, the most different of them (`{other}`, by valid) "
               f"against the next in strength (`{second}`): {told(pair)}, {said}.")
    else:
        yield f"Beside `{lead}` the most different partner, `{other}`, is the strongest as well."


def paired_of(month: Month, one: Sequence[str], other: Sequence[str]) -> Comparison:
    return paired(together(month, one), together(month, other), seed=0)


def dae_or_vae(month: Month) -> Iterator[str]:
    """By each likelihood."""
    for title, one, other in (("logistic", "vae", "dae"), ("multinomial", "multi_vae", "multi_dae")):
        if month.lacks(one, other):
            yield from [*pending(month, one, other), ""]
            continue
        found = month.against(one, other)
        yield (f"{title.capitalize()} likelihood: `{one}` {month.figure(one):.4f}, `{other}` "
               f"{month.figure(other):.4f}, {told(found)}: {word(found, 'VAE', 'DAE')}.")
        yield ""
    yield from pointer("dae_or_vae", "what decides it, users or density, is asked")


def embeddings(month: Month) -> Iterator[str]:
    if month.lacks("gru4rec_be", "gru4rec"):
        yield from pending(month, "gru4rec_be", "gru4rec")
    else:
        found = month.against("gru4rec_be", "gru4rec")
        yield (f"A network whose items are known by their titles as well, `gru4rec_be` "
               f"{month.figure('gru4rec_be'):.4f}, against the same without, `gru4rec` "
               f"{month.figure('gru4rec'):.4f}: {told(found)}: "
               f"{word(found, 'titles help', 'titles cost')}.")
    yield ""
    yield from pointer("item_starts", "four starts of three networks are compared")
    yield ""
    yield ("[Item vectors](../guides/item-vectors.md) tells what vectors from elsewhere can do, also for items without "
           "events.")


def stopping(month: Month) -> Iterator[str]:
    yield "Not asked in this run, where the first part of S3-Rec is short and watches the joint loss (`stop_on`)."
    yield from pointer("s3rec", "the losses are compared")


def pointer(stem: str, what: str) -> Iterator[str]:
    """To the pages whose name begins so, where there are any, and what they have found."""
    for page in sorted(PAGES.glob(f"{stem}*.md")):
        found = [line.removeprefix(FOUND) for line in page.read_text().splitlines() if line.startswith(FOUND)]
        yield from ["", f"On [its own page]({page.name}) {what}.", *(f"\n> {one}" for one in found)]
