"""A second stage beside its first: what it is taught on, and the models that it is asked beside.

The split's protocol is applied once more to the events that the stage may learn from. First-stage models are fitted
without what that hides, and their lists for its users, with what is hidden among them, are the candidates to learn
from. The order learnt then stands over first-stage models that know all that the stage does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matinee.config.experiment import CandidateSettings
from matinee.contract import Scorer, SecondStage
from matinee.data.candidates import Candidates
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.experiment.stages import StageData, some
from matinee.ranking.recommend import Ask, ask_from, block_size
from matinee.scoring.first_stage import found_by
from matinee.split.gap_and_tail import GapAndTail
from matinee.split.given import Given
from matinee.split.parts import Truth
from matinee.split.protocol import Protocol

Progress = Callable[[str, int, int], None]
Block = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]
INNER = ".inner"
"""Ends the name of a stage inside a stage."""


def inner_stage(protocol: Protocol, name: str, train: Dataset) -> StageData:
    """What the stage `name` may learn from, with a part of it hidden once more; everything else is there to learn from.

    Truth that was given from outside has no rule to hide by: gap and tail stands in for it.
    """
    rule = GapAndTail(seed=protocol.seed) if isinstance(protocol, Given) else protocol
    part = rule.split(train).stages["test"]
    known = part.truth.users[part.truth.users >= 0]
    fit = train.with_log(train.log.select(part.given))
    return StageData(name + INNER, fit, fit.log, known, part.truth, ())


def second_stage(
    found: Candidates, inner: StageData, train: Dataset, *, knowing: Sequence[Scorer],
    teach: Callable[[Dataset], Scorer],
) -> SecondStage:
    """found    what first-stage models that were fitted on `inner` found
    knowing  the same models as they were fitted on `train`, in the order of `found.sources`
    teach    fits the order on data with candidates beside it
    Raises what these do.
    """
    order = teach(replace(inner.fit, candidates=found))
    assert isinstance(order, SecondStage)
    return order.over(tuple(knowing), train)


def candidates(
    sources: Sequence[Scorer], inner: StageData, settings: CandidateSettings, seed: int, progress: Progress
) -> Candidates:
    """What the first stage finds for the users of whom something is hidden, at most `settings.users` of them."""
    users = some(inner.users, settings.users, seed)
    if len(users) == 0:
        raise DataError("no-truth", "nothing could be hidden to teach a second stage by", "take a split of more users")
    return _joined(users, found_blocks(sources, inner, users, settings.depth), settings, progress)


def unheard(
    sources: Sequence[Scorer], stage: StageData, settings: CandidateSettings, seed: int, progress: Progress
) -> Candidates:
    """What the first stage finds for the users that the stage learns from, beside what they have: none of it is hidden
    here, and what turns out to be right in time is taken for wrong. At most `settings.users` of them."""
    log = stage.fit.log
    users = some(np.flatnonzero(log.counts), settings.users, seed)
    ask = ask_from(log, log.counts, stage.fit.user_features)
    blocks = ((*found, np.zeros(found[0].shape, bool))
              for found in _blocks(sources, ask, users, settings.depth, repeats=False))
    return _joined(users, blocks, settings, progress)


def _joined(
    users: NDArray[np.int64], found: Iterable[Block], settings: CandidateSettings, progress: Progress
) -> Candidates:
    blocks: list[Block] = []
    for block in found:
        blocks.append(block)
        progress("candidates", sum(len(one[0]) for one in blocks), len(users))
    longest = max(block[0].shape[1] for block in blocks)
    whole = [np.concatenate([_widened(block[part], longest, pad) for block in blocks])
             for part, pad in enumerate((-1, 0, 0, False))]
    return Candidates(users, whole[0], whole[1], whole[2], whole[3], settings.sources, settings.depth)


def found_blocks(
    sources: Sequence[Scorer], stage: StageData, users: NDArray[np.int64], depth: int
) -> Iterator[Block]:
    """Of some users at a time, as `found_by` has them: items, scores and ranks; and what of it is hidden (B, C)."""
    assert stage.truth is not None
    done = 0
    for items, scores, ranks in _blocks(sources, stage.ask, users, depth, repeats=stage.fit.facts.repeats):
        block = users[done : done + len(items)]
        done += len(items)
        yield items, scores, ranks, hidden_among(items, block, stage.truth)


def _blocks(
    sources: Sequence[Scorer], ask: Ask, users: NDArray[np.int64], depth: int, *, repeats: bool
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]]:
    size = block_size(sources[0], filtered=False)
    for start in range(0, len(users), size):
        items, scores, ranks, _ = found_by(sources, ask(users[start : start + size]), depth, repeats=repeats)
        yield items, scores, ranks


def hidden_among(items: NDArray[np.int32], users: NDArray[np.int64], truth: Truth) -> NDArray[np.bool_]:
    """items (B, C) of users (B,) -> (B, C) is it hidden of the user?"""
    rows = np.searchsorted(truth.users, users)
    out = np.zeros(items.shape, bool)
    for at, row in enumerate(rows.tolist()):
        out[at] = np.isin(items[at], truth.items[truth.indptr[row] : truth.indptr[row + 1]])
    return out & (items >= 0)


def recalls(sources: Sequence[Scorer], stage: StageData, settings: CandidateSettings) -> dict[str, float]:
    """Of what is hidden at the stage, the share that each first-stage list has and that all have together; and how long
    the union is, on average."""
    assert stage.truth is not None
    length, found = 0, np.zeros(len(sources) + 1)
    for items, _, ranks, hits in found_blocks(sources, stage, stage.users, settings.depth):
        found[:-1] += (hits[:, :, None] & (ranks > 0)).sum(axis=(0, 1))
        found[-1] += hits.sum()
        length += int((items >= 0).sum())
    known = stage.truth.users >= 0
    hidden = int(stage.truth.counts[known].sum())
    shares = (found / max(hidden, 1)).tolist()
    return {**dict(zip(settings.sources, shares[:-1], strict=True)), "together": shares[-1],
            "candidates a user": length / max(len(stage.users), 1)}


def _widened(array: NDArray[np.generic], width: int, pad: float) -> NDArray[np.generic]:
    more = [(0, 0), (0, width - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, more, constant_values=pad)
