"""What is known of users as inputs: known by name, and nothing for what is not known."""

from __future__ import annotations

import numpy as np

from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.scoring.user_columns import encode, learn, width


def people(**columns):
    return Features(len(next(iter(columns.values()))), columns)


def labels(*rows):
    owners = np.repeat(np.arange(len(rows)), [len(of) for of in rows])
    return Categories.from_pairs(owners, [label for of in rows for label in of], len(rows))


def numbers(*values):
    return Numbers(np.array(values, float))


NAN = float("nan")
KNOWN = people(성별=labels(["여"], ["남"], ["여"], ["남"]), topic=labels(["책", "노래"], ["책", "책"], [], ["춤"]),
               age=numbers(3, 5, NAN, 5), nickname=Texts(("a", "b", "c", "d")))


def test_an_input_for_each_label_of_two_users_and_for_each_bin():
    columns = learn(KNOWN, bins=8)
    assert columns == {"age": {"edges": [5.0]}, "topic": {"labels": ["책"]}, "성별": {"labels": ["남", "여"]}}
    assert width(columns) == 5
    want = [[1, 0, 1, 0, 1],  # up to 5, 책, 여; 노래 and 춤 are of one user alone
            [0, 1, 1, 1, 0],  # 책 twice counts once
            [0, 0, 0, 0, 1],
            [0, 1, 0, 1, 0]]
    np.testing.assert_array_equal(encode(columns, KNOWN).toarray(), want)


def test_labels_are_known_by_name_and_unknown_ones_say_nothing():
    columns = learn(KNOWN, bins=8)
    asked = people(성별=labels(["남", "여"], ["그 밖"]), topic=labels(["가", "책"], ["새것"]), age=numbers(-7, 1000))
    np.testing.assert_array_equal(encode(columns, asked).toarray(), [[1, 0, 1, 1, 1], [0, 1, 0, 0, 0]])


def test_nobody_known_and_columns_of_another_kind_give_nothing():
    columns = learn(KNOWN, bins=8)
    other = people(성별=numbers(1, 2), age=labels(["5"], ["5"]))
    for asked in (Features(2), other):
        found = encode(columns, asked)
        assert found.shape == (2, 5)
        assert found.nnz == 0
    assert encode(columns, Features(0)).shape == (0, 5)
    assert encode({}, KNOWN).shape == (4, 0)
    assert learn(Features(3), bins=8) == {}


def test_bins_hold_about_as_many_users_each():
    ages = np.random.default_rng(0).integers(0, 80, 4000).astype(float)
    columns = learn(people(age=Numbers(ages)), bins=5)
    sizes = encode(columns, people(age=Numbers(ages))).sum(axis=0)
    assert len(sizes) == 5
    assert sizes.min() > 700
    skewed = np.where(ages < 60, 0, ages)  # most are in one bin whatever is done, and none is empty
    sizes = encode(learn(people(age=Numbers(skewed)), bins=5), people(age=Numbers(skewed))).sum(axis=0)
    assert 1 < len(sizes) <= 5
    assert sizes.min() > 0


def test_rows_are_encoded_alike_in_any_company():
    columns = learn(KNOWN, bins=8)
    whole = encode(columns, KNOWN).toarray()
    rows = np.array([3, -1, 0])
    np.testing.assert_array_equal(encode(columns, KNOWN.take(rows)).toarray(), whole[rows] * (rows >= 0)[:, None])
