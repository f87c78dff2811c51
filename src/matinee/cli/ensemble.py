"""`matinee ensemble`: combine stored lists; nothing is fitted again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.options import RUNS, LedgerFile, Runs
from matinee.errors import UsageError

app = typer.Typer(add_completion=False)


@app.command()
def ensemble(
    run: Annotated[str, typer.Argument(help="The run whose members are combined; the new run is beside it.")],
    members: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of its entries, RUN/ID of others on the same split, or CSV files."),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="hard_vote, weighted_vote, rank_sum, half_and_half, reciprocal_rank, segments or score_blend.",
        ),
    ] = "rank_sum",
    weights: Annotated[str | None, typer.Option("--weights", help="`tuned`, or one number a member: 2,1,1")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A key of the method: --set depth=50")] = None,
    from_ledger: Annotated[
        str | None, typer.Option("--from-ledger", help="Or the best submissions of the ledger: top:5")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="Best by the public score, or offline by the first metric on test.")
    ] = "public",
    ledger: LedgerFile = None,
    id_: Annotated[str, typer.Option("--id", help="The name of the new entry.")] = "ensemble",
    runs: Runs = RUNS,
) -> None:
    """Add an ensemble to a run's experiment. Every model of it is found again, so only the ensemble is computed.

    matinee ensemble demo-1a2b3c4d ease als --method rank_sum --set depth=30
    matinee ensemble demo-1a2b3c4d --from-ledger top:5 --by public
    """
    from matinee.cli.run import carry_out
    from matinee.config import experiment_from, overridden
    from matinee.experiment.folder import find
    from matinee.experiment.own_copies import still_here

    if bool(members) == bool(from_ledger):
        raise UsageError("which-members", "an ensemble is of named members or of a ledger's best",
                         "give members, or --from-ledger")
    folder, _ = find(run, runs)
    config = still_here(folder)
    own = {entry["id"] for entry in (*config["models"], *config["ensembles"])}
    entry = {
        "id": id_,
        "method": method,
        "members": [
            name if name in own else {"file": str(Path(name).resolve())} if name.endswith(".csv") else {"run": name}
            for name in members or ()
        ]
        or {"from_ledger": from_ledger, "by": by, "ledger": str(ledger.resolve()) if ledger else None},
        "weights": weights if weights in (None, "tuned") else [float(part) for part in str(weights).split(",")],
    }
    config["ensembles"] = [*config["ensembles"], entry]
    config["output"] = {**config["output"], "which": [*config["output"]["which"], id_]}
    changed = overridden(config, [f"ensembles.{id_}.{text}" for text in set_ or ()])
    # With other threads nothing would be found again, and every network would learn anew.
    carry_out(experiment_from(changed, Path(folder.manifest["base"])), runs, threads=int(folder.manifest["threads"]))
