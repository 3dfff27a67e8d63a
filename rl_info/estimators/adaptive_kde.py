"""Adaptive kernel density estimation, aKDE (Chelombiev et al., ICLR 2019, arXiv 1902.09037)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, SaturatedWarning
from rl_info.estimators.pairwise import log_kernel, row_blocks

NoiseScale = Literal["deviation", "variance"]
"""What of the noise is proportional to the largest absolute value."""


@dataclass(frozen=True)
class AdaptiveKDEConfig(EstimatorConfig):
    """Settings of the estimator by adaptive kernel densities."""

    noise: float = 0.1
    """Size of the noise for each unit of the largest absolute value of a variable."""
    scales: NoiseScale = "deviation"
    """What that size is: the noise's standard deviation, so that units do not matter, or its
    variance as in the paper, where doubling all values does not double the noise."""
    self_pairs: bool = False
    """Whether a sample counts in its own density, as in the paper, where the samples are the whole
    law of the input; as an estimate for other samples that is biased up, at most to ln N."""

    def __post_init__(self) -> None:
        if not self.noise > 0:
            raise ValueError(f"noise must be > 0, got {self.noise}")


class AdaptiveKDE(Estimator):
    """Mean of ln p(x, y)/(p(x) p(y)) with densities smoothed as the spread of the values asks.

    Each density is a mixture of normals, one a sample: that of the variable plus normal noise. The
    paper adds such noise to the layers of a deterministic network, whose information would be
    infinite, and takes the entropy of the mixture by its Kullback–Leibler surrogate −mean ln mean
    exp(−‖d‖²/(2σ²)) (Kolchinsky and Tracey, arXiv 1706.02419), as is done here for x, y and both
    together. Variables are centred first and, unless `self_pairs`, samples are left out of their
    own density. Much noise hides dependence, and too little for the number of samples and columns
    leaves a large error of either sign: the value, in nats, bounds nothing. O(N²) time, O(N)
    memory, in float64.

    The standard error is the delta method's, with the influence of each sample on its own ratio and
    on the densities of the others, the noise held fixed.
    """

    config: AdaptiveKDEConfig

    def __init__(
        self,
        config: AdaptiveKDEConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or AdaptiveKDEConfig(), seed=seed, device=device)

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate from samples (N, X) and (N, Y); warns where most samples see no other.

        Raises ValueError for samples that cannot be used, naming what is wrong.
        """
        left, right = (self._scaled(side.double()) for side in self.check(x, y))
        self_pairs = self.config.self_pairs
        both = torch.cat([left, right], dim=1)
        joint, of_x, of_y = (
            log_mixture_density(side, self_pairs=self_pairs) for side in (both, left, right)
        )
        local = joint - of_x - of_y
        samples = left.shape[0]
        others = (joint + math.log(samples)).exp().median() - float(self_pairs)
        if others < 1:
            warnings.warn(
                f"the noise is too small for {samples} samples in these columns: most see no other "
                "sample, and the value says little of their dependence; raise the noise",
                SaturatedWarning,
                stacklevel=2,
            )
        influence = (
            local
            + _influence_on_others(both, joint, self_pairs)
            - _influence_on_others(left, of_x, self_pairs)
            - _influence_on_others(right, of_y, self_pairs)
        )
        error = influence.std(correction=0).item() / math.sqrt(samples)
        return Estimate(local.mean().item(), error, self.bound)

    def _scaled(self, x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
        """Centred samples in units of the noise's standard deviation."""
        centred = x - x.mean(dim=0)
        variance = noise_variance(centred, self.config.noise, self.config.scales)
        # A variable that never changes stays at the origin whatever its noise.
        return centred / (variance**0.5 or 1.0)


def noise_variance(values: Float[Tensor, "N D"], noise: float, scales: NoiseScale) -> float:
    """Variance of the noise for `values`, by their largest absolute value."""
    largest = values.abs().max().item()
    return (noise * largest) ** 2 if scales == "deviation" else noise * largest


def log_mixture_density(x: Float[Tensor, "N D"], *, self_pairs: bool = True) -> Float[Tensor, "N"]:
    """ln mean_j exp(−‖x_i − x_j‖²/2) of every sample: at least −ln N with `self_pairs`.

    The density of the samples with unit normal noise without its factor (2π)^{−D/2}, in nats; the
    mean is over the others without `self_pairs`. Differentiable.
    """
    blocks = [
        torch.logsumexp(log_kernel(x, rows, self_pairs=self_pairs), dim=1) for rows in row_blocks(x)
    ]
    return torch.cat(blocks) - math.log(x.shape[0] - (not self_pairs))


def _influence_on_others(
    x: Float[Tensor, "N D"], log_density: Float[Tensor, "N"], self_pairs: bool
) -> Float[Tensor, "N"]:
    """Change of the mean ln density of all samples for more weight on each one, up to a constant.

    mean_j exp(−‖x_i − x_j‖²/2) / density_j.
    """
    blocks = [
        torch.logsumexp(log_kernel(x, rows, self_pairs=self_pairs) - log_density, dim=1)
        for rows in row_blocks(x)
    ]
    return torch.cat(blocks).exp() / (x.shape[0] - (not self_pairs))
