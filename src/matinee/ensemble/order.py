"""In which order ensembles can be made: members first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from matinee.errors import ModelError, nearest


def order(entries: Mapping[str, Sequence[str]], known: Collection[str] = ()) -> list[str]:
    """The ids of `entries` so that each comes after its members; `known` are members that need nothing themselves.

    The order is that of `entries` wherever members allow it. Raises ModelError, naming the chain, where an ensemble is
    a member of itself or a member is nowhere.
    """
    done: list[str] = []

    def visit(id_: str, chain: tuple[str, ...]) -> None:
        if id_ in done:
            return
        chain = (*chain, id_)
        if id_ in chain[:-1]:
            circle = " -> ".join(chain[chain.index(id_) :])
            raise ModelError("cycle", f"an ensemble is a member of itself: {circle}", "take one of these members out")
        if id_ not in entries:
            if id_ in known:
                return
            way = nearest(id_, [*entries, *known])
            raise ModelError("no-member", f"there is no {id_!r}: {' -> '.join(chain)}", way)
        for member in entries[id_]:
            visit(member, chain)
        done.append(id_)

    for id_ in entries:
        visit(id_, ())
    return done
