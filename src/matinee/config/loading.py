"""A YAML file, or a mapping, to an `Experiment`; everything that can be known to be wrong is refused here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from annotated_types import Ge, Le

from matinee import catalog
from matinee.config.deciding import check_deciding
from matinee.config.expectation import checked_expectation
from matinee.config.experiment import (
    CandidateSettings,
    DataSettings,
    EnsembleEntry,
    EvaluateSettings,
    Experiment,
    FromLedger,
    Member,
    ModelEntry,
    OutputSettings,
    TrackingSettings,
)
from matinee.config.naming import experiment_name
from matinee.config.overrides import NAMED_BY, apply
from matinee.config.search import spaces_of
from matinee.config.tuning import as_overrides, sweep_settings, tune_settings
from matinee.config.typed import At, build, convert, keys, keys_of_named, named, recipe_of, shown
from matinee.config.yaml_file import Document, read
from matinee.contract import Recommender
from matinee.data.confidence import CONFIDENCES, Confidence
from matinee.ensemble import METHODS
from matinee.ensemble.method import ListMethod
from matinee.ensemble.score_blend import ScoreBlend
from matinee.errors import ConfigError, MatineeError, UsageError, nearest
from matinee.evaluation.names import parse, require_depth
from matinee.evaluation.segments import require
from matinee.features.fitted import require_apart
from matinee.features.registry import feature
from matinee.ranking.filters import FILTERS
from matinee.ranking.lists import DEPTH
from matinee.scoring.store import checked_name
from matinee.split import PROTOCOLS

T = TypeVar("T")

_SECTIONS = ("name", "seed", "question", "expect", "conclusion", "data", "split", "evaluate", "filters", "models",
             "ensembles", "output", "tracking", "tune", "sweep")
_BESIDE_A_RECIPE = ("id", "model", "weights", "features", "candidates")
_BESIDE_A_METHOD = ("id", "method", "members", "weights")
_WEIGHTS = tuple[Annotated[float, Ge(0), Le(1e9)], ...]


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a YAML file, with overrides such as `models.ease.l2=300` put in.

    Raises ConfigError, with line and column, for anything that is unknown, missing, of the wrong type, out of
    its range, or impossible together.
    """
    return _experiment(At(apply(read(path), overrides), path.parent))


def experiment_from(mapping: Mapping[str, Any], base: Path) -> Experiment:
    """The same from plain values; paths count from `base`. Raises ConfigError, as `load_experiment` without lines."""
    return _experiment(At(Document(mapping), base))


def overridden(mapping: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of an experiment's plain values with overrides such as `models.ease.l2=300` put in. Raises ConfigError."""
    return dict(apply(Document(dict(mapping)), overrides).content)


def recipe(name: str, params: Mapping[str, Any], beside: Path | None = None) -> Recommender:
    """The recipe of the model called `name` with these hyper-parameters. Raises ConfigError.

    `beside` is the folder that a path such as `./my_model.py` counts from.
    """
    return recipe_of(name, params, At(Document(params), beside or Path.cwd()), _BESIDE_A_RECIPE)


def _experiment(at: At) -> Experiment:
    given = keys(at.document.content, _SECTIONS, at, needed=("name", "data"))
    hints = get_type_hints(Experiment, include_extras=True)
    plain = {name: convert(hints[name], given[name], at / name) for name in _SECTIONS[:5] if name in given}
    plain["name"] = _named_well(plain["name"], at / "name", experiment_name)
    models = _entries(given, "models", at, _model)
    ensembles = _entries(given, "ensembles", at, _ensemble)
    _check_ids(models, ensembles, at)
    experiment = Experiment(
        **plain,
        data=_data(given["data"], at / "data"),
        split=named(PROTOCOLS, "protocol", _or(given, "split", "gap_and_tail"), at / "split"),
        evaluate=build(EvaluateSettings, _or(given, "evaluate", {}), at / "evaluate"),
        filters=_entries(given, "filters", at, lambda one, spot: named(FILTERS, "kind", one, spot)),
        models=models,
        ensembles=ensembles,
        output=build(OutputSettings, _or(given, "output", {}), at / "output"),
        tracking=build(TrackingSettings, _or(given, "tracking", {}), at / "tracking"),
        tune=tune_settings(_or(given, "tune", {}), at / "tune"),
        sweep=sweep_settings(_or(given, "sweep", {}), at / "sweep"),
        base=at.base,
    )
    _check_names(experiment, at)
    _check_tune(experiment, at / "tune")
    _check_sweep(experiment, at)
    return experiment


def _data(given: Any, at: At) -> DataSettings:
    if isinstance(given, Mapping) and isinstance(given.get("side"), str | None):  # null is none, a text is one folder
        given = {**given, "side": [given["side"]] if given.get("side") is not None else []}
    return build(DataSettings, given, at)


def _or(given: Mapping[str, Any], name: str, default: Any) -> Any:
    """A section that is absent, or left empty, is its default."""
    return default if given.get(name) is None else given[name]


def _entries(given: Mapping[str, Any], name: str, at: At, one: Callable[[Any, At], T]) -> tuple[T, ...]:
    entries, spot = _or(given, name, []), at / name
    if not isinstance(entries, list | tuple):
        what = f"{shown(entries, spot)} stands where a list is expected"
        raise spot.error("wrong-type", what, "begin each entry with '-'")
    return tuple(one(entry, spot / number) for number, entry in enumerate(entries))


def _model(given: Any, at: At) -> ModelEntry:
    given = keys_of_named(NAMED_BY["models"], given, at)
    model = convert(str, given["model"], at / "model")
    params = {key: value for key, value in given.items() if key not in _BESIDE_A_RECIPE}
    made = recipe_of(model, params, at, _BESIDE_A_RECIPE)
    weights: Confidence | None = None
    if given.get("weights") is not None:
        weights = named(CONFIDENCES, NAMED_BY["weights"], given["weights"], at / "weights")
        if not made.honours_weights or made.learns_candidates:
            told = " of candidates" if made.honours_weights else ""
            raise (at / "weights").error("weights-ignored", f"{model} does not honour confidence weights{told}",
                                         "leave `weights` out for this model")
    features = _features(model, made, _or(given, "features", []), at / "features")
    candidates = _candidates(model, made, given.get("candidates"), at / "candidates")
    default = PurePosixPath(model).stem if catalog.is_path(model) else model
    return ModelEntry(id=_id(given, default, at), model=model, recipe=made, weights=weights, features=features,
                      candidates=candidates)


def _candidates(model: str, recipe: Recommender, given: Any, at: At) -> CandidateSettings | None:
    if given is not None and not (recipe.learns_candidates or recipe.reranks):
        raise at.error("candidates-ignored", f"{model} does not re-rank candidates",
                       "leave `candidates` out for this model")
    if given is None and recipe.learns_candidates:
        raise at.error("no-candidates", f"{model} orders what other models find, and none is named",
                       "add `candidates: {from: [ID, ID], depth: 100}`, ids of models of this experiment")
    if given is None:
        return None
    checked = keys(given, ("from", "depth", "users"), at, needed=("from",))
    return build(CandidateSettings, {"sources" if key == "from" else key: value for key, value in checked.items()}, at)


def _features(model: str, recipe: Recommender, given: Any, at: At) -> tuple[str, ...]:
    """Names of features that there are, each once, of a scope that the model reads."""
    names: tuple[str, ...] = convert(tuple[str, ...], given, at)
    if names and not recipe.honours_features:
        raise at.error("features-ignored", f"{model} does not learn from features",
                       "leave `features` out for this model")
    _each_once(names, at, lambda name: feature(name) if recipe.reads_pairs else require_apart([name], model))
    return names


def _ensemble(given: Any, at: At) -> EnsembleEntry:
    key = NAMED_BY["ensembles"]
    given = keys_of_named(key, given, at)
    method = named(METHODS, key, given, at, aside=_BESIDE_A_METHOD)
    best = _from_ledger(given["members"], at / "members") if isinstance(given.get("members"), Mapping) else None
    members = () if best else _entries(given, "members", at, _member)
    if best and isinstance(method, ScoreBlend):
        raise (at / "members").error("no-scores", "a ledger has lists and no scores to blend",
                                     "combine lists by rank_sum or a vote")
    count = best.top if best else len(members)
    if not count:
        raise at.error("missing-key", "an ensemble needs members", "list at least one under `members`")
    for number, member in enumerate(members):
        if member in members[:number] and not (isinstance(method, ListMethod) and method.takes_repeats):
            spot = at / "members" / number
            raise spot.error("duplicate-name", "this member is given twice", "give it a larger weight")
    if isinstance(method, ListMethod) and method.exactly not in (None, count):
        what = f"{given[key]} has {count} members"
        raise (at / "members").error("member-count", what, f"it combines exactly {method.exactly}")
    weights = _weights(given, count, at)
    if weights is not None and isinstance(method, ListMethod) and not method.takes_weights:
        what = f"{given[key]} counts all members alike"
        raise (at / "weights").error("weights-refused", what, "leave `weights` out, or use weighted_vote")
    id_ = _id(given, given[key], at)
    return EnsembleEntry(id=id_, method=given[key], recipe=method, members=members, from_ledger=best, weights=weights)


def _from_ledger(given: Any, at: At) -> FromLedger:
    checked = keys(given, ("from_ledger", "by", "ledger"), at, needed=("from_ledger",))
    how, spot = convert(str, checked.pop("from_ledger"), at / "from_ledger"), at / "from_ledger"
    word, _, number = how.partition(":")
    if word != "top" or not number.isascii() or not number.isdecimal():
        raise spot.error("unknown-value", f"{shown(how, spot)} is not known", "such as top:5")
    return build(FromLedger, {**checked, "top": int(number)}, at)


def _weights(given: Mapping[str, Any], members: int, at: At) -> tuple[float, ...] | Literal["tuned"] | None:
    weights, spot = given.get("weights"), at / "weights"
    if weights is None or weights == "tuned":
        return weights
    if not isinstance(weights, list | tuple):
        raise spot.error("wrong-type", f"{shown(weights, spot)} is refused", "must be a list of numbers >= 0, or tuned")
    checked: tuple[float, ...] = convert(_WEIGHTS, weights, spot)
    if len(checked) != members:
        raise spot.error("bad-weights", f"{len(checked)} weights for {members} members", "give one weight a member")
    if not sum(checked) > 0:
        raise spot.error("bad-weights", "the weights sum to 0", "give at least one member a weight above 0")
    return checked


def _member(given: Any, at: At) -> Member:
    if isinstance(given, str):
        return Member(id=given)
    checked = keys(given, ("run", "file"), at)
    if len(checked) != 1:
        raise at.error("bad-member", "a member is an id, {run: RUN/ID} or {file: PATH}", "give exactly one of them")
    (key, value), = checked.items()
    text = convert(str, value, at / key)
    if key == "file":
        return Member(file=text)
    run, _, id_ = text.rpartition("/")
    if not run or not id_:
        raise (at / key).error("bad-member", f"{shown(text, at)} is not RUN/ID", "such as movierec-1a2b3c4d/ease")
    return Member(run=text)


def _id(given: Mapping[str, Any], default: str, at: At) -> str:
    spot = at / "id" if "id" in given else at
    return _named_well(convert(str, given.get("id", default), spot), spot, checked_name)


def _named_well(name: str, at: At, checked: Callable[[str], str]) -> str:
    try:
        return checked(name)
    except UsageError as error:
        raise at.placed(error) from None


def _check_ids(models: Sequence[ModelEntry], ensembles: Sequence[EnsembleEntry], at: At) -> None:
    """Ids are unique, members are known, and no ensemble is a member of itself, however far down."""
    if not models and not ensembles:
        raise at.error("missing-key", "there is no model and no ensemble", "list at least one under `models`")
    spots: dict[str, At] = {}
    placed = [(entry.id, at / "models" / number) for number, entry in enumerate(models)]
    placed += [(entry.id, at / "ensembles" / number) for number, entry in enumerate(ensembles)]
    for id_, spot in placed:
        if id_ in spots:
            what = f"the id {id_!r} is that of {spots[id_]} too"
            raise spot.error("duplicate-id", what, "give one of them an `id`")
        spots[id_] = spot
    for number, model in enumerate(models):
        _check_sources(model, models, at / "models" / number / "candidates" / "from")
    for one in ensembles:
        for number, member in enumerate(one.members):
            _check_member(one, member, [model.id for model in models], spots, spots[one.id] / "members" / number)
    try:
        TopologicalSorter({one.id: [member.id for member in one.members if member.id] for one in ensembles}).prepare()
    except CycleError as error:
        chain = list(reversed(error.args[1]))
        what = f"an ensemble is a member of itself: {' -> '.join(chain)}"
        raise spots[chain[0]].error("cycle", what, "break the chain") from None


def _check_sources(model: ModelEntry, models: Sequence[ModelEntry], at: At) -> None:
    """First-stage models are models of this experiment, each once, and no second stages."""
    first = {one.id for one in models if one.candidates is None}
    sources = model.candidates.sources if model.candidates else ()
    for number, source in enumerate(sources):
        if source not in first:
            what = f"no model of this experiment that scores by itself has the id {source!r}"
            raise (at / number).error("unknown-member", what, nearest(source, first))
        if source in sources[:number]:
            raise (at / number).error("duplicate-name", f"{source!r} is given twice", "keep one of them")


def _check_member(one: EnsembleEntry, member: Member, models: Sequence[str], known: Collection[str], at: At) -> None:
    if member.id is not None and member.id not in known:
        raise at.error("unknown-member", f"no model or ensemble has the id {member.id!r}", nearest(member.id, known))
    if isinstance(one.recipe, ScoreBlend) and member.id not in models:
        what = "only a model of this experiment has scores to blend"
        raise at.error("no-scores", what, "combine lists by rank_sum or a vote")


def _check_names(experiment: Experiment, at: At) -> None:
    """Metrics no deeper than lists are stored, segments; what is expected and submissions of entries that there are."""
    known = [*(model.id for model in experiment.models), *(one.id for one in experiment.ensembles)]
    evaluate = experiment.evaluate
    _each_once(evaluate.metrics, at / "evaluate" / "metrics", lambda name: require_depth([parse(name)], DEPTH))
    check_deciding(experiment, at / "evaluate" / "metrics")
    _each_once(evaluate.segments, at / "evaluate" / "segments", require)
    _check_expectation(experiment.expect or "", known, at / "expect")
    _each_once(experiment.output.which, at / "output" / "which", lambda name: _require_id(name, known))


def _check_expectation(text: str, known: Sequence[str], at: At) -> None:
    try:
        stated = checked_expectation(text)
        for id_ in stated.pair if stated else ():
            _require_id(id_, known)
    except ConfigError as error:
        raise at.placed(error) from None


def _check_tune(experiment: Experiment, at: At) -> None:
    """Models that there are, and that can be searched as is asked."""
    entries = {entry.id: entry for entry in experiment.models}
    _each_once(experiment.tune.models, at / "models", lambda id_: _require_id(id_, list(entries)))
    for id_, changes in experiment.tune.search.items():
        if id_ not in entries:
            what = f"no model has the id {id_!r}"
            raise (at / "search" / id_).error("unknown-id", what, nearest(id_, entries), of_key=True)
        spaces_of(entries[id_], at.base, changes, at / "search" / id_)


def _check_sweep(experiment: Experiment, at: At) -> None:
    """Each value alone makes an experiment."""
    plain = Document({key: value for key, value in at.document.content.items() if key != "sweep"})
    for key, values in experiment.sweep.items():
        for number, value in enumerate(values):
            try:
                _experiment(At(apply(plain, as_overrides({key: value})), at.base))
            except MatineeError as error:
                raise (at / "sweep" / key / number).placed(error) from None


def _each_once(names: Sequence[str], at: At, check: Callable[[str], object]) -> None:
    for number, name in enumerate(names):
        try:
            check(name)
        except MatineeError as error:
            raise (at / number).placed(error) from None
        if name in names[:number]:
            raise (at / number).error("duplicate-name", f"{name!r} is given twice", "keep one of them")


def _require_id(id_: str, known: Sequence[str]) -> None:
    if id_ not in known:
        raise ConfigError("unknown-id", f"no model or ensemble has the id {id_!r}", nearest(id_, known))
