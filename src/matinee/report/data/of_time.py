"""The page's part about time: when things happened, and at which hours, days and months people come."""

from __future__ import annotations

from matinee.report.data import pictures
from matinee.report.data.parts import Panel, Section, missing
from matinee.survey.figures import Figures, percent

EVEN = 0.05
"""So little unevenness of a cycle is not worth a word."""
FULL_ROUNDS = 3


def section(found: Figures) -> Section:
    return Section("time", "When things happened", [*_activity(found["activity"]), *_seasons(found["seasons"])])


def _activity(found: Figures) -> list[Panel]:
    if "absent" in found:
        return [missing("activity", "Activity over time", found)]
    unit, peak, day, silence = found["unit"], found["peak"], found["busiest_day"], found["longest_silence"]
    shape = (f"Half of the events had happened by {found['half_before']}, {percent(found['half_at'])} into the time "
             f"covered. The busiest {unit}, from {peak['start']}, holds {percent(peak['share'])}; the busiest day, "
             f"{day['day']}, {day['events']:,} events where a median day with events has {found['median_day']:,.0f}.")
    shape += (f" The newest tenth of the events, which `by_time` tests on, begins {found['newest_tenth_from']} and "
              f"takes up {percent(found['newest_tenth_span'])} of the time.")
    if found["newest_tenth_span"] > 0.5:
        shape += " Nearly all of the log is older than that: what it learns from is a burst at the beginning."
    if silence["days"] > 1:
        shape += f" The longest silence lasts {silence['days']:,} days, from {silence['from']}."
    newcomers = found["new_users_in_last_tenth"]
    people = (f"{percent(newcomers)} of the users came in the last tenth of the time. Where the two lines lie on each "
              "other, people come once and leave; ")
    again = 1 - sum(found["new_users"]) / max(1, sum(found["users"]))
    people += f"here {percent(again)} of all appearances in a {unit} are of people who were there before."
    return [
        Panel("activity", f"Events by {unit}{' (UTC)' if unit == 'hour' else ''}",
              pictures.over_time(found["starts"], {"events": found["events"]}, filled=True), shape),
        Panel("activity-users", f"Active users by {unit}, and those who are new",
              pictures.over_time(found["starts"], {"active": found["users"], "new": found["new_users"]}, filled=True),
              people),
    ]


def _seasons(found: Figures) -> list[Panel]:
    if "absent" in found:
        return [missing("seasons", "Hours, weekdays and months", found)]
    panels = []
    where = f" ({found['zone']})" if found["zone"] else ""
    for name, title, every in (("hour", "Visits by hour of the day", 3), ("weekday", "Visits by day of the week", 1),
                               ("month", "Visits by month", 1)):
        title += where
        cycle, subject = found[name], "seasons" if name == "hour" else f"seasons-{name}"
        if "absent" in cycle:
            panels.append(missing(subject, title, cycle))
            continue
        labels, high = cycle["labels"], cycle["busiest"]
        picture = pictures.columns(labels, cycle["rates"], mark=[labels.index(high["label"])], every=every,
                                   dots=[1 / len(labels)], share=True)
        panels.append(Panel(subject, title, picture, _season(cycle, name)))
    return panels


def _season(cycle: Figures, name: str) -> str:
    high, low = cycle["busiest"], cycle["quietest"]
    first, last = (f"{end['label']}:00" if name == "hour" else end["label"] for end in (high, low))
    said = (f"Busiest {first} with {high['times_even']:.2f} times an even share (dotted), quietest {last} with "
            f"{low['times_even']:.2f} times.")
    if name == "hour":
        said += " A visit is a user in an hour, however much was done in it."
    if cycle["uneven"] < EVEN:
        said += f" To make it even {percent(cycle['uneven'])} of the visits would have to move: not worth a feature."
    elif name == "month" and cycle["rounds"] < FULL_ROUNDS:
        said += (f" The log covers {cycle['rounds']:.1f} years: a single busy stretch looks like a season here, and "
                 "this is no proof of one.")
    elif name == "hour":
        said += " Users of one region would leave a night of a few hours; many regions blur it."
    return said
