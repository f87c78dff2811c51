"""What the figures suggest for the choice of split and of models: each suggestion with the figures it rests on.

A suggestion is a place to begin and no result: whoever doubts it runs both. Thresholds stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Literal

from matinee.survey.figures import Figures, percent

TYPED_IN, GROWN = 0.2, 0.1
"""Share of users within one day above which order is mostly typing, and below which it is mostly life."""
UNSURE = 0.1
"""Share of users whose newest item is only the newest of the file."""
STEEP = 0.4
"""Share of the events on the most popular tenth of the items."""
AGAIN = 0.1
"""Share of events that repeat a pair, where items may be had again."""
SHORT, LONG = 10, 40
"""Median events a user."""
CHEAP_ITEMS, DEAR_EVENTS = 0.6, 0.95
"""A threshold worth telling leaves at most that share of items and at least that share of events."""
DRIFTS, LASTS = 0.6, 0.8
PERSONAL = 0.1
"""How much more alike two halves of one history are than two histories."""
FRESH = 0.1
"""Share of the events on items of the same or the past year."""
COLD, STRANGERS = 0.05, 0.5
SHIFT, SHIFT_BY_CHANCE = 0.05, 3.0
NOISE = 0.3
"""Half of a 95 % interval of a difference in recall, times the root of the number of users; of films, about."""


@dataclass(frozen=True)
class Reason:
    subject: str
    """Where on the page the figure stands."""
    words: str


@dataclass(frozen=True)
class Advice:
    about: Literal["data", "split", "models", "reading"]
    text: str
    because: tuple[Reason, ...]

    def figures(self) -> Figures:
        return {"about": self.about, "text": self.text, "because": [asdict(reason) for reason in self.because]}


def advice(found: Figures) -> list[Advice]:
    """In the order of a reader's decisions: data, split, models, how to read the figures."""
    if not found["facts"]["events"]:
        return []
    return [*_of_data(found), *_of_split(found), *_of_cold(found), *_of_models(found), *_of_tastes(found),
            *_of_side(found), *_of_reading(found)]


def _of_data(found: Figures) -> Iterator[Advice]:
    alarms = [finding for finding in found["findings"] if finding["level"] == "alarm"]
    if alarms:
        n = len(alarms)
        yield Advice("data", f"Look first at the {n} {'alarm' if n == 1 else 'alarms'} among the checks: they change "
                             "every "
                     "figure below.", tuple(Reason("findings", finding["what"]) for finding in alarms))


def _of_split(found: Figures) -> Iterator[Advice]:
    sittings, ties = found["sittings"], found["ties"]
    if "absent" in sittings:
        yield Advice("split", "Split by `random_ratio` or `unseen_users`: without order there is no next item, and "
                              "models of "
                     "sequences have nothing to learn.", (Reason("sittings", sittings["absent"]),))
        return
    quick, unsure = sittings["within_one_day_share"], ties["newest_unsure_share"] > UNSURE
    day = Reason("sittings", f"{percent(quick)} of the users with several events did everything within one day")
    if quick > TYPED_IN:
        yield Advice("split", "Hide gaps as well as ends (`gap_and_tail`) and read both apart: for many users the "
                              "order is the "
                     "order of typing in, and the next item of a list is no later choice. Expect models without "
                     "order to hold their own against those of sequences.", (day,))
    elif quick < GROWN:
        asks = "`by_time` asks" if unsure else "`leave_last` or `by_time` ask"
        yield Advice("split", f"Order means something here: {asks} what comes next, and models of sequences "
                              "(`sasrec`, `gru4rec`, `transitions`) are worth a try.", (day,))
    if unsure:
        yield Advice("split", "Do not rely on `leave_last`: which item is a user's newest is often decided by the "
                              "order of the "
                     "file.", (Reason("ties", f"{percent(ties['newest_unsure_share'])} of the users share the moment "
                                              "of their "
                     "newest event with the one before"),))


def _of_cold(found: Figures) -> Iterator[Advice]:
    row = found["protocols"].get("rows", {}).get("by_time", {"absent": ""})
    if "absent" in row:
        return
    new, cold = row["users_new_share"], row["cold_share"]
    if new > STRANGERS:
        yield Advice("split", "A split by time asks mostly strangers here: it measures what to show to somebody new. "
                              "To ask those "
                     "who are known about their future, take `gap_and_tail` with `preset: global_time`.",
                     (Reason("protocols", f"by_time: {percent(new)} of the users asked are new"),))
    else:
        yield Advice("split", "A split by time is possible, and the only one that says something about next month.",
                     (Reason("protocols", f"by_time: {percent(new)} of the users asked are new"),))
    if cold > COLD:
        yield Advice("models", "Keep a model that knows items by what they are (`user_profile`): collaborative ones "
                               "never find "
                     "an item without events.",
                     (Reason("protocols", f"by_time: {percent(cold)} of what is hidden was never seen before"),))


def _of_models(found: Figures) -> Iterator[Advice]:
    again = found["facts"]["pairs"]["repeated_share"]
    if found["facts"]["may_repeat"] and again > AGAIN:
        yield Advice("models", "People have the same again: judge apart what is new to them (segment `seen_before`, "
                     "metric `seen@10`).",
                     (Reason("histories", f"{percent(again)} of the events repeat a pair of user and item"),))
    popular, history, pairs = found["popularity"], found["histories"], found["facts"]["pairs"]
    median = Reason("histories", f"half of the users have {history['median']:,.0f} events or fewer")
    if history["median"] < SHORT:
        yield Advice("models", "Begin with `popularity`, `item_knn` and rules by genre or year: histories are too "
                               "short for "
                     "much more, and intervals will be wide.", (median,))
    elif history["median"] < LONG:
        yield Advice("models", "Begin with `item_knn`, `user_knn` and `ease`: histories are long enough for them, and "
                     "short for networks.", (median,))
    else:
        yield Advice("models", "Begin with `ease` and the autoencoders (`multi_dae`, `rec_vae`): long histories are "
                               "what they "
                     "live on.", (median, Reason("histories", f"{percent(pairs['density'])} of all pairs of user and "
                                                              "item are "
                     "known")))
    if popular["top"]["10"] >= STEEP:
        yield Advice("models", "Hold every model against `popularity`, and look at coverage and at the recall of "
                               "rare items: a "
                     "list of hits looks good here without being personal.",
                     (Reason("popularity", f"the most popular 10 % of the items hold {percent(popular['top']['10'])} "
                                           "of the "
                             "events"),))
    for row in found["thresholds"]["rows"][::-1]:
        if row["items_share"] <= CHEAP_ITEMS and row["events_share"] >= DEAR_EVENTS:
            yield Advice("models", f"If memory is short, leave out items with fewer than {row['least']:,} events "
                         f"(`min_item_events: {row['least']}`): little can be lost, and a matrix of items by items "
                         f"shrinks to {percent(row['items_share'] ** 2)} of its size.",
                         (Reason("thresholds", f"{percent(row['items_share'])} of the items hold "
                                 f"{percent(row['events_share'])} of the events"),))
            break


def _of_tastes(found: Figures) -> Iterator[Advice]:
    taste = found["taste"]
    genre = taste.get("genres", {"absent": ""})
    if "absent" in taste or "absent" in genre:
        return
    lasting = genre["lasting"]
    alike = (f"two halves of one history by lot are {percent(genre['shuffled'])} alike in {genre['what']}, the early "
             f"and the late {percent(genre['early_late'])}, two people {percent(genre['strangers'])}")
    if genre["shuffled"] - genre["strangers"] >= PERSONAL:
        yield Advice("models", f"Tastes by {genre['what']} are personal: try `genre_preference` as a confidence, and "
                               "side "
                     "information in the autoencoders.", (Reason("taste", alike),))
    if lasting is None:
        return
    kept = Reason("taste", f"{percent(max(0.0, lasting))} of a personal taste lasts from the early to the late half")
    if lasting < DRIFTS and found["sittings"]["within_one_day_share"] > TYPED_IN:
        yield Advice("models", "Neighbouring events are alike, inside a single day too: a list was typed in by "
                               "shelves. Models of "
                     "sequences will find this order; whether it is of use, only a hidden part like the real one "
                     "tells.",
                     (kept,))
    elif lasting < DRIFTS:
        yield Advice("models", "Tastes move: let old events weigh less (`recency_half_life`, `time_weight_cf`) or "
                               "ask by order "
                     "(`sasrec`).", (kept,))
    elif lasting > LASTS:
        yield Advice("models", "Tastes last: models that ignore order lose little by it.", (kept,))


def _of_side(found: Figures) -> Iterator[Advice]:
    age = found["eras"].get("age", {"absent": ""})
    if "absent" not in age and age["within_two_years_share"] >= FRESH:
        yield Advice("models", "New releases count: try `year_popularity` and the confidence `release_era`, and let "
                     "`future_items` keep out what was not there yet.",
                     (Reason("eras", f"{percent(age['within_two_years_share'])} of the events are on items of the "
                                     "same or the "
                             "past year"),))
    thin = [(whose, name, column["share"]) for whose in ("item", "user")
            for name, column in found["facts"][f"{whose}_side"].items() if column["share"] < 0.5]
    if thin:
        yield Advice("models", "Do not build on thin columns.",
                     tuple(Reason("coverage", f"{whose} {name} is known for "
                                              f"{percent(share)}") for whose, name, share in thin))


def _of_reading(found: Figures) -> Iterator[Advice]:
    hidden = found["hidden"]
    if "absent" in hidden:
        return
    n = hidden["users"]
    yield Advice("reading", f"Take differences in recall under about {NOISE / sqrt(n):.3f} for noise, until the "
                            "interval that "
                 "`matinee compare` gives says otherwise.", (Reason("hidden", f"{n:,} users are asked"),))
    shift = hidden["popularity"]
    if "absent" not in shift and shift["apart"] > max(SHIFT, SHIFT_BY_CHANCE * shift["by_chance"]):
        rarer = shift["median_hidden"] < shift["median_learnt"]
        yield Advice("reading", f"What is hidden is {'less' if rarer else 'more'} popular than what is learnt from: "
                                "compare models by "
                     "popularity of what they find, and do not carry absolute figures over to another split.",
                     (Reason("hidden", f"{percent(shift['apart'])} of the answers would have to move for the same "
                                       "popularity, "
                             f"by chance {percent(shift['by_chance'])}"),))
