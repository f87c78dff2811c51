"""Write the README's picture from a finished run: python scripts/make_picture.py runs/demo-1a2b3c4d"""

from __future__ import annotations

import sys
from pathlib import Path

from matinee import durable
from matinee.experiment.folder import RunFolder
from matinee.report.run import Page

TARGET = Path(__file__).parents[1] / "docs" / "pictures" / "leaderboard.svg"


def main() -> None:
    picture = str(Page(RunFolder.open(Path(sys.argv[1]))).content()["leaderboard"])
    style = "<style>svg { background: white; font-family: system-ui, sans-serif; }</style>"
    opening, rest = picture.split(">", 1)
    durable.write_text(TARGET, f"{opening}>{style}{rest}")


if __name__ == "__main__":
    main()
