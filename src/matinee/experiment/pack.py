"""A run packed to be done again elsewhere, and opened there.

Inside: manifest, the experiment as a file, the run's copies of models from outside and of all other files it names,
item vectors, lists of other runs, the code's commit and uncommitted change, package versions, and the SHA-256 of every
result. The data as it was read, and the split, are inside where asked for; else their hashes and where they came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matinee.errors import ModelError, UsageError
from matinee.experiment import archive
from matinee.experiment.folder import NOTES, RunFolder
from matinee.experiment.material import file_hash
from matinee.experiment.own_copies import INPUTS, OUTSIDE, config_of, models_from_outside, pointed_to
from matinee.experiment.reproduce import RESULTS, results_of

UNPACKED = ".unpacked"
_NEEDED: dict[str, type | tuple[type, ...]] = {
    "run": str, "config": dict, "base": str, "data": dict, "split": dict, "threads": int, "code": dict, "outside": dict,
    "packages": dict, "machine": dict, "shared": dict,
}


def pack(folder: RunFolder, path: Path, *, with_data: bool = False) -> int:
    """Write the archive of a run that is done; the same run is the same bytes. Returns their number.

    Raises ModelError for a run that was stopped before its end.
    """
    if not folder.is_done:
        raise ModelError("not-done", "the run was stopped before its end, so it has no results to come to again",
                         "run the experiment again first; it goes on where it stopped", folder.path)
    manifest = folder.manifest
    entries: dict[str, bytes | Path] = {
        name: folder.path / name for name in ("manifest.json", "metrics.json", "timings.json", NOTES)
        if (folder.path / name).is_file()
    }
    for part in (OUTSIDE, INPUTS, "members", "vectors", *(("dataset", "split") if with_data else ())):
        entries |= {str(file.relative_to(folder.path)): file for file in _files(folder.path / part)}
    packages = sorted(manifest["packages"].items())
    entries |= {
        RESULTS: _json(results_of(folder)),
        "experiment.yaml": _json(_config(folder)),  # JSON is YAML
        "packages.txt": "".join(f"{name}=={version}\n" for name, version in packages).encode(),
        "HOW.md": _how(manifest, with_data).encode(),
    }
    if manifest["code"]["diff"]:
        entries["code.diff"] = manifest["code"]["diff"].encode(errors="surrogateescape")
    for name in entries:
        if not archive.ALLOWED.fullmatch(name):
            raise ModelError("other-layout", f"{name} is none of what a packed run holds", "run the experiment again "
                             "with this version, then pack it", folder.path)
    archive.write(path, entries)
    return path.stat().st_size


def unpacked(path: Path, into: Path, *, trust: bool = False) -> RunFolder:
    """The run in an archive, unpacked below `into`. Raises ModelError for what is no such archive.

    An archive may bring models, and to do the run again is to run their code: UsageError unless `trust`.
    """
    place = into / UNPACKED / file_hash(path)[:16]
    names = archive.unpack(path, place)
    folder = RunFolder(place)
    for needed in ("manifest.json", "metrics.json", "timings.json", RESULTS):
        if needed not in names:
            raise ModelError("bad-archive", f"{needed} is missing", "pack the run anew", path)
    _check_manifest(folder.manifest, names, path)
    brought = models_from_outside(config_of(folder, lambda name: True))
    if brought and not trust:
        shown = ", ".join(f"{OUTSIDE}/{kept['files'][0]}" for kept in folder.manifest["outside"].values())
        raise UsageError("runs-code", f"to do this run again is to run model files it brings: {shown or brought[0]}",
                         f"read them below {place}, then give --trust")
    return folder


def _check_manifest(manifest: dict[str, Any], names: set[str], path: Path) -> None:
    """What is gone by before the experiment is checked key by key."""
    wrong = [key for key, kind in _NEEDED.items() if not isinstance(manifest.get(key), kind)]
    hashes = [manifest[what].get("hash") for what in ("data", "split")] if not wrong else []
    if wrong or not all(isinstance(one, str) for one in hashes) or not 1 <= manifest["threads"] <= 1024:
        raise ModelError("bad-archive", f"its manifest is none ({', '.join(wrong) or 'hashes or threads'})",
                         "pack the run anew", path)
    try:
        kept = [f"{OUTSIDE}/{file}" for one in manifest["outside"].values() for file in one["files"]]
        kept += [f"{INPUTS}/{one['file']}" for one in manifest.get("inputs", {}).values()]
    except (KeyError, TypeError, AttributeError):
        raise ModelError("bad-archive", "its manifest lists files in a way of its own", "pack the run anew",
                         path) from None
    for name in kept:
        if name not in names:
            raise ModelError("bad-archive", f"its manifest names {name!r}, which it does not hold", "pack the run anew",
                             path)


def _config(folder: RunFolder) -> dict[str, Any]:
    """The experiment with paths that count from the archive."""
    manifest = folder.manifest
    copies = {name: f"./{OUTSIDE}/{kept['files'][0]}" for name, kept in manifest["outside"].items()}
    copies |= {text: f"./{INPUTS}/{kept['file']}" for text, kept in manifest.get("inputs", {}).items()}
    return pointed_to(manifest["config"], copies)


def _how(manifest: dict[str, Any], with_data: bool) -> str:
    code, data, settings = manifest["code"], manifest["data"], manifest["config"]["data"]
    lines = [
        f"# {manifest['run']}", "",
        "Do it again with `matinee reproduce ARCHIVE`: every result is compared with `results.json`, bit by bit.", "",
        f"- Code: commit {code['commit'] or 'unknown'}" + (", then `git apply code.diff`" if code["diff"] else "")
        + f"; SHA-256 of the package {code['package']}",
        f"- Python {manifest['machine']['python']}; packages in `packages.txt`; {manifest['threads']} threads",
        f"- Data: {settings['path']}{''.join(f', side {side}' for side in settings['side'])}, "
        f"layout {settings['layout'] or 'told from names and headers'}; "
        f"{data['users']:,} users, {data['items']:,} items, {data['events']:,} events; hash {data['hash']}",
        f"- Split: {manifest['split']['settings']['protocol']}; hash {manifest['split']['hash']}",
        "- The data is inside, as it was read." if with_data
        else "- The data is not inside: give it by `--data PATH` (and `--side PATH`), unless it comes with matinee.",
        *(f"  - {line}" for line in data.get("files", ())),
    ]
    return "\n".join(lines) + "\n"


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
