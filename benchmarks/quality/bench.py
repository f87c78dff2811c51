"""What is measured: on each protocol, each model at its defaults and at the settings that its `bench` names.

`bench` in a model's settings file: `recipe` and `source` say where the defaults come from; each further key is a
protocol with an entry, or a list of entries. An entry is one measurement:

    recipe     settings that differ from the defaults; none: the defaults
    weights    a confidence, as in an experiment
    source     where those settings come from
    seeds      of the model, where the protocol's are not enough
    METRIC     a figure to reach: `within` so much on either side, or `at_least`
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import catalog, config
from matinee.config.yaml_file import read

HERE = Path(__file__).parent
METRICS = ("recall@10", "ndcg@10", "hit_rate@10", "recall_all@10", "mrr@10")
ABOUT = ("recipe", "weights", "source", "seeds", "within", "at_least")


@dataclass(frozen=True)
class Bound:
    metric: str
    wanted: float
    within: float | None
    """None: `wanted` is a floor. Else too good is as wrong as too bad: it is another model or another protocol."""

    def reached(self, figure: float) -> bool:
        return figure >= self.wanted if self.within is None else abs(figure - self.wanted) <= self.within + 1e-12

    def __str__(self) -> str:
        return f"{self.metric} " + (f"≥ {self.wanted}" if self.within is None else f"{self.wanted} ± {self.within}")


@dataclass(frozen=True)
class Case:
    """One row of the page."""

    protocol: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the defaults, a confidence under `weights` included."""
    bounds: tuple[Bound, ...] = ()
    source: str = ""
    seeds: tuple[int, ...] = ()
    """Empty: the protocol's."""

    @property
    def name(self) -> str:
        """`ease`, or `item_knn (neighbours 20, shrink 0.0)`: unique within a protocol."""
        return f"{self.model} ({self.shown})" if self.settings else self.model

    @property
    def recipe(self) -> dict[str, Any]:
        """Every hyper-parameter."""
        own = {key: value for key, value in self.settings.items() if key != "weights"}
        return config.parameters(config.recipe(self.model, own))

    @property
    def shown(self) -> str:
        return ", ".join(f"{key} {_plain(value)}" for key, value in self.settings.items())


def protocols() -> dict[str, Any]:
    return dict(read(HERE / "protocols.yaml").content)


def cases(model: str | None = None, protocol: str | None = None) -> list[Case]:
    """Every measurement, by protocol and model. Raises SystemExit for a name that there is not."""
    known = protocols()
    for name, names in ((model, catalog.names()), (protocol, known)):
        if name is not None and name not in names:
            raise SystemExit(f"there is no {name}; known: {', '.join(names)}")
    return [case for place, block in known.items() if protocol in (None, place)
            for name in catalog.names() if model in (None, name)
            for case in of_model(name, place, block)]


def of_model(model: str, protocol: str, block: Mapping[str, Any]) -> list[Case]:
    """The defaults first, then each entry with settings of its own; entries of the same settings are one. Of what takes
    long, its entries alone."""
    bench = read(catalog.settings_file(model)).content.get("bench") or {}
    left_out = block["only_if_named"]
    own = {model, catalog.load(model).family}
    if protocol not in bench and (left_out == "all" or own & set(left_out)):
        return []
    alone = left_out == "all" or (bench.get(protocol) and own & set(block.get("entries_alone", ())))
    found = {} if alone else {"{}": Case(protocol, model)}
    for entry in entries(bench.get(protocol)):
        settings = differing(model, entry)
        key = json.dumps(settings, sort_keys=True)
        before = found.get(key, Case(protocol, model, settings))
        found[key] = Case(protocol, model, settings, before.bounds + tuple(bounds(entry)),
                          entry.get("source") or before.source, tuple(entry.get("seeds") or before.seeds))
    return list(found.values())


def entries(given: Any) -> Sequence[Mapping[str, Any]]:
    """What stands under a protocol's name: nothing, one entry or several."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def bounds(entry: Mapping[str, Any]) -> Iterator[Bound]:
    """Raises ValueError for a key that is neither a metric nor known, and for a figure without a side."""
    for metric, wanted in entry.items():
        if metric in ABOUT:
            continue
        if metric not in METRICS:
            raise ValueError(f"{metric} is not measured; known: {', '.join(METRICS)}")
        if ("within" in entry) == bool(entry.get("at_least")):
            raise ValueError(f"{metric} {wanted}: say either `within` or `at_least: true`")
        yield Bound(metric, float(wanted), entry.get("within"))


def differing(model: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry's recipe has other than the defaults, and its confidence."""
    made = config.parameters(config.recipe(model, entry.get("recipe") or {}))
    defaults = config.parameters(config.recipe(model, {}))
    settings = {key: value for key, value in made.items() if value != defaults[key]}
    return settings | ({"weights": entry["weights"]} if entry.get("weights") else {})


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if not isinstance(value, dict) else " ".join(str(part) for part in value.values())
