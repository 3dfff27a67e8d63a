"""How samples are prepared for MIST: what leaves information unchanged is taken out beforehand.

The paper feeds raw rows [x | y], zero-padded to 64 columns. Information does not change under
increasing maps of single columns, reflections and orders of columns, so all of these are
normalised away here: every column becomes normal scores of its ranks; columns are ordered such
that the k-th of x is the one that correlates most with the k-th of y; signs are set so that
partners agree, and pairs agree with the pairs' leading direction.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from rl_info.estimators.mist.summary import summarise
from rl_info.estimators.neighbours.compiling import compiled
from rl_info.estimators.normal_scores import normal_scores

SIDE = 32
"""Most columns of x, and of y."""
WIDTH = 2 * SIDE
"""Columns of a prepared row: x in the first half, y in the second, zeros after each."""
POWER_STEPS = 8
"""Iterations that look for the leading direction."""


def prepare(
    x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
) -> tuple[Float[Tensor, "N C"], Float[Tensor, K]]:
    """One set as rows of `WIDTH` columns and its summary, in float32 on the CPU."""
    samples, x_dims = x.shape[0], x.shape[1]
    columns = torch.cat([x, y], dim=1).to(device="cpu", dtype=torch.float64)
    scores = normal_scores(columns).to(torch.float32)
    correlations = (scores[:, :x_dims].T @ scores[:, x_dims:]) / samples
    x_order, y_order = match_columns(correlations)
    left, right = scores[:, :x_dims][:, x_order], scores[:, x_dims:][:, y_order]
    left, right = agree_in_sign(left, right)
    rows = torch.zeros(samples, WIDTH)
    rows[:, : left.shape[1]] = left
    rows[:, SIDE : SIDE + right.shape[1]] = right
    return rows, summarise(left, right)


def match_columns(
    correlations: Float[Tensor, "X Y"],
) -> tuple[Int[Tensor, X], Int[Tensor, Y]]:
    """Orders of the columns of x and of y in which the strongest free correlations are partners."""
    x_order, y_order = _greedy_match(correlations.abs().contiguous().numpy())
    return torch.from_numpy(x_order), torch.from_numpy(y_order)


@compiled
def _greedy_match(strength: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    x_dims, y_dims = strength.shape
    x_order, y_order = np.empty(x_dims, np.int64), np.empty(y_dims, np.int64)
    x_free, y_free = np.ones(x_dims, np.bool_), np.ones(y_dims, np.bool_)
    found = 0
    for flat in np.argsort(-strength.ravel(), kind="mergesort"):
        i, j = flat // y_dims, flat % y_dims
        if x_free[i] and y_free[j]:
            x_order[found], y_order[found] = i, j
            x_free[i] = y_free[j] = False
            found += 1
            if found == min(x_dims, y_dims):
                break
    x_order[found:], y_order[found:] = np.flatnonzero(x_free), np.flatnonzero(y_free)
    return x_order, y_order


def agree_in_sign(
    left: Float[Tensor, "N X"], right: Float[Tensor, "N Y"]
) -> tuple[Float[Tensor, "N X"], Float[Tensor, "N Y"]]:
    """Reflect columns so that partners, and as far as possible all columns, correlate positively.

    Signs of a direction are only given up to one common sign, which is what remains open.
    """
    pairs = min(left.shape[1], right.shape[1])
    partner = _signs((left[:, :pairs] * right[:, :pairs]).sum(dim=0))
    right = torch.cat([right[:, :pairs] * partner, right[:, pairs:]], dim=1)
    together = left[:, :pairs] + right[:, :pairs]
    leading = together.new_ones(pairs)
    for _ in range(POWER_STEPS):
        leading = together.T @ (together @ leading)
        leading = leading / leading.norm().clamp_min(1e-12)
    axis = together @ leading
    x_signs, y_signs = _signs(left.T @ axis), _signs(right.T @ axis)
    x_signs[:pairs] = y_signs[:pairs] = _signs(leading)
    return left * x_signs, right * y_signs


def _signs(values: Float[Tensor, D]) -> Float[Tensor, D]:
    return torch.where(values < 0, -1.0, 1.0)
