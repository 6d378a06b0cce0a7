"""The benchmark's own arithmetic and words. What it measures is for people: nothing here looks at a clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.bench import compare
from inmo.harness.bench.cases import make_case, parse_case
from inmo.harness.bench.ceiling import Ceiling
from inmo.harness.bench.clips import HEIGHT, TARGET, WIDTH, make_films
from inmo.harness.bench.compare import Timing, ratio_of, time_in_turn
from inmo.harness.bench.parts import STATUS, Watch, forget_peak, peak_bytes
from inmo.harness.bench.timing_tables import ceilings_text, ratios_text, timings_text
from inmo.harness.cli import main
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.setup import Setup, configure
from inmo.trackers import tracker

SIAMCAR = ("bench", "--tracker", "siamcar", "--preset", "nano")
NANO = {"preset": "nano", "allow_random_weights": "true"}


def siamcar(settings: Mapping[str, str]) -> Setup:
    return configure("siamcar", {**NANO, **settings})


def timing(case: str, milliseconds: tuple[float, ...], network: float = 1.0) -> Timing:
    return Timing(
        "T", case, "run", 2, milliseconds, {"network": network, "wait": 0.5}, 3 << 20, 4_000_000, first=1.5,
        products=(2.0,) * len(milliseconds),
    )  # fmt: skip


def test_a_case_in_words() -> None:
    assert parse_case("lanes=8, precision=bf16") == {"lanes": "8", "precision": "bf16"}
    case = make_case("lanes=3,precision=bf16", 1, siamcar)
    assert (case.lanes, case.ahead, case.setup.config.precision) == (3, True, "bf16")
    assert make_case("", 1, siamcar).ahead is False
    assert make_case("ahead=true", 1, siamcar).ahead is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lanes", "name=value"),
        ("lanes=some", "from 1 up"),
        ("lanes=0", "from 1 up"),
        ("ahead=maybe", "true or false"),
        ("lanes=2,ahead=false", "always read ahead"),
        ("precison=bf16", "precision"),
    ],
)
def test_words_that_are_no_case(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_case(text, 1, siamcar)


def test_medians_shares_and_ratios_by_hand() -> None:
    first, second = timing("a", (8.0, 4.0, 12.0)), timing("b", (2.0, 2.0, 3.0))
    assert first.median == 8.0
    assert first.computing == 1.0 / 8.0
    ratio = ratio_of(first, second)
    assert ratio.rounds == (4.0, 2.0, 4.0)
    assert ratios_text([ratio]) == "T, run: (b) is 4.00 times as fast as (a), 2.00 to 4.00 in 3 rounds"
    # 4e6 multiply-adds in 8 ms are 0.5 GMAC/s, a quarter of 2
    text = timings_text([first])
    assert text.splitlines()[1].split() == [
        "T", "a", "run", "2", "8.00", "4.00..12.00", "125.0", "-", "-", "0.50", "-", "-", "1.00", "-", "12.5%", "3",
        "1.5", "25%",
    ]  # fmt: skip
    assert ceilings_text({"fp32": Ceiling("fp32", 2.0, 1.0)}) == (
        "fp32: a matrix product makes 2 GMAC/s, a copy 1.0 GB/s"
    )


def test_a_machine_that_slows_down_lowers_the_ceiling_with_the_network() -> None:
    # 4e6 multiply-adds in 1 ms are 4 GMAC/s: half of 8, as 0.4 GMAC/s in 10 ms are half of 0.8; then a quarter of 0.8
    uneven = replace(timing("a", (1.0, 10.0, 20.0)), products=(8.0, 0.8, 0.8))
    assert uneven.of_ceiling == pytest.approx(0.5)
    assert replace(uneven, macs=None, products=()).of_ceiling is None


def test_the_product_is_timed_after_each_round_in_the_cases_own_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def product(device: torch.device, precision: str) -> float:
        asked.append(f"{device} {precision}")
        return float(len(asked))

    monkeypatch.setattr(compare, "product_gmacs", product)
    cases = [make_case(text, 1, siamcar) for text in ("precision=fp32", "precision=bf16")]
    plain, half = time_in_turn(cases, "network", [], steps=1, rounds=2, device="cpu")
    assert asked == ["cpu fp32", "cpu bf16"] * 2
    assert (plain.products, half.products) == ((1.0, 3.0), (2.0, 4.0))
    kcf = make_case("", 1, lambda settings: configure("kcf", settings))
    (classical,) = time_in_turn([kcf], "tracker", [], steps=1, rounds=1, device="cpu")
    assert classical.products == () and len(asked) == 4


def test_films_have_the_size_of_benchmarks_and_cost_one_decoding_a_frame(tmp_path: Path) -> None:
    (film,) = make_films(tmp_path, 1, 11)
    annotation, frames = film.open()
    assert len(annotation) == len(frames) == 11
    assert frames.read(10).shape == (HEIGHT, WIDTH, 3)
    assert (annotation.boxes == np.array(TARGET)).all()
    result = track_sequence(
        tracker("constant").build(tracker("constant").config, "cpu"), film.sequence, annotation, frames
    )
    assert (result.boxes == np.array(TARGET)).all()


@pytest.mark.parametrize("text", ["lanes=1", "ahead=true", "lanes=2"])
def test_every_frame_of_every_film_is_run(tmp_path: Path, text: str) -> None:
    films = make_films(tmp_path, 2, 4)
    (found,) = time_in_turn([make_case(text, 1, siamcar)], "run", films, steps=1, rounds=2, device="cpu")
    assert len(found.milliseconds) == 2
    assert found.parts.keys() == {"read", "decode", "wait", "init", "pre", "network", "post"}
    assert all(value > 0 for value in found.parts.values())
    assert found.computing is not None and 0 < found.computing < 1
    assert found.macs is not None and found.macs > 1e6


def test_scopes_do_less_the_narrower_they_are(tmp_path: Path) -> None:
    cases = [make_case("lanes=3", 1, siamcar)]
    (network,) = time_in_turn(cases, "network", [], steps=2, rounds=1, device="cpu")
    (step,) = time_in_turn(cases, "tracker", [], steps=2, rounds=1, device="cpu")
    assert network.parts.keys() == {"network"}
    assert step.parts.keys() == {"pre", "network", "post"}
    with pytest.raises(UserError, match="KCF has no network"):
        time_in_turn(
            [make_case("", 1, lambda settings: configure("kcf", settings))],
            "network",
            [],
            steps=1,
            rounds=1,
            device="cpu",
        )


@pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell a process's peak memory")
def test_memory_is_that_of_the_time_since() -> None:
    large = np.ones(200 << 20, np.uint8)
    del large
    forget_peak()
    before = peak_bytes()
    large = np.ones(120 << 20, np.uint8)
    assert 110 << 20 < peak_bytes() - before < 150 << 20
    del large


def test_a_watch_sums() -> None:
    watch = Watch()
    watch.add({"a": 1.0})
    watch.add({"a": 0.5, "b": 2.0})
    assert dict(watch.seconds) == {"a": 1.5, "b": 2.0}


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SIAMCAR, "--frames", "2", "--rounds", "2", "--scope", "tracker"]
    out = tmp_path / "deep" / "b.json"
    assert main([*words, "--compare", "lanes=1", "lanes=2,precision=bf16", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "(lanes=2,precision=bf16) is" in text and "times as fast as (lanes=1)" in text
    assert "bf16: a matrix product makes" in text
    kept = json.loads(out.read_text())
    assert [one["case"] for one in kept["timings"]] == ["lanes=1", "lanes=2,precision=bf16"]
    assert len(kept["ratios"][0]["rounds"]) == 2
    assert {ceiling["precision"] for ceiling in kept["ceilings"]} == {"fp32", "bf16"}
    assert kept["machine"]["cores"] and kept["versions"]["torch"] and kept["date"]


def test_trackers_without_a_network_are_timed_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--tracker", "mosse", "--frames", "3", "--rounds", "1"]) == 0
    rows = [line.split()[2] for line in capsys.readouterr().out.splitlines() if line.startswith("MOSSE")]
    assert rows == ["tracker", "run"]
    assert main(["bench", "--tracker", "mosse", "--lanes", "2"]) == 2
    assert "has no network" in capsys.readouterr().err


def test_a_preset_stands_beside_trackers_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SIAMCAR, "--tracker", "kcf", "--scope", "tracker", "--frames", "1", "--rounds", "1"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "SiamCAR" in said and "KCF" in said


def test_profile_names_operations(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SIAMCAR, "--frames", "1", "--rounds", "1", "--scope", "network"]
    assert main([*words, "--profile"]) == 0
    assert "aten::" in capsys.readouterr().out
