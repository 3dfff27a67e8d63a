"""Mixtures of bivariate normals, whose information is found by numerical integration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.distributions.base import draw_normal, draw_uniform


@dataclass(frozen=True)
class NormalComponent:
    """One bivariate normal of a mixture."""

    weight: float
    """Its share."""
    mean: tuple[float, float] = (0.0, 0.0)
    """Means of X and Y."""
    deviation: tuple[float, float] = (1.0, 1.0)
    """Standard deviations of X and Y."""
    correlation: float = 0.0
    """Correlation of X and Y."""


class NormalMixture:
    """(X, Y) from one of several bivariate normals; X and Y have one dimension each.

    I is the integral of p ln(p / (p_x p_y)) by the trapezoidal rule over ten deviations around
    every mean, which is accurate to about 1e-9 as long as no component is narrower than a
    hundredth of the whole.
    """

    x_dims = 1
    y_dims = 1
    points: int = 1601
    """Points of the integration per axis."""

    def __init__(self, components: Sequence[NormalComponent]) -> None:
        """Raises ValueError unless weights sum to 1 and |correlations| are below 1."""
        if abs(sum(each.weight for each in components) - 1) > 1e-9:
            raise ValueError("the weights of a mixture must sum to 1")
        if any(abs(each.correlation) >= 1 or min(each.deviation) <= 0 for each in components):
            raise ValueError("correlations must lie between -1 and 1, and deviations above 0")
        self.components = tuple(components)

    @cached_property
    def information(self) -> float:
        """I(X;Y) in nats."""
        x, y = self._axis(0), self._axis(1)
        columns = x[:, None].expand(-1, len(y)).reshape(-1, 1)
        rows = y[None, :].expand(len(x), -1).reshape(-1, 1)
        joint = self._log_joint(columns, rows)
        ratio = joint - self._log_marginal(columns, 0) - self._log_marginal(rows, 1)
        cell = float((x[1] - x[0]) * (y[1] - y[0]))
        return max(0.0, float((joint.exp() * ratio).sum()) * cell)

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "N 1"], Float[Tensor, "N 1"]]:
        """`n` draws in float64 on the generator's device."""
        normals = draw_normal(n, 2, generator)
        shares = normals.new_tensor([each.weight for each in self.components]).cumsum(0)
        last = len(self.components) - 1
        chosen = torch.searchsorted(shares, draw_uniform(n, 1, generator)[:, 0]).clamp_max(last)
        table = normals.new_tensor(
            [(*each.mean, *each.deviation, each.correlation) for each in self.components]
        )[chosen]
        tilt = table[:, 4]
        second = tilt * normals[:, 0] + (1 - tilt.square()).sqrt() * normals[:, 1]
        x = table[:, 0] + table[:, 2] * normals[:, 0]
        y = table[:, 1] + table[:, 3] * second
        return x[:, None], y[:, None]

    def log_ratio(self, x: Float[Tensor, "N 1"], y: Float[Tensor, "N 1"]) -> Float[Tensor, N]:
        """ln p(x, y) − ln p(x) − ln p(y)."""
        return self._log_joint(x, y) - self._log_marginal(x, 0) - self._log_marginal(y, 1)

    def _log_joint(self, x: Float[Tensor, "N 1"], y: Float[Tensor, "N 1"]) -> Float[Tensor, N]:
        parts = []
        for each in self.components:
            u = (x[:, 0] - each.mean[0]) / each.deviation[0]
            v = (y[:, 0] - each.mean[1]) / each.deviation[1]
            left = 1 - each.correlation**2
            square = (u.square() - 2 * each.correlation * u * v + v.square()) / left
            scale = each.deviation[0] * each.deviation[1] * math.sqrt(left)
            parts.append(-0.5 * square + math.log(each.weight / (2 * math.pi * scale)))
        return torch.logsumexp(torch.stack(parts), dim=0)

    def _log_marginal(self, values: Float[Tensor, "N 1"], side: int) -> Float[Tensor, N]:
        parts = []
        for each in self.components:
            width = each.deviation[side]
            u = (values[:, 0] - each.mean[side]) / width
            parts.append(
                -0.5 * u.square() + math.log(each.weight / (math.sqrt(2 * math.pi) * width))
            )
        return torch.logsumexp(torch.stack(parts), dim=0)

    def _axis(self, side: int) -> Float[Tensor, P]:
        low = min(each.mean[side] - 10 * each.deviation[side] for each in self.components)
        high = max(each.mean[side] + 10 * each.deviation[side] for each in self.components)
        return torch.linspace(low, high, self.points, dtype=torch.float64)


def crossed_normals(correlation: float = 0.9) -> NormalMixture:
    """Half the draws correlate, half anticorrelate: an X without any correlation over all."""
    return NormalMixture(
        [
            NormalComponent(0.5, correlation=correlation),
            NormalComponent(0.5, correlation=-correlation),
        ]
    )


def clustered_normals(distance: float = 3.0) -> NormalMixture:
    """Four round clusters on a square, the two on one diagonal three times as likely."""
    half = distance / 2
    return NormalMixture(
        [
            NormalComponent(weight, (half * right, half * up))
            for weight, right, up in (
                (0.375, 1, 1),
                (0.375, -1, -1),
                (0.125, 1, -1),
                (0.125, -1, 1),
            )
        ]
    )
