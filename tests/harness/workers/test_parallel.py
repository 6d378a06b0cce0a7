"""Where no further process may be started."""

from __future__ import annotations

import joblib
import pytest

from inmo.errors import UserError
from inmo.harness.workers.parallel import in_processes


def test_a_system_without_processes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib.parallel, "mp", None)  # as under JOBLIB_MULTIPROCESSING=0
    with pytest.raises(UserError, match="starts no processes here: unset JOBLIB_MULTIPROCESSING"):
        next(in_processes(max, [(1, 2)], 2))
