"""Columns made standard normal by their ranks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def normal_scores(columns: Float[Tensor, "N D"], offset: float = 0.5) -> Float[Tensor, "N D"]:
    """Φ⁻¹((rank − a) / (N + 1 − 2a)) of every column, a the `offset`, in float64.

    Ranks count from 1; tied values share their mean rank. a = ½ is the middle of a sample's share
    of the distribution function, a = 0 its expectation. Unchanged by increasing maps of columns.
    """
    values = columns.double()
    ordered, order = values.sort(dim=0)
    samples = values.shape[0]
    ranks = torch.arange(1, samples + 1, dtype=values.dtype, device=values.device)
    ranks = ranks[:, None].expand_as(values)
    if (ordered[1:] == ordered[:-1]).any():
        ranks = _mean_ranks(ordered)
    scores = torch.special.ndtri((ranks - offset) / (samples + 1 - 2 * offset))
    return torch.empty_like(values).scatter_(0, order, scores)


def _mean_ranks(ordered: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    columns = ordered.T.contiguous()
    before = torch.searchsorted(columns, columns, right=False)
    until = torch.searchsorted(columns, columns, right=True)
    return (0.5 * (before + 1 + until)).to(ordered.dtype).T
