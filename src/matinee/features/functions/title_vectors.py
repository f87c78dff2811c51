"""What titles say, as vectors: near where titles share words, pieces of words, or the year."""

from __future__ import annotations

from matinee.data.columns import Vectors
from matinee.data.dataset import Dataset
from matinee.features.feature import item
from matinee.numerics.title_vectors import title_vectors

DIM = 32


@item("vector")
def title(train: Dataset) -> Vectors:
    """32 numbers for the words of the title, by singular vectors of their tf-idf; unknown without a title."""
    return Vectors(title_vectors(train.item_features, DIM))
