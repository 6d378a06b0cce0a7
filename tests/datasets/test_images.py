"""Images: whichever decoder is there, the pixels are OpenCV's."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inmo.datasets import images
from inmo.datasets.images import decode, read_image
from inmo.errors import UserError

simplejpeg = pytest.importorskip("simplejpeg", reason="simplejpeg is not installed: there is one decoder alone")
SUBSAMPLINGS = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


def scene(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def encoded(image: NDArray[np.uint8], *options: int) -> NDArray[np.uint8]:
    return cv2.imencode(".jpg", image, options)[1].reshape(-1)  # type: ignore[return-value]


def quick(data: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    return images._decode_jpeg(data)


@given(
    seed=st.integers(0, 1000), height=st.integers(1, 70), width=st.integers(1, 70), quality=st.integers(5, 100),
    subsampling=st.sampled_from(SUBSAMPLINGS), progressive=st.booleans(), grey=st.booleans(),
)  # fmt: skip
def test_both_decoders_give_the_same_pixels(
    seed: int, height: int, width: int, quality: int, subsampling: int, progressive: bool, grey: bool
) -> None:
    image = scene(seed, height, width)
    options = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive))
    data = encoded(image[..., 0] if grey else image, *options, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, subsampling)
    found = quick(data)
    assert found is not None
    np.testing.assert_array_equal(found, cv2.imdecode(data, cv2.IMREAD_COLOR))


def test_orientation_is_obeyed_as_opencv_does() -> None:
    data = encoded(scene(0, 40, 24))
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)  # orientation 6: turn it by 90 degrees
    segment = b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(tiff)) + b"Exif\0\0" + tiff
    turned = np.frombuffer(data.tobytes()[:2] + segment + data.tobytes()[2:], np.uint8)
    assert quick(turned) is None
    assert decode(turned, Path("turned.jpg")).shape == (24, 40, 3)


def test_what_cannot_be_walked_is_left_to_opencv() -> None:
    data = encoded(scene(0, 40, 24))
    assert quick(data[:3]) is None
    broken = data.copy()
    broken[2] = 0
    assert quick(broken) is None
    with pytest.raises(UserError, match=r"broken.jpg cannot be decoded|truncated"):
        decode(np.concatenate([data[:2], np.full(60, 7, np.uint8), data[-2:]]), Path("broken.jpg"))


def test_without_it_opencv_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(scene(1, 33, 47)).tobytes())
    expected = read_image(path)
    monkeypatch.setattr(images, "simplejpeg", None)
    np.testing.assert_array_equal(read_image(path), expected)


def test_real_frames(shared: Path) -> None:
    paths = sorted((shared / "data" / "OTB100").rglob("*.jpg"))[::15]
    decoded = 0
    for path in paths:
        data = np.fromfile(path, np.uint8)
        found = quick(data)
        if found is not None:
            np.testing.assert_array_equal(found, cv2.imdecode(data, cv2.IMREAD_COLOR))
            decoded += 1
    assert decoded > 0.5 * len(paths)  # some have EXIF or a subsampling that simplejpeg does not know
