"""Columns become inputs as the top of `features/encoding.py` says."""

from __future__ import annotations

import json

import numpy as np

from matinee.data.columns import Categories, Numbers, Vectors
from matinee.features.encoding import encode, learn_field, width


def test_labels_share_a_weight_of_one() -> None:
    column = Categories(np.array([0, 2, 2, 3]), np.array([2, 0, 1], np.int32), ("a", "b", "c"))
    field = learn_field(column, "buckets", 4)
    assert field == {"labels": 3}
    assert encode(field, column).toarray().tolist() == [[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]]


def test_graded_labels_share_it_by_their_grades() -> None:
    column = Categories(np.array([0, 2]), np.array([0, 1], np.int32), ("a", "b"), np.array([3, 1], np.float32))
    assert encode({"labels": 2}, column).toarray().tolist() == [[0.75, 0.25]]


def test_a_number_lies_in_one_of_even_buckets() -> None:
    column = Numbers(np.array([np.nan, *range(8)], float))
    field = learn_field(column, "buckets", 4)
    assert width(field) == 4
    found = encode(field, column).toarray()
    assert found.sum(axis=1).tolist() == [0, *[1] * 8]
    assert found.sum(axis=0).tolist() == [2, 2, 2, 2]
    assert encode(field, Numbers(np.array([-9.0, 99.0]))).toarray().argmax(axis=1).tolist() == [0, 3]


def test_few_values_have_a_bucket_each() -> None:
    field = learn_field(Numbers(np.array([1.0, 1, 1, 7])), "buckets", 10)
    assert field == {"edges": [7.0]}


def test_a_number_may_be_standardised() -> None:
    column = Numbers(np.array([1.0, 3.0, np.nan]))
    field = learn_field(column, "standard", 4)
    assert field == {"mean": 2.0, "scale": 1.0}
    assert encode(field, column).toarray().tolist() == [[-1], [1], [0]]
    assert encode(field, Numbers(np.array([1e9]))).toarray().tolist() == [[5]]
    assert learn_field(Numbers(np.full(3, 4.0)), "standard", 4) == {"mean": 4.0, "scale": 1.0}


def test_a_vector_is_its_numbers() -> None:
    column = Vectors(np.array([[1, 2], [np.nan, np.nan]], np.float32))
    field = learn_field(column, "buckets", 4)
    assert encode(field, column).toarray().tolist() == [[1, 2], [0, 0]]
    assert json.loads(json.dumps(field)) == field == {"length": 2}
