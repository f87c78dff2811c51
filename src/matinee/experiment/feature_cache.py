"""What features have learnt from a stage's events, kept by the run's cache and found again by content.

A key is of the events, side information included, of the feature's own file and of what that imports: a changed feature
is learnt anew, and the others are not. Negatives are drawn step by step from (seed, epoch, step): there is no table of
them that would have to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matinee.data.columns import Known
from matinee.data.dataset import Dataset
from matinee.errors import ModelError
from matinee.experiment import fingerprint
from matinee.experiment.cache import Cache
from matinee.experiment.dataset_store import read_arrays, write_arrays
from matinee.features.fitted import learn, packed, unpacked, with_features
from matinee.features.registry import feature


def _mute(text: str) -> None:
    """Says nothing."""


@dataclass(frozen=True, eq=False)
class FeatureCache:
    cache: Cache | None = None
    """None: features are learnt each time."""
    say: Callable[[str], None] = _mute
    reused: list[str] = field(default_factory=list)
    """Those found again since it was last told."""

    def beside(self, names: Sequence[str], train: Dataset, whose: str) -> Dataset:
        """The data with these features beside it. Raises what `features.fitted.learn` does."""
        found = with_features(train, names, self._learnt)
        if self.reused:
            self.say(f"{whose}: features reused: {', '.join(self.reused)}")
            self.reused.clear()
        return found

    def _learnt(self, name: str, train: Dataset) -> Known:
        if self.cache is None:
            return learn(name, train)
        place = self.cache.place("features", key_of(name, train))
        try:
            arrays, _ = read_arrays(place, "feature.json")
        except ModelError:  # not there, or damaged: learning it again is the cure for both
            known = learn(name, train)
            write_arrays(place, packed({name: known}, whole=True), "feature.json", {"name": name})
            return known
        self.reused.append(name)
        return unpacked(arrays, [name])[name]


def key_of(name: str, train: Dataset) -> str:
    """What a feature learns hangs on this."""
    source = fingerprint.source_hash(feature(name).source)
    return fingerprint.digest([name, train.hash, source, fingerprint.computing_versions()])
