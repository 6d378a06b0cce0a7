"""LaSOT and TNL2K: absent flags from every place they lie in, and the copies that are longer than the toolkit's."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.datasets import open_dataset
from inmo.errors import UserError
from tests.datasets.tiny import images, numbered, rows, write

COUNT = 1088  # basketball-1


def own_download(root: Path, occluded: str, outside: str) -> None:
    folder = root / "basketball/basketball-1"
    write(folder / "groundtruth.txt", rows(COUNT))
    write(folder / "full_occlusion.txt", occluded)
    write(folder / "out_of_view.txt", outside)


def test_absent_is_occluded_or_out_of_view(tmp_path: Path) -> None:
    own_download(tmp_path, ",".join(["0,1"] + ["0"] * (COUNT - 2)), ",".join(["0,0,1"] + ["0"] * (COUNT - 3)))
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    absent = sequence.annotation().absent
    assert absent is not None
    assert absent.nonzero()[0].tolist() == [1, 2]
    assert sequence.origin == 1
    assert sequence.attributes == ("BC", "SV", "FOC", "FM", "LR")


def test_one_of_two_flag_files_is_not_enough(tmp_path: Path) -> None:
    own_download(tmp_path, ",".join(["0"] * COUNT), "")
    (tmp_path / "basketball/basketball-1/out_of_view.txt").unlink()
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    with pytest.raises(UserError, match=r"out_of_view\.txt"):
        sequence.annotation()


@pytest.mark.parametrize("base", ["", "annos/", "LaSOT_Evaluation_Toolkit/annos/"])
def test_toolkit_annotations_with_their_absent_folder(tmp_path: Path, base: str) -> None:
    write(tmp_path / f"{base}basketball-1.txt", rows(COUNT))
    write(tmp_path / f"{base}absent/basketball-1.txt", "1\n" + "0\n" * (COUNT - 1))
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    absent = sequence.annotation().absent
    assert absent is not None
    assert absent.sum() == 1
    assert sequence.frames is None


def test_monkey_17_is_cut_to_the_toolkits_length(tmp_path: Path) -> None:
    folder = tmp_path / "monkey/monkey-17"
    write(folder / "groundtruth.txt", rows(2300))
    for name in ("full_occlusion", "out_of_view"):
        write(folder / f"{name}.txt", ",".join(["0"] * 2300))
    numbered(folder / "img", 1, 2262, 8)
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    annotation = sequence.annotation()
    assert annotation.absent is not None
    assert sequence.frames is not None
    assert len(annotation) == len(annotation.absent) == len(sequence.frames()) == 2260


def test_other_sequences_are_not_cut(tmp_path: Path) -> None:
    write(tmp_path / "basketball-1.txt", rows(COUNT + 1))
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    with pytest.raises(UserError, match=rf"{COUNT + 1} rows, but basketball-1 of LaSOT has {COUNT} frames"):
        sequence.annotation()


@pytest.mark.parametrize("above", ["", "LaSOT/", "LaSOTBenchmark/"])
def test_root_or_one_level_above(tmp_path: Path, above: str) -> None:
    own_download(tmp_path / above, ",".join(["0"] * COUNT), ",".join(["0"] * COUNT))
    numbered(tmp_path / above / "basketball/basketball-1/img", 1, COUNT, 8)
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    assert sequence.frames is not None
    assert len(sequence.frames()) == COUNT


def test_missing_frames_are_named_and_counted(tmp_path: Path) -> None:
    own_download(tmp_path, ",".join(["0"] * COUNT), ",".join(["0"] * COUNT))
    numbered(tmp_path / "basketball/basketball-1/img", 1, 99, 8)
    numbered(tmp_path / "basketball/basketball-1/img", 102, COUNT, 8)
    (sequence,) = open_dataset("lasot", str(tmp_path)).sequences
    assert sequence.frames is not None
    with pytest.raises(UserError, match=rf"basketball-1 .* lacks 2 of {COUNT} frames .* first is 00000100\.jpg"):
        sequence.frames()


# TNL2K -----------------------------------------------------------------------------------------------------------

YELLOW = "advSamp_monitor_bikeyellow"  # 929 boxes, 930 flags


def test_tnl2k_frames_are_the_sorted_folder(tmp_path: Path) -> None:
    name, count = "Baseball_video_03-Done", 270
    write(tmp_path / f"TNL2K_test_subset/{name}/groundtruth.txt", rows(count))
    images(tmp_path / f"TNL2K_test_subset/{name}/imgs", (f"f_{k:05d}.png" for k in range(492, 492 + count)))
    write(tmp_path / f"TNL2K_test_subset/{name}/imgs/Thumbs.db", "no image")
    (sequence,) = open_dataset("tnl2k", str(tmp_path)).sequences
    assert sequence.frames is not None
    names = sequence.frames().names()
    assert (len(names), Path(names[0]).name) == (count, "f_00492.png")
    assert sequence.annotation().absent is None


@pytest.mark.parametrize("place", ["data/annos/absent", "data/absent", "annos/absent", "absent"])
def test_tnl2k_flags_in_or_beside_the_root(tmp_path: Path, place: str) -> None:
    name, count = "Baseball_video_03-Done", 270
    write(tmp_path / f"data/{name}/groundtruth.txt", rows(count))
    write(tmp_path / place / f"{name}.txt", "1 \r\n" + "0 \r\n" * (count - 1))
    (sequence,) = open_dataset("tnl2k", str(tmp_path / "data")).sequences
    absent = sequence.annotation().absent
    assert absent is not None
    assert absent.nonzero()[0].tolist() == [0]


def test_tnl2k_one_flag_more_than_boxes_where_it_is_known(tmp_path: Path) -> None:
    write(tmp_path / f"annos/gt_rect/{YELLOW}.txt", rows(929))
    write(tmp_path / f"annos/absent/{YELLOW}.txt", "0 \n" * 930)
    write(tmp_path / "annos/gt_rect/BatMan_video_09_done.txt", rows(396))
    write(tmp_path / "annos/absent/BatMan_video_09_done.txt", "0 \n" * 397)
    dataset = open_dataset("tnl2k", str(tmp_path))
    broken, known = dataset.sequences
    assert len(known.annotation()) == 929
    with pytest.raises(UserError, match="397 flags"):
        broken.annotation()


def test_a_flag_that_is_missing_among_others_is_an_error(tmp_path: Path) -> None:
    for name, count in (("BatMan_video_09_done", 396), ("Baseball_video_03-Done", 270)):
        write(tmp_path / f"annos/gt_rect/{name}.txt", rows(count))
    write(tmp_path / "annos/absent/BatMan_video_09_done.txt", "0\n" * 396)
    baseball, batman = open_dataset("tnl2k", str(tmp_path)).sequences
    assert batman.annotation().absent is not None
    with pytest.raises(UserError, match=r"Baseball_video_03-Done\.txt is missing"):
        baseball.annotation()


def test_tnl2k_frames_one_fewer_than_boxes_where_it_is_known(tmp_path: Path) -> None:
    write(tmp_path / f"{YELLOW}/groundtruth.txt", rows(929))
    numbered(tmp_path / f"{YELLOW}/imgs", 1, 928, 5)
    (sequence,) = open_dataset("tnl2k", str(tmp_path)).sequences
    assert sequence.frames is not None
    assert len(sequence.annotation()) == len(sequence.frames()) == 928
