"""Which genres the catalogue has and which the events are on, and which rise and fall over time."""

from __future__ import annotations

import numpy as np

from matinee.data.dataset import Dataset
from matinee.survey.figures import NO_EVENTS, Figures, absent, day_of, share, without_times
from matinee.survey.labels import Labels, apart, genres, item_events

PERIODS = 4


def genre_shares(dataset: Dataset) -> Figures:
    """Shares of items and of events (G,), an item of three genres counting a third for each; quarters of the log."""
    log = dataset.log
    if not len(log):
        return absent(NO_EVENTS)
    labels = genres(dataset)
    if labels is None:
        return absent("no column of the items has from 2 to 100 labels, such as genres")
    counts = item_events(log)
    of_events = labels.of_counts(counts)
    of_items = labels.of_counts((counts > 0).astype(np.int64))
    order = np.argsort(-of_events, kind="stable")
    rows = [{"label": labels.names[at], "items_share": float(of_items[at]), "events_share": float(of_events[at]),
             "lift": share(of_events[at], of_items[at])} for at in order.tolist() if of_items[at] or of_events[at]]
    several = np.diff(labels.shares.indptr)[labels.known & (counts > 0)]
    return {
        "what": labels.what,
        "labels": rows,
        "labels_an_item": float(several.mean()) if len(several) else 0.0,
        "events_known_share": share(counts[labels.known].sum(), len(log)),
        "first_three_share": float(np.sort(of_events)[::-1][:3].sum()),
        "over_time": _over_time(dataset, labels),
    }


def _over_time(dataset: Dataset, labels: Labels) -> Figures:
    """Shares (PERIODS, G) of the quarters of the events by time, and who moved most from first to last."""
    log = dataset.log
    why = without_times(log)
    if why:
        return absent(why)
    cuts = np.quantile(log.times, np.arange(1, PERIODS) / PERIODS)
    period = np.searchsorted(cuts, log.times, side="left")
    shares = np.stack([labels.of_counts(item_events(log, period == at)) for at in range(PERIODS)])
    moved = shares[-1] - shares[0]
    most, least = int(moved.argmax()), int(moved.argmin())
    return {
        "cuts": [day_of(cut) for cut in cuts],
        "shares": {labels.names[at]: shares[:, at].tolist() for at in np.argsort(-shares.sum(axis=0)).tolist()},
        "first_to_last": apart(shares[0], shares[-1]),
        "risen": {"label": labels.names[most], "from": float(shares[0, most]), "to": float(shares[-1, most])},
        "fallen": {"label": labels.names[least], "from": float(shares[0, least]), "to": float(shares[-1, least])},
    }
