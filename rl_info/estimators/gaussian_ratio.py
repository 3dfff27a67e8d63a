"""The log density ratio of a normal distribution, as a start for critics."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.whitening import Whitening

LARGEST_CORRELATION = 1 - 1e-6


class GaussianRatio(nn.Module):
    """ln p(x, y) − ln p(x) p(y) of the normal distribution fitted to samples (N, X) and (N, Y).

    In canonical coordinates it is Σ_i [ρ_i u_i v_i − ρ_i² (u_i² + v_i²) / 2] / (1 − ρ_i²)
    − ½ ln(1 − ρ_i²). Correlations found in few samples of many columns are too large, so that
    they may be shrunk to `shrinkage`·ρ; 0 makes the ratio vanish. Nothing here is learned by
    gradients.
    """

    mean_x: Tensor
    mean_y: Tensor
    matrix_x: Tensor
    matrix_y: Tensor
    correlations: Tensor
    shrinkage: Tensor

    def __init__(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        super().__init__()
        left, right = Whitening.of(x.double()), Whitening.of(y.double())
        cross = left(x.double()).T @ right(y.double()) / x.shape[0]
        u, correlations, vh = torch.linalg.svd(cross, full_matrices=False)
        buffers = {
            "mean_x": left.mean,
            "mean_y": right.mean,
            "matrix_x": left.matrix @ u,
            "matrix_y": right.matrix @ vh.T,
            "correlations": correlations.clamp(0, LARGEST_CORRELATION),
            "shrinkage": torch.ones((), dtype=torch.float64, device=x.device),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value)

    def forward(self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]) -> Float[Tensor, "N M"]:
        """Ratios of every x with every y, in nats."""
        u, v, slope, own, other = self._parts(x, y)
        return (u * slope) @ v.T + own[:, None] + other[None, :]

    def of_pairs(self, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Float[Tensor, N]:
        """Ratios of each x with the y of the same row."""
        u, v, slope, own, other = self._parts(x, y)
        return (u * slope * v).sum(dim=1) + own + other

    def _parts(
        self, x: Float[Tensor, "N X"], y: Float[Tensor, "M Y"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Canonical variates of x and y, their slopes, and what depends on x or y alone."""
        rho = self.correlations * self.shrinkage
        u, v = (x - self.mean_x) @ self.matrix_x, (y - self.mean_y) @ self.matrix_y
        slope = rho / (1 - rho.square())
        curve = rho * slope / 2
        constant = -torch.log1p(-rho.square()).sum() / 2
        return u, v, slope, constant - u.square() @ curve, -v.square() @ curve
