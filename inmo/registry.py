"""Registries: dict literals ``name -> "module:attribute"``, imported when a name is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from inmo.errors import unknown_name


def resolve(registry: Mapping[str, str], name: str, kind: str) -> Any:
    """Import and return the attribute that ``registry[name] == "module:attribute"`` names.

    Raises UserError with a did-you-mean for a name that is not in the registry.
    """
    if name not in registry:
        raise unknown_name(kind, name, registry)
    module, _, attribute = registry[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
