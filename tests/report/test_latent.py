"""The latent space in the report: drawn for models that have one, in the colours of genres, its titles apart."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Categories, Features, Texts
from matinee.data.confidence import CONFIDENCES
from matinee.data.interactions import Interactions
from matinee.experiment.answer import Answers
from matinee.experiment.folder import RunFolder
from matinee.models.als import ALS
from matinee.models.ease import EASE
from matinee.models.pure_svd import PureSVD
from matinee.numerics.embedding import on_a_page, widest
from matinee.report import latent
from matinee.report.latent import Catalogue, Dot, Label, item_vectors
from matinee.report.run import write_report
from matinee.scoring.weighted import fit_weighted
from matinee.testing.toy import GENRES, I, planted
from tests.small_run import finished

TITLES = ("<script>alert(1)</script>", "영화 & 친구", "", "a $1 and a $2", "_hidden", '"quoted"')


def clumps() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    kinds = rng.permutation(np.repeat(np.arange(4), 25))
    return 3 * np.eye(12)[kinds] + 0.4 * rng.standard_normal((100, 12)), kinds


def test_clumps_of_many_dimensions_are_clumps_on_the_page() -> None:
    points, kinds = clumps()
    page = on_a_page(points)
    assert page.shape == (100, 2)
    assert (kinds[latent._nearest(page)] == kinds[:, None]).mean() > 0.98
    near, on = latent._nearest(points), latent._nearest(page)
    assert (near[:, :, None] == on[:, None, :]).any(axis=2).mean() > 0.6
    np.testing.assert_array_equal(on_a_page(points), page)
    assert np.isfinite(on_a_page(np.ones((20, 3)))).all()


def test_the_widest_directions_are_the_principal_components() -> None:
    points, _ = clumps()
    values, axes = np.linalg.eigh(np.cov(points.T))
    page, share = widest(points)
    assert share == pytest.approx(values[-2:].sum() / values.sum())
    want = (points - points.mean(axis=0)) @ axes[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(page), np.abs(want), atol=1e-8)
    assert (page[np.abs(page).argmax(axis=0), [0, 1]] > 0).all()


def test_an_item_stands_where_a_history_of_it_alone_does() -> None:
    data, items = planted().data, np.array([5, 40])
    alone = Interactions.from_events([0, 1], items, n_users=2, n_items=I)
    for recipe in (ALS(dim=4), PureSVD(dim=4)):
        scorer = recipe.fit(data)
        np.testing.assert_array_equal(item_vectors(scorer, items), scorer.vectors(Queries.of(alone)))
        weighted = fit_weighted(recipe, CONFIDENCES["recency_half_life"](), data)
        np.testing.assert_array_equal(item_vectors(weighted, items), weighted.inner.vectors(Queries.of(alone)))
    assert item_vectors(EASE().fit(data), items) is None
    assert Catalogue.of(data).map(EASE().fit(data)) is None


def test_planted_genres_are_neighbours_and_their_colours_are_told() -> None:
    data = planted().data
    catalogue = Catalogue.of(data)
    counts = data.log.item_counts()
    assert (np.diff(counts[catalogue.items]) <= 0).all()
    assert [name for name, _ in catalogue.legend] == ["장르0", "장르1", "장르2"]
    drawn = catalogue.map(ALS(dim=3, l2=0.03).fit(data))
    assert drawn is not None
    assert len(drawn.dots) == I
    assert drawn.chance == pytest.approx(sum(n * n for n in GENRES) / I**2)
    assert drawn.alike is not None
    assert drawn.alike > 0.9
    assert {dot.colour for dot in drawn.dots} <= {colour for _, colour in catalogue.legend}
    sizes = [dot.size for dot in drawn.dots]
    assert sizes == sorted(sizes), "the most popular is drawn last, on top"


def test_labels_stay_on_the_canvas_and_meet_no_other() -> None:
    rng = np.random.default_rng(1)
    dots = [Dot(x, y, 4.0, "#000", f"영화 {n}" if n % 3 else f"A long title of a film, number {n}")
            for n, (x, y) in enumerate(rng.uniform([0, 0], [latent.WIDTH, latent.HEIGHT], (300, 2)).tolist())]
    labels = latent._labels(dots)
    assert 10 < len(labels) <= latent.LABELS

    def box(label: Label) -> tuple[float, float, float, float]:
        width = sum(latent.LETTER * (2 if ord(letter) > 0x1100 and letter != "…" else 1) for letter in label.text)
        return label.x, label.y - 9, label.x + width, label.y + 2

    for label in labels:
        assert len(label.text) <= latent.LONGEST
        left, top, right, bottom = box(label)
        assert left >= 0 <= top
        assert right <= latent.WIDTH
        assert bottom <= latent.HEIGHT
        assert sum(left < dot.x < right and top < dot.y < bottom for dot in dots) <= latent.COVERED
    assert not any(latent._meet(box(one), box(two)) for one, two in combinations(labels, 2))


def test_a_model_that_puts_too_few_items_anywhere_is_left_out() -> None:
    data = planted().data
    few = replace(data, log=data.log.select(data.log.items < latent.LEAST - 1))
    assert Catalogue.of(few).map(ALS(dim=4).fit(few)) is None
    one = ALS(dim=1).fit(data)
    assert Catalogue.of(data).map(one) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    models = [{"model": "popularity"}, {"model": "ease"}, {"model": "als", "dim": 8, "epochs": 3},
              {"model": "pure_svd", "dim": 8}]
    return finished(tmp_path_factory.mktemp("latent"), models=models, ensembles=[], output={"which": []})


def written(folder: RunFolder, features: Features | None = None) -> str:
    """The page of the run, with other item features."""
    again = RunFolder(folder.path)
    if features is not None:
        again.__dict__["dataset"] = replace(folder.dataset, item_features=features)
    write_report(again)
    return (folder.path / "report.html").read_text()


def test_the_page_draws_the_models_that_have_a_latent_space(folder: RunFolder) -> None:
    page = written(folder)
    assert sorted(re.findall(r'aria-label="items of (\w+)"', page)) == ["als", "pure_svd"]
    learnt = Answers(folder).measured["test"].fit.log.item_counts() > 0
    assert page.count("<circle") == 2 * int(learnt.sum())
    assert 'href="#latent"' in page
    assert "% of the variance" in page
    assert written(folder) == page


def test_titles_and_genres_are_text_and_not_markup(folder: RunFolder) -> None:
    n = folder.dataset.n_items
    genres = Categories.from_pairs(np.arange(n - 3), [("<b>전쟁</b>", "희극 & 춤")[i % 2] for i in range(n - 3)], n)
    titles = Texts(tuple(TITLES[i % len(TITLES)] for i in range(n)))
    page = written(folder, Features(n, {"genre": genres, "title": titles}))
    assert "<script>" not in page
    assert "<b>전쟁" not in page
    for text in ("&lt;script&gt;", "&lt;b&gt;전쟁&lt;/b&gt;", "희극 &amp; 춤", "a $1 and a $2", "_hidden"):
        assert text in page


def test_without_genres_there_is_one_colour_and_no_legend(folder: RunFolder) -> None:
    page = written(folder, Features(folder.dataset.n_items, {}))
    assert set(re.findall(r'<circle [^>]*fill="([^"]+)"', page)) == {latent.ONLY}
    assert 'class="key"' not in page
    assert "share its colour" not in page
    assert f"<title>{folder.dataset.items[0]}</title>" in page


def test_a_run_without_a_latent_space_has_no_such_part(tmp_path: Path) -> None:
    models = [{"model": "popularity"}, {"model": "item_knn", "neighbours": 20}]
    page = written(finished(tmp_path, models=models, ensembles=[], output={"which": []}))
    assert "latent" not in page
    assert 'class="map"' not in page


def test_no_more_than_four_are_drawn(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.report.run.MOST_MAPS", 1)
    assert len(re.findall(r'aria-label="items of (\w+)"', written(folder))) == 1
