"""Vectors of titles and where networks begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.data.columns import Features, Numbers, Texts
from matinee.errors import DataError
from matinee.numerics.start_vectors import named_vectors, narrowed, sized, start_vectors
from matinee.numerics.title_vectors import title_vectors
from matinee.testing.toy import planted

TITLES = ("Toy Story (1995)", "Toy Story 2 (1999)", "어벤져스 (2012)", "어벤져스2 (2015)", "", "Heat (1995)", "  ",
          "Heathers (1989)", "?? (1989)")


def likeness(titles: tuple[str, ...], dim: int = 64) -> NDArray[np.float32]:
    vectors = title_vectors(Features(len(titles), {"title": Texts(titles)}), dim)
    return vectors @ vectors.T


def test_titles_that_share_words_pieces_or_years_are_near() -> None:
    like = likeness(TITLES)
    assert like[0, 1] > 0.5
    assert like[2, 3] > 0.5
    assert like[5, 7] > 5 * abs(like[5, 2])  # heat, heathers
    assert like[5, 0] > 0.02  # the year alone
    assert abs(like[0, 2]) < 1e-3
    assert like[7, 8] > 0.1  # a title without a word has its year


def test_an_item_without_a_title_has_no_vector_and_the_others_are_one_long() -> None:
    vectors = title_vectors(Features(9, {"title": Texts(TITLES)}), 64)
    assert np.isnan(vectors).all(axis=1).tolist() == [title.strip() == "" for title in TITLES]
    np.testing.assert_allclose(np.linalg.norm(vectors[[0, 1, 2, 3, 5, 7, 8]], axis=1), 1, rtol=1e-5)
    assert vectors.dtype == np.float32
    assert np.isnan(title_vectors(Features(2, {"title": Texts(("a", "???"))}), 4)).all(axis=1).tolist() == [False, True]


def test_the_column_of_years_goes_before_the_title() -> None:
    titles = Texts(("Ran (1985)", "Brazil", "Tampopo", ""))
    items = Features(4, {"title": titles, "year": Numbers(np.array([np.nan, 1985.0, 1986.0, 1985.0]))})
    vectors = title_vectors(items, 16)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, False, False, True]
    assert vectors[0] @ vectors[1] > 0.05 > abs(vectors[1] @ vectors[2])


def test_cutting_to_few_numbers_keeps_the_most_of_it() -> None:
    whole, few = likeness(TITLES[:4] + TITLES[5:6]), likeness(TITLES[:4] + TITLES[5:6], 3)
    assert few.shape == whole.shape
    assert few[0, 1] > 0.9


def test_no_titles_are_an_error() -> None:
    for items in (Features(2), Features(2, {"title": Texts(("", " "))})):
        with pytest.raises(DataError, match="no-titles: no item of the data has a title; join item files by `side`"):
            title_vectors(items, 4)


def test_a_start_has_the_width_and_the_size_asked_for() -> None:
    data = planted().data
    for dim in (8, 64, 100):
        table = start_vectors(data, "tfidf", dim, np.random.default_rng(0), spread=0.02)
        assert (table.shape, table.dtype) == ((48, dim), np.float32)
        assert np.sqrt(np.square(table).mean()) == pytest.approx(0.02, rel=1e-4)


def test_an_item_without_a_vector_begins_as_any_other_would() -> None:
    data = planted().data
    vectors = np.random.default_rng(1).standard_normal((48, 5)).astype(np.float32)
    vectors[[3, 40]] = np.nan
    given = replace(data, item_vectors={"v": vectors})
    table = start_vectors(given, "v", 7, np.random.default_rng(2), spread=0.5)
    normal = (0.5 * np.random.default_rng(2).standard_normal((48, 7))).astype(np.float32)
    assert (table == normal).all(axis=1).nonzero()[0].tolist() == [3, 40]
    assert not table[np.setdiff1d(np.arange(48), [3, 40]), 5:].any()
    assert np.isfinite(table).all()


def test_narrowing_keeps_distances() -> None:
    """Against numpy's own decomposition; what is common to all is taken out."""
    rng = np.random.default_rng(3)
    vectors = (rng.standard_normal((40, 3)) @ rng.standard_normal((3, 12)) + 5).astype(np.float32)
    got = narrowed(vectors, 3)
    apart = [np.linalg.norm(each[:, None] - each[None], axis=2) for each in (vectors, got)]
    np.testing.assert_allclose(apart[1], apart[0], atol=1e-4)
    centred = vectors - vectors.mean(axis=0)
    left, values, _ = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(np.abs(narrowed(vectors, 2)), np.abs(left[:, :2] * values[:2]), atol=1e-4)
    np.testing.assert_array_equal(narrowed(vectors, 14)[:, 12:], 0)
    np.testing.assert_allclose(narrowed(vectors, 14)[:, :12], centred, atol=1e-5)


def test_sizes() -> None:
    assert sized(np.array([[3, -4]], np.float32), 0.5) == pytest.approx(np.array([[3, -4]]) * 0.5 / np.sqrt(12.5))
    assert not sized(np.zeros((2, 2), np.float32), 1.0).any()


def test_a_name_that_nobody_has_put_there_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no-vectors: there are no item vectors called 'x.csv' .*\(data, 'x"):
        named_vectors(planted().data, "x.csv")
