"""Von Neumann entropy of latents: how many directions they really use."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class CollapseDiagnostic:
    """How far latents have collapsed onto few directions."""

    entropy: float
    """S in nats: 0 for one direction, ln of the dimension for equal variance in all."""
    effective_dimensions: float
    """exp S: 1 for one direction; 0 if the latents never change."""
    used_share: float
    """S / ln(dimension), between 0 and 1."""
    largest_share: float
    """Share of the variance along its leading direction."""


def von_neumann_entropy(covariance: Float[Tensor, "D D"]) -> Float[Tensor, ""]:
    """S = −Σ λ ln λ over the eigenvalues of C / tr C, in nats, from 0 to ln D.

    Differentiable, also with repeated or vanishing eigenvalues: only eigenvalues enter, whose
    derivatives need no gaps, and −ln λ is cut off where λ is below rounding. A zero matrix has
    S = 0. Maximising S keeps latents from collapsing (arXiv 2510.13025).
    """
    trace = covariance.diagonal().sum()
    shares = torch.linalg.eigvalsh(covariance) / trace.clamp_min(torch.finfo(trace.dtype).tiny)
    # Below this an eigenvalue is rounding noise: constant there, so its gradient is zero.
    kept = shares.clamp_min(torch.finfo(shares.dtype).eps)
    return torch.where(kept == shares, torch.special.entr(kept), 0.0).sum()


def latent_entropy(z: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """Von Neumann entropy of the covariance of latents z, in nats, from 0 to ln min(N − 1, D).

    Differentiable; uses the Gram matrix where there are fewer samples than dimensions. Invariant
    to rotation, shift and scale. Raises ValueError for fewer than two samples.
    """
    return von_neumann_entropy(_spectrum_matrix(z))


def collapse_diagnostic(z: Float[Tensor, "N D"]) -> CollapseDiagnostic:
    """How many directions latents z use; raises ValueError for fewer than two samples."""
    matrix = _spectrum_matrix(z.detach())
    entropy = von_neumann_entropy(matrix).item()
    trace = matrix.diagonal().sum().item()
    largest = torch.linalg.eigvalsh(matrix)[-1].item() / trace if trace > 0 else 0.0
    return CollapseDiagnostic(
        entropy,
        math.exp(entropy) if trace > 0 else 0.0,
        entropy / math.log(z.shape[1]) if z.shape[1] > 1 else float(trace > 0),
        largest,
    )


def _spectrum_matrix(z: Float[Tensor, "N D"]) -> Float[Tensor, "M M"]:
    """The smaller of covariance and Gram matrix: their non-zero eigenvalues agree."""
    if z.shape[0] < 2:
        raise ValueError(f"{z.shape[0]} sample has no covariance: give at least 2")
    centred = z - z.mean(dim=0)
    rows, columns = z.shape
    return (centred.T @ centred if columns <= rows else centred @ centred.T) / rows
