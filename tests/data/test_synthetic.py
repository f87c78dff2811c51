"""Generated logs: the size asked for, the same bytes for the same words, and the structure that is promised."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from matinee.data.source import Source
from matinee.data.synthetic import generate, is_spec
from matinee.errors import UsageError


def events(source: Source) -> pl.DataFrame:
    return pl.DataFrame({"user": source.users, "item": source.items, "time": source.times})


@pytest.mark.parametrize("size", ["1x1", "1x50", "50x1", "3x2", "60x100", "700x300:5"])
def test_exactly_the_users_and_items_asked_for(size: str) -> None:
    source = generate(f"synthetic:{size}")
    users, items = (int(number) for number in size.split(":")[0].split("x"))
    assert source.users.n_unique() == users
    assert source.items.n_unique() == items
    assert len(source.users) == len(source.items) == len(source.times)


@pytest.mark.parametrize("kind", ["synthetic", "synthetic-uplus"])
def test_same_words_same_rows_and_another_seed_other_rows(kind: str) -> None:
    first, again, other = (generate(f"{kind}:200x100:{seed}") for seed in (3, 3, 4))
    assert events(first).equals(events(again))
    for one, same in zip(first.item_side + first.user_side, again.item_side + again.user_side, strict=True):
        assert one.values.equals(same.values)
    assert not events(first).equals(events(other))


def test_films_are_watched_once_in_time_order_and_never_before_their_year() -> None:
    source = generate("synthetic:500x400")
    log = events(source)
    assert log.select("user", "item").is_unique().all()
    assert log.group_by("user", maintain_order=True).agg(pl.col("time").diff().min().alias("step"))["step"].min() >= 0
    born = {table.name: dict(zip(table.ids, table.values, strict=True)) for table in source.item_side}["year"]
    years = log["item"].replace_strict(born, return_dtype=pl.Float64).to_numpy()
    watched = source.times.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    assert (watched >= years).all()


def test_heavy_tails_of_popularity_and_of_histories() -> None:
    log = events(generate("synthetic:3000x1500"))
    popularity = np.sort(log["item"].value_counts()["count"].to_numpy())[::-1]
    lengths = log["user"].value_counts()["count"].to_numpy()
    assert popularity[: len(popularity) // 10].sum() > 0.3 * popularity.sum()
    assert lengths.mean() > 1.15 * np.median(lengths)
    assert lengths.max() > 4 * np.median(lengths)


def test_tastes_can_be_found_in_the_log() -> None:
    """Neighbours by co-occurrence find more of a hidden tenth than popularity does."""
    log = events(generate("synthetic:800x300"))
    users, items = (np.unique(log[name], return_inverse=True)[1] for name in ("user", "item"))
    hidden = np.random.default_rng(0).random(len(log)) < 0.1
    seen, truth = np.zeros((800, 300), np.float32), np.zeros((800, 300), bool)
    seen[users[~hidden], items[~hidden]] = 1
    truth[users[hidden], items[hidden]] = True
    gram = seen.T @ seen
    inverse = np.linalg.inv(gram + 100 * np.eye(300, dtype=np.float32))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)

    def found(scores: np.ndarray) -> float:
        top = np.argsort(-np.where(seen > 0, -np.inf, scores), axis=1)[:, :10]
        return float(np.take_along_axis(truth, top, 1).sum() / hidden.sum())

    assert found(seen @ weights) > 1.2 * found(np.tile(seen.sum(0), (800, 1)))


def test_uplus_kind_has_repeats_sessions_watch_time_and_sparse_profiles() -> None:
    source = generate("synthetic-uplus:1000x600")
    log = events(source)
    assert source.repeats
    assert 0.2 < 1 - len(log.unique(["user", "item"])) / len(log) < 0.7
    assert source.users.n_unique() < 1000  # some profiles have no view
    sessions, watched, total = (source.columns[name] for name in ("session", "watch_seconds", "total_seconds"))
    assert (sessions <= source.times).all()
    assert 1.5 < len(log) / log.with_columns(session=sessions).select("user", "session").n_unique() < 20
    known = ~np.isnan(watched)
    assert 0.85 < known.mean() < 0.93
    assert (watched[known] <= total[known]).all()
    tables = {table.name: table for table in source.user_side}
    assert set(tables) == {"gender", "age", "parent_keyword", "child_keyword"}
    assert 0.9 < len(tables["age"].ids) / 1000 < 1
    interests = tables["child_keyword"].ids.n_unique() / 1000
    assert 0.9 < interests < 1


def test_labels_of_an_item_are_distinct_and_korean_titles_are_whole() -> None:
    source = generate("synthetic-uplus:50x40")
    for table in source.item_side + source.user_side:
        if table.kind == "categories":
            assert pl.DataFrame({"id": table.ids, "value": table.values}).is_unique().all()
    titles = next(table for table in source.item_side if table.name == "title")
    assert titles.values[0] == "이야기 1 1화"
    keyword = next(table for table in source.item_side if table.name == "keyword")
    assert keyword.weights is not None
    assert len(keyword.weights) == len(keyword.ids)


@pytest.mark.slow
def test_blocks_join_without_a_seam() -> None:
    """More events than one block: every user still stands in one run of rows."""
    source = generate("synthetic:15000x3000")
    assert len(source.users) > 1_000_000
    runs = int((source.users != source.users.shift(1)).sum()) + 1
    assert runs == source.users.n_unique() == 15_000


@pytest.mark.parametrize("spec", ["synthetic:", "synthetic:12", "synthetic:0x5", "synthetic:5x-1", "synthetic:5x5:x"])
def test_wrong_words_are_refused(spec: str) -> None:
    with pytest.raises(UsageError, match=r"bad-synthetic.*USERSxITEMS"):
        generate(spec)


def test_what_names_a_synthetic_source() -> None:
    assert is_spec("synthetic:5x5")
    assert is_spec("synthetic-uplus:5x5")
    assert not is_spec("data/synthetic")
