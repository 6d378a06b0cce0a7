"""Settings of a tracker in a training's config, as the command line says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def settings_as_words(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as they would stand on the command line."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
