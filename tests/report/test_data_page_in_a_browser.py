"""The page of a data set in a real browser: nothing refused, nothing wider than a phone, pictures drawn."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from matinee.report.data.page import write_page
from matinee.split import GapAndTail
from matinee.survey.whole import survey
from tests.report.test_data_page import hostile
from tests.survey.logs import dataset, events

MEASURE = """<script>
const boxes = [...document.querySelectorAll("svg")].map(one => one.getBoundingClientRect());
const text = [...document.querySelectorAll("svg text")].map(one => one.getBoundingClientRect().height);
parent.postMessage(JSON.stringify({
  window: innerWidth, wide: document.documentElement.scrollWidth, pictures: boxes.length,
  widest: Math.max(...boxes.map(box => box.right)), flat: boxes.filter(box => box.height < 50).length,
  letters: Math.min(...text.filter(height => height > 0))}), "*");
</script></body>"""
FRAME = """<!doctype html><body><script>
addEventListener("message", event => { document.body.dataset.measured = event.data; });
</script><iframe src="measured.html" style="border: 0; width: %dpx; height: 900px"></iframe></body>"""
"""A window cannot be as narrow as a phone; a frame can."""


def browser(page: Path, folder: Path) -> tuple[str, str]:
    """The document as the browser has it, and what it complained about."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no browser is installed")
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'profile'}",
         "--enable-logging=stderr", "--window-size=1400,900", "--virtual-time-budget=3000", "--dump-dom",
         page.as_uri()],
        capture_output=True, timeout=90, check=True,
    )  # fmt: skip
    complaints = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return done.stdout.decode(), "\n".join(complaints)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for name, data in (("clean", dataset(events(users=150))), ("hostile", hostile())):
        write_page(survey(data, GapAndTail().split(data)), folder / f"{name}.html")
    return folder


@pytest.mark.parametrize("name", ["clean", "hostile"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits(name: str, width: int, written: Path, tmp_path: Path) -> None:
    html = (written / f"{name}.html").read_text()
    open_to_scripts = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", html)
    (tmp_path / "measured.html").write_text(open_to_scripts.replace("</body>", MEASURE))
    (tmp_path / "frame.html").write_text(FRAME % width)
    document, _ = browser(tmp_path / "frame.html", tmp_path)
    (told,) = re.findall(r'data-measured="([^"]*)"', document)
    found: dict[str, Any] = json.loads(told.replace("&quot;", '"'))
    assert found["wide"] <= found["window"] == width
    assert found["widest"] <= found["window"]
    assert found["pictures"] == html.count("<svg") >= 15
    assert found["flat"] == 0
    assert found["letters"] >= 7, "a phone shows letters of seven pixels at least"


def test_the_browser_refuses_nothing_and_runs_nothing(written: Path, tmp_path: Path) -> None:
    document, complaints = browser(written / "hostile.html", tmp_path)
    assert complaints == ""
    assert "<script" not in document
    assert "onerror" not in re.sub(r">[^<]*<", "><", document), "an attribute from the data"
