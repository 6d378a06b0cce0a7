"""Sizes of the transformer trackers by preset, as data: what a config leaves at None comes from here.

``full`` is the published size. ``nano`` is for machines without a GPU: about a million parameters, template 48 and
search region 96 pixels, the same code. Its windows have side 3 instead of 7, because the template's last maps are
3 x 3: windows of 7 would leave most in-window positions without any template token, and 3 divides the maps of all
stages. It also has the changes of ``networks.pixelwise`` and test-time constants of its own, the same for every row
of the ablations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from inmo.errors import UserError, unknown_name

Row = Mapping[str, Any]

_FULL_SIZES = {
    "template_size": 128,
    "search_size": 256,
    "width": 256,
    "drop_path": 0.2,
    "dropout": 0.1,
    "pixelwise": False,
}
_NANO_SIZES = {"template_size": 48, "search_size": 96, "drop_path": 0.0, "dropout": 0.0}
_SMALL = {"box_reference": "anchor", "pixelwise": True, "penalty_k": 0.1, "lr": 0.15, "window_influence": 0.35}
_TRANST_NECK = {"neck_heads": 8, "neck_hidden": 2048, "neck_projections": True}
_SOTS_NECK = {"neck_heads": 4, "neck_hidden": 1024, "neck_projections": False}
_NANO_NECK = {"width": 96, "neck_heads": 4, "neck_hidden": 96, "neck_projections": False}
_SWIN_T = {"widths": (96, 192, 384, 768), "depths": (2, 2, 6, 2)}
_NANO_STAGES = {"widths": (32, 64, 128, 192), "depths": (1, 1, 2, 1)}

TRANSINMO_PRESETS: Mapping[tuple[str, str], Row] = MappingProxyType(
    {
        ("full", "released"): {
            **_FULL_SIZES,
            **_SWIN_T,
            **_SOTS_NECK,
            "heads": (3, 6, 12, 24),
            "window": 7,
            "mlp_ratio": 4.0,
            "prenorm": True,
            "box_reference": "search",
        },
        ("full", "paper"): {
            **_FULL_SIZES,
            **_SWIN_T,
            **_TRANST_NECK,
            "heads": (4, 4, 4, 4),
            "dim": 256,
            "window": 7,
            "mlp_ratio": 4.0,
            "prenorm": True,
            "box_reference": "cell",
        },
        ("nano", "released"): {
            **_NANO_SIZES,
            **_NANO_STAGES,
            **_NANO_NECK,
            "heads": (1, 2, 4, 6),
            "window": 3,
            "mlp_ratio": 1.0,
            "prenorm": True,
            "box_reference": "search",
            "pixelwise": False,
        },
        ("nano", "paper"): {
            **_NANO_SIZES,
            **_NANO_STAGES,
            **_NANO_NECK,
            "heads": (4, 4, 4, 4),
            "dim": 96,
            "window": 3,
            "mlp_ratio": 1.0,
            "prenorm": True,
            **_SMALL,
        },
    }
)

TRANST_PRESETS: Mapping[str, Row] = MappingProxyType(
    {
        "full": {
            **_FULL_SIZES,
            **_TRANST_NECK,
            "widths": (64, 128, 256),
            "depths": (3, 4, 6),
            "stem": 64,
            "box_reference": "search",
        },
        "nano": {**_NANO_SIZES, **_NANO_NECK, "widths": (16, 32, 64), "depths": (1, 1, 2), "stem": 16, **_SMALL},
    }
)


def filled(config: Any, row: Row) -> Any:
    """``config`` with every field that is None set from ``row``; fields that the row lacks stay None."""
    names = {item.name for item in fields(config)}
    return replace(config, **{k: v for k, v in row.items() if k in names and getattr(config, k) is None})


def one_of(field: str, value: str, *allowed: str) -> None:
    """Raises UserError with a did-you-mean unless ``value`` is allowed for ``field``."""
    if value not in allowed:
        raise unknown_name(field, value, allowed)


def check_common(config: Any) -> None:
    """Check the values that all neural configs share; raises UserError for one that cannot be."""
    one_of("preset", config.preset, "full", "nano")
    one_of("attention", config.attention, "fused", "written")
    one_of("precision", config.precision, "fp32", "tf32", "bf16", "fp16")
    for name in ("window_influence", "lr"):
        value = getattr(config, name)
        if value is not None and not 0.0 <= value <= 1.0:
            raise UserError(f"{name} is {value}: choose a number from 0 to 1")
