"""When things happened: events, people and newcomers by day, week, month or year, and where nothing happened."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.survey.figures import DAY, Figures, absent, bins_of, day_of, share, without_times


def activity(log: Interactions) -> Figures:
    """Events, active users, first-time users and items (T,) each; the peak; when the half was reached; silences."""
    why = without_times(log)
    if why:
        return absent(why)
    times = log.times
    unit, at, starts = bins_of(times)
    n = len(starts)
    events = np.bincount(at, minlength=n)
    users = log.users
    new = np.ones(len(log), bool)  # a user's first event of a bin; the log is in order of user and time
    new[1:] = (users[1:] != users[:-1]) | (at[1:] != at[:-1])
    firsts = at[log.indptr[:-1][log.counts > 0]]
    first_of_item = np.full(log.n_items, n)
    np.minimum.at(first_of_item, log.items, at)
    days = np.bincount(times // DAY - times.min() // DAY)
    first, last = int(times.min()), int(times.max())
    half, newest = (float(cut) for cut in np.quantile(times, (0.5, 0.9)))
    peak, busy = int(events.argmax()), np.sort(events)[::-1][: max(1, n // 10)]
    length, silent_from = _longest_silence(days)
    return {
        "unit": unit,
        "starts": starts,
        "events": events.tolist(),
        "users": np.bincount(at[new], minlength=n).tolist(),
        "new_users": np.bincount(firsts, minlength=n).tolist(),
        "new_items": np.bincount(first_of_item[first_of_item < n], minlength=n).tolist(),
        "first": day_of(first),
        "last": day_of(last),
        "days": (last - first) / DAY,
        "peak": {"start": starts[peak], "events": int(events[peak]), "share": share(events[peak], len(log))},
        "busiest_tenth_share": share(busy.sum(), len(log)),
        "half_before": day_of(half),
        "half_at": share(half - first, last - first),
        "newest_tenth_from": day_of(newest),
        "newest_tenth_span": share(last - newest, last - first),
        "new_users_in_last_tenth": share((times[log.indptr[:-1][log.counts > 0]] > last - 0.1 * (last - first)).sum(),
                                         (log.counts > 0).sum()),
        "days_with_events": int((days > 0).sum()),
        "median_day": float(np.median(days[days > 0])),
        "longest_silence": {"days": length, "from": day_of((times.min() // DAY + silent_from) * DAY)},
        "busiest_day": {"day": day_of((times.min() // DAY + int(days.argmax())) * DAY), "events": int(days.max()),
                        "share": share(days.max(), len(log))},
    }


def _longest_silence(days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[int, int]:
    """Length and first day of the longest run of empty `days` (events of each); the first and last are never empty."""
    active = np.flatnonzero(days)
    gaps = np.diff(active) - 1
    if not len(gaps) or gaps.max() == 0:
        return 0, 0
    return int(gaps.max()), int(active[gaps.argmax()]) + 1
