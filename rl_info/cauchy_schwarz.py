"""Cauchy–Schwarz quadratic information from sums of kernels."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class KernelSums(NamedTuple):
    """Sums of kernels over the samples that each sample is compared with."""

    x: Float[Tensor, "N"]
    """Of K_x."""
    y: Float[Tensor, "N"]
    """Of K_y."""
    xy: Float[Tensor, "N"]
    """Of K_x∘K_y."""


def quadratic_information(sums: KernelSums, *, self_pairs: bool) -> Float[Tensor, ""]:
    """ln mean(K_x∘K_y) + ln(mean K_x mean K_y) − 2 ln mean_i(mean_j K_x mean_j K_y), in nats.

    The Cauchy–Schwarz divergence of p(x, y) from p(x) p(y) with Parzen densities (Principe,
    Information Theoretic Learning, 2010, chapter 2). `self_pairs` says whether the sums hold each
    sample's kernel with itself; where they do not, all means leave repeated indices out.
    """
    x, y, xy = sums
    samples = x.shape[0]
    if self_pairs:
        pairs, triples = samples**2, samples**3
        cross = x * y
    else:
        pairs, triples = samples * (samples - 1), samples * (samples - 1) * (samples - 2)
        cross = x * y - xy
    log_pairs = (xy.sum() / pairs).log() + (x.sum() / pairs).log() + (y.sum() / pairs).log()
    return log_pairs - 2 * (cross.sum() / triples).log()
