"""What is not as it was when a run was made: code, files, packages, threads, machine; in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from matinee.experiment import fingerprint
from matinee.experiment.folder import RunFolder
from matinee.experiment.own_copies import changed_since, copies_of
from matinee.nn import processes

MOST_NAMED = 8


def surroundings(folder: RunFolder) -> Iterator[str]:
    """A line for each difference between the manifest and now; data and split are compared where they are read."""
    manifest = folder.manifest
    yield from _code(manifest["code"], fingerprint.code_state())
    yield from _project(manifest)
    for name in copies_of(folder):
        if became := changed_since(folder, name):
            said = "is gone from where it was" if became == "gone" else "has changed since"
            yield f"{name}: the file {said}; the run's own copy is used"
    yield from _packages(manifest["packages"], fingerprint.versions())
    yield from _machine(manifest)


def _code(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if then["package"] == now["package"]:
        return
    yield f"code: package {then['package'][:12]} then, {now['package'][:12]} now"
    if "files" in then:
        names = sorted(then["files"].keys() | now["files"].keys())
        apart = [name for name in names if then["files"].get(name) != now["files"].get(name)]
        if apart:
            yield f"code: {_listed(apart)} of the package differ"
    if then["commit"] != now["commit"]:
        yield f"code: commit {then['commit']} then, {now['commit']} now"
    if then["diff"] != now["diff"]:
        changes = [f"{'with' if one['diff'] else 'without'} uncommitted changes {when}"
                   for one, when in ((then, "then"), (now, "now"))]
        yield f"code: {', '.join(changes)}; the manifest keeps those of then"


def _project(manifest: Mapping[str, Any]) -> Iterator[str]:
    then, now = manifest.get("project"), fingerprint.checkout(Path(manifest["base"]))
    if then and now and then["commit"] != now["commit"]:
        yield f"folder of the experiment: commit {then['commit'][:12]} then, {now['commit'][:12]} now"


def _packages(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    apart = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    for name in apart:
        if name in fingerprint.COMPUTING:
            yield f"{name}: {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
    others = [f"{name} {then.get(name, 'absent')} -> {now.get(name, 'absent')}" for name in apart
              if name not in fingerprint.COMPUTING]
    if others:
        yield f"packages that compute nothing: {_listed(others)}"


def _machine(manifest: Mapping[str, Any]) -> Iterator[str]:
    then, now = manifest["machine"], fingerprint.machine()
    if manifest.get("processes", 1) != processes.count():
        yield f"processes: {manifest.get('processes', 1)} then, {processes.count()} now"
    if manifest["threads"] > (now["cores"] or 1):
        yield f"threads: {manifest['threads']} then, {now['cores']} cores now"
    for name in ("python", "processor"):
        if then[name] != now[name]:
            yield f"{name}: {then[name]} then, {now[name]} now"
    before, after = _kernels(manifest.get("thread_pools", ())), _kernels(fingerprint.thread_pools())
    for api in before.keys() & after.keys():
        if before[api] != after[api]:
            yield f"{api}: kernels for {', '.join(before[api])} then, for {', '.join(after[api])} now"


def _kernels(pools: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Per BLAS the processors that its kernels are for: other ones, other last bits. Its version is a package's."""
    found: dict[str, set[str]] = {}
    for pool in pools:
        if pool["architecture"]:
            found.setdefault(pool["internal_api"], set()).add(pool["architecture"])
    return {api: sorted(names) for api, names in sorted(found.items())}


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
