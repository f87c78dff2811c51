"""The experiment file: YAML in, typed objects out, every key checked."""

from matinee.config.allowed import Field, fields_of
from matinee.config.expectation import Expectation, expectation
from matinee.config.experiment import (
    CandidateSettings,
    DataSettings,
    EnsembleEntry,
    EvaluateSettings,
    Experiment,
    FromLedger,
    Member,
    ModelEntry,
    OutputSettings,
    TrackingSettings,
)
from matinee.config.loading import experiment_from, load_experiment, overridden, recipe
from matinee.config.search import Choices, Range, Space, own_search, spaces_of
from matinee.config.tuning import Budget, TuneSettings, as_overrides, cells, no_sweep
from matinee.config.typed import parameters, recipes_in

__all__ = [
    "Budget",
    "CandidateSettings",
    "Choices",
    "DataSettings",
    "EnsembleEntry",
    "EvaluateSettings",
    "Expectation",
    "Experiment",
    "Field",
    "FromLedger",
    "Member",
    "ModelEntry",
    "OutputSettings",
    "Range",
    "Space",
    "TrackingSettings",
    "TuneSettings",
    "as_overrides",
    "cells",
    "expectation",
    "experiment_from",
    "fields_of",
    "load_experiment",
    "no_sweep",
    "overridden",
    "own_search",
    "parameters",
    "recipe",
    "recipes_in",
    "spaces_of",
]
