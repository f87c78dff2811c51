"""The names that columns usually have, so that a file of anybody's can be read without being told."""

from __future__ import annotations

from collections.abc import Mapping

from matinee.data.reading import TextTable

ALIASES: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "user_id", "userid", "uid", "profile_id", "customer_id", "visitor_id", "account_id"),
    "item": ("item", "item_id", "itemid", "iid", "movie_id", "movieid", "album_id", "product_id", "film_id"),
    "time": ("time", "timestamp", "datetime", "date", "ts", "event_time", "watched_at", "created_at"),
    "rating": ("rating", "score", "stars"),
    "weight": ("weight",),
    "session": ("session", "session_id", "ss_id"),
    "watch_seconds": ("watch_seconds", "watch_time"),
    "total_seconds": ("total_seconds", "total_time"),
}
"""Role: usual names, compared without regard to case, best first."""


def column_of(table: TextTable, role: str) -> str:
    """The column of a role, by the usual names. Raises DataError, naming the columns there are, for none."""
    by_name = {name.strip().lower(): name for name in reversed(table.frame.columns)}
    found = [by_name[alias] for alias in ALIASES[role] if alias in by_name]
    if not found:
        table.column(role)  # raises, with the names there are
    return found[0]
