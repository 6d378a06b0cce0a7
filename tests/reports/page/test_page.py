"""The whole report from a store: numbers, holes, hostile names, determinism."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Benchmark, Dataset, Sequence
from inmo.errors import UserError
from inmo.harness.store.records import Run
from inmo.harness.store.store import Store, open_store
from inmo.reports.page.page import write_report
from inmo.reports.scoring.stored import evaluate
from tests.reports.example import FRAMES, HOSTILE, example_store, result


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return example_store(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def page(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(store, tmp_path_factory.mktemp("report"), protocols=("clean",), title="A & B")


def test_evaluation_counts_and_times(store: Store) -> None:
    data = evaluate(store, protocols=("otb", "clean")).datasets[0]
    good, fair, _ = data.runs
    assert list(data.scores) == ["pysot", "otb", "clean"]
    assert good.fps == pytest.approx(50.0)
    assert good.timed == 8 * (FRAMES - 6)
    assert (good.results, good.frames, fair.results) == (8, 8 * FRAMES, 7)
    assert [(h.sequence, h.reason) for h in fair.holes] == [("clip1", "it fell over")]
    assert good.provenance["date"] == tuple(f"2024-01-0{i}" for i in range(1, 9))
    assert [s.coverage for s in data.default] == ["8 of 9", "7 of 9", "8 of 9"]


def test_scores_are_those_of_the_boxes(store: Store) -> None:
    data = evaluate(store).datasets[0]
    measures = data.default[0].per_sequence["b&w"]
    overlap = 39 / 41  # one pixel aside on a box 40 wide: above every threshold up to 0.95
    assert overlap > 0.95
    assert measures.success_auc == pytest.approx(20 / 21)
    assert measures.precision_20 == 1.0


def test_holes_are_refused_where_the_whole_is_wanted(store: Store) -> None:
    with pytest.raises(UserError, match=r"2 holes.*gone.*--partial"):
        evaluate(store, partial=False)


def test_unknown_protocol_is_named_before_anything_is_read(store: Store) -> None:
    with pytest.raises(UserError, match=r"unknown protocol 'pysott': did you mean pysot"):
        evaluate(store, protocols=("pysott",))


def test_files_are_written(page: Path) -> None:
    out = page.parent
    tables = {p.name for p in (out / "tables").iterdir()}
    assert {f"{s}.{e}" for s in ("overview", "folder", "folder_sequences", "folder_protocols", "folder_clean")
            for e in ("csv", "tex", "json")} <= tables  # fmt: skip
    figures = {p.name for p in (out / "figures").iterdir()}
    kinds = ("success", "precision", "norm_precision", "distribution", "ranks", "speed")
    assert figures == {f"folder_{k}.{e}" for k in kinds for e in ("svg", "pdf")}
    rows = json.loads((out / "tables" / "folder.json").read_text())["rows"]
    assert [r["tracker"] for r in rows] == ["Good", "Fair & square", HOSTILE]
    assert rows[0]["fps"] == pytest.approx(50.0)
    assert rows[0]["success_auc_interval"][0] < rows[0]["success_auc"] < rows[0]["success_auc_interval"][1]
    linked = re.findall(r'href="((?:tables|figures)/[^"]+)"', page.read_text())
    assert linked
    assert all((out / name).is_file() for name in linked)
    frames = {p.relative_to(out).as_posix() for p in (out / "frames").rglob("*.*")}
    assert frames == {
        f"frames/folder/{name}/{i}.jpg" for name in ("b%26w", *(f"clip{n}" for n in range(1, 8))) for i in range(FRAMES)
    }


def test_every_pair_is_compared_on_the_page_and_in_files(page: Path) -> None:
    tables = page.parent / "tables"
    pairs = json.loads((tables / "folder_pairs.json").read_text())["rows"]
    assert [(r["first"], r["second"], r["sequences"]) for r in pairs] == [
        ("Good", "Fair & square", 7), ("Good", HOSTILE, 8), ("Fair & square", HOSTILE, 7)
    ]  # fmt: skip
    assert [r["better"] for r in pairs] == ["Good", "Good", "Fair & square"]  # off by 1, 6 and 14 pixels
    assert all(r["difference_interval"][0] > 0 and r["p_value"] <= 2 / 2**7 for r in pairs)
    matrix = json.loads((tables / "folder_significance.json").read_text())["rows"]
    assert [(r["tracker"], r["beats"]) for r in matrix] == [("Good", 2), ("Fair & square", 1), (HOSTILE, 0)]
    assert matrix[0][HOSTILE] == -matrix[2]["Good"] == pairs[1]["difference"]
    text = page.read_text()
    assert "<h3>Who is better</h3>" in text and 'id="t-folder-pairs"' in text
    assert "over all 3 pairs together" in text


def test_names_are_text(page: Path) -> None:
    text = page.read_text()
    assert HOSTILE not in text
    assert html.escape(HOSTILE) in text
    assert "<h1>A &amp; B</h1>" in text
    assert "b&amp;w" in text


def test_policy_allows_exactly_our_script_and_style(page: Path) -> None:
    text = page.read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1))  # type: ignore[union-attr]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("script", "style"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "img-src data: 'self'; " in policy
    assert " style=" not in text
    assert not re.search(r'\bon\w+="', text)
    assert not re.search(r'(?:src|href)="(?!#|data:image/jpeg;base64,|tables/|figures/)', text)


def test_page_says_what_a_reader_needs(page: Path) -> None:
    text = html.unescape(page.read_text())
    for words in ("8 of 9", "it fell over", "no folder of this name below the root", "protocol pysot", "000000000000",
                  "2024-01-01", "run of at least 10 frames with overlap 0",
                  "leaving out the initialisation and the five frames after it"):  # fmt: skip
        assert words in text
    assert text.count("data:image/jpeg;base64,") == 15
    assert "best sequence" in text
    assert "worst sequence" in text


def test_a_tracker_has_one_style_on_the_whole_page(page: Path) -> None:
    """The sidebar, the failure browser's rows and the legend of the frames name the same hue and the same dash."""
    text = page.read_text()
    sidebar = re.search(r'<div class="trackers">.*?</div>', text, re.DOTALL).group()  # type: ignore[union-attr]
    styles = re.findall(r'class="curve h(\d) d(\d)"', sidebar)
    assert styles == [("0", "0"), ("1", "1"), ("2", "2")]
    assert re.findall(r'data-hue="(\d)" data-dash="(\d)"', text) == styles
    frames = re.search(r'<ul class="frame-legend">.*?</ul>', text, re.DOTALL).group()  # type: ignore[union-attr]
    assert re.findall(r'<g class="i(\d)"><rect class="case"[^>]*><rect class="line d(\d)"', frames) == styles
    assert frames.index('<g class="truth">') < frames.index("ground truth") < frames.index('<g class="i0">')


def test_same_store_same_bytes(store: Store, page: Path, tmp_path: Path) -> None:
    again = write_report(store, tmp_path, protocols=("clean",), title="A & B")
    assert again.read_bytes() == page.read_bytes()
    for path in sorted(page.parent.rglob("*.*")):
        assert (tmp_path / path.relative_to(page.parent)).read_bytes() == path.read_bytes(), path


def test_without_images_the_page_says_so(tmp_path: Path) -> None:
    text = write_report(example_store(tmp_path, sequences=2, images=False), tmp_path / "out").read_text()
    assert "The images are not there" in text
    assert "data:image/jpeg" not in text
    assert "no interval: 2 sequences are too few (at least 6)" in text


def test_first_only_is_tracked_not_scored_and_the_server_is_quoted(tmp_path: Path) -> None:
    boxes = np.array([[1.0, 2, 30, 40], *[[np.nan] * 4] * 9])
    store = open_store(tmp_path / "store", write=True)
    facts = Benchmark("trackingnet", "TrackingNet", lambda *_: None, 0, "trackingnet-devkit", ground_truth="first")  # type: ignore[arg-type,return-value]
    sequence = Sequence("trackingnet", "-x", lambda: Annotation(boxes), first_only=True)
    store.put_dataset(Dataset(facts, "trackingnet", "/nowhere", (sequence,)), ("-x",))
    store.put_sequence("trackingnet", sequence, Annotation(boxes))
    run = Run("kcf", "KCF", "a" * 12)
    store.put_run("trackingnet", run)
    store.put_result("trackingnet", run, "-x", result(Annotation(np.ones((10, 4))), 1.0, 0))
    data = evaluate(store).datasets[0]
    assert data.unscored == ("-x",)
    assert data.default[0].mean.success_auc is None
    assert "only the first frames of TrackingNet are public" in data.default[0].reason
    said = {"source": "the server", "protocol": "trackingnet-devkit", "coverage": "1 of 1", "success": 0.4321}
    store.put_server_score("trackingnet", run, said)
    text = write_report(store, tmp_path / "out").read_text()
    assert "Scores of the server" in text
    assert "43.2" in text
    assert "can be exported for the benchmark" in text


def test_a_folder_that_cannot_be_written_is_one_sentence(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write the report to .*choose another --out"):
        write_report(store, tmp_path / "file" / "out")


def test_a_page_in_one_file_needs_nothing_beside_it(store: Store, page: Path, tmp_path: Path) -> None:
    alone = write_report(store, tmp_path / "out", protocols=("clean",), title="A & B", single_file=True)
    assert [path.name for path in alone.parent.iterdir()] == ["index.html"]
    text, whole = alone.read_text(), page.read_text()
    assert not re.search(r'(?:src|href)="(?!#|data:image/jpeg;base64,)', text)
    traces = [json.loads(t) for t in re.findall(r'class="trace"[^>]*>(.*?)</script>', text)]
    linked = [json.loads(t) for t in re.findall(r'class="trace"[^>]*>(.*?)</script>', whole)]
    assert len(traces) == len(linked) == 8
    for one, other in zip(traces, linked, strict=True):
        assert one["keys"] == other["keys"] and one["images"]["boxes"] == other["images"]["boxes"]  # all have room
        first = base64.b64decode(one["images"]["inline"][0].removeprefix("data:image/jpeg;base64,"))
        name = other["images"]["link"].rpartition("/")[2].replace("%25", "%")
        assert first == (page.parent / "frames" / "folder" / name / f"{one['keys'][0]}.jpg").read_bytes()
        assert "inline" not in other["images"]
    assert "Who is better" in text and text.count("data:image/jpeg;base64,") == 15 + 8 * FRAMES


def test_success_per_attribute_is_on_the_page_and_in_files(tmp_path: Path) -> None:
    codes = {"EASY": "Easy to see", "HARD": "Hard <to> see", "NONE": "Nowhere"}
    facts = Benchmark("x", "X", lambda *_: None, 0, "otb", attributes=codes)  # type: ignore[arg-type,return-value]
    annotation = Annotation(np.tile([20.0, 20, 40, 30], (10, 1)))
    sequences = [
        Sequence("x", f"s{i}", lambda: annotation, attributes=("EASY",) if i < 6 else ("HARD",)) for i in range(8)
    ]
    store = open_store(tmp_path / "store", write=True)
    store.put_dataset(Dataset(facts, "x", "/nowhere", tuple(sequences)), tuple(s.name for s in sequences))
    for number, name in enumerate(("Near", "Far")):
        run = Run(f"t{number}", name, f"{number}" * 12)
        store.put_run("x", run)
        for i, sequence in enumerate(sequences):
            store.put_sequence("x", sequence, annotation)
            if (name, i) != ("Far", 7):
                store.put_result("x", run, sequence.name, result(annotation, 4.0 + 8 * number, 3 * i))
    data = evaluate(store).datasets[0]
    assert data.attribute_counts == {"EASY": 6, "HARD": 2}
    assert [list(score.per_sequence) for score in data.by_attribute["HARD"]] == [["s6", "s7"], ["s6"]]
    own = [data.default[0].per_sequence[name].success_auc for name in ("s6", "s7")]
    assert data.attributes["Near"]["HARD"] == pytest.approx(np.mean(np.array(own, float)))
    text = write_report(store, tmp_path / "out").read_text()
    folded = text[text.index("<summary>Success plots of 2 attributes") :]
    assert folded.index("Hard &lt;to&gt; see, HARD (2 sequences)") < folded.index("Easy to see, EASY (6 sequences)")
    assert "<span>Far <small>1 of 2</small></span>" in folded and folded.count("Near</span>") >= 2
    figures = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"x_attributes", "x_success_EASY"} <= figures
    assert "x_success_HARD" not in figures  # two sequences have no figure of their own
