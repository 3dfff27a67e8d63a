"""Cauchy–Schwarz quadratic mutual information."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.cauchy_schwarz import KernelSums, quadratic_information
from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.pairwise import log_kernel, median_distance, row_blocks


@dataclass(frozen=True)
class CauchySchwarzConfig(EstimatorConfig):
    """Settings of the Cauchy–Schwarz quadratic mutual information."""

    bandwidth: Literal["silverman", "median"] | float = "silverman"
    """σ of exp(−‖d‖²/(2σ²)): Silverman's rule for each column, which shrinks with N; the median
    distance of x and of y; or a number for both, in the units of the samples."""
    self_pairs: bool = False
    """Whether a sample is compared with itself, as the published sums do; without, the sums are
    unbiased, and independent variables score zero on average."""

    def __post_init__(self) -> None:
        if isinstance(self.bandwidth, float | int) and not self.bandwidth > 0:
            raise ValueError(f"bandwidth must be > 0, got {self.bandwidth}")


class CauchySchwarz(Estimator):
    """Cauchy–Schwarz divergence of p(x, y) from p(x) p(y), in nats, with Parzen densities.

    Quadratic, not Shannon's: −ln of the squared cosine between the two densities (Principe,
    Information Theoretic Learning, 2010, chapter 2). Zero for independence and growing with
    dependence, but neither equal to I(X;Y) nor a bound on it, and its size depends on the
    bandwidth. From about ten columns on the few nearest pairs decide alone and the variance is
    large; with `self_pairs` the value then tends to ln N instead. O(N²) time, O(N) memory, in
    float64.

    The standard error is the delta method's with the first-order influence of each sample, the
    bandwidth held fixed; it vanishes to second order where x and y are independent.
    """

    config: CauchySchwarzConfig

    def __init__(
        self,
        config: CauchySchwarzConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or CauchySchwarzConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError, also for fewer than 3 of them."""
        return check_pair(x, y, minimum=3, device=self.device)

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate the divergence from samples (N, X) and (N, Y), float32 or float64.

        Raises ValueError for samples that cannot be used, and for a bandwidth so small that no two
        samples see each other.
        """
        left, right = (self._scaled(side.double()) for side in self.check(x, y))
        sums = _row_sums(left, right)
        value = _log_ratio(sums, self.config.self_pairs).item()
        if not math.isfinite(value):
            raise ValueError(
                "no two samples are near each other at this bandwidth: raise it, or use fewer "
                "columns"
            )
        error = _influence(left, right, sums).std(correction=0).item() / math.sqrt(left.shape[0])
        return Estimate(value, error, self.bound)

    def _scaled(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Centred samples in units of the bandwidth."""
        bandwidth = self.config.bandwidth
        if bandwidth == "silverman":
            width = silverman_bandwidth(x)
        elif bandwidth == "median":
            generator = torch.Generator().manual_seed(self.seed)
            width = x.new_tensor(median_distance(x, generator))
        else:
            width = x.new_tensor(bandwidth)
        return (x - x.mean(dim=0)) / width


def cauchy_schwarz_information(
    x: Float[Tensor, "N X"],
    y: Float[Tensor, "N Y"],
    x_bandwidth: float = 1.0,
    y_bandwidth: float = 1.0,
    *,
    self_pairs: bool = True,
) -> Float[Tensor, ""]:
    """ln mean(K_x∘K_y) + ln(ΣK_x ΣK_y / N⁴) − 2 ln(1ᵀ K_x K_y 1 / N³), in nats.

    K are Gaussian kernels exp(−‖d‖²/(2σ²)). Without `self_pairs` all means leave out repeated
    indices, which removes their bias. Differentiable in x and y (the graph holds O(N²) numbers
    then, O(N) without gradients). Not Shannon's information: see `CauchySchwarz`.
    """
    x = (x - x.mean(dim=0)) / x_bandwidth
    y = (y - y.mean(dim=0)) / y_bandwidth
    return _log_ratio(_row_sums(x, y), self_pairs)


def silverman_bandwidth(x: Float[Tensor, "N D"]) -> Float[Tensor, "D"]:
    """s (4/((D + 2) N))^{1/(D + 4)} of each column with standard deviation s; 1 if that is 0."""
    rows, columns = x.shape
    spread = x.std(dim=0)
    spread = torch.where(spread > 0, spread, 1.0)
    return spread * (4 / ((columns + 2) * rows)) ** (1 / (columns + 4))


def _row_sums(x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> KernelSums:
    """Sums over all other samples, for every sample."""
    blocks = []
    for rows in row_blocks(x):
        kernel_x, kernel_y = _kernel(x, rows), _kernel(y, rows)
        blocks.append(torch.stack([kernel_x.sum(1), kernel_y.sum(1), (kernel_x * kernel_y).sum(1)]))
    return KernelSums(*torch.cat(blocks, dim=1))


def _log_ratio(sums: KernelSums, self_pairs: bool) -> Float[Tensor, ""]:
    if self_pairs:
        # K_ii = 1, in x, in y and in their product.
        sums = KernelSums(sums.x + 1, sums.y + 1, sums.xy + 1)
    return quadratic_information(sums, self_pairs=self_pairs)


def _influence(
    x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"], sums: KernelSums
) -> Float[Tensor, "N"]:
    """First-order influence of each sample on the value, up to a constant."""
    through_others = torch.cat(
        [_kernel(x, rows) @ sums.y + _kernel(y, rows) @ sums.x for rows in row_blocks(x)]
    )
    own = sums.x * sums.y
    on_pairs = sums.xy / sums.xy.mean() + sums.x / sums.x.mean() + sums.y / sums.y.mean()
    return 2 * on_pairs - 2 * (own + through_others) / own.mean()


def _kernel(x: Float[Tensor, "N D"], rows: slice) -> Float[Tensor, "B N"]:
    """Rows of the kernel without its diagonal."""
    return log_kernel(x, rows, self_pairs=False).exp()
