"""What every form looks at before it indexes its arrays with a query's items."""

from __future__ import annotations

from matinee.contract import Queries, Scorer
from matinee.errors import DataError


def check_catalogue(scorer: Scorer, queries: Queries) -> None:
    """Raises DataError where the histories speak of another catalogue than the scorer was fitted on."""
    if queries.history.n_items != scorer.n_items:
        raise DataError("misaligned", f"histories over {queries.history.n_items} items for a model of {scorer.n_items}",
                        "ask with the data set that the model was fitted on")
