"""The page's part about people: how much they did, over how long, in which order, and whether their tastes last."""

from __future__ import annotations

from matinee.report.data import pictures
from matinee.report.data.parts import Panel, Section, missing, shown
from matinee.survey.figures import Figures, percent
from matinee.survey.taste import LEAST_EVENTS

ROUND = 0.05


def section(found: Figures) -> Section:
    panels = [_histories(found), _sittings(found["sittings"]), _ties(found["ties"]), *_taste(found["taste"])]
    return Section("people", "People and their histories", panels)


def _histories(all_: Figures) -> Panel:
    found = all_["histories"]
    if "absent" in found:
        return missing("histories", "Lengths of histories", found)
    short = found["shorter_than"]
    said = (f"Half of the users have {found['median']:,.0f} events or fewer, the mean is {found['mean']:,.1f}, from "
            f"{found['shortest']:,} to {found['longest']:,}. The busiest tenth of the users holds "
            f"{percent(found['busiest_tenth_share'])} of the events. {percent(all_['facts']['pairs']['density'])} of "
            "all pairs of user and item are known.")
    again = all_["facts"]["pairs"]["repeated_share"]
    said += f" {percent(again)} of the events repeat a pair." if again else ""
    if short["10"]:
        said += f" {percent(short['5'])} have fewer than 5 events, {percent(short['10'])} fewer than 10."
    elif found["shortest"] > 1:
        said += f" Nobody has fewer than {found['shortest']:,}: whoever made the data left such users out."
    if found["users_without_events"]:
        said += f" {found['users_without_events']:,} users have no event at all and are not drawn."
    picture = pictures.histogram(found["edges"], found["counts"], middle=found["median"], xlabel="events a user")
    return Panel("histories", "Lengths of histories", picture, said)


def _sittings(found: Figures) -> Panel:
    title = "From a user's first event to the last"
    if "absent" in found:
        return missing("sittings", title, found)
    names, counts = list(found["spans"]), list(found["spans"].values())
    quick = found["within_one_day_share"]
    said = f"{percent(quick)} of the users with several events did everything within one day (red). "
    if quick:
        said += (f"They hold {percent(found['within_one_day_events_share'])} of the events, half of them "
                 f"{found['median_events_within_one_day']:,.0f} or fewer; the others "
                 f"{found['median_events_others']:,.0f}. Hardly anybody watches that much in a day: such a history is "
                 "a list of memories, and its order is that of a page."
                 if found["median_events_within_one_day"] >= 20 else
                 f"They hold {percent(found['within_one_day_events_share'])} of the events.")
    said += (f" By {found['sessions_by']} there are {found['sessions']:,} sessions; "
             f"{percent(found['one_session_share'])} of these users have a single one.")
    quick_bars = [at for at, name in enumerate(names) if name in {"one second", "an hour", "a day"}]
    labels = [f"under {name}" if name != "longer" else name for name in names]
    picture = pictures.bars(labels, counts, mark=quick_bars, share=False,
                            ends=[percent(count / found["users"]) for count in counts])
    return Panel("sittings", title, picture, said)


def _ties(found: Figures) -> Panel:
    title = "Events that share their moment with others of the same user"
    if "absent" in found:
        return missing("ties", title, found)
    events, unsure = sum(found["groups"].values()), found["newest_unsure_share"]
    said = (f"{percent(found['tied_share'])} of the events share their second with another of the same user, up to "
            f"{found['largest']:,} of them; {percent(found['steps_without_order_share'])} of the steps from one event "
            f"to the next have no order but the file's. {percent(unsure)} of the users share the moment of their "
            "newest event with the one before: ")
    said += ("for them `leave_last` hides an item by chance of the file." if unsure else
             "`leave_last` hides what was truly the newest.")
    if found["resolution"] != "seconds":
        said += f" All times are whole {found['resolution']}: finer order is not known."
    labels = ["alone", *(f"{name} at once" for name in list(found["groups"])[1:])]
    picture = pictures.bars(labels, [count / events for count in found["groups"].values()], mark=range(1, len(labels)),
                            ends=[percent(count / events) for count in found["groups"].values()])
    return Panel("ties", title, picture, said)


def _taste(found: Figures) -> list[Panel]:
    if "absent" in found:
        return [missing("taste", "Do tastes last?", found)]
    panels = []
    for name, subject, title in (("genres", "taste", "Do tastes last? By {what}"),
                                 ("decades", "taste-decades", "Do tastes last? By {what}")):
        one = found[name]
        if "absent" in one:
            panels.append(missing(subject, title.format(what=name), one))
            continue
        panels.append(Panel(subject, title.format(what=one["what"]), lasting_picture(one), _lasting(one)))
    return panels


def lasting_picture(one: Figures) -> str:
    """Of one kind of label: likeness of early and late halves, of halves by lot, and of strangers."""
    counts = one["counts"]
    return pictures.distributions(one["edges"], {"early and late half": counts["early_late"],
                                                 "two halves by lot": counts["shuffled"],
                                                 "two users": counts["strangers"]})


def _lasting(one: Figures) -> str:
    said = (f"Of {one['users']:,} users with {LEAST_EVENTS} events and more: the early and the late half have "
            f"{percent(one['early_late'])} in common; halves drawn by lot, as if nothing changed, "
            f"{percent(one['shuffled'])}; the halves of two different users {percent(one['strangers'])}. ")
    lasting = one["lasting"]
    if lasting is None:
        return said + f"Two halves of one history are no more alike than two: {one['what']}s do not tell people apart."
    said += f"So {percent(max(0.0, lasting))} of a personal taste lasts from the early to the late half"
    quick, others = one["lasting_within_one_day"], one["lasting_others"]
    if quick is not None and others is not None:
        said += f" ({percent(max(0.0, quick))} within one day, {percent(max(0.0, others))} over longer)"
        if quick < others + ROUND and quick < 1 - 2 * ROUND:
            said += (". That it is no more where all was done in one day shows the order of a page, and not of a "
                     "life changing"
                     if lasting < 0.6 else "")
    toward, away = one["toward"], one["away_from"]
    if toward["change"] >= 0.005 or away["change"] <= -0.005:
        said += (f". On the whole late halves have more {shown(toward['label'])} ({100 * toward['change']:+.1f} "
                 f"points) and less {shown(away['label'])} ({100 * away['change']:+.1f})")
    return said + "."
