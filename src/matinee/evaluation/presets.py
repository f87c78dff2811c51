"""How other libraries compute a metric of the same name, as `recall@10:rectools`.

Their figures cannot stand in one table unless all are computed by one convention. A preset gives the figure that
the library itself gives at its defaults, in the version named, from the same lists. All are means over users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.formulas import Formula, Hits, gain_over_ideal, ndcg, recall, recall_all


@dataclass(frozen=True)
class Preset:
    library: str
    convention: str
    formula: Formula


def ndcg_of_k(hits: Hits, k: int) -> NDArray[np.float64]:
    """Divided by the ideal of K hits, so a user with fewer than K hidden items never reaches 1."""
    return gain_over_ideal(hits.within(k), 1 / np.log2(np.arange(2, k + 2)), np.full(len(hits), k))


def ndcg_clipped(hits: Hits, k: int) -> NDArray[np.float64]:
    """Discount 1 / max(1, log2(rank)): ranks 1 and 2 weigh the same."""
    discounts = 1 / np.maximum(1, np.log2(np.arange(1, k + 1)))
    return gain_over_ideal(hits.within(k), discounts, np.minimum(k, hits.hidden))


def ndcg_of_hits(hits: Hits, k: int) -> NDArray[np.float64]:
    """Divided by the ideal of the hits that the list happens to hold: one hit at rank 1 is a full score."""
    near = hits.within(k)
    return gain_over_ideal(near, 1 / np.log2(np.arange(2, k + 2)), np.maximum(1, near.total().astype(np.int64)))


def pooled_recall(hits: Hits, k: int) -> NDArray[np.float64]:
    """All users' hits / the sum of all users' min(K, n).

    Each user's hits are scaled by one factor so that the mean over users is the pooled ratio; a single user's value
    may pass 1, and an interval takes the factor as given.
    """
    return hits.within(k).total() * (len(hits) / int(np.minimum(k, hits.hidden).sum()))


_RECALL_ALL, _NDCG = "divides by n", "the textbook's"
_LIBRARIES: Mapping[str, tuple[str, Mapping[str, tuple[str, Formula]]]] = {
    "recbole": ("RecBole 1.2.1", {"recall": (_RECALL_ALL, recall_all), "ndcg": (_NDCG, ndcg)}),
    "replay": ("RePlay 0.22.0", {"recall": (_RECALL_ALL, recall_all), "ndcg": (_NDCG, ndcg)}),
    "cornac": ("Cornac 3.0.1", {"recall": (_RECALL_ALL, recall_all), "ndcg": (_NDCG, ndcg)}),
    "recommenders": ("Microsoft recommenders 1.2.1", {"recall": (_RECALL_ALL, recall_all), "ndcg": (_NDCG, ndcg)}),
    "rectools": ("RecTools 0.19.0", {
        "recall": (_RECALL_ALL, recall_all), "ndcg": ("divides by the ideal of K hits", ndcg_of_k)}),
    "lenskit": ("LensKit 2025.8.1", {
        "recall": ("divides by min(K, n)", recall), "ndcg": ("ranks 1 and 2 weigh the same", ndcg_clipped)}),
    "implicit": ("implicit 0.7.3", {
        "precision": ("sum of hits / sum of min(K, n): a pooled recall", pooled_recall), "ndcg": (_NDCG, ndcg)}),
    "librecommender": ("LibRecommender 1.5.2", {
        "recall": (_RECALL_ALL, recall_all), "ndcg": ("divides by the ideal of the hits found", ndcg_of_hits)}),
}

PRESETS: Mapping[tuple[str, str], Preset] = {
    (measure, name): Preset(library, convention, formula)
    for name, (library, measures) in _LIBRARIES.items()
    for measure, (convention, formula) in measures.items()
}
"""(measure, preset) -> what it is, such as ("ndcg", "rectools")."""
