"""Checks of times: bulk logging, more than hands can do, jobs that write for many, days out of all measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrc

from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.data.sessions import one_day_dumps
from matinee.survey.figures import DAY, counted, day_of, moment_of, percent, share, without_times
from matinee.survey.findings import Check, Finding
from matinee.survey.labels import years
from matinee.survey.popularity import title_of
from matinee.survey.ties import ties

BULK = 10
"""So many events of one user in one second were not made one by one."""
RUN, WITHIN = 60, 60
"""So many events of one user within so many seconds are more than a hand can do."""
CROWD, RARELY = 5, 1e-9
"""At least so many users in a second whose chance, by the rate of that hour, is below this."""
MIDNIGHT = 0.01
"""Share of times at midnight above which some of them are dates; by chance 1 in 86,400."""
SPIKE, SPIKE_SHARE, DAYS = 10, 0.01, 30
"""A day of so many times the events of a median active day, and that share of all, in a log of so many such days."""
SILENCE, SILENT_DAYS = 0.05, 7
DUMPS = 0.2
EXAMPLES = 3

BULK_SECONDS = Check("bulk_seconds", f"Did anybody do {BULK} things or more in one second?")
MACHINE_SPEED = Check("machine_speed", f"Did anybody do {RUN} things or more within {WITHIN} seconds?")
CROWDED = Check("crowded_seconds", "Did many users act in the very same second?")
HALF_DATED = Check("half_dated", "Are some of the times only dates?")
SPIKES = Check("spikes", "Does one day hold far more than others?")
SILENT = Check("silences", "Is there a long stretch without any event?")
EARLY = Check("before_release", "Was anything chosen before the year of its release?")
DUMPED = Check("one_day_dumps", "Did many users do everything within one day?")
ALL = (BULK_SECONDS, MACHINE_SPEED, CROWDED, HALF_DATED, SPIKES, SILENT, DUMPED, EARLY)


def odd_times(dataset: Dataset) -> list[Finding]:
    """What ALL the checks found; where there are no times, that none could be made."""
    log = dataset.log
    why = without_times(log)
    if why:
        return [check.unchecked(why) for check in ALL]
    resolution = ties(log)["resolution"]
    if resolution != "seconds":
        coarse = [check.unchecked(f"times are whole {resolution}") for check in ALL[:4]]
        return [*coarse, *_days(log), _dumps(log), _early(dataset)]
    return [_bulk(dataset), _machine(dataset), _crowds(log), _midnights(log), *_days(log), _dumps(log), _early(dataset)]


def _bulk(dataset: Dataset) -> Finding:
    log = dataset.log
    users, times = log.users, log.times
    starts = np.flatnonzero(np.concatenate([[True], (users[1:] != users[:-1]) | (times[1:] != times[:-1])]))
    sizes = np.diff(np.append(starts, len(log)))
    bulk = sizes >= BULK
    events, people = int(sizes[bulk].sum()), np.unique(users[starts[bulk]])
    worst = np.argsort(-sizes, kind="stable")[:EXAMPLES]
    examples = [f"user {dataset.users[int(users[starts[at]])]}: {sizes[at]:,} at {moment_of(times[starts[at]])}"
                for at in worst.tolist() if sizes[at] >= BULK]
    return BULK_SECONDS.found(
        events, len(log),
        f"{events:,} events ({percent(share(events, len(log)))}) of {counted(len(people), 'user')} came by {BULK} and "
        "more in one second: a list was sent at once",
        "their order is that of a page, not of a life: leave order inside a second alone",
        examples, alarm=events > 0.05 * len(log),
    )


def _machine(dataset: Dataset) -> Finding:
    log = dataset.log
    users, times = log.users, log.times
    begin = max(0, len(log) - RUN + 1)
    quick = np.flatnonzero((times[RUN - 1 :] - times[:begin] <= WITHIN) & (users[RUN - 1 :] == users[:begin]))
    people, runs = np.unique(users[quick], return_counts=True)
    order = np.argsort(-runs, kind="stable")[:EXAMPLES]
    examples = [f"user {dataset.users[int(people[at])]}: {log.counts[people[at]]:,} events in all" for at in order]
    events = int(log.counts[people].sum())
    return MACHINE_SPEED.found(
        len(people), int((log.counts > 0).sum()),
        f"{counted(len(people), 'user')}, who hold {percent(share(events, len(log)))} of the events, did {RUN} things "
        f"or more within {WITHIN} seconds",
        "these are imports or programs: leave the users out and see whether figures move",
        examples, alarm=events > 0.05 * len(log),
    )


def _crowds(log: Interactions) -> Finding:
    """Distinct users of each second against a Poisson count by the rate of its hour."""
    users, times = log.users, log.times
    new = np.concatenate([[True], (users[1:] != users[:-1]) | (times[1:] != times[:-1])])
    seconds, crowd = _counted(times[new])
    hours, rate = _counted(times[new] // 3600)
    expected = rate[np.searchsorted(hours, seconds // 3600)] / 3600
    odd = (crowd >= CROWD) & (pdtrc(crowd - 1, expected) < RARELY)
    among = int(crowd[odd].sum())
    order = np.flatnonzero(odd)[np.argsort(-crowd[odd], kind="stable")[:EXAMPLES]]
    examples = [f"{crowd[at]:,} users at {moment_of(seconds[at])}" for at in order.tolist()]
    return CROWDED.found(
        int(odd.sum()), len(seconds),
        f"in {counted(int(odd.sum()), 'second')} many users acted at once, {among:,} times in all, where their hour "
        "lets expect fewer than one: a job wrote these, or the time is a stand-in",
        "such times are not when people acted: treat them as unknown, or leave the events out",
        examples, alarm=among > 0.01 * int(new.sum()),
    )


def _counted(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct keys, ascending, and how often each is there."""
    ordered = np.sort(keys)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _midnights(log: Interactions) -> Finding:
    dated = int((log.times % DAY == 0).sum())
    return HALF_DATED.found(
        dated if dated > MIDNIGHT * len(log) else 0, len(log),
        f"{percent(share(dated, len(log)))} of the events are at midnight (UTC) to the second: some times are dates "
        "only",
        "inside these days the order is unknown, and hours of the day mislead", alarm=dated > 0.1 * len(log),
    )


def _days(log: Interactions) -> tuple[Finding, Finding]:
    first = int(log.times.min() // DAY)
    days = np.bincount(log.times // DAY - first)
    active = np.flatnonzero(days)
    if len(active) < DAYS:
        why = f"{len(active)} days have events, fewer than {DAYS}"
        return SPIKES.unchecked(why), SILENT.unchecked(why)
    median = float(np.median(days[active]))
    spikes = np.flatnonzero((days >= SPIKE * median) & (days >= SPIKE_SHARE * len(log)))
    order = spikes[np.argsort(-days[spikes], kind="stable")][:EXAMPLES]
    gaps = np.diff(active) - 1
    long = np.flatnonzero((gaps > SILENT_DAYS) & (gaps > SILENCE * len(days)))
    return (
        SPIKES.found(
            len(spikes), len(active),
            f"{len(spikes)} of {len(active):,} days with events hold {percent(share(days[spikes].sum(), len(log)))} "
            f"of all; a median day has {median:,.0f} events",
            "see what happened there: an import, a campaign, a wrong clock; a split by time should not cut inside",
            [f"{day_of((first + at) * DAY)}: {days[at]:,} events" for at in order.tolist()],
        ),
        SILENT.found(
            len(long), len(days),
            f"nothing at all happened for {int(gaps.max()):,} days in a row",
            "ask whether something is missing, and let no split by time lie beside the gap",
            [f"{gaps[at]:,} days from "
             f"{day_of((first + int(active[at]) + 1) * DAY)}" for at in long[:EXAMPLES].tolist()],
        ),
    )


def _dumps(log: Interactions) -> Finding:
    quick, several = int(one_day_dumps(log).sum()), int((log.counts > 1).sum())
    return DUMPED.found(
        quick if quick > DUMPS * several else 0, several,
        f"{percent(share(quick, several))} of the users with several events did everything within one day",
        "they typed a list: what comes next in it is no later choice; measure gap and tail apart",
    )


def _early(dataset: Dataset) -> Finding:
    log, of_item = dataset.log, years(dataset)
    if of_item is None:
        return EARLY.unchecked("no release year of the items is known")
    begins = (of_item - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)  # (I,)
    early = (of_item[log.items] > 0) & (log.times < begins[log.items])
    items, counts = np.unique(log.items[early], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:EXAMPLES]
    return EARLY.found(
        int(early.sum()), len(log),
        f"{counted(int(early.sum()), 'event')} on {counted(len(items), 'item')} lie before the year of their release",
        "previews and wrong years: the filter `future_items` with `horizon: 1` would keep them from people who had "
        "them",
        [f"{title_of(dataset, int(items[at]))} ({of_item[items[at]]}): {counts[at]:,}" for at in order.tolist()],
        alarm=int(early.sum()) > 0.01 * len(log),
    )
