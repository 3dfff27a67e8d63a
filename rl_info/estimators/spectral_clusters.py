"""Clusters of samples by the spectrum of their diffusion operator."""

from __future__ import annotations

import scipy.linalg
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rl_info.distances import squared_distances
from rl_info.estimators.pairwise import median_distance


def cluster_labels(
    y: Float[Tensor, "N Y"], clusters: int, generator: torch.Generator
) -> Int64[Tensor, "N"]:
    """Labels of at most `clusters` clusters of y; a discrete y keeps its own values.

    Bins of equal width for one column, else spectral clusters with a Gaussian kernel as wide as
    half the median distance.
    """
    values, labels = torch.unique(y, dim=0, return_inverse=True)
    if values.shape[0] <= clusters:
        return labels
    if y.shape[1] == 1:
        edges = torch.linspace(y.min().item(), y.max().item(), clusters + 1, dtype=y.dtype)
        return torch.bucketize(y[:, 0].contiguous(), edges[1:-1].to(y.device), right=True)
    return spectral_cluster_labels(y, clusters, median_distance(y, generator) / 2)


def spectral_cluster_labels(
    y: Float[Tensor, "N Y"], clusters: int, bandwidth: float
) -> Int64[Tensor, "N"]:
    """Spectral clusters by pivoted QR (Damle, Minden, Ying, arXiv 1708.07481), deterministic.

    The leading eigenvectors of D^{−½} G D^{−½} are rotated so that each is large on one cluster
    only; the rotation is read from rows of theirs that a pivoted QR picks. The QR runs on the CPU.
    """
    centred = y - y.mean(dim=0)
    kernel = torch.exp(-squared_distances(centred, centred) / (2 * bandwidth**2))
    scale = kernel.sum(dim=1).rsqrt()
    leading = torch.linalg.eigh(scale[:, None] * kernel * scale)[1][:, -clusters:]
    pivots = scipy.linalg.qr(leading.T.cpu().numpy(), pivoting=True, mode="r")[1][:clusters]
    left, _, right = torch.linalg.svd(leading[torch.as_tensor(pivots.copy()).long()].T)
    return (leading @ (left @ right)).abs().argmax(dim=1)
