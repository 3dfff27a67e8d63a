"""Injective maps of whole vectors, which leave information unchanged."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def swiss_roll(samples: Float[Tensor, "N 1"]) -> Float[Tensor, "N 2"]:
    """A line segment (0, 1) rolled up in the plane: u ↦ t (cos t, sin t) / 21, t = 1.5 π (1 + 2u).

    Two of its coordinates hold what one held before; neither alone does.
    """
    angle = 1.5 * math.pi * (1 + 2 * samples)
    return torch.cat([angle * torch.cos(angle), angle * torch.sin(angle)], dim=1) / 21.0


def spiral(samples: Float[Tensor, "N D"], speed: float = 1 / 3) -> Float[Tensor, "N D"]:
    """Turn every vector v in the plane of its first two coordinates by `speed` · ‖v‖² radians.

    The length stays, so the turn can be undone. Raises ValueError for fewer than two dimensions.
    """
    if samples.shape[1] < 2:
        raise ValueError("a turn needs two dimensions or more")
    angle = speed * samples.square().sum(dim=1, keepdim=True)
    first, second, rest = samples[:, :1], samples[:, 1:2], samples[:, 2:]
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return torch.cat([cosine * first - sine * second, sine * first + cosine * second, rest], dim=1)
