"""Korean ids, titles and genres go from the files to every page, picture and submission as they are."""

from __future__ import annotations

import ast
import csv
import html
import re
from pathlib import Path

import pytest

from matinee.cli.main import main
from matinee.experiment.ledger_agreement import of_file
from matinee.report.data.pictures import bars
from matinee.report.ledger import scatter, write_page
from matinee.tune.sweep import in_words
from tests.docs.pages import blocks_of

HANGUL = re.compile("[가-힣]")
APART = "\u1112\u1161\u11ab글"
"""A syllable in parts (NFD): another id than the one that is whole, however alike they look."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of Korean members and films, run and reported on; the folder of all that came of it."""
    folder = tmp_path_factory.mktemp("한국어 가게")
    maker = next(block.text for block in blocks_of("docs/start/your-own-data.md") if block.language == "python")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(maker, {})
        log = Path("visits.csv").read_text().replace("회원000", APART).replace("영화-000", f"영화-{APART}")
        Path("방문.csv").write_text(log.replace("member,film,watched", "user,item,time"))
        films = Path("films.csv").read_text().replace("영화-000", f"영화-{APART}")
        Path("영화.csv").write_text(films)
        Path("실험.yaml").write_text("""
name: shop
question: 취향이 인기보다 나은가?
data: {path: 방문.csv, side: 영화.csv}
models: [popularity, ease, {model: als, dim: 4, epochs: 2}]
output: {k: 5, submission: uplus, which: [ease]}
""")
        assert main(["run", "실험.yaml", "--quiet"]) == 0
        assert main(["data", "report", "방문.csv", "--side", "영화.csv", "-o", "자료.html", "--quiet"]) == 0
    return folder


def test_the_report_of_a_run_shows_titles_as_they_are(shop: Path) -> None:
    (page,) = shop.glob("runs/shop-*/report.html")
    text = page.read_text(encoding="utf-8")
    assert '<meta charset="utf-8">' in text
    assert "취향이 인기보다 나은가?" in text
    titles = {row["title"] for row in rows_of(shop / "영화.csv")}
    assert len([title for title in titles if title in text]) > 40
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", text.split('id="latent"')[-1])
    assert len(titles & {html.unescape(label) for label in drawn}) > 10, "the map writes titles"
    assert APART in text
    nothing_lost(text)


def test_the_report_of_the_data_shows_genres_in_its_pictures(shop: Path) -> None:
    text = (shop / "자료.html").read_text(encoding="utf-8")
    drawn = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", text))
    assert all(genre in drawn for genre in ("드라마", "코미디", "액션"))
    nothing_lost(text)


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def nothing_lost(text: str) -> None:
    """No letter was replaced or escaped, and pictures hold letters and not the shapes of a font that lacks them."""
    assert "\ufffd" not in text
    assert not re.search(r"\\u[0-9a-f]{4}|&#\d{5};", text)
    assert 'id="DejaVu' not in text
    assert "LastResort" not in text.replace(" ", "")


def test_the_submission_has_every_id_byte_for_byte(shop: Path) -> None:
    (file,) = shop.glob("runs/shop-*/submission/ease.csv")
    rows, known = rows_of(file), rows_of(shop / "방문.csv")
    assert {row["profile_id"] for row in rows} == {row["user"] for row in known}
    listed = [item for row in rows for item in ast.literal_eval(row["predicted_list"])]
    assert set(listed) <= {row["item"] for row in known}
    assert f"영화-{APART}" in listed
    assert any(row["profile_id"] == APART for row in rows)


def test_no_command_warns_of_letters(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = shop.glob("runs/shop-*")
    assert main(["recommend", f"{run}/ease", "--user", APART, "--why", "-k", "2"]) == 0
    told = "".join(capsys.readouterr())
    assert APART in told
    assert "Glyph" not in told
    assert len(HANGUL.findall(told)) > 10


def test_a_korean_label_stands_inside_its_picture() -> None:
    """A wide letter is as wide as high at most; what is left of the axis has to hold them all."""
    label = "로맨틱코미디와가족드라마영화들"
    (place,) = re.findall(rf'x="([\d.]+)"[^>]*>{label}<', bars([label], [0.5]))
    assert float(place) >= 8 * len(label)


def test_the_ledgers_picture_takes_korean_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "팀.csv"
    table.write_text("name,offline,public\n" + "".join(f"모델 {n},{n / 9},{n / 9}\n" for n in range(7)))
    found = of_file(table)
    assert "모델 3" in scatter(found)[0]
    write_page(tmp_path / "장부.html", [found])
    nothing_lost((tmp_path / "장부.html").read_text(encoding="utf-8"))
    assert main(["ledger", "agree", str(table), "--page", str(tmp_path / "again.html")]) == 0
    assert "warning" not in "".join(capsys.readouterr())



def test_values_of_a_sweep_are_told_as_they_are() -> None:
    assert in_words({"data.side": ["영화.csv"], "models.ease.l2": 3}) == 'data.side = ["영화.csv"], ease.l2 = 3'
