"""Writing clips as six benchmarks lay them out, with the quirks their readers have to know.

Every writer puts the frames and annotations of one clip below the benchmark's root and returns the rows of its
sequence table. Facts of the layouts: see the modules of the benchmarks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, shift_origin
from inmo.datasets.lasot import LASOT
from inmo.datasets.mini.rendering import Clip, Track
from inmo.datasets.mini.scripts import Row
from inmo.datasets.otb import OTB100
from inmo.datasets.tnl2k import TNL2K
from inmo.datasets.uav123 import UAV123

QUALITY = 70  # of the JPEG files
ANSWERS = "trackingnet-answers"  # beside the benchmarks: what TrackingNet's server knows
Line = dict[str, str]


def write_lasot(row: Row, clip: Clip, root: Path, _: int) -> list[Line]:
    """``<class>/<class>-<k>/img/%08d.jpg``; counted from 1; two flag files of one line each.

    The box of a frame out of view is written 0,0,0,0, that of a fully occluded one stays.
    """
    name, kind, track = row.folder, row.folder.rpartition("-")[0], clip.tracks[0]
    folder = root / kind / name
    write_frames(folder / "img", clip.frames, "{:08d}.jpg", 1)
    boxes = np.where(track.out_of_view[:, None], 0, shift_origin(clipped(track.boxes, row.spec.size), 1))
    _write(folder / "groundtruth.txt", rows(boxes))
    _write(folder / "full_occlusion.txt", ",".join(_flags(track.absent & ~track.out_of_view)) + "\n")
    _write(folder / "out_of_view.txt", ",".join(_flags(track.out_of_view)) + "\n")
    _write(folder / "nlp.txt", f"{row.word} moving before a {row.spec.scene}\n")
    path = f"{kind}/{name}"
    line = _line(row, name, f"{path}/img", len(track.boxes), "8", f"{path}/groundtruth.txt", kind)
    return [{**line, "attributes": codes(track, LASOT.attributes), "n_absent": str(int(track.absent.sum()))}]


def write_tnl2k(row: Row, clip: Clip, root: Path, number: int) -> list[Line]:
    """``<seq>/imgs/*`` under names that follow no rule; counted from 0; flags and attributes apart in ``annos``."""
    name, track = row.folder, clip.tracks[0]
    style, first = (("{:08d}.jpg", 492), ("img{:05d}.jpg", 0), ("{:04d}.jpeg", 1))[number % 3]
    write_frames(root / name / "imgs", clip.frames, style, first)
    boxes = rows(np.where(track.absent[:, None], 0, clipped(track.boxes, row.spec.size)))
    _write(root / name / "groundtruth.txt", boxes)
    _write(root / name / "language.txt", f"the {row.word} that starts in the box")
    _write(root / "annos" / "gt_rect" / f"{name}.txt", boxes)
    _write(root / "annos" / "absent" / f"{name}.txt", "".join(f"{flag} \n" for flag in _flags(track.absent)))
    own = codes(track, TNL2K.attributes)
    flags = "".join(f"{int(code in own.split())}\r\n" for code in TNL2K.attributes)
    _write(root / "annos" / "att" / f"{name}_attribute.txt", flags)
    line = _line(row, name, f"{name}/imgs", 0, "", f"{name}/groundtruth.txt", "")
    counts = {"n_frames": str(len(track.boxes)), "n_absent": str(int(track.absent.sum()))}
    return [{**line, "start_frame": "", "end_frame": "", "ext": "", "attributes": own, **counts}]


def write_uav123(row: Row, clip: Clip, root: Path, _: int) -> list[Line]:
    """``data_seq/UAV123/<folder>/%06d.jpg``, several sequences in one folder; counted from 1; NaN when not seen."""
    write_frames(root / "data_seq" / "UAV123" / row.folder, clip.frames, "{:06d}.jpg", 1)
    lines = []
    for name, (first, last) in row.sequences.items():
        track = clip.tracks[0].cut(first - 1, last)
        boxes = shift_origin(clipped(track.boxes, row.spec.size), 1)
        _write(root / "anno" / "UAV123" / f"{name}.txt", rows(np.where(track.absent[:, None], np.nan, boxes)))
        line = _line(row, name, f"data_seq/UAV123/{row.folder}", 0, "6", f"anno/UAV123/{name}.txt")
        span = {"start_frame": str(first), "end_frame": str(last)}
        lines.append({**line, **span, "attributes": codes(track, UAV123.attributes, small=True)})
    return lines


def write_nfs(row: Row, clip: Clip, root: Path, number: int) -> list[Line]:
    """``<seq>/30/<seq>/%05d.jpg`` with VATIC corners at 240 fps; one annotation in three is a frame short."""
    name, track, word = row.folder, clip.tracks[0], row.word
    write_frames(root / name / "30" / name, clip.frames, "{:05d}.jpg", 1)
    boxes = clipped(track.fine, row.spec.size)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    vatic = []
    for k in range(len(corners) - (8 if number % 3 == 2 else 0)):
        frame, box = k // 8, " ".join(f"{value:.0f}" for value in corners[k])
        lost, hidden = int(track.absent[frame]), int(track.visible[frame] < 0.85)
        vatic.append(f'0 {box} {k} {lost} {hidden} {int(k % 8 > 0)} "{word}"\n')
    _write(root / name / "30" / f"{name}.txt", "".join(vatic))
    occlusion = "1" if {"POC", "FOC"} & set(track.attributes) else "0"
    line = _line(row, name, f"{name}/30/{name}", len(track.boxes), "5", f"{name}/30/{name}.txt")
    return [{**line, "occlusion": occlusion}]


def write_otb100(row: Row, clip: Clip, root: Path, number: int) -> list[Line]:
    """``<Seq>/img/%04d.jpg``; counted from 1; boxes leave the picture; delimiters differ, even inside a file."""
    write_frames(root / row.folder / "img", clip.frames, "{:04d}.jpg", row.first)
    lines = []
    for target, name in enumerate(row.sequences):
        track = clip.tracks[target].cut(row.omit, len(clip.frames))
        text = rows(shift_origin(clip.tracks[target].boxes, 1), "," if number % 2 == 0 else "\t").splitlines()
        text[-1] = text[-1].replace(",", " ")
        file = f"groundtruth_rect.{target + 1}.txt" if row.spec.pair else "groundtruth_rect.txt"
        _write(root / row.folder / file, "\n".join(text) + "\n")
        line = _line(row, name, f"{row.folder}/img", len(clip.frames), "4", f"{row.folder}/{file}")
        notes = f"first {row.omit} frames are annotated but not scored" if row.omit else ""
        lines.append({**line, "attributes": codes(track, OTB100.attributes, small=True), "notes": notes})
    return lines


def write_trackingnet(row: Row, clip: Clip, root: Path, _: int) -> list[Line]:
    """``TEST/frames/<seq>/%d.jpg`` from 0; the first box alone; all boxes in the answer key beside the root."""
    name, track = row.folder, clip.tracks[0]
    write_frames(root / "TEST" / "frames" / name, clip.frames, "{:d}.jpg", 0)
    boxes = clipped(track.boxes, row.spec.size)
    _write(root / "TEST" / "anno" / f"{name}.txt", rows(boxes[:1]))
    _write(root.parent / ANSWERS / "TEST" / "anno" / f"{name}.txt", rows(boxes))
    line = _line(row, name, f"TEST/frames/{name}", 0, "0", f"TEST/anno/{name}.txt", "")
    return [{**line, "start_frame": "0", "end_frame": "", "attributes": ""}]


Writer = Callable[[Row, Clip, Path, int], list[Line]]
WRITERS: Mapping[str, Writer] = {
    "lasot": write_lasot,
    "tnl2k": write_tnl2k,
    "uav123": write_uav123,
    "nfs": write_nfs,
    "otb100": write_otb100,
    "trackingnet": write_trackingnet,
}


def clipped(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """(n, 4) boxes counted from 0, cut at the edges of a picture of (width, height); empty outside it."""
    limit = np.array([size[0], size[1]], dtype=np.float64)
    low = np.minimum(np.maximum(boxes[:, :2], 0), limit)
    high = np.minimum(np.maximum(boxes[:, :2] + boxes[:, 2:], 0), limit)
    return np.concatenate([low, high - low], axis=1)


def codes(track: Track, wanted: Iterable[str], *, small: bool = False) -> str:
    """The benchmark's codes, in its order, blank between.

    ``OCC`` is POC or FOC, ``ROT`` is IPR or OPR; with ``small``, LR means fewer than 400 pixels, as OTB and UAV123
    have it.
    """
    own = set(track.attributes)
    if small:
        own -= {"LR"} if "LR400" not in own else set()
    own |= {"OCC"} if own & {"POC", "FOC"} else set()
    own |= {"ROT"} if own & {"IPR", "OPR"} else set()
    return " ".join(code for code in wanted if code in own)


def rows(boxes: Boxes, separator: str = ",") -> str:
    """Boxes of whole numbers as text, one per line; NaN stays ``NaN``."""
    lines = (separator.join("NaN" if v != v else str(int(v)) for v in box) for box in boxes)
    return "".join(f"{line}\n" for line in lines)


def write_frames(folder: Path, frames: NDArray[np.uint8], style: str, first: int) -> None:
    """Write (n, h, w, 3) BGR frames as JPEG files numbered from ``first``."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, first):
        data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        (folder / style.format(number)).write_bytes(data.tobytes())


def _line(row: Row, name: str, path: str, count: int, digits: str, anno: str, word: str | None = None) -> Line:
    return {
        "name": name,
        "path": path,
        "start_frame": str(row.first),
        "end_frame": str(row.first + count - 1),
        "n_zfill": digits,
        "ext": "jpg",
        "anno_path": anno,
        "object_class": row.word if word is None else word,
        "init_omit": str(row.omit),
    }


def _flags(flags: NDArray[np.bool_]) -> list[str]:
    return [str(int(flag)) for flag in flags]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
