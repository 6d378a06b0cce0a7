"""What follows from keys: between two boxes, after an absent frame, and what a correction forgets."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.harness.web.keyframes import ABSENT, BETWEEN, DRAWN, NOTHING, STILL_ABSENT, TRACKED, Keyframes


def lefts(keyframes: Keyframes) -> list[float | None]:
    return [None if np.isnan(x) else float(x) for x in keyframes.filled()[1].boxes[:, 0]]


def kinds(keyframes: Keyframes) -> list[int]:
    return keyframes.filled()[0].tolist()


def box(left: float) -> tuple[float, float, float, float]:
    return left, 1.0, 4.0, 5.0


def test_boxes_move_linearly_between_keys_and_nobody_knows_the_rest() -> None:
    found = Keyframes(8)
    found.draw(1, box(10))
    found.draw(5, box(30))
    assert lefts(found) == [None, 10, 15, 20, 25, 30, None, None]
    assert kinds(found) == [NOTHING, DRAWN, BETWEEN, BETWEEN, BETWEEN, DRAWN, NOTHING, NOTHING]
    assert found.boxes_at(2) == box(15)
    assert found.boxes_at(0) is None


def test_absent_holds_up_to_the_next_key_and_for_itself_at_the_end() -> None:
    found = Keyframes(8)
    found.draw(0, box(10))
    found.hide(2)
    found.draw(4, box(20))
    found.hide(6)
    assert kinds(found) == [DRAWN, NOTHING, ABSENT, STILL_ABSENT, DRAWN, NOTHING, ABSENT, NOTHING]
    _, annotation = found.filled()
    assert annotation.absent is not None
    assert annotation.absent.astype(int).tolist() == [0, 0, 1, 1, 0, 0, 1, 0]
    assert annotation.boxes[3].tolist() == [0, 0, 0, 0]
    assert lefts(found)[1] is None, "between a box and an absent frame nobody has said when it went"


def test_a_correction_forgets_what_was_proposed_after_it_up_to_a_persons_key() -> None:
    found = Keyframes(8)
    found.draw(0, box(10))
    for frame in range(1, 6):
        assert found.propose(frame, box(10 + frame))
    found.draw(6, box(40))
    assert not found.propose(6, box(1)), "a person's key stays"
    assert found.propose(7, box(50))
    found.draw(2, box(20))
    assert lefts(found) == [10, 11, 20, 25, 30, 35, 40, 50]
    assert kinds(found) == [DRAWN, TRACKED, DRAWN, BETWEEN, BETWEEN, BETWEEN, DRAWN, TRACKED]


def test_proposals_between_two_keys_make_way_for_a_straight_line() -> None:
    found = Keyframes(6)
    found.draw(0, box(10))
    for frame in (1, 2, 3):
        found.propose(frame, box(99))
    found.draw(4, box(30))
    found.propose(5, box(31))
    found.smooth(2)
    assert lefts(found) == [10, 15, 20, 25, 30, 31]


def test_what_was_said_can_be_taken_back() -> None:
    found = Keyframes(3)
    found.draw(1, box(10))
    found.forget(1)
    found.forget(2)
    assert kinds(found) == [NOTHING] * 3


def test_frames_that_the_video_has_not() -> None:
    for frame in (-1, 3):
        with pytest.raises(IndexError):
            Keyframes(3).draw(frame, box(1))
