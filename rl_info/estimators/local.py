"""Estimates that are means of local terms, one for each sample."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate
from rl_info.estimators.margins import MARGINS, Margins


def prepare(samples: Float[Tensor, "N D"], margins: Margins) -> Float64[np.ndarray, "N D"]:
    """Samples as an array on the CPU, their columns prepared by the map named `margins`.

    Raises ValueError for a name that is none of `Margins`.
    """
    if margins not in MARGINS:
        raise ValueError(f"margins must be one of {', '.join(MARGINS)}, got {margins!r}")
    values = samples.detach().to("cpu", torch.float64)
    prepared: np.ndarray = MARGINS[margins](values)(values).numpy()
    return np.ascontiguousarray(prepared)


def estimate_of(terms: Float64[np.ndarray, " N"], bound: Bound = "none") -> Estimate:
    """Mean of the terms, with the standard error it has if they are independent."""
    deviation = float(np.std(terms, ddof=1))
    return Estimate(float(np.mean(terms)), deviation / math.sqrt(len(terms)), bound)
