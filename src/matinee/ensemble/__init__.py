"""Several lists or scorers to one, and how to weigh and compare them."""

from __future__ import annotations

from matinee.ensemble.fusion import HalfAndHalf, RankSum, ReciprocalRank
from matinee.ensemble.method import ListMethod
from matinee.ensemble.score_blend import ScoreBlend
from matinee.ensemble.segments import Segments
from matinee.ensemble.voting import HardVote, WeightedVote

METHODS: dict[str, type[ListMethod | ScoreBlend]] = {
    "hard_vote": HardVote,
    "weighted_vote": WeightedVote,
    "rank_sum": RankSum,
    "reciprocal_rank": ReciprocalRank,
    "half_and_half": HalfAndHalf,
    "segments": Segments,
    "score_blend": ScoreBlend,
}
