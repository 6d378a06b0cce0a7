"""Several targets in one call against each of them alone: the boxes must be the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.images import Frame


def assert_lock_step(
    tracker: Any, films: Sequence[Sequence[Frame]], starts: Boxes, *, pixels: float = 1e-2, scores: float | None = None
) -> Any:
    """Follow one target in each film, all together and one by one; gives the state of all after the last frame.

    Args:
        films: frames per target, as many for each.
        starts: (B, 4) first boxes.
        pixels, scores: how far boxes and scores may differ; scores are not compared where None.
    """
    together = tracker.init([film[0] for film in films], starts)
    alone = [tracker.init([film[0]], starts[lane : lane + 1]) for lane, film in enumerate(films)]
    for images in list(zip(*films, strict=True))[1:]:
        step = tracker.step(list(images), together)
        together = step.state
        for lane, image in enumerate(images):
            single = tracker.step([image], alone[lane])
            alone[lane] = single.state
            np.testing.assert_allclose(step.boxes[lane], single.boxes[0], rtol=0, atol=pixels)
            if scores is not None:
                np.testing.assert_allclose(step.scores[lane], single.scores[0], rtol=0, atol=scores)
    return together
