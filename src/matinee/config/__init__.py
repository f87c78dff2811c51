"""The experiment file: YAML in, typed objects out, every key checked."""

from matinee.config.allowed import Field, fields_of
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
from matinee.config.typed import parameters, recipes_in

__all__ = [
    "CandidateSettings",
    "DataSettings",
    "EnsembleEntry",
    "EvaluateSettings",
    "Experiment",
    "Field",
    "FromLedger",
    "Member",
    "ModelEntry",
    "OutputSettings",
    "TrackingSettings",
    "experiment_from",
    "fields_of",
    "load_experiment",
    "overridden",
    "parameters",
    "recipe",
    "recipes_in",
]
