"""What a store's results say, in three sentences for a terminal: who is best, who is fast, what is hard."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval, compare_with_best

REAL_TIME = 25.0
"""Frames per second of video."""


def findings(
    scores: Mapping[str, Mapping[str, float]],
    speeds: Mapping[str, float],
    marks: Mapping[str, str] = MappingProxyType({}),
    footnotes: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """The sentences, from the trackers that have all sequences; none where nothing is scored. Footnotes follow.

    AUC is told in percent, every sequence counting the same; who is told apart from whom is what the randomisation
    test over all pairs with the best says at the 5 % level.

    Args:
        scores: tracker -> sequence -> success AUC (0..1), as ``pooled_scores`` gives them.
        speeds: tracker -> frames per second, of those that were timed.
        marks: tracker -> signs behind its name; footnotes: sign -> words, said where the sign was.
    """
    scores = {f"{name}{marks.get(name, '')}": own for name, own in scores.items()}
    speeds = {f"{name}{marks.get(name, '')}": speed for name, speed in speeds.items()}
    fullest = max((len(own) for own in scores.values()), default=0)
    complete = {name: own for name, own in scores.items() if len(own) == fullest}
    if not complete:
        return ()
    means = {name: sum(own.values()) / fullest for name, own in complete.items()}
    order = sorted(means, key=lambda name: -means[name])
    left_out = len(scores) - len(complete)
    beside = f" ({left_out} of {len(scores)} trackers lack sequences and are left out)" if left_out else ""
    said = (_best(order, means, complete, fullest) + beside, *_fast(order, means, speeds), _hard(complete))
    shown = {sign for name in marks for sign in marks[name] if any(name + marks[name] in words for words in said)}
    return (*said, *(f"{sign} {words}" for sign, words in footnotes.items() if sign in shown))


def _best(order: list[str], means: Mapping[str, float], scores: Mapping[str, Mapping[str, float]], count: int) -> str:
    best = order[0]
    interval = bootstrap_interval([*scores[best].values()], within=FRACTIONS)
    ends = f" [{100 * interval.low:.1f}, {100 * interval.high:.1f}]" if interval else ""
    sentence = f"best: {best}, AUC {100 * means[best]:.1f}{ends} over {count} sequence{'s' * (count != 1)}"
    if len(order) == 1:
        return sentence
    pairs = compare_with_best(scores, best)
    if all(pair.p_value is None for pair in pairs.values()):
        return (
            f"{sentence}; next {order[1]}, {100 * means[order[1]]:.1f}; too few sequences to say that this is no chance"
        )
    apart = [name for name in order[1:] if pairs[name].better == best]
    others = [name for name in order[1:] if name not in apart]
    if not others:
        return f"{sentence}, told apart from all {len(apart)} others"
    lead = 100 * (means[best] - means[others[0]])
    told = f"told apart from {len(apart)} of {len(order) - 1} others"
    return f"{sentence}, {told}; not from {others[0]} ({lead:.1f} less)" + f" and {len(others) - 1} more" * (
        len(others) > 1
    )


def _fast(order: list[str], means: Mapping[str, float], speeds: Mapping[str, float]) -> tuple[str, ...]:
    timed = [name for name in order if name in speeds]
    if not timed:
        return ()
    fastest = max(timed, key=lambda name: speeds[name])
    sentence = f"fastest: {fastest}, {speeds[fastest]:.0f} frames a second (AUC {100 * means[fastest]:.1f})"
    enough = [name for name in timed if speeds[name] >= REAL_TIME]
    if not enough:
        return (f"{sentence}; none reaches {REAL_TIME:.0f}",)
    first = enough[0]
    reach = f"of the {len(enough)} at {REAL_TIME:.0f} or more the best is {first}"
    return (f"{sentence}; {reach}, {speeds[first]:.0f} frames a second (AUC {100 * means[first]:.1f})",)


def _hard(scores: Mapping[str, Mapping[str, float]]) -> str:
    tops = {name: max(own[name] for own in scores.values()) for name in next(iter(scores.values()))}
    hardest = min(tops, key=lambda name: tops[name])
    winner = max(scores, key=lambda name: scores[name][hardest])
    lost = sum(top < 0.5 for top in tops.values())
    return (
        f"hardest: {hardest}, where the best, {winner}, has AUC {100 * tops[hardest]:.1f}; "
        f"on {lost} of {len(tops)} sequences nobody reaches 50"
    )
