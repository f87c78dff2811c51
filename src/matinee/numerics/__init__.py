"""Array routines, compiled by numba where profiling asked for it; never torch.

numba keeps a compiled kernel until the file that it stands in changes, and does not see that a routine which the
kernel took in from another file has changed. So kernels compiled from other sources than these are thrown away
when the package is imported: an update never runs half the old code.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

STAMP = "kernels.sha256"


def forget_stale_kernels(folder: Path) -> None:
    """Delete numba's files beside the sources in `folder` unless they were compiled from these very sources.

    Where the folder cannot be written, numba cannot have kept anything in it either.
    """
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):
        digest.update(source.read_bytes())
    kept = folder / "__pycache__"
    stamp = kept / STAMP
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return
    with contextlib.suppress(OSError):
        for kernel in kept.glob("*.nb[ci]"):
            kernel.unlink(missing_ok=True)
        kept.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())


forget_stale_kernels(Path(__file__).parent)
