"""Which arms of a page are compared where there are too many for all pairs: chosen before any figure is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.reports import Arm, Done


def told_pairs(arms: Sequence[Arm], lead: Done) -> list[tuple[str, str]]:
    """The bases against each other, best first, every other arm against its base, an ensemble against its members, a
    second stage against what it puts into order, the ensembles of just that and other models that order the same.

    In the leading experiment the base of an arm is the first of its model; elsewhere it is the same arm there.
    """
    entries = lead.arms()
    first_of: dict[str, str] = {}
    for id_, entry in entries.items():
        if not entry.get("candidates"):
            first_of.setdefault(entry.get("model", id_), id_)
    label = {arm.id: arm.label for arm in arms if arm.done is lead}
    bases = [arm.label for arm in arms if arm.done is lead and arm.id in first_of.values()
             and "model" in entries[arm.id]]
    pairs = list(combinations(bases, 2))
    for arm in sorted(arms, key=lambda arm: list(entries).index(arm.id) if arm.id in entries else len(entries)):
        entry = entries.get(arm.id, {})
        if arm.done is not lead:
            pairs += [(arm.label, label[arm.id])] if arm.id in label else []
        elif entry.get("candidates"):
            sources = entry["candidates"]["from"]
            of = sorted(sources)
            rivals = [id_ for id_, one in entries.items() if sorted(map(str, one.get("members", ()))) == of]
            others = [id_ for id_, one in list(entries.items())[list(entries).index(arm.id) + 1 :]
                      if one.get("candidates") == entry["candidates"] and one["model"] != entry["model"]]
            pairs += [(arm.label, label[id_]) for id_ in [*sources, *rivals, *others]]
        elif "model" in entry:
            pairs.append((arm.label, label[first_of[entry["model"]]]))
        else:
            pairs += [(arm.label, label[member]) for member in entry["members"] if isinstance(member, str)]
    return list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
