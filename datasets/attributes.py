"""What attribute codes mean: one list for all benchmarks, each of which takes its own from it, in its order."""

from __future__ import annotations

_WORDS = {
    "ARC": "Aspect Ratio Change",
    "AS": "Adversarial Samples",
    "BC": "Background Clutter",
    "CM": "Camera Motion",
    "DEF": "Deformation",
    "FM": "Fast Motion",
    "FOC": "Full Occlusion",
    "IPR": "In-Plane Rotation",
    "IV": "Illumination Variation",
    "LR": "Low Resolution",
    "MB": "Motion Blur",
    "MS": "Modality Switch",
    "OCC": "Occlusion",
    "OPR": "Out-of-Plane Rotation",
    "OV": "Out-of-View",
    "POC": "Partial Occlusion",
    "ROT": "Rotation",
    "SOB": "Similar Object",
    "SV": "Scale Variation",
    "TC": "Thermal Crossover",
    "VC": "Viewpoint Change",
}


def words_for(codes: str) -> dict[str, str]:
    """Code -> words of codes with blanks between."""
    return {code: _WORDS[code] for code in codes.split()}
