"""RecTools' side. Run by its own interpreter; prints JSON.

    PYTHON peer_rectools.py csv RATINGS.csv              reading the CSV with pandas, then Dataset.construct
    PYTHON peer_rectools.py ease TRAIN.npz LISTS.npz     EASE: fit, and ten for everybody, what was seen left out
    PYTHON peer_rectools.py sasrec TRAIN.npz LISTS.npz EPOCHS    SASRec, cross-entropy over all items: an epoch, and ten

Each is done once on a few rows before it is timed: loading code is not the stage.
"""

from __future__ import annotations

import json
import sys
import time
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel


def csv(ratings: Path) -> dict[str, float]:
    _dataset(StringIO("user,item,time\n1,1,1\n1,2,2\n2,1,3\n"))
    start = _now()
    dataset = _dataset(ratings)
    took = _took("dataset", start, _now())
    return {**took, "users": dataset.user_id_map.size, "items": dataset.item_id_map.size,
            "events": len(dataset.interactions.df)}


def ease(train: Path, lists: Path) -> dict[str, float]:
    frame = _events(train)
    dataset, everybody = Dataset.construct(frame), np.unique(frame[Columns.User])
    few = Dataset.construct(frame.head(2000))
    EASEModel().fit(few).recommend(users=few.user_id_map.external_ids, dataset=few, k=10, filter_viewed=True)
    del frame
    model = EASEModel(regularization=500.0)
    start = _now()
    model.fit(dataset)
    fitted = _now()
    found = model.recommend(users=everybody, dataset=dataset, k=10, filter_viewed=True)
    ranked = _now()
    np.savez(lists, users=everybody, items=_table(found, everybody))
    return {**_took("fit", start, fitted), **_took("top10", fitted, ranked)}


def sasrec(train: Path, lists: Path, epochs: Path) -> dict[str, float]:
    """The median of the epochs; the first is timed from when its first batch is asked for."""
    from pytorch_lightning import Callback, Trainer
    from rectools.models import SASRecModel
    from rectools.models.nn.item_net import IdEmbeddingsItemNet

    class Clock(Callback):
        def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
            starts.append(_now())

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            ends.append(_now())

    def trainer() -> Trainer:
        return Trainer(max_epochs=int(str(epochs)), callbacks=[Clock()], accelerator="cpu", logger=False,
                       enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)

    starts: list[tuple[float, float]] = []
    ends: list[tuple[float, float]] = []
    frame = _events(train)
    dataset, everybody = Dataset.construct(frame), np.unique(frame[Columns.User])
    model = SASRecModel(n_factors=64, n_blocks=2, n_heads=1, session_max_len=200, dropout_rate=0.1, batch_size=128,
                        loss="softmax", lr=0.001, item_net_block_types=(IdEmbeddingsItemNet,), get_trainer_func=trainer,
                        recommend_torch_device="cpu")
    model.fit(dataset)
    begin = _now()
    found = model.recommend(users=everybody, dataset=dataset, k=10, filter_viewed=True)
    ranked = _took("top10", begin, _now())
    np.savez(lists, users=everybody, items=_table(found, everybody))
    each = [_took("epoch", *pair) for pair in zip(starts, ends, strict=True)]
    return {**{name: median(one[name] for one in each) for name in each[0]}, **ranked}


def _events(train: Path) -> pd.DataFrame:
    stored = np.load(train)
    return pd.DataFrame({Columns.User: stored["users"], Columns.Item: stored["items"], Columns.Weight: 1.0,
                         Columns.Datetime: pd.to_datetime(stored["times"], unit="s")})


def _dataset(ratings: Path | StringIO) -> Dataset:
    frame = pd.read_csv(ratings)
    frame.columns = pd.Index([Columns.User, Columns.Item, Columns.Datetime])
    frame[Columns.Weight] = 1.0
    frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="s")
    return Dataset.construct(frame)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _took(name: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    return {name: end[0] - start[0], f"{name}_cpu": end[1] - start[1]}


def _table(found: pd.DataFrame, users: np.ndarray) -> np.ndarray:
    """(V, 10) raw items, best first."""
    table = np.full((len(users), 10), -1, np.int64)
    table[np.searchsorted(users, found[Columns.User].to_numpy()), found[Columns.Rank].to_numpy() - 1] = found[
        Columns.Item].to_numpy()
    return table


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    print(json.dumps({"csv": csv, "ease": ease, "sasrec": sasrec}[what](*map(Path, paths))))
