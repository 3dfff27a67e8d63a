"""Entropy and information of discrete labels, from counts."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.estimators.base import Estimate


def discrete_entropy(labels: Int64[Tensor, "N"]) -> float:
    """−Σ p ln p of the observed shares p, in nats.

    Biased down by about (cells − 1)/(2N) (Miller 1955), and never above ln N.
    """
    return -_log_shares(labels).mean().item()


def discrete_information(
    x: Int64[Tensor, "N"], y: Int64[Tensor, "N"], *, bias_correction: bool = False
) -> Estimate:
    """I(X;Y) of two labels from the observed shares, in nats.

    Biased up by about (cells of x − 1)(cells of y − 1)/(2N) while the cells are well filled, which
    `bias_correction` (Miller 1955, with occupied cells) removes to first order; without it never
    above ln N, which it reaches when every sample has a cell of its own. The standard error is that
    of the mean of ln p(x, y)/(p(x) p(y)).
    """
    both = row_labels(torch.stack([x, y], dim=1))
    local = _log_shares(both) - _log_shares(x) - _log_shares(y)
    value = local.mean().item()
    samples = local.shape[0]
    if bias_correction:
        value += (cells(x) + cells(y) - cells(both) - 1) / (2 * samples)
    return Estimate(value, local.std(correction=0).item() / math.sqrt(samples), "none")


def row_labels(codes: Int64[Tensor, "N D"]) -> Int64[Tensor, "N"]:
    """One label for each distinct row."""
    return torch.unique(codes, dim=0, return_inverse=True)[1]


def cells(labels: Int64[Tensor, "N"]) -> int:
    """Number of distinct labels."""
    return int(torch.unique(labels).numel())


def _log_shares(labels: Int64[Tensor, "N"]) -> Float[Tensor, "N"]:
    """ln of the share of samples that carry the label of each sample."""
    _, place, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    return (counts.double() / labels.shape[0]).log()[place]
