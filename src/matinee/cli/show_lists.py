"""Lists as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from matinee.cli import terminal
from matinee.data.dataset import Dataset
from matinee.ranking.lists import Lists


def print_lists(lists: Lists, dataset: Dataset, names: Sequence[str] | None = None) -> None:
    """Each user's list with titles where the data has them; what the fallback gave is marked."""
    titles = dataset.item_features.texts("title").values if "title" in dataset.item_features else ()
    rows: list[list[str | int | float | None]] = []
    for at, user in enumerate(lists.users.tolist()):
        name = names[at] if names else dataset.users[user]
        for place, item in enumerate(lists.items[at].tolist()):
            if item >= 0:
                mark = "from popularity" if lists.filled[at, place] else ""
                rows.append(
                    [
                        name if place == 0 else "",
                        place + 1,
                        dataset.items[item],
                        titles[item] if titles else "",
                        float(lists.scores[at, place]),
                        mark,
                    ]
                )
    terminal.table("", ["user", "rank", "item", "title", "score", ""], rows)
