"""When memory ran out: how to know it, and how to get back what the failed attempt still holds."""

from __future__ import annotations

import re
import sys

# What libraries say that raise no type of their own for it: torch on a processor, on MPS and older CUDA calls, cuDNN,
# cuBLAS and OpenCV.
_WORDS = re.compile(
    r"out of memory|can't allocate memory|not enough memory|insufficient memory|failed to allocate|ALLOC_FAILED", re.I
)
ADVICE = "choose a smaller --preset, --precision bf16, or a --device with more memory"


def ran_out(error: BaseException) -> bool:
    """Whether memory, on a device or the machine's own, is what was missing."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")  # without it nobody can have raised its errors
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return bool(_WORDS.search(str(error))) and (isinstance(error, RuntimeError) or type(error).__module__ == "cv2")


def let_go(error: BaseException) -> None:
    """Drop what the frames of the failed attempt hold, and hand cached blocks back to the device."""
    error.__traceback__ = None
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def in_words(error: BaseException) -> str:
    """The first line of the error, as it says how much was wanted, and what to do."""
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return f"memory ran out with one target at a time ({first.strip()}): {ADVICE}"
