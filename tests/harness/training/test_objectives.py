"""Objectives against numbers worked by hand and against references written independently, with loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from inmo.harness.training.objectives import OBJECTIVES, Shape, ciou, giou

LN2 = math.log(2.0)


def total(name: str, outputs: tuple[Tensor, ...], boxes: Tensor, shape: Shape) -> dict[str, float]:
    row = OBJECTIVES[name]
    labels = row.labels(boxes, shape)
    return {k: float(v) for k, v in row.parts(outputs, labels, row.divisors(labels)).items()}


def test_giou_and_ciou_by_hand() -> None:
    a, b = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]])
    assert giou(a, b).item() == pytest.approx(2 / 6)  # hull = union
    assert ciou(a, b).item() == pytest.approx(2 / 6 - 1 / 13)  # same shape: no aspect term
    apart = torch.tensor([[3.0, 0.0, 4.0, 2.0]])
    assert giou(a, apart).item() == pytest.approx(0 - (8 - 6) / 8)
    wide = torch.tensor([[0.0, 0.5, 2.0, 1.5]])
    v = 4 / math.pi**2 * (math.atan(1) - math.atan(2)) ** 2
    assert ciou(a, wide).item() == pytest.approx(0.5 - v * v / (0.5 + v), abs=1e-6)


def test_transt_by_hand() -> None:
    # 2 x 2 tokens, the box covers the first alone; the prediction there is half as high
    boxes = torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    predicted = torch.tensor([[[0.25, 0.25, 0.5, 0.25], [0.9, 0.9, 0.1, 0.1], [0.5, 0.5, 1, 1], [0.1, 0.1, 1, 1]]])
    parts = total("transt", (torch.zeros(1, 4, 2), predicted), boxes, Shape(2, 16))
    assert parts == pytest.approx({"class": 8.334 * LN2, "l1": 5 * 0.25, "giou": 2 * 0.5}, abs=1e-5)


def test_transt_weighs_the_background_a_sixteenth() -> None:
    boxes = torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    logits = torch.tensor([[[2.0, 0.0], [2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    parts = total("transt", (logits, boxes[:, None].repeat(1, 4, 1)), boxes, Shape(2, 16))
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    expected = 8.334 * (right + (wrong + 2 * LN2) / 16) / (1 + 3 / 16)
    assert parts["class"] == pytest.approx(expected, abs=1e-5)
    assert parts["l1"] == pytest.approx(0, abs=1e-6)


def test_released_transinmo_by_hand() -> None:
    boxes = torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    predicted = torch.tensor([[[0.25, 0.25, 0.5, 0.25], [0.9, 0.9, 0.1, 0.1], [0.5, 0.5, 1, 1], [0.1, 0.1, 1, 1]]])
    parts = total("transinmo-released", (torch.zeros(1, 4, 2), predicted), boxes, Shape(2, 16))
    v = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2
    expected = {"class": 2 * LN2, "l1": 3 * 0.25 / 4, "ciou": (0.5 + v * v / (0.5 + v)) / 4}
    assert parts == pytest.approx(expected, abs=1e-5)


def car_outputs() -> tuple[Tensor, Tensor, Tensor]:
    distances = torch.full((1, 4, 3, 3), 7.0)
    distances[0, :, 1, 1] = torch.tensor([8.0, 10.0, 12.0, 5.0])
    return torch.zeros(1, 2, 3, 3), distances, torch.zeros(1, 1, 3, 3)


CAR_BOX = torch.tensor([[18 / 31, 16 / 31, 20 / 31, 20 / 31]])


def test_siamcar_by_hand() -> None:
    parts = total("siamcar", car_outputs(), CAR_BOX, Shape(3, 31))
    near = -(math.sqrt(8 / 12) * math.log(0.5) + (1 - math.sqrt(8 / 12)) * math.log(0.5))
    expected = {"class": LN2, "iou": 3 * math.log(401 / 301), "centerness": near}
    assert parts == pytest.approx(expected, abs=1e-4)


def test_released_cnninmo_by_hand() -> None:
    # truth 20 x 20, prediction 20 x 15 with the same top: IoU .75, centres 2.5 apart, hull 20 x 20
    parts = total("cnninmo-released", car_outputs(), CAR_BOX, Shape(3, 31))
    v = 4 / math.pi**2 * (math.atan(20 / 15) - math.atan(1)) ** 2
    cost = 1 - (0.75 - 2.5**2 / 800 - v * v / (0.25 + v))
    assert parts["ciou"] == pytest.approx(3 * cost, abs=1e-4)


def test_siamcar_balances_the_classes() -> None:
    logits, distances, centre = car_outputs()
    logits[0, 1, 1, 1] = 3.0
    logits[0, 1, 0, 0] = 1.0
    parts = total("siamcar", (logits, distances, centre), CAR_BOX, Shape(3, 31))
    expected = 0.5 * math.log(1 + math.exp(-3)) + 0.5 * (math.log(1 + math.exp(1)) + 7 * LN2) / 8
    assert parts["class"] == pytest.approx(expected, abs=1e-5)


def small_reference(logits: Tensor, predicted: Tensor, boxes: Tensor, side: int) -> float:
    """The small objective with loops and Python numbers."""
    whole = 0.0
    for image, box in enumerate(boxes.tolist()):
        cx, cy, w, h = box
        cells = [((c + 0.5) / side, (r + 0.5) / side) for r in range(side) for c in range(side)]
        nearest = min(range(len(cells)), key=lambda i: (cells[i][0] - cx) ** 2 + (cells[i][1] - cy) ** 2)
        kinds = []
        for i, (x, y) in enumerate(cells):
            inner = abs(x - cx) <= w / 4 and abs(y - cy) <= h / 4
            kinds.append(
                "+" if inner or i == nearest else "?" if abs(x - cx) <= w / 2 and abs(y - cy) <= h / 2 else "-"
            )
        score = [(a - b) for a, b in logits[image].tolist()]
        plus = [i for i, k in enumerate(kinds) if k == "+"]
        minus = [i for i, k in enumerate(kinds) if k == "-"]
        soft = lambda v: math.log1p(math.exp(v))  # noqa: E731
        sigma = {i: 1 / (1 + math.exp(-score[i])) for i in minus}
        cost = sum(soft(-score[i]) for i in plus) / len(plus)
        cost += 0.25 * sum(sigma[i] * soft(score[i]) for i in minus) / sum(sigma.values())
        cost += sum(soft(score[i]) for i in minus) / len(minus)
        norm = math.log(sum(math.exp(score[i]) for i in plus + minus))
        cost += 0.5 * sum(norm - score[i] - math.log(len(plus)) for i in plus) / len(plus)
        for i in plus:
            px, py, pw, ph = predicted[image, i].tolist()
            across = max(0.0, min(px + pw / 2, cx + w / 2) - max(px - pw / 2, cx - w / 2))
            down = max(0.0, min(py + ph / 2, cy + h / 2) - max(py - ph / 2, cy - h / 2))
            union = pw * ph + w * h - across * down
            hull = (max(px + pw / 2, cx + w / 2) - min(px - pw / 2, cx - w / 2)) * (
                max(py + ph / 2, cy + h / 2) - min(py - ph / 2, cy - h / 2)
            )
            overlap = across * down / union - (hull - union) / hull
            far = abs(px - cx) / w + abs(py - cy) / h
            cost += (2 * (1 - overlap) + 2 * (abs(math.log(pw / w)) + abs(math.log(ph / h))) + 2 * far) / len(plus)
        whole += cost
    return whole / len(boxes)


def test_small_objective_equals_a_reference_with_loops() -> None:
    torch.manual_seed(0)
    boxes = torch.tensor([[0.4, 0.55, 0.5, 0.4], [0.9, 0.1, 0.05, 0.3], [0.5, 0.5, 0.7, 0.8]])
    logits, predicted = torch.randn(3, 16, 2), torch.rand(3, 16, 4) * 0.5 + 0.2
    parts = total("small", (logits, predicted), boxes, Shape(4, 32))
    assert sum(parts.values()) == pytest.approx(small_reference(logits, predicted, boxes, 4), abs=1e-4)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_shares_of_a_batch_add_up_to_the_batch(name: str) -> None:
    """What accumulation and several processes rest on: divisors of the whole, sums of the parts."""
    torch.manual_seed(1)
    row, shape = OBJECTIVES[name], Shape(4, 47)
    boxes = torch.rand(6, 4) * 0.4 + 0.3
    if row.outputs == "car":
        outputs = [torch.randn(6, 2, 4, 4), torch.rand(6, 4, 4, 4) * 20 + 1, torch.randn(6, 1, 4, 4)]
    else:
        outputs = [torch.randn(6, 16, 2), torch.rand(6, 16, 4) * 0.5 + 0.2]
    labels = row.labels(boxes, shape)
    divisors = row.divisors(labels)
    whole = sum(row.parts(tuple(outputs), labels, divisors).values())
    shares = [
        sum(row.parts(tuple(o[i::2] for o in outputs), tuple(v[i::2] for v in labels), divisors).values())
        for i in range(2)
    ]
    counted = sum(row.divisors(tuple(v[i::2] for v in labels)) for i in range(2))
    torch.testing.assert_close(sum(shares), whole)
    torch.testing.assert_close(counted, divisors)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_one_step_goes_down_the_numerical_gradient(name: str) -> None:
    torch.manual_seed(2)
    row, shape = OBJECTIVES[name], Shape(3, 31)
    boxes = CAR_BOX.double()
    car = row.outputs == "car"
    head = torch.randn(1, 2, 3, 3) if car else torch.randn(1, 9, 2)
    body = torch.rand(1, 4, 3, 3) * 5 + 6 if car else torch.rand(1, 9, 4) * 0.3 + 0.4
    outputs = [head.requires_grad_(), body.requires_grad_()] + ([torch.randn(1, 1, 3, 3)] if car else [])

    def loss() -> Tensor:
        labels = row.labels(boxes.float(), shape)
        return torch.stack(tuple(row.parts(tuple(outputs), labels, row.divisors(labels)).values())).sum()

    loss().backward()
    for tensor in outputs[:2]:
        assert tensor.grad is not None
        place = int(tensor.grad.abs().flatten().argmax())
        slope = float(tensor.grad.flatten()[place])
        ends = []
        for move in (1e-3, -1e-3):
            with torch.no_grad():
                tensor.view(-1)[place] += move
                ends.append(float(loss()))
                tensor.view(-1)[place] -= move
        if name != "small":  # its negative weights are held constant in the gradient
            assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(slope, rel=0.05, abs=1e-3)
