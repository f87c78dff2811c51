"""The first metric decides: early stopping and tuned weights go by it."""

from __future__ import annotations

from matinee.config.experiment import Experiment
from matinee.config.typed import At, recipes_in
from matinee.evaluation.accuracy import is_accuracy
from matinee.evaluation.names import parse


def check_deciding(experiment: Experiment, at: At) -> None:
    """Raises ConfigError where something is decided by the first metric, and that is no accuracy; `at`: the metrics."""
    first = experiment.evaluate.metrics[0]
    if is_accuracy(parse(first)):
        return
    by = [f"when {entry.id} stops" for entry in experiment.models
          if any(recipe.validates for recipe in recipes_in(entry.recipe))]
    by += [f"the weights of {entry.id}" for entry in experiment.ensembles if entry.weights == "tuned"]
    if by:
        raise (at / 0).error("not-accuracy", f"the first metric decides {by[0]}, and {first} does not compare lists "
                             "with what was hidden", "put one that does first, such as recall@10")
