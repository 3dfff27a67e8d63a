"""Numbers that describe a prepared set: its sizes and its second moments.

They spare the network from having to find again what correlations say, and how far that can be
trusted with so few rows. The paper's network is given the rows alone.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.normal import normal_information

SIZES = 3
"""How many numbers describe the sizes."""
RANKED = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Positions, from strongest to weakest, at which partners' correlations are read."""
CONTEXT = SIZES + len(RANKED) + 12
"""How many numbers describe a set."""
MOST_CORRELATED = 0.9999
"""Sample correlations are held below this, where information would be infinite."""
SHRINKAGES = (1.0, 0.1)
"""Shrinkage towards independence, in units of columns / (rows + columns)."""


def summarise(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, K]:
    """Description of a set of normal scores whose columns are matched, in float32."""
    rows, x_dims, y_dims = x.shape[0], x.shape[1], y.shape[1]
    moments = _moments(x, y)
    parts = (
        _sizes(rows, x_dims, y_dims),
        _partners(moments[:x_dims, x_dims:]),
        _blocks(moments, x_dims),
        _plug_in(moments, x_dims, rows),
        _lengths(x, y),
    )
    return torch.cat(parts).to(torch.float32)


def _moments(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, "D D"]:
    joint = torch.cat([x, y], dim=1).double()
    matrix = joint.T @ joint
    scale = matrix.diagonal().clamp_min(1e-12).rsqrt()
    matrix = (matrix * scale[:, None] * scale).clamp(-MOST_CORRELATED, MOST_CORRELATED)
    return matrix.fill_diagonal_(1.0)


def _sizes(rows: int, x_dims: int, y_dims: int) -> Float[Tensor, 3]:
    values = (math.log(rows) - 5.0, math.log(x_dims) - 2.0, math.log(y_dims) - 2.0)
    return torch.tensor(values, dtype=torch.float64)


def _partners(across: Float[Tensor, "X Y"]) -> Float[Tensor, Q]:
    """Correlations of partners by rank, their mean, and their information as separate pairs."""
    partners = across.diagonal().abs().sort(descending=True).values
    last = len(partners) - 1
    ranked = partners[[round(share * last) for share in RANKED]]
    apart = -0.5 * torch.log1p(-partners.square()).sum()
    return torch.cat([ranked, partners.mean()[None], torch.log1p(apart)[None]])


def _blocks(moments: Float[Tensor, "D D"], x_dims: int) -> Float[Tensor, 5]:
    """Mean correlation within x, within y and across; root mean square within and across."""
    within_x, within_y = moments[:x_dims, :x_dims], moments[x_dims:, x_dims:]
    across = moments[:x_dims, x_dims:]
    inside = torch.cat([_off_diagonal(within_x), _off_diagonal(within_y)])
    values = (_off_diagonal(within_x).mean(), _off_diagonal(within_y).mean(), across.mean())
    return torch.stack([*values, inside.square().mean().sqrt(), across.square().mean().sqrt()])


def _off_diagonal(block: Float[Tensor, "D D"]) -> Float[Tensor, P]:
    dims = len(block)
    if dims == 1:
        return block.new_zeros(1)
    return block.flatten()[:-1].view(dims - 1, dims + 1)[:, 1:].flatten()


def _plug_in(moments: Float[Tensor, "D D"], x_dims: int, rows: int) -> Float[Tensor, Q]:
    """Normal information of the moments, shrunk more and less, on the scale ln(1 + I)."""
    dims = len(moments)
    identity = torch.eye(dims, dtype=moments.dtype)
    found = []
    for strength in SHRINKAGES:
        share = strength * dims / (rows + dims)
        found.append(normal_information((1 - share) * moments + share * identity, x_dims))
    return torch.log1p(torch.tensor(found, dtype=torch.float64))


def _lengths(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, 3]:
    """How lengths of rows vary together: the mark of heavy tails that both sides share."""
    left, right = (side.double().square().mean(dim=1).clamp_min(1e-6).log() for side in (x, y))
    left, right = left - left.mean(), right - right.mean()
    scale = (left.square().mean() * right.square().mean()).clamp_min(1e-12).sqrt()
    spread = torch.stack([left.square().mean().sqrt(), right.square().mean().sqrt()])
    return torch.cat([((left * right).mean() / scale)[None], spread])
