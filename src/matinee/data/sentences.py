"""Titles through a pretrained model of text whose weights come with its package, so that nothing is fetched.

WordLlama (https://github.com/dleemiller/WordLlama): the token embeddings of large language models, averaged over a text
and trained again for that, in 256 numbers. It knows what English words mean; for other scripts `tfidf` says more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee.data.columns import Features
from matinee.errors import DataError, UsageError


def encoded(items: Features) -> NDArray[np.float32]:
    """(I, 256) one long; NaN for an item without a title.

    Raises UsageError where the package is not installed, DataError (`no-titles`) where no item has a title.
    """
    titles = items.texts("title").values if "title" in items else ("",) * items.n
    named = np.flatnonzero([title.strip() != "" for title in titles])
    if not len(named):
        raise DataError("no-titles", "no item of the data has a title", "join item files by `side`")
    try:
        import wordllama
    except ModuleNotFoundError:
        raise UsageError("not-installed", "the encoder wordllama needs a package that is not installed",
                         "pip install 'matinee[text]', or take tfidf") from None
    own = Path(wordllama.__file__).parent  # the package looks for its words in a cache alone, and then on the network
    model = wordllama.WordLlama.load(cache_dir=own, disable_download=True)
    vectors = model.embed([titles[row] for row in named.tolist()], norm=True)
    out = np.full((items.n, vectors.shape[1]), np.nan, np.float32)
    out[named] = vectors
    return out
