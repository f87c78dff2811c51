"""Random draws that hang on nothing but the seed and the raw ids of what is drawn.

Every event gets a 64-bit key by hashing, and sorting a user's events by key shuffles them. Test takes its
share from the front of that shuffle and valid from what is left, which are uniform draws without
replacement. The order of rows, dense ids, other users and the number of threads cannot change a key.
Letters: M units, U users.

The mixer is the finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014); ids are hashed by BLAKE2b.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.split.units import Units


def shuffled(dataset: Dataset, units: Units, seed: int) -> NDArray[np.int64]:
    """(M,) positions of units: user after user, each user's in random order.

    A key is made of user, item and time; units that agree in all three stay in the order of the log.
    """
    log, users = dataset.log, units.users
    keys = shuffle_keys(dataset.users, seed)[users] + _id_keys(dataset.items)[log.items[units.events]]
    keys = _mix(_mix(keys) ^ log.times[units.events].view(np.uint64))
    bits = max(1, (log.n_users - 1).bit_length())
    return np.argsort((users.astype(np.uint64) << np.uint64(64 - bits)) | (keys >> np.uint64(bits)), kind="stable")


def shuffle_keys(ids: Vocabulary, seed: int) -> NDArray[np.uint64]:
    """(N,) sorted by these, the ids are in random order."""
    return _mix(_id_keys(ids) ^ np.uint64(_text_key(str(seed))))


def _id_keys(ids: Vocabulary) -> NDArray[np.uint64]:
    return np.array([_text_key(raw) for raw in ids.series.to_list()], np.uint64)


def _text_key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64 bits in which every input bit moves every output bit."""
    x = x ^ (x >> np.uint64(30))
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x
