"""The page's part about what is hidden: how it differs from what is learnt from, and what other splits would hide."""

from __future__ import annotations

from typing import Any

from matinee.report.data import pictures
from matinee.report.data.parts import Panel, Section, Table, missing, shown
from matinee.survey.figures import Figures, counted, percent

SHARES = ("users_new_share", "cold_share", "older_than_own_share", "learnt_after_median_hidden_share",
          "popularity_apart")
SLIGHT, LARGE = 0.01, 0.05
"""Shifts under the first and over the second need no weighing."""


def section(found: Figures) -> Section:
    hidden = found["hidden"]
    title = "What is hidden, against what is learnt from"
    tables = [] if "rows" not in found["protocols"] else [_protocols(found["protocols"])]
    if "absent" in hidden:
        return Section("hidden", title, [missing("hidden", "The hidden part", hidden)], tables)
    return Section("hidden", title, [_popularity(hidden), *_labels(hidden)], [_facts(hidden), *tables])


def _chance(shift: Figures) -> str:
    apart, chance = shift["apart"], shift["by_chance"]
    said = f"{percent(apart)} of the answers would have to move to match, by chance {percent(chance)}"
    if apart < max(SLIGHT, 1.5 * chance):
        return said + ": no shift to speak of."
    return said + (": a small shift." if apart < LARGE else ": a shift that changes what models are good at.")


def _popularity(hidden: Figures) -> Panel:
    title, shift = "Popularity of what is hidden", hidden["popularity"]
    if "absent" in shift:
        return missing("hidden", title, shift)
    labels = [str(at + 1) for at in range(10)] + ["new"]
    head, tail, new = shift["hidden"][0], sum(shift["hidden"][5:10]), shift["hidden"][10]
    said = (f"{hidden['users']:,} users are asked for {hidden['hidden']:,} items. Items stand in tenths by "
            "popularity: each tenth holds about a tenth of what is learnt from (dots), so a bar above its dot is a "
            f"surplus. The {shift['items'][0]:,} most popular items make {percent(head)} of the answers, the rarer "
            f"half {percent(tail)}, items never learnt from {percent(new)}. ")
    said += _chance(shift).replace("to match", "for the same popularity")
    picture = pictures.columns(labels, shift["hidden"], mark=[10], dots=shift["learnt"], share=True,
                               ylabel="of the answers")
    return Panel("hidden", title, picture, said)


def _labels(hidden: Figures) -> list[Panel]:
    panels = []
    for name in ("genres", "decades"):
        shift, subject = hidden[name], f"hidden-{name}"
        if "absent" in shift:
            panels.append(missing(subject, f"{name.capitalize()} of what is hidden", shift))
            continue
        moved, first = shift["moved"], shift["moved"][0]
        said = (f"{_chance(shift)} The largest difference: {shown(first['label'])}, {percent(first['learnt'])} of "
                f"what is learnt from and {percent(first['hidden'])} of what is hidden.")
        picture = pictures.bars([shown(row["label"], 18) for row in moved], [row["learnt"] for row in moved],
                                [row["hidden"] for row in moved], names=("learnt from", "hidden"))
        panels.append(Panel(subject, f"By {shift['what']}: the largest differences", picture, said))
    return panels


def _facts(hidden: Figures) -> Table:
    settings, times = hidden["settings"], hidden["times"]
    rows = [("protocol", str(settings["protocol"]))]
    rows += [(shown(key), _plain(value)) for key, value in settings.items() if key != "protocol" and value is not None]
    rows += [(f"{name}: users asked, items hidden", f"{part['users']:,}, {part['hidden']:,}")
             for name, part in hidden["parts"].items()]
    cold = f"{percent(hidden['cold_share'])} ({counted(hidden['cold_items'], 'item')})"
    rows += [
        ("hidden items a user", f"{hidden['hidden_a_user']:.1f}"),
        ("events learnt from", f"{hidden['fit_events']:,}"),
        ("answers without an event to learn from", cold),
        ("answers outside the catalogue", f"{hidden['outside_catalogue']:,}"),
        ("users asked who are new", percent(hidden["users_new_share"])),
        ("answers given away in the history", f"{hidden['in_history']:,}"),
    ]
    if "absent" not in times:
        rows += [
            ("median day: learnt from, hidden", f"{times['median_learnt']}, {times['median_hidden']}"),
            ("hidden, older than the user's newest known", percent(times["older_than_own_share"])),
            ("learnt from, younger than half of the hidden", percent(times["learnt_after_median_hidden_share"])),
            ("hidden, younger than all that is learnt from", percent(times["hidden_after_all_learnt_share"])),
        ]
    return Table("hidden-facts", "The split in figures", ("", ""), rows, _when(times))


def _when(times: Figures) -> str:
    if "absent" in times:
        return f"Nothing about times: {times['absent']}."
    after = times["learnt_after_median_hidden_share"]
    if times["hidden_after_all_learnt_share"] == 1:
        return "Everything that is learnt from came before what is hidden: figures say something about the future."
    return (f"{percent(after)} of what is learnt from is younger than half of what is hidden: figures compare models "
            "on this log and say little about a future that nobody has seen.")


def _plain(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else shown(str(value))


def _protocols(found: Figures) -> Table:
    columns = ("", "users asked", "items hidden", "users new", "items new", "older than own newest", "learnt later",
               "popularity apart")
    rows, notes = [], []
    for name, row in found["rows"].items():
        if "absent" in row:
            rows.append((name, *[""] * 7))
            notes.append(f"{name} cannot be used: {row['absent']}.")
            continue
        shares = [row[key] for key in SHARES]
        rows.append((name, f"{row['users']:,}", f"{row['hidden']:,}",
                     *("" if share is None else percent(share) for share in shares)))
    said = ["At their default settings" + (f", on {found['users']:,} users drawn from "
                                           "all." if found["sampled"] else ".")]
    time = found["rows"]["by_time"]
    if "absent" not in time:
        said.append(f"by_time asks {time['users']:,} of {found['users']:,} users; {percent(time['users_new_share'])} "
                    f"of the users asked are new and {percent(time['cold_share'])} of what is hidden was never seen "
                    "before.")
    said.append("Older than own newest: hidden in the middle of a history. Learnt later: of what is learnt from, "
                "younger than half of what is hidden. Popularity apart: the share of the answers that would have to "
                "move.")
    return Table("protocols", "What each way of splitting would hide here", columns, rows, " ".join([*said, *notes]))
