"""`matinee data embed-titles`: a file with a vector for each item, made of its title or taken from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.reading_data import (
    BadOption,
    EncodingOption,
    LayoutOption,
    MostOption,
    PathArgument,
    RejectsOption,
    SetOption,
    SideOption,
    degraded,
    load,
    settings,
    within,
)
from matinee.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matinee.data.dataset import Dataset


def embed_titles(
    path: PathArgument,
    out: Annotated[Path, typer.Option("--out", help="The file to write, such as titles.parquet.")],
    encoder: Annotated[
        str,
        typer.Option("--encoder", help="tfidf: words and pieces of words, here and now; wordllama: a pretrained model "
                                       "of text; or a file with vectors made elsewhere, a CSV, TSV or Parquet."),
    ] = "tfidf",
    dim: Annotated[
        int | None,
        typer.Option("--dim", min=1, max=4096, help="Numbers a vector; 64 of tfidf, else all that there are."),
    ] = None,
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file where it is there.")] = False,
) -> None:
    """A vector for each item's title, for models that begin at them (init_items, titles).

    Items without a title, or without a row in the file, get none; how many is told.

    matinee data embed-titles data/ml-1m --out titles.parquet
    """
    from matinee.data import item_vectors

    if out.suffix != item_vectors.NATIVE:
        raise UsageError("bad-value", f"--out is {str(out)!r}", f"end the name in {item_vectors.NATIVE}")
    if out.exists() and not overwrite:
        raise UsageError("output-exists", "the file is there already", "choose another, or add --overwrite", out)
    chosen, _ = settings(path, layout, side, encoding, [within("data", text) for text in set_ or ()])
    dataset = load(chosen, bad_rows, max_bad_rows, rejects)
    vectors = _vectors(dataset, encoder, dim)
    there = item_vectors.known(vectors)
    ids = dataset.items.series.filter(there)
    item_vectors.write(out, item_vectors.ItemVectors.of(ids, vectors[there]))
    terminal.say(f"wrote {os.path.relpath(out)}")
    shares = f"{int(there.sum()):,} of {dataset.n_items:,} items, {_share_of_events(dataset, there):.1%} of the events"
    terminal.say(f"{shares}, {vectors.shape[1]} numbers each, by {encoder}")
    if not there.all():
        what = "row in the file" if item_vectors.is_file(encoder) else "title"
        terminal.note(f"note: {int((~there).sum()):,} items have no {what}, such as {_named(dataset, there)}")
    degraded(dataset)


def _vectors(dataset: Dataset, encoder: str, dim: int | None) -> NDArray[np.float32]:
    """(I, D), NaN where there is none."""
    import numpy as np

    from matinee.data import item_vectors
    from matinee.numerics.start_vectors import TITLE_DIM, TITLES, narrowed
    from matinee.numerics.title_vectors import title_vectors

    if encoder == TITLES:
        return title_vectors(dataset.item_features, dim or TITLE_DIM)
    if encoder == "wordllama":
        from matinee.data.sentences import encoded

        vectors = encoded(dataset.item_features)
    elif item_vectors.is_file(encoder) or Path(encoder).is_file():
        vectors = item_vectors.read(encoder).aligned(dataset.items)
    else:
        raise UsageError("unknown-encoder", f"there is no encoder {encoder!r}, nor a file of that name",
                         "tfidf, wordllama, or a file: vectors.csv, .tsv or .parquet")
    if dim is None or vectors.shape[1] <= dim:
        return vectors
    rows = item_vectors.known(vectors)
    out = np.full((len(vectors), dim), np.nan, np.float32)
    out[rows] = narrowed(vectors[rows], dim)
    return out


def _share_of_events(dataset: Dataset, there: NDArray[np.bool_]) -> float:
    return float(there[dataset.log.items].mean()) if len(dataset.log) else 0.0


def _named(dataset: Dataset, there: NDArray[np.bool_]) -> str:
    """The first items without a vector."""
    return ", ".join(repr(raw) for raw in dataset.items.series.filter(~there).head(3).to_list())
