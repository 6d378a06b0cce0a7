"""What a network is made of: parameters and multiply-adds per part, for one template and for one search region.

Multiply-adds (MACs) are those of convolutions, linear maps and matrix products; norms, softmax and resizing are not
counted. They are counted on the meta device, so that no weights and no time are needed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from inmo.terminal import aligned

INTERACTION = ("CSA", "TCA")
CALLS = ("template", "search", "memory", "forward")


@dataclass(frozen=True)
class Part:
    """One row.

    Attributes:
        name: ``backbone``, ``neck`` ...; ``backbone: TCA`` and the like are contained in the row of the whole part.
        parameters: learned numbers.
        template, search: MACs of ``template()`` once per target, and of ``search()`` per frame.
        repeated: of ``template``, what the authors' code repeats for every frame.
    """

    name: str
    parameters: int
    template: int
    search: int
    repeated: int = 0

    @property
    def released_template(self) -> int:
        """MACs of the authors' ``template()``."""
        return self.template - self.repeated

    @property
    def released_search(self) -> int:
        """MACs of the authors' ``track()``."""
        return self.search + self.repeated


def describe(network: nn.Module) -> list[Part]:
    """Rows for a network with ``template``, ``search``, ``template_size`` and ``search_size``: parts, then total.

    A module whose class has an attribute ``part`` ("CSA", "TCA") also counts for the row of that name; innermost
    wins. The window process has no parameters and multiplies nothing: its row, zero by construction, stands wherever
    there is interaction. ``repeated_by_release`` of the network names the parts whose template work the authors'
    code repeats per frame.
    """
    template, search = _macs(network)
    repeated: tuple[str, ...] = getattr(network, "repeated_by_release", ())
    rows = []
    for name, part in network.named_children():
        again = sum(template.get(path, 0) for path in repeated if f"{path}.".startswith(f"{name}."))
        rows.append(Part(name, _size(part), template.get(name, 0), search.get(name, 0), again))
        rows += _interaction(name, part, template, search)
    rows.append(Part("total", _size(network), template[""], search[""], sum(row.repeated for row in rows)))
    return rows


def shares(rows: list[Part]) -> dict[str, tuple[float, float]]:
    """WP, CSA, TCA -> share (0..1) in the total: of the parameters, and of the MACs per frame. Empty without them."""
    total, found = rows[-1], {}
    for label in ("WP", *INTERACTION):
        chosen = [row for row in rows if row.name.endswith(f": {label}")]
        if chosen:
            parameters, search = sum(row.parameters for row in chosen), sum(row.search for row in chosen)
            found[label] = (parameters / max(total.parameters, 1), search / max(total.search, 1))
    return found


def table(rows: list[Part]) -> str:
    """The rows as text. The last two columns count as the authors' code works, which repeats some of the template's
    share for every frame."""
    cells = [["GMACs", "parameters", "template", "search", "template*", "search*"]]
    for row in rows:
        macs = (row.template, row.search, row.released_template, row.released_search)
        cells.append([row.name, f"{row.parameters:,}", *(f"{each / 1e9:.3f}" for each in macs)])
    lines = aligned(cells)
    lines.append("* as the authors' code counts: what depends on the template alone is partly redone for every frame")
    lines += [
        f"{label}: {parameters:.1%} of the parameters, {macs:.1%} of the MACs per frame"
        for label, (parameters, macs) in shares(rows).items()
    ]
    return "\n".join(lines)


def _interaction(name: str, part: nn.Module, template: dict[str, int], search: dict[str, int]) -> list[Part]:
    """Rows of the tagged modules below one part; a tagged module inside another counts for its own row alone."""
    tagged = {f"{name}.{path}": module for path, module in part.named_modules() if getattr(module, "part", "")}
    if not tagged:
        return []
    own = {path: np.array([_size(m), template.get(path, 0), search.get(path, 0)]) for path, m in tagged.items()}
    sums = {label: np.zeros(3, np.int64) for label in INTERACTION}
    for path, module in tagged.items():
        sums[str(module.part)] += own[path] - sum(own[other] for other in tagged if other.startswith(path + "."))
    rows = (Part(f"{name}: {label}", *values.tolist()) for label, values in sums.items())
    return [Part(f"{name}: WP", 0, 0, 0), *rows]


def _macs(network: nn.Module) -> tuple[dict[str, int], dict[str, int]]:
    """MACs of ``template()`` and ``search()`` by module path; the path of the whole is empty."""
    written, *images = without_values(network)
    with torch.no_grad():
        features, template = _count(written, lambda: written.template(images[0]))
        _, search = _count(written, lambda: written.search(images[1], features))
    return template, search


def without_values(network: nn.Module) -> tuple[Any, Tensor, Tensor]:
    """``copy_on_meta`` of a network with ``template`` and ``search``, and an image for each of these calls."""
    twin: Any = copy_on_meta(network)
    sides = (int(twin.template_size), int(twin.search_size))
    template, search = (torch.empty(1, 3, side, side, device="meta") for side in sides)
    return twin, template, search


def copy_on_meta(network: nn.Module) -> nn.Module:
    """A copy without values whose attention is written out: the fused kernel hides its products from the counter."""
    memo: dict[int, Any] = {}
    for tensor in (*network.parameters(), *network.buffers()):
        ghost = torch.empty_like(tensor, device="meta")
        memo[id(tensor)] = nn.Parameter(ghost, requires_grad=False) if isinstance(tensor, nn.Parameter) else ghost
    twin = copy.deepcopy(network, memo).eval()
    for module in twin.modules():
        if hasattr(module, "fused"):
            setattr(module, "fused", False)  # noqa: B010 - nn.Module types its attributes as modules
    return twin


def _count(network: nn.Module, run: Callable[[], Any]) -> tuple[Any, dict[str, int]]:
    """What ``run`` returns, and the MACs spent inside each module while it ran."""
    counter = FlopCounterMode(display=False)
    spent: dict[str, int] = {}
    with counter, _metered(network, counter, spent):
        result = run()
    spent[""] = counter.get_total_flops() // 2
    return result, spent


@contextmanager
def _metered(network: nn.Module, counter: FlopCounterMode, spent: dict[str, int]) -> Iterator[None]:
    """Add what each call of each module costs to ``spent``; a call inside another call of the same module is part of
    it."""
    running: set[str] = set()

    def metered(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if name in running:
                return method(*args, **kwargs)
            running.add(name)
            before = counter.get_total_flops()
            result = method(*args, **kwargs)
            spent[name] = spent.get(name, 0) + (counter.get_total_flops() - before) // 2
            running.remove(name)
            return result

        return call

    with ExitStack() as stack:
        for name, module in network.named_modules():
            for method in CALLS if name else ():
                if hasattr(module, method):
                    patch(stack, module, method, metered(name, getattr(module, method)))
        yield


def patch(stack: ExitStack, owner: Any, name: str, call: Callable[..., Any]) -> None:
    """Put ``call`` in front of a method of one object until the stack is closed."""
    object.__setattr__(owner, name, call)
    stack.callback(object.__delattr__, owner, name)


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
