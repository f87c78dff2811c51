"""An autoencoder whose code has the user's profile beside it; in training the history is damaged, never the profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, Layout, Pass, activated, array, seeded, xavier
from matinee.nn.bag import bag_sums
from matinee.nn.reconstruction import Autoencoding, Reconstruction
from matinee.scoring import user_columns
from matinee.scoring.profiled import ProfiledAutoencoder, viewed


class ProfiledNet(AutoencoderNet):
    """The layers of a `Layout`, and where there are columns one that sums the vectors of those that a user has."""

    def __init__(self, layout: Layout, columns: user_columns.Columns, activation: str, seed: int) -> None:
        super().__init__(layout, seeded(seed))
        self.columns, self.activation = columns, activation
        if columns:
            self.profile = xavier(user_columns.width(columns), layout.beside, seeded(seed, 0, 1))
            self.profile_bias = torch.nn.Parameter(torch.zeros(layout.beside))

    def asked(self, inputs: csr_array, people: csr_array, generator: torch.Generator | None) -> Pass:
        """inputs (B, I), people (B, C) as `user_columns.encode` makes them."""
        beside = None
        if self.columns:
            beside = activated(bag_sums(people, self.profile) + self.profile_bias, self.activation)
        passed: Pass = self(inputs, generator, beside)
        return passed

    def scorer(self) -> ProfiledAutoencoder:
        if not self.columns:
            return ProfiledAutoencoder(**self.arrays())
        return ProfiledAutoencoder(**self.arrays(), profile=array(self.profile), profile_bias=array(self.profile_bias),
                                   profile_activation=self.activation, columns=self.columns)


class ProfiledReconstruction(Reconstruction):
    def __init__(
        self, name: str, recipe: Autoencoding, net: ProfiledNet, train: Dataset, run: Run, *, views: bool, lost: float
    ) -> None:
        """views: is an item worth ln(1 + its views)? lost: share of histories that are hidden whole in a step."""
        super().__init__(name, recipe, net, train, run)
        self.people = user_columns.encode(net.columns, train.user_features)
        self.profiled, self.views, self.lost = net, views, lost
        if views:
            self.inputs = viewed(train.log, net.layout.scale)

    def passed(self, damaged: csr_array, rows: NDArray[np.int64], generator: torch.Generator) -> Pass:
        return self.profiled.asked(damaged, self.people[rows], generator)

    def damaged(self, whole: csr_array, rng: np.random.Generator) -> csr_array:
        left = super().damaged(whole, rng)
        if not self.lost:
            return left
        of_entry = np.repeat(rng.random(left.shape[0]) >= self.lost, np.diff(left.indptr))
        ends = np.zeros(len(of_entry) + 1, np.int32)
        np.cumsum(of_entry, out=ends[1:])
        return csr_array((left.data[of_entry], left.indices[of_entry], ends[left.indptr]), shape=left.shape)

    def scorer(self) -> ProfiledAutoencoder:
        return replace(self.profiled.scorer(), views=self.views)
