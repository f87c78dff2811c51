"""Lists as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matinee.cli import terminal
from matinee.data.dataset import Dataset
from matinee.ranking.lists import Lists

if TYPE_CHECKING:
    from matinee.scoring.reasons import Reason

Reasons = Sequence[Sequence[Sequence["Reason"]]]


def print_lists(
    lists: Lists, dataset: Dataset, names: Sequence[str] | None = None, reasons: Reasons | None = None
) -> None:
    """Each user's list with titles where the data has them; what the fallback gave is marked.

    reasons  for each place of each list the items of the history that it is due to
    """
    titles = dataset.item_features.texts("title").values if "title" in dataset.item_features else ()
    columns = ["user", "rank", "item", "title", "score", "" if reasons is None else "because of"]
    rows: list[list[str | int | float | None]] = []
    for at, user in enumerate(lists.users.tolist()):
        name = names[at] if names else dataset.users[user]
        for place, item in enumerate(lists.items[at].tolist()):
            if item >= 0:
                mark = "from popularity" if lists.filled[at, place] else ""
                if reasons is not None and not mark:
                    mark = ", ".join(
                        f"{titles[reason.item] if titles else dataset.items[reason.item]} ({reason.share:.0%})"
                        for reason in reasons[at][place]
                    )
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
    terminal.table("", columns, rows)
