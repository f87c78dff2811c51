"""The page's part about items: popularity and its tail, what leaving out rare items costs, genres, eras, coverage."""

from __future__ import annotations

from matinee.report.data import pictures
from matinee.report.data.parts import Panel, Section, Table, missing, shown
from matinee.survey.figures import Figures, counted, percent

MOST_BARS = 18
FEW = 10
FRACTIONS = (0.01, 0.1, 0.5, 0.9)
MOVED = 0.03
"""Points by which a genre must have moved to be worth a word."""


def section(found: Figures) -> Section:
    popular, rows = found["popularity"], found["thresholds"]
    if "absent" in popular:
        return Section("items", "Popularity and its tail", [missing("popularity", "Popularity", popular)])
    panels = [*_popularity(popular), _thresholds(rows)]
    return Section("items", "Popularity and its tail", panels, [_heads(popular), _costs(rows)])


def about(found: Figures) -> Section:
    """What is known of the items."""
    panels = [*_genres(found["genres"]), *_eras(found["eras"])]
    return Section("about", "Genres, eras and side information", panels, [_coverage(found["facts"])])


def _popularity(found: Figures) -> list[Panel]:
    top = found["top"]
    curve = (f"The most popular 1 % of the items hold {percent(top['1'])} of the events, 5 % hold "
             f"{percent(top['5'])}, 10 % {percent(top['10'])} (Gini {found['gini']:.2f}; 0 is even, 1 is all on one). "
             f"Half of everything lies on {found['half_held_by']:,} items, {percent(found['half_held_by_share'])} of "
             "them (red).")
    tail = (f"A median item has {found['median']:,.0f} events, the first {found['ranks']['events'][0]:,}. "
            + _falls(found["ranks"]["rank"], found["ranks"]["events"]))
    if found["items_without_events"]:
        tail += f" {found['items_without_events']:,} items have no event."
    return [
        Panel("popularity", "How unevenly events are spread",
              pictures.lorenz(found["lorenz"]["items"], found["lorenz"]["events"], found["half_held_by_share"]), curve),
        Panel("popularity-ranks", "Events by "
                                  "rank", pictures.ranks(found["ranks"]["rank"], found["ranks"]["events"]), tail),
    ]


def _falls(rank: list[int], events: list[int]) -> str:
    """How the head falls against the tail."""
    places = [min(range(len(rank)), key=lambda place: abs(rank[place] - share * rank[-1])) for share in FRACTIONS]
    at = {share: events[place] for share, place in zip(FRACTIONS, places, strict=True)}
    said = (f"At the first hundredth of the ranks an item has {at[0.01]:,}, at a tenth {at[0.1]:,}, at the half "
            f"{at[0.5]:,}, at nine tenths {at[0.9]:,}: ")
    return said + ("where the line bends down, models have next to nothing to learn from." if at[0.9] < FEW else
                   "even the tail has something to learn from.")


def _heads(found: Figures) -> Table:
    rows = [(shown(head["title"], 60), f"{head['events']:,}", percent(head["users_share"])) for head in found["heads"]]
    first = found["heads"][0]
    return Table("popularity-heads", "The most popular items", ("", "events", "of the users"), rows,
                 f"{shown(first['title'], 60)} was had by {percent(first['users_share'])} of the users: any list that "
                 "ignores taste begins with these.")


def _thresholds(found: Figures) -> Panel:
    rows = found["rows"]
    picture = pictures.curves([row["least"] for row in rows], {
        "items": [row["items_share"] for row in rows], "events": [row["events_share"] for row in rows],
        "users": [row["users_share"] for row in rows]}, "only items with at least so many events")
    cheap = [row for row in rows if row["events_share"] >= 0.95][-1]
    dear = next((row for row in rows if row["events_share"] < 0.5), rows[-1])
    said = (f"With {cheap['least']:,} events or more, {percent(cheap['items_share'])} of the items hold "
            f"{percent(cheap['events_share'])} of the events" if cheap["items_share"] < 1 else
            f"No item has fewer than {cheap['least']:,} events")
    said += (f"; with {dear['least']:,}, {percent(dear['items_share'])} of the items hold "
             f"{percent(dear['events_share'])}, and {percent(dear['users_share'])} of the users still have something. "
             "A list that may not hold the rest can at best find that share of what is to be found.")
    return Panel("thresholds", "What leaving out rare items would cost", picture, said)


def _costs(found: Figures) -> Table:
    rows = [(f"{row['least']:,}", f"{row['items']:,}", percent(row["items_share"]), percent(row["events_share"]),
             percent(row["users_share"]), f"{row['median_history']:,.0f}") for row in found["rows"]]
    columns = ("events at least", "items kept", "of the items", "of the events", "of the users", "median history "
                                                                                                 "left")
    return Table("thresholds-table", "Threshold by threshold", columns, rows,
                 "A user stays who keeps one event; the median is over all users. As `min_item_events` does, once.")


def _genres(found: Figures) -> list[Panel]:
    if "absent" in found:
        return [missing("genres", "Genres", found)]
    rows, what = found["labels"][:MOST_BARS], found["what"]
    likely = [row for row in found["labels"] if row["events_share"] >= 0.01] or found["labels"]
    over, under = max(likely, key=lambda row: row["lift"]), min(likely, key=lambda row: row["lift"])
    said = (f"{shown(rows[0]['label'])} is chosen most ({percent(rows[0]['events_share'])} of the events); the first "
            f"three make {percent(found['first_three_share'])}. An item of {shown(over['label'])} draws "
            f"{over['lift']:.1f} times the events of an average item, one of {shown(under['label'])} "
            f"{under['lift']:.1f} times. An item has {found['labels_an_item']:.1f} labels on average, each counting "
            "for its share.")
    if len(found["labels"]) > MOST_BARS:
        said += f" {len(found['labels']) - MOST_BARS} rarer ones are left out."
    panels = [Panel("genres", f"By {what}: what is chosen and what is there",
                    pictures.bars([shown(row["label"], 18) for row in rows], [row["events_share"] for row in rows],
                                  [row["items_share"] for row in rows], names=("of the events", "of the "
                                                                                                "items")), said)]
    time = found["over_time"]
    if "absent" in time:
        return [*panels, missing("genres-time", f"By {what} over time", time)]
    up, down = time["risen"], time["fallen"]
    moved = (f"From the first to the last quarter of the events {percent(time['first_to_last'])} of the events "
             f"changed their {what}: ")
    if max(up["to"] - up["from"], down["from"] - down["to"]) >= MOVED:
        moved += (f"{shown(up['label'])} rose from {percent(up['from'])} to {percent(up['to'])}, "
                  f"{shown(down['label'])} fell from {percent(down['from'])} to {percent(down['to'])}.")
    else:
        moved += f"no {what} moved by {100 * MOVED:.0f} points: the past still speaks for the present."
    moved += f" The quarters end on {', '.join(time['cuts'])}."
    names = list(time["shares"])[:MOST_BARS]
    picture = pictures.bars([shown(name, 18) for name in names], [time["shares"][name][0] for name in names],
                            [time["shares"][name][-1] for name in names], names=("first quarter", "last quarter"))
    return [*panels, Panel("genres-time", f"By {what}: the first and the last quarter of the events", picture, moved)]


def _eras(found: Figures) -> list[Panel]:
    if "absent" in found:
        return [missing("eras", "Release years", found)]
    events, items = sum(found["events"]), sum(found["items"])
    since, decades = found["since"], [row for row in found["decades"] if row["events"] >= 0.01 * events]
    year = next((year for year in ("2010", "2000", "1990", "1980", "1970") if since[year] >= 0.5), "1970")
    best = max(decades, key=lambda row: row["events_an_item"])
    said = (f"{percent(since[year])} of the events are on items released since {year}, which are "
            f"{percent(found['items_since'][year])} of the items; since 1970 {percent(since['1970'])}. The median "
            f"release is {found['median_year']}. Item for item the {best['decade']}s are chosen most, "
            f"{best['events_an_item']:,.0f} events each.")
    panels = [Panel("eras", "Events and items by release year", pictures.years(found["years"], {
        "of the events": [n / events for n in found["events"]], "of the "
                                                                "items": [n / items for n in found["items"]]}), said)]
    age = found["age"]
    if "absent" in age:
        return [*panels, missing("eras-age", "Age of items when they were chosen", age)]
    total = sum(age["years"].values())
    shares = [count / total for count in age["years"].values()]
    told = (f"{percent(age['within_two_years_share'])} of the events are on items of the same or the past year, "
            f"{percent(age['over_twenty_share'])} on items of twenty years and more; the median age is "
            f"{counted(round(age['median']), 'year')}.")
    if age["years"]["before"]:
        told += f" {age['years']['before']:,} events (red) lie before the year of release: see the checks."
    names = [name if name[0].isalpha() else f"{name} year" if name == "1" else f"{name} years" for name in age["years"]]
    picture = pictures.bars(names, shares, mark=[0], ends=[percent(share) for share in shares])
    return [*panels, Panel("eras-age", "Age of items when they were chosen", picture, told)]


def _coverage(facts: Figures) -> Table:
    rows = [(f"{whose} {shown(name)}", column["kind"], f"{column['rows']:,}", percent(column["share"]),
             percent(column["event_share"]), f"{column['labels']:,}" if "labels" in column else "",
             f"{column['labels_a_row']:.1f}" if "labels" in column else "")
            for whose in ("item", "user") for name, column in facts[f"{whose}_side"].items()]
    columns = ("", "kind", "known", "share", "of the events", "labels", "labels each")
    if not rows:
        return Table("coverage", "Side information", (), (), "Nothing is known of items or users but their ids: "
                                                             "`--side FOLDER` joins "
                     "files of titles, genres and years, and this part then says how much they cover.")
    worst = min((column["share"], f"{whose} {shown(name)}", column["event_share"]) for whose in ("item", "user")
                for name, column in facts[f"{whose}_side"].items())
    if worst[0] == 1:
        said = "Every column is known throughout."
    else:
        share, name, event_share = worst
        said = (f"Least known is {name}: {percent(share)} of the {name.split()[0]}s, which hold "
                f"{percent(event_share)} of the "
                f"events{'; what is unknown is rare' if event_share > share + 0.02 else ''}.")
    return Table("coverage", "Side information: how much of it is known", columns, rows, said)
