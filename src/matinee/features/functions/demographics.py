"""What is known of a user. Any other column of the user files is called by `user:` and its name."""

from __future__ import annotations

from functools import partial

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers
from matinee.features.feature import user
from matinee.features.side_columns import known_of_users, users_column


@user("categories", fit=partial(known_of_users, column="gender"), of_attributes=True)
def gender(known: Known, queries: Queries) -> Categories | Numbers:
    """The user's gender; none where it is not told, or was not there to learn from."""
    return users_column(known, queries, "gender")


@user("categories", fit=partial(known_of_users, column="age"), of_attributes=True)
def age(known: Known, queries: Queries) -> Categories | Numbers:
    """The user's age, a number or a label as the data have it; missing where it is not told."""
    return users_column(known, queries, "age")


@user("categories", fit=partial(known_of_users, column="occupation"), of_attributes=True)
def occupation(known: Known, queries: Queries) -> Categories | Numbers:
    """The user's occupation; none where it is not told, or was not there to learn from."""
    return users_column(known, queries, "occupation")
