"""Single flipped bits in every kind of file that is kept: refused with its name and what to do, or the same numbers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from inmo.datasets.base import Annotation, Hole, Sequence
from inmo.datasets.mini.once import HASHES
from inmo.datasets.mini.suite import ensure_suite
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants.tune import write_tuned
from inmo.harness.constants.tuned_file import Tuned, TunedOn, read_tuned
from inmo.harness.experiment.paper_rows import Candidate
from inmo.harness.experiment.speed_pass import SPEEDS, speed_pass
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from inmo.harness.store.stored_maps import read_maps
from inmo.harness.training.checkpoints import Progress, load_checkpoint, save_checkpoint, save_weights
from inmo.harness.training.pair_files import SUMS, PairFiles, write_sums
from inmo.harness.workers.resources import Resources
from inmo.seals import BLANK, check_seal, sealed, sealed_zip
from inmo.seals import SUMS as LISTED
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.shipped import FOLDER
from inmo.whole_files import read_facts, read_json, read_table, write_json, write_table
from tests.harness.store.test_store import RUN, result

DICE = np.random.default_rng(5)
ANNOTATION = Annotation(DICE.uniform(1, 99, (30, 4)), DICE.random(30) < 0.2)

FLIPS = int(os.environ.get("FLIPS", 1_000))  # of each kind; docs/reliability.md has 10,000


def in_a_store(name: str, read: Callable[[Any], Any]) -> Callable[[Path], tuple[Path, Callable[[], Any]]]:
    """A store with one file of each kind: the one that matches, and what is read of it."""

    def make(folder: Path) -> tuple[Path, Callable[[], Any]]:
        store = open_store(folder, write=True)
        write_json(folder / "d" / "dataset.json", {
            "label": "d", "benchmark": "otb100", "title": "OTB", "protocol": "pysot", "origin": 1, "root": "/x",
            "names": ["a", "b"], "holes": [], "attributes": {"OCC": "occlusion"}, "ground_truth": "full",
        })  # fmt: skip
        store.put_sequence("d", Sequence("d", "a", annotation=lambda: ANNOTATION, attributes=("OCC",)), ANNOTATION)
        store.put_run("d", RUN)
        boxes = ANNOTATION.boxes + DICE.normal(0, 3, (30, 4))
        store.put_result("d", RUN, "a", Result(boxes, DICE.random(30), {"track": DICE.random(30)}, {"annotation": "f"}))
        store.put_hole("d", RUN, Hole("b", "it fell over"))
        store.put_server_score("d", RUN, {"success": 0.5, "precision": 0.4, "norm_precision": 0.6, "source": "s"})
        (path,) = folder.glob(f"d/{name}")
        return path, lambda: read(store)

    return make


def of_result(store: Any) -> Any:
    found = store.result("d", RUN, "a")
    return [found.boxes, found.scores, *found.seconds.values(), found.provenance, *found.seconds]


def of_truth(store: Any) -> Any:
    found = store.sequence("d", "a")
    return [found.annotation.boxes, found.annotation.absent, found.name, found.attributes, found.first_only]


def of_maps(folder: Path) -> tuple[Path, Callable[[], Any]]:
    sink, arrays = io.BytesIO(), {name: DICE.random((4, 4)) for name in ("change0", "response0", "score", "box")}
    images = {name: DICE.integers(0, 255, (8, 8, 3), np.uint8) for name in ("template", "search")}
    facts = {"tracker": "t", "dataset": "d", "sequence": "a", "frame": 3, "parts": [("CSA", "x", 0)], "hash": "0" * 12}
    np.savez_compressed(sink, facts=np.array(json.dumps(facts)), **arrays, **images)
    path = folder / "maps.npz"
    path.write_bytes(sealed_zip(sink.getvalue()))

    def read() -> Any:
        found = read_maps(path)
        return [found.template, found.search, found.score, found.box, found.parts[0].change, found.facts, found.frame]

    return path, read


def of_speeds(folder: Path) -> tuple[Path, Callable[[], Any]]:
    clip = folder / "clips" / "c"
    clip.mkdir(parents=True)
    (clip / "groundtruth_rect.txt").write_text("1,1,5,5\n")
    candidate = Candidate("KCF", "KCF", configure("kcf", {}), "")
    datasets = open_datasets([f"folder={folder / 'clips'}"])
    key = f"{candidate.setup.folder(datasets[0])}"
    from inmo.harness.store import provenance

    place = f"{provenance.machine()['processor']}, auto"
    timed = {"fps": 123.456, "frames": 99, "sequence": "d/a", "machine": "m", "device": "cpu", "date": "2030-01-01"}
    write_json(folder / SPEEDS, {f"{key}, {place}": timed})
    return folder / SPEEDS, lambda: [repr(speed_pass(folder, [candidate], datasets, 10, Resources()))]


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(7, 5)


def of_weights(folder: Path) -> tuple[Path, Callable[[], Any]]:
    save_weights(folder / "w.safetensors", network(), {}, {"steps": 7}, half=True)
    return folder / "w.safetensors", lambda: [v.numpy() for v in load_state_dict(folder / "w.safetensors").values()]


def of_shipped(folder: Path) -> tuple[Path, Callable[[], Any]]:
    path = folder / "transt-nano.safetensors"
    shutil.copy(FOLDER / path.name, path)
    shutil.copy(FOLDER / LISTED, folder)
    return path, lambda: [v.numpy() for v in load_state_dict(path).values()]


def of_checkpoint(folder: Path) -> tuple[Path, Callable[[], Any]]:
    path, net = folder / "c.pt", network()
    save_checkpoint(path, net, torch.optim.SGD(net.parameters(), 0.1), {"a": torch.ones(3)}, Progress(3, 4, 5.0), "id")

    def read() -> Any:
        own = network()
        progress, average = load_checkpoint(
            path, own, torch.optim.SGD(own.parameters(), 0.1), "id", torch.device("cpu")
        )
        return [repr(progress), average["a"].numpy(), *(v.numpy() for v in own.state_dict().values())]

    return path, read


def of_pairs(name: str) -> Callable[[Path], tuple[Path, Callable[[], Any]]]:
    def make(folder: Path) -> tuple[Path, Callable[[], Any]]:
        np.save(folder / "template.npy", DICE.integers(0, 255, (5, 6, 6, 3), np.uint8))
        np.save(folder / "box.npy", DICE.random((5, 4), np.float32))
        write_sums(folder)

        def read() -> Any:
            rows = PairFiles(folder)
            return [rows[key][number] for key in ("template", "box") for number in range(len(rows[key]))]

        return folder / name, read

    return make


def of_tuned(folder: Path) -> tuple[Path, Callable[[], Any]]:
    on = TunedOn("d", "otb100", "OTB", "pysot", {"a": "f" * 16})
    path = write_tuned(Tuned("transt", {"window_influence": 0.49}, on, ("b",)), folder / "tuned.yaml")
    return path, lambda: [repr(read_tuned(path))]


KINDS: Mapping[str, Callable[[Path], tuple[Path, Callable[[], Any]]]] = MappingProxyType(
    {
        "result": in_a_store("runs/*/a.parquet", of_result),
        "ground truth": in_a_store("sequences/a.parquet", of_truth),
        "facts of a result": in_a_store("runs/*/a.parquet", lambda store: [store.result_facts("d", RUN, "a")]),
        "dataset": in_a_store("dataset.json", lambda store: [repr(store.dataset("d"))]),
        "run": in_a_store("runs/*/run.json", lambda store: [repr(store.runs("d"))]),
        "hole": in_a_store("runs/*/b.hole.json", lambda store: [repr(store.result("d", RUN, "b"))]),
        "server": in_a_store("runs/*/server.json", lambda store: [store.server_score("d", RUN)]),
        "maps": of_maps,
        "speeds": of_speeds,
        "tuned constants": of_tuned,
        "weights": of_weights,
        "shipped weights": of_shipped,
        "checkpoint": of_checkpoint,
        "pairs": of_pairs("template.npy"),
        "boxes of pairs": of_pairs("box.npy"),
        "checksums of pairs": of_pairs(SUMS),
    }
)


def digest(values: Any) -> str:
    parts = [v.numpy() if isinstance(v, torch.Tensor) else v for v in values]
    words = [repr((v.dtype, v.shape)).encode() + v.tobytes() if isinstance(v, np.ndarray) else repr(v).encode()
             for v in parts]  # fmt: skip
    return hashlib.sha256(b"|".join(words)).hexdigest()


def flip(path: Path, read: Callable[[], Any], times: int, bits: int = 1) -> dict[str, int]:
    """How often a file with flipped bits was refused, gave the same, or something else; any other error is raised.

    The first bit is in another stretch of the file each time, so that all of a large one is tried.
    """
    raw, right, dice = path.read_bytes(), digest(read()), random.Random(7)
    told = {"refused": 0, "same": 0, "changed unseen": 0}
    for number in range(times):
        bad = bytearray(raw)
        for at in (
            int((number + dice.random()) * len(raw) / times),
            *(dice.randrange(len(raw)) for _ in range(bits - 1)),
        ):
            bad[at] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        try:
            told["same" if digest(read()) == right else "changed unseen"] += 1
        except UserError as error:
            assert str(path.parent) in str(error) or path.name in str(error), error
            assert "again" in str(error), error
            told["refused"] += 1
    path.write_bytes(raw)
    assert digest(read()) == right
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_bit_changes_a_number_unseen(kind: str, tmp_path: Path) -> None:
    path, read = KINDS[kind](tmp_path)
    for bits, times in ((1, 60), (2, 20), (9, 20)):
        told = flip(path, read, times, bits)
        assert told["changed unseen"] == 0 and told["refused"] >= times / 2, (bits, told)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nor_does_one_of_many(kind: str, tmp_path: Path) -> None:
    path, read = KINDS[kind](tmp_path)
    assert flip(path, read, FLIPS)["changed unseen"] == 0


def test_a_seal_is_sha_256_of_the_bytes_with_zeros_in_its_place() -> None:
    data = b"one " + BLANK.encode() + b" two"
    whole = sealed(data)
    assert whole == b"one inmo-sha256:" + hashlib.sha256(data).hexdigest().encode() + b" two"
    assert check_seal(Path("f"), whole) and not check_seal(Path("f"), b"one two")
    with pytest.raises(UserError, match=r"^f is damaged \(its checksum .*\): delete it and run again$"):
        check_seal(Path("f"), whole.replace(b"two", b"twp"))


def test_tuned_constants_changed_by_hand_are_read_without_their_last_line(tmp_path: Path) -> None:
    path, _ = of_tuned(tmp_path)
    text = path.read_text().replace("0.49", "0.5")
    path.write_text(text)
    with pytest.raises(UserError, match=r"tuned\.yaml is damaged .*take out its last line if you changed it by hand"):
        read_tuned(path)
    path.write_text("\n".join(text.splitlines()[:-1]))
    assert read_tuned(path).settings == {"window_influence": 0.5}


def test_weights_whose_seal_is_no_longer_one_are_refused(tmp_path: Path) -> None:
    path, read = of_weights(tmp_path)
    read()
    path.write_bytes(path.read_bytes().replace(b"inmo-sha256", b"inmo-shb256"))
    with pytest.raises(UserError, match=r"w\.safetensors is damaged \(its checksum is no longer there\)"):
        read()


def test_files_without_a_seal_are_read(tmp_path: Path) -> None:
    """As version 0.1 wrote them; but not those that had one."""
    import pyarrow as pa

    table = pa.table({"x": [1.0, 2.0]}).replace_schema_metadata({"facts": '{"rows": 2}'})
    pq.write_table(table, tmp_path / "old.parquet")
    found, facts = read_table(tmp_path / "old.parquet")
    assert (found["x"].to_pylist(), facts, read_facts(tmp_path / "old.parquet")) == ([1.0, 2.0], {"rows": 2}, facts)
    write_table(tmp_path / "new.parquet", {"x": [1.0, 2.0]}, {"rows": 2})
    for word, other in ((b"inmo-sha256", b"inmo-shb256"), (b"seal", b"sdal")):
        text = (tmp_path / "new.parquet").read_bytes().replace(word, other)
        (tmp_path / "bad.parquet").write_bytes(text)
        with pytest.raises(UserError, match=r"bad\.parquet is missing or damaged|checksum"):
            read_table(tmp_path / "bad.parquet")
    (tmp_path / "old.json").write_text('{"a": 1}')
    assert read_json(tmp_path / "old.json") == {"a": 1}
    (tmp_path / "cut.json").write_text('{"a": 1, "seal": "0"}')
    with pytest.raises(UserError, match="its checksum is no longer there"):
        read_json(tmp_path / "cut.json")


def test_other_readers_of_parquet_read_what_is_sealed(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", {"x": [1.0, 2.0]}, {"rows": 2})
    table = pq.read_table(tmp_path / "t.parquet")
    assert table["x"].to_pylist() == [1.0, 2.0]
    assert json.loads(table.schema.metadata[b"facts"]) == {"rows": 2}


def test_check_reads_a_whole_store_and_seals_an_old_one(
    tmp_path: Path, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "s"
    words = ["track", "--tracker", "constant", "--dataset", f"folder={clips}", "--store", str(store)]
    assert main(words) == 0
    check = ["check", "--store", str(store)]
    assert main(check) == 0
    assert f"{store}: 8 files, 0 damaged" in capsys.readouterr().out  # a dataset, a run, 3 truths, 3 results
    file = store / "folder" / "dataset.json"
    values = read_json(file)
    file.write_text(json.dumps(values))  # as version 0.1 wrote it
    assert main(check) == 0
    assert "0 damaged, 1 without a checksum" in capsys.readouterr().out
    assert main([*check, "--seal"]) == 0
    assert "8 files, 0 damaged\n" in capsys.readouterr().out
    assert read_json(file) == values and check_seal(file, file.read_bytes())
    bad = next(store.rglob("runs/*/short.parquet"))
    raw = bytearray(bad.read_bytes())
    raw[len(raw) // 2] ^= 4
    bad.write_bytes(raw)
    assert main(check) == 1
    assert f"{bad} is damaged (its checksum is not that of what it holds): delete it and run again" in (
        capsys.readouterr().out
    )
    assert main(words) == 2
    assert str(bad) in capsys.readouterr().err
    bad.unlink()
    assert main(words) == 0 and main(check) == 0


def test_check_wants_something_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert "--dataset NAME=ROOT, or --store FOLDER" in capsys.readouterr().err


def test_a_rendered_suite_is_what_was_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(root: Path) -> None:
        (root / "lasot").mkdir()
        (root / "lasot" / "1.jpg").write_bytes(b"pixels")

    monkeypatch.setattr("inmo.datasets.mini.suite.generate", build)
    suite = ensure_suite(tmp_path)
    assert ensure_suite(tmp_path) == suite
    (suite / "lasot" / "1.jpg").write_bytes(b"pixelt")
    with pytest.raises(UserError, match=r"1\.jpg is not what was rendered .*delete .* rendered again"):
        ensure_suite(tmp_path)
    (suite / "lasot" / "1.jpg").unlink()
    with pytest.raises(UserError, match=r"1\.jpg is not what was rendered"):
        ensure_suite(tmp_path)
    (suite / "lasot" / "1.jpg").write_bytes(b"pixels")
    (suite / HASHES).unlink()  # as version 0.1 left it
    assert ensure_suite(tmp_path) == suite and (suite / HASHES).is_file()


def test_the_list_of_shipped_weights_is_theirs() -> None:
    listed = dict(reversed(line.split("  ")) for line in (FOLDER / LISTED).read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.safetensors")}
    assert listed == found


def test_a_result_keeps_its_seal_over_its_provenance(tmp_path: Path) -> None:
    store = open_store(tmp_path, write=True)
    store.put_result("d", RUN, "a", result())
    path = next(tmp_path.rglob("a.parquet"))
    path.write_bytes(path.read_bytes().replace(b'"annotation": "f00"', b'"annotation": "f01"'))
    with pytest.raises(UserError, match=r"a\.parquet is damaged"):
        store.result_facts("d", RUN, "a")
