"""The closed set of fitted forms, by the names that stored models know them under."""

from __future__ import annotations

from matinee.contract import Scorer
from matinee.scoring.attentive_pairs import AttentivePairs
from matinee.scoring.autoencoder import Autoencoder
from matinee.scoring.blend import Blend
from matinee.scoring.boosted import BoostedCandidates
from matinee.scoring.by_period import ByPeriod
from matinee.scoring.clusters import UserClusters
from matinee.scoring.codes import FoldedCodes
from matinee.scoring.constant import Constant
from matinee.scoring.deep_pairs import DeepPairs
from matinee.scoring.factors import FoldInFactors
from matinee.scoring.feature_factors import FeatureFactors
from matinee.scoring.genre_rule import GenreQuotas, TopGenres
from matinee.scoring.history_factors import HistoryFactors
from matinee.scoring.item_item import DenseItemItem, PooledItemItem, SparseItemItem
from matinee.scoring.item_pairs import DensePairs
from matinee.scoring.lookup import Lookup
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.masked import MaskedTransformer
from matinee.scoring.neighbours import LatentNeighbours, UserNeighbours
from matinee.scoring.ordered_pairs import OrderedPairs
from matinee.scoring.pairwise_factors import PairwiseFactors
from matinee.scoring.place_votes import PlaceVotes
from matinee.scoring.profile import Profile
from matinee.scoring.profiled import ProfiledAutoencoder
from matinee.scoring.rating_mean import RatingMean
from matinee.scoring.recurrent import AttentiveRecurrent, Recurrent
from matinee.scoring.reranked import Reranked
from matinee.scoring.transformer import Transformer
from matinee.scoring.weighted import Weighted
from matinee.scoring.weighted_history import WeightedHistory

FORMS: dict[str, type[Scorer]] = {
    "constant": Constant,
    "lookup": Lookup,
    "by_period": ByPeriod,
    "top_genres": TopGenres,
    "genre_quotas": GenreQuotas,
    "dense_item_item": DenseItemItem,
    "sparse_item_item": SparseItemItem,
    "pooled_item_item": PooledItemItem,
    "boosted_candidates": BoostedCandidates,
    "dense_pairs": DensePairs,
    "attentive_pairs": AttentivePairs,
    "deep_pairs": DeepPairs,
    "fold_in_factors": FoldInFactors,
    "history_factors": HistoryFactors,
    "feature_factors": FeatureFactors,
    "user_neighbours": UserNeighbours,
    "latent_neighbours": LatentNeighbours,
    "user_clusters": UserClusters,
    "pairwise_factors": PairwiseFactors,
    "markov_factors": MarkovFactors,
    "profile": Profile,
    "rating_mean": RatingMean,
    "weighted": Weighted,
    "weighted_history": WeightedHistory,
    "autoencoder": Autoencoder,
    "folded_codes": FoldedCodes,
    "profiled_autoencoder": ProfiledAutoencoder,
    "transformer": Transformer,
    "masked_transformer": MaskedTransformer,
    "place_votes": PlaceVotes,
    "recurrent": Recurrent,
    "attentive_recurrent": AttentiveRecurrent,
    "reranked": Reranked,
    "ordered_pairs": OrderedPairs,
    "blend": Blend,
}
