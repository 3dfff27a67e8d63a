"""Diffusion spectral entropy and information (Liao et al., arXiv 2312.04823)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.distances import squared_distances
from rl_info.estimators.base import Estimate, Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.pairwise import median_distance
from rl_info.estimators.spectral_clusters import cluster_labels

JACKKNIFE_GROUPS = 5


@dataclass(frozen=True)
class DiffusionConfig(EstimatorConfig):
    """Settings of the diffusion spectral mutual information."""

    bandwidth: float | None = None
    """σ of the kernel exp(−‖d‖²/(2σ²)) on x; None: half the median distance of x (the reference
    code fixes 10)."""
    diffusion_time: int = 1
    """t: steps of diffusion; more suppress noise and the entropy with it."""
    clusters: int = 10
    """Clusters into which y is cut (10 in the reference code)."""
    repetitions: int = 5
    """Random subsets of x that each cluster is compared with."""
    max_samples: int = 1000
    """More samples than these are thinned at random: time is cubic in them."""

    def __post_init__(self) -> None:
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise ValueError(f"bandwidth must be > 0 or None, got {self.bandwidth}")
        if self.diffusion_time < 1 or self.repetitions < 1:
            raise ValueError(
                "diffusion_time and repetitions must be at least 1, got "
                f"{self.diffusion_time} and {self.repetitions}"
            )
        if self.clusters < 2 or self.max_samples < 2 * self.clusters:
            raise ValueError(
                "clusters must be at least 2 and max_samples twice that, got "
                f"{self.clusters} and {self.max_samples}"
            )


class Diffusion(Estimator):
    """Diffusion spectral mutual information: entropy that x loses once the cluster of y is known.

    DSMI = Σ_c p(c) [DSE(x*) − DSE(x | y in c)], x* a random subset as large as the cluster, in
    nats (the paper uses bits). Not Shannon's information and no bound on it: a geometric measure
    whose size depends on the bandwidth and the clusters, at most ln `clusters` in spirit but not
    in proof; zero in expectation for independence. Not symmetric. Meant to follow a network over
    training, and robust in many dimensions. y is cut as in the reference code: equal widths for
    one column, else spectral clusters, here of a Gaussian kernel instead of a graph of nearest
    neighbours.

    The standard error is a jackknife over five groups of samples with clusters held fixed.
    """

    config: DiffusionConfig

    def __init__(
        self,
        config: DiffusionConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or DiffusionConfig(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors, or ValueError, also for fewer than twice the clusters."""
        minimum = 2 * self.config.clusters
        return check_pair(x, y, minimum=minimum, device=self.device, needs_density=False)

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate from samples (N, X) and (N, Y), float32 or float64; computes in float64.

        Raises ValueError for unusable samples and fewer than twice as many as clusters.
        """
        left, right = (side.double() for side in self.check(x, y))
        generator = torch.Generator().manual_seed(self.seed)
        kept = torch.randperm(left.shape[0], generator=generator)[: self.config.max_samples]
        left, right = left[kept], right[kept]
        labels = cluster_labels(right, self.config.clusters, generator)
        sigma = self.config.bandwidth or median_distance(left, generator) / 2
        value = self._information(left, labels, sigma)
        groups = torch.arange(left.shape[0], device=left.device) % JACKKNIFE_GROUPS
        without = torch.tensor(
            [
                self._information(left[groups != group], labels[groups != group], sigma)
                for group in range(JACKKNIFE_GROUPS)
            ]
        )
        spread = (without - without.mean()).square().mean() * (JACKKNIFE_GROUPS - 1)
        return Estimate(value, spread.sqrt().item(), self.bound)

    def _information(
        self, x: Float[Tensor, "N X"], labels: Int64[Tensor, "N"], sigma: float
    ) -> float:
        config = self.config
        generator = torch.Generator().manual_seed(self.seed)
        return diffusion_spectral_information(
            x, labels, sigma, config.diffusion_time, config.repetitions, generator
        )


def diffusion_spectral_entropy(
    x: Float[Tensor, "N D"], bandwidth: float, diffusion_time: int = 1
) -> Float[Tensor, ""]:
    """DSE = −Σ p ln p in nats, p ∝ |λ|^t over the eigenvalues λ of D^{−½} G D^{−½}.

    G_ij = exp(−‖x_i − x_j‖²/(2σ²)) with σ = `bandwidth`, D its row sums. Between 0, where all
    samples coincide to the kernel, and ln N, where none see each other. Differentiable, O(N³).
    """
    centred = x - x.mean(dim=0)
    kernel = torch.exp(-squared_distances(centred, centred) / (2 * bandwidth**2))
    scale = kernel.sum(dim=1).rsqrt()
    weights = torch.linalg.eigvalsh(scale[:, None] * kernel * scale).abs() ** diffusion_time
    return torch.special.entr(_positive(weights / weights.sum())).sum()


def diffusion_spectral_information(
    x: Float[Tensor, "N X"],
    labels: Int64[Tensor, "N"],
    bandwidth: float,
    diffusion_time: int = 1,
    repetitions: int = 5,
    generator: torch.Generator | None = None,
) -> float:
    """DSMI of x with discrete `labels`: Σ_c p(c) [DSE(x*) − DSE(x | c)], in nats.

    x* are `repetitions` random subsets of x as large as the class c, drawn with `generator` (seed
    0 if None), so that the number of samples, on which DSE depends, cancels. Not Shannon's.
    """
    generator = generator or torch.Generator().manual_seed(0)
    rows, total = x.shape[0], 0.0
    for label in torch.unique(labels):
        inside = x[labels == label]
        subsets = [
            x[torch.randperm(rows, generator=generator)[: inside.shape[0]].to(x.device)]
            for _ in range(repetitions)
        ]
        anywhere = [
            diffusion_spectral_entropy(subset, bandwidth, diffusion_time).item()
            for subset in subsets
        ]
        given = diffusion_spectral_entropy(inside, bandwidth, diffusion_time).item()
        total += inside.shape[0] / rows * (sum(anywhere) / repetitions - given)
    return total


def _positive(shares: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Shares kept off zero, where −p ln p has no finite derivative."""
    return shares.clamp_min(torch.finfo(shares.dtype).tiny)
