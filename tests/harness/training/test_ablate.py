"""From data to a rendered table with trackers of a few thousand parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.training.ablate import Trained, ablate, row_config, summarise, training_key
from inmo.harness.training.config import TrainConfig, load_config
from inmo.reports.scoring.score import Measures
from inmo.trackers.families.ablations import TABLES
from tests.harness.training.tiny import TINY


def write_config(path: Path, photos: Path, steps: int = 2) -> Path:
    values = {
        "tracker": "transinmo-star",
        "settings": TINY["transinmo-star"],
        "objective": "small",
        "schedule": "small",
        "steps": steps,
        "batch": 4,
        "data": {"augmentation": "small", "sources": [{"name": "photos", "root": str(photos)}]},
    }
    path.write_text(yaml.safe_dump(values))
    return path


def measures(**aucs: float) -> dict[str, Measures]:
    return {name: Measures(success_auc=auc, precision_20=auc / 2) for name, auc in aucs.items()}


def test_from_data_to_table(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = write_config(tmp_path / "c.yaml", photos), tmp_path / "out"
    words = {"out": out, "datasets": [f"folder={clips}"], "seeds": (0, 1), "rows": ("wp", "wp-tca"), "device": "cpu"}
    assert ablate("table4", config, **words) == 0  # type: ignore[arg-type]
    first = (out / "table4.md").read_text()
    assert "8 pairs" in first
    content = json.loads((out / "table4.json").read_text())
    assert [row["row"] for row in content["rows"]] == ["wp", "wp-tca"]
    assert all(row["seeds"] == 2 for row in content["rows"]) and "3 sequences" in content["caption"]
    assert content["rows"][1]["to_last"] == 0

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("what is done is not trained again")

    monkeypatch.setattr("inmo.harness.training.ablate.run_training", refuse)
    assert ablate("table4", config, **words) == 0  # type: ignore[arg-type]
    assert (out / "table4.md").read_text() == first


def test_rows_differ_in_their_settings_alone(photos: Path, tmp_path: Path) -> None:
    base = load_config(write_config(tmp_path / "c.yaml", photos))
    rows = {row: row_config(base, "table5", row, 3) for row in TABLES["table5"]}
    assert rows["dw"].tracker == "transinmo"
    assert rows["transt-2"].settings["encoder_layers"] == 2
    assert len({config.identity() for config in rows.values()}) == 6
    for config in rows.values():
        assert (config.data, config.steps, config.batch, config.seed) == (base.data, base.steps, base.batch, 3)


def test_the_table_by_hand(tmp_path: Path) -> None:
    done = [
        Trained("wp", 0, tmp_path, measures(a=0.2, b=0.4)),
        Trained("wp", 1, tmp_path, measures(a=0.4, b=0.6, c=0.9)),  # c is not everywhere: it does not count
        Trained("wp-tca", 0, tmp_path, measures(a=0.5, b=0.5, c=0.1)),
    ]
    base = TrainConfig("transinmo-star", schedule="small", steps=10, batch=4)
    made = summarise("table4", done, base)
    first, last = (dict(zip([c.key for c in made.columns], row, strict=True)) for row in made.rows)
    assert first["auc"].number == pytest.approx(0.4)
    assert first["seed_deviation"].number == pytest.approx(0.2 / 2**0.5)
    assert first["to_last"].number == pytest.approx(-0.1)
    assert (last["seed_deviation"].value, last["auc"].interval) == (None, None)  # too few sequences for an interval
    text = made.render("md")
    assert "| wp | 40.0 |  | 20.0 | 2 | 14.1 | -10.0 |" in text and "| wp-tca | 50.0 |  | 25.0 | 1 |  | 0.0 |" in text
    assert "table4, 2 sequences, every row trained on 40 pairs" in text and "2 sequences are too few" in text


def test_the_key_of_a_training_is_what_decides_it(photos: Path, tmp_path: Path) -> None:
    base = load_config(write_config(tmp_path / "c.yaml", photos))
    layers = TINY["transinmo-star"]["encoder_layers"]
    full, same = row_config(base, "table4", "wp-tca", 0), row_config(base, "table5", f"transt-{layers}", 0)
    assert training_key(full) == training_key(same)  # spelled differently, the same training
    others = [row_config(base, "table4", "wp", 0), row_config(base, "table4", "wp-tca", 1), replace(full, steps=3)]
    assert len({training_key(full), *map(training_key, others)}) == 4


def test_unknown_rows_and_nothing_to_measure_are_refused(photos: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", photos)
    for words, message in (
        ({"table": "table6"}, "did you mean"),
        ({"table": "table4", "rows": ("wpp",)}, "did you mean wp"),
        ({"table": "table4"}, "a dataset to measure"),
    ):
        with pytest.raises(UserError, match=message):
            ablate(words.pop("table"), config, out=tmp_path / "o", **words)  # type: ignore[arg-type]


@pytest.mark.slow
def test_table4_from_the_command_line(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder of photographs and clips to the rendered table, with the shipped config of the nano preset."""
    sources = f"[{{name: photos, root: '{photos}'}}]"
    words = ["--set", f"data.sources={sources}", "--set", f"validation.sources={sources}"]
    words += ["--set", "data.cache=64", "--set", f"data.cache_dir={tmp_path / 'pairs'}", "--set", "validation.pairs=16"]
    words += ["--dataset", f"folder={clips}", "--out", str(tmp_path / "out"), "--device", "cpu", "--jobs", "1"]
    command = ["ablate", "table4", "--preset", "nano", "--steps", "50", *words]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown == (tmp_path / "out" / "table4.md").read_text()
    assert "400 pairs" in shown  # 50 steps of 8
    content = json.loads((tmp_path / "out" / "table4.json").read_text())
    assert [row["row"] for row in content["rows"]] == list(TABLES["table4"])
    for row in content["rows"]:
        assert f"| {row['row']} |" in shown
        assert row["seeds"] == 1 and 0 <= row["auc"] <= 1
    weights = list((tmp_path / "out" / "trainings").glob("*/weights.safetensors"))
    assert len({path.read_bytes() for path in weights}) == 4
    assert len(list((tmp_path / "pairs").iterdir())) == 1  # one cache: the same pairs for every row
    assert main(command) == 0  # again: nothing is left to train, the table is the same
    assert capsys.readouterr().out == shown
