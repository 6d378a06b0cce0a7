"""Three sentences about results whose numbers are known."""

from __future__ import annotations

from inmo.reports.tables.findings import findings

NAMES = [f"lasot/s{i}" for i in range(8)]


def row(first: float, step: float = 0.0) -> dict[str, float]:
    return {name: first + step * i for i, name in enumerate(NAMES)}


def test_who_is_best_fast_and_what_is_hard() -> None:
    near = {name: 0.6 + (0.01 if i % 2 else -0.012) for i, name in enumerate(NAMES)}
    scores = {"A": row(0.6), "B": near, "C": row(0.2, 0.01), "D": {NAMES[0]: 0.9}}
    best, fast, hard = findings(scores, {"A": 12.0, "B": 30.0, "C": 400.0, "D": 900.0})
    assert best == (
        "best: A, AUC 60.0 [60.0, 60.0] over 8 sequences, told apart from 1 of 2 others; not from B (0.1 less) "
        "(1 of 4 trackers lack sequences and are left out)"
    )
    assert fast == (
        "fastest: C, 400 frames a second (AUC 23.5); "
        "of the 2 at 25 or more the best is B, 30 frames a second (AUC 59.9)"
    )
    assert hard == "hardest: lasot/s0, where the best, A, has AUC 60.0; on 0 of 8 sequences nobody reaches 50"


def test_what_is_lost_and_slow_is_counted() -> None:
    _, fast, hard = findings({"A": row(0.6, -0.05), "B": row(0.1)}, {"B": 3.0})
    assert fast == "fastest: B, 3 frames a second (AUC 10.0); none reaches 25"
    assert hard == "hardest: lasot/s7, where the best, A, has AUC 25.0; on 5 of 8 sequences nobody reaches 50"


def test_few_sequences_and_one_tracker_and_none() -> None:
    few = {"A": {"s": 0.5, "t": 0.6}, "B": {"s": 0.4, "t": 0.4}}
    assert findings(few, {})[0] == (
        "best: A, AUC 55.0 over 2 sequences; next B, 40.0; too few sequences to say that this is no chance"
    )
    assert findings({"A": {"s": 0.5}}, {})[0] == "best: A, AUC 50.0 over 1 sequence"
    assert findings({}, {}) == ()
    apart = findings({"A": row(0.9), "B": row(0.1), "C": row(0.2)}, {})[0]
    assert apart == "best: A, AUC 90.0 [90.0, 90.0] over 8 sequences, told apart from all 2 others"


def test_signs_stand_behind_names_and_are_explained_where_they_do() -> None:
    scores = {"A": row(0.9), "B": row(0.1)}
    words = {"†": "Tuned here.", "§": "No flags."}
    best, fast, hard, tuned = findings(scores, {"B": 30.0}, {"A": "†", "B": "", "C": "§"}, words)
    assert best.startswith("best: A†, AUC 90.0 ")
    assert fast.startswith("fastest: B, ")
    assert "the best, A†, has" in hard
    assert tuned == "† Tuned here."
