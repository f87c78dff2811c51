"""The page of a data set: one file, readable offline, made from what the survey found and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from matinee import durable
from matinee.errors import printable_lines
from matinee.report.data import of_items, of_split, of_time, of_users
from matinee.report.page import rendered
from matinee.survey.figures import Figures, percent

LEVELS = {"alarm": "alarm", "look": "look at it", "design": "by design of the split", "clean": "nothing found",
          "unchecked": "not checked"}
GROUPS = {"data": "First", "split": "For the split", "models": "For the choice of models", "reading": "When "
                                                                                                      "reading "
                                                                                                      "figures"}


def write_page(found: Figures, path: Path) -> None:
    """Write the page of what `survey` found."""
    shown = rendered("data/page.html", content(found), {"code": _code, "sentence": _sentence})
    durable.write_text(path, shown)


def content(found: Figures) -> dict[str, Any]:
    """Everything that the template shows."""
    found = printed(found)
    facts = found["facts"]
    sections = [of_time.section(found), of_users.section(found), of_items.section(found), of_items.about(found),
                of_split.section(found)] if facts["events"] else []
    groups = [(title, [one for one in found["advice"] if one["about"] == about]) for about, title in GROUPS.items()]
    findings = sorted(found["findings"], key=lambda one: list(LEVELS).index(one["level"]))
    return {
        "facts": facts,
        "percent": percent,
        "summary": summary(found),
        "split": None if "absent" in found["hidden"] else found["hidden"],
        "advice": [(title, rows) for title, rows in groups if rows],
        "titles": titles(sections),
        "sections": sections,
        "findings": findings,
        "levels": LEVELS,
        "counts": {level: sum(one["level"] == level for one in findings) for level in LEVELS},
        "notes": [line for line in facts["warnings"] if "ids of" in line or "column" in line],
    }


def printed(found: Any) -> Any:
    """The same figures, control characters escaped in every text of them, names from the data included."""
    if isinstance(found, str):
        return printable_lines(found)
    if isinstance(found, list):
        return [printed(one) for one in found]
    return {printed(name): printed(one) for name, one in found.items()} if isinstance(found, dict) else found


def titles(sections: list[Any]) -> dict[str, str]:
    """What an anchor is called in a reason."""
    named = {part.subject: part.title for section in sections for part in (*section.panels, *section.tables)}
    return {"findings": "Checks", **named}


def summary(found: Figures) -> str:
    """The data in a few sentences."""
    facts = found["facts"]
    if not facts["events"]:
        return "There are no events."
    said = [f"{facts['events']:,} events of {facts['users']:,} users on {facts['items']:,} items."]
    active = found["activity"]
    if "absent" not in active:
        said.append(f"They run from {active['first']} to {active['last']}; half of them lie before "
                    f"{active['half_before']}.")
    else:
        said.append(f"Nothing can be said of when: {active['absent']}.")
    history, popular = found["histories"], found["popularity"]
    said.append(f"Half of the users have {history['median']:,.0f} events or fewer, and the most popular 10 % of the "
                f"items hold {percent(popular['top']['10'])} of the events.")
    quick = found["sittings"].get("within_one_day_share")
    if quick:
        said.append(f"{percent(quick)} of the users with several events did everything within one day.")
    return " ".join(said)


def _code(text: str) -> Markup:
    """Escaped, with words between backticks as code, and no line that begins with a percent sign."""
    whole = str(escape(text)).replace(" %", "&nbsp;%")
    parts = whole.split("`")
    if len(parts) % 2 == 0:
        return Markup(whole)
    return Markup("".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts)))


def _sentence(text: str) -> str:
    """With a capital letter, unless it begins with a name in backticks, and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
