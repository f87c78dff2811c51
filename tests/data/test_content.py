"""Items as vectors of what they are made of, against dictionaries; titles in Hangul and other scripts."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from matinee.data import content
from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.errors import DataError
from tests.reference import profile as slow

TITLES = ("올드보이 (2003)", "친절한 금자씨 (2005)", "Old Boy (1997)", "올드보이 2", "", "Amélie")
GENRES = [["스릴러", "드라마"], ["드라마"], [], ["스릴러"], ["SF", "드라마", "SF"], []]


def items(years=(2003, 2005, 1997, np.nan, 1899, 2000)):
    rows = np.array([row for row, labels in enumerate(GENRES) for _ in labels])
    genre = Categories.from_pairs(rows, [label for labels in GENRES for label in labels], len(GENRES))
    return Features(len(GENRES), {"genre": genre, "year": Numbers(np.array(years, float)), "title": Texts(TITLES)})


def told(block, names):
    return [{names[code]: value for code, value in zip(block[[row]].indices, block[[row]].data, strict=True)}
            for row in range(block.shape[0])]


def test_labels_are_weighted_by_rarity_and_each_item_has_length_one():
    block = content.block(items(), "genre")
    assert block.dtype == np.float32
    for got, want in zip(told(block, items().categories("genre").names), slow.block(GENRES), strict=True):
        assert got == pytest.approx(want, rel=1e-6)
    assert np.sqrt((block.toarray() ** 2).sum(axis=1)) == pytest.approx([1, 1, 0, 1, 1, 0])


def test_graded_labels_count_by_their_grade():
    graded = Categories(np.array([0, 2]), np.array([0, 1], np.int32), ("a", "b"), np.array([3, 4], np.float32))
    assert content.block(Features(1, {"genre": graded}), "genre").toarray().tolist() == [pytest.approx([0.6, 0.8])]


def test_an_item_of_which_nothing_is_known_changes_nobody_else():
    more = items().take(np.array([0, 1, 2, 3, 4, 5, -1]))
    for name in ("genre", "era", "title"):
        np.testing.assert_array_equal(content.block(more, name)[:6].toarray(), content.block(items(), name).toarray())


def test_the_era_is_the_decade_and_nothing_where_the_year_is_unknown():
    block = content.block(items(), "era").toarray()  # the decades 1890, 1990 and 2000
    assert block.tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_titles_are_compared_by_words():
    block = content.block(items(), "title").toarray()
    alike = block @ block.T
    assert 0 < alike[0, 3] < 1  # 올드보이
    assert alike[0, 1] == alike[0, 2] == 0
    assert not block[4].any()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("친절한 금자씨 (2005)", ["친절한", "금자씨"]),
        ("어벤져스2: 에이지 오브 울트론", ["어벤져스", "2", "에이지", "오브", "울트론"]),
        ("2001: A Space Odyssey (1968)", ["2001", "a", "space", "odyssey"]),
        ("Amélie", ["amélie"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("snake_case, (1999) again", ["snake", "case", "1999", "again"]),
        ("千と千尋の神隠し", ["千と千尋の神隠し"]),
        ("!? (2000)", []),
    ],
)
def test_a_title_in_words(title, words):
    for form in ("NFC", "NFD"):  # a keyboard composes Hangul, some file systems take it apart
        assert content.words(unicodedata.normalize(form, title)) == words


def test_a_block_without_its_column_is_refused_by_name():
    with pytest.raises(DataError, match="no-feature: no categories called 'director'; known: genre"):
        content.block(items(), "director")
