"""Words on the command line become datasets and frozen configs, or one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.harness.run.setup import _typed, configure, open_datasets, parse_dataset, parse_overrides
from inmo.trackers.base import config_hash


def test_dataset_arguments() -> None:
    assert parse_dataset("otb100=/data/a=b").root == "/data/a=b"
    named = parse_dataset("folder:mine=/clips")
    assert (named.name, named.label, named.root) == ("folder", "mine", "/clips")


@pytest.mark.parametrize(
    ("text", "message"),
    [("otb10=/x", "did you mean otb100"), ("lasso=/x", "did you mean lasot"), ("zzz=/x", "known: ")],
)
def test_a_misspelt_dataset_gets_a_suggestion(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_dataset(text)


def test_two_datasets_of_one_label_are_refused(clips: Path) -> None:
    with pytest.raises(UserError, match="two datasets are called 'folder'"):
        open_datasets([f"folder={clips}", f"folder={clips}"])
    assert [d.label for d in open_datasets([f"folder={clips}", f"folder:b={clips}"])] == ["folder", "b"]


def test_the_user_config_file_gives_roots(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    monkeypatch.setenv("INMO_CONFIG", str(path))
    path.write_text(f"datasets: {{folder: {clips}}}\n")
    assert len(open_datasets(["folder"])[0].sequences) == 3
    with pytest.raises(UserError, match=r"no root is known for lasot.*config\.yaml"):
        open_datasets(["lasot"])
    path.write_text("datasets: {foldr: /x}\n")
    with pytest.raises(UserError, match=r"config\.yaml.*did you mean folder"):
        open_datasets(["folder"])
    path.write_text("datasets: [1, 2]\n")
    with pytest.raises(UserError, match="must hold 'datasets:'"):
        open_datasets(["folder"])
    path.write_text("datasets: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(UserError, match="cannot read the config file"):
        open_datasets(["folder"])


def test_settings_enter_the_hash_and_misspelt_ones_do_not() -> None:
    plain, seeded = configure("kcf", {}), configure("kcf", {"seed": "7"})
    assert seeded.config.seed == 7
    assert config_hash("kcf", plain.config) != config_hash("kcf", seeded.config)
    with pytest.raises(UserError, match="did you mean seed"):
        configure("kcf", {"sead": "7"})
    with pytest.raises(UserError, match="not a value of kind int"):
        configure("kcf", {"seed": "many"})
    with pytest.raises(UserError, match="takes no --weights"):
        configure("kcf", {}, {"weights": "x.pth"})
    with pytest.raises(UserError, match="did you mean kcf"):
        configure("kfc", {})


def test_the_content_of_a_weights_file_is_hashed_not_its_name(tmp_path: Path) -> None:
    for name, data in (("a.onnx", b"1"), ("b.onnx", b"1"), ("c.onnx", b"2")):
        (tmp_path / name).write_bytes(data)
    hashes = [
        config_hash("vit", configure("vit", {}, {"weights": str(tmp_path / n)}).config)
        for n in ("a.onnx", "b.onnx", "c.onnx")
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_values_by_kind() -> None:
    assert _typed("t", "k", "1", float) == 1.0
    assert _typed("t", "k", "null", float | None) is None
    assert _typed("t", "k", "[1, 2]", tuple[int, ...]) == (1, 2)
    assert _typed("t", "k", "[true, false]", bool | tuple[bool, ...]) == (True, False)
    assert _typed("t", "k", "off", bool) is False
    for text, kind in (("1", bool), ("yes", int), ("[1, x]", tuple[int, ...]), ("1.5", int)):
        with pytest.raises(UserError):
            _typed("t", "k", text, kind)
    with pytest.raises(UserError, match="name=value"):
        parse_overrides(["window_influence"])


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("siamcar", {"preset": "lite"}, "SiamCAR lite"),
        ("siamcar", {"preset": "full"}, "SiamCAR"),
        ("kcf", {}, "KCF"),
    ],
)
def test_a_name_on_a_picture_tells_the_size(name: str, values: dict[str, str], shown: str) -> None:
    assert configure(name, values).shown == shown
    assert replace(configure(name, values), label="mine").shown == "mine"
