"""What a training says of its tracker: the name, as a builder, and the settings, as the command line has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

BUILDERS: Mapping[str, str] = MappingProxyType(
    {
        "transinmo": "inmo.trackers.families.transinmo:build_network",
        "transinmo-star": "inmo.trackers.families.transinmo:build_network",
        "transt": "inmo.trackers.families.transt:build_network",
        "siamcar": "inmo.trackers.families.siamcar:build_network",
        "cnninmo": "inmo.trackers.families.cnninmo:build_network",
    }
)
"""Trackers that can be trained -> (config) -> network."""


def settings_as_words(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as they would stand on the command line."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
