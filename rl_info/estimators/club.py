"""CLUB: contrastive log-ratio upper bound (Cheng et al., ICML 2020, arXiv 2006.12013)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.base import Bound, Estimate
from rl_info.estimators.conditional_pairs import PairConfig, PairEstimator, check_square
from rl_info.estimators.inputs import LooseBoundWarning, Samples
from rl_info.estimators.leave_one_out import local_leave_one_out

LARGEST_EXCESS = 1.0
"""Nats above the tighter reading of the same density that are not worth a warning."""


def club_bound(log_probs: Float[Tensor, "B B"]) -> Float[Tensor, ""]:
    """E[ln q(y_i|x_i)] − E[ln q(y_j|x_i)], i ≠ j, in nats, of `log_probs[i, j]` = ln q(y_j|x_i).

    Section 3 of arXiv 2006.12013; pairs i = j are left out of the second mean, where the paper's
    sum over all shrinks the value by (B − 1)/B. An upper bound of I(X;Y) in expectation if q is
    p(y|x), or nearer to the joint distribution than to the product of the marginals.
    """
    check_square(log_probs)
    pairs = log_probs.shape[0]
    joint = log_probs.diagonal().mean()
    return (joint * pairs - log_probs.mean() * pairs) / (pairs - 1)


@dataclass(frozen=True)
class CLUBConfig(PairConfig):
    """Settings of CLUB."""


class CLUB(PairEstimator):
    """E[ln q(y|x)] under the joint less that under the product of the marginals, in nats.

    An upper bound of I(X;Y) with a given true p(y|x), and tagged so; with a learned q it is tagged
    `none` and always warned of (NotABoundWarning), for the condition compares
    divergences from p itself, which no samples can show. Far from tight even with the true
    density: for a normal pair it is ρ²/(1 − ρ²), against −½ ln(1 − ρ²), so that 10 nats between
    3 + 3 columns read 2,354. The same density read by `leave_one_out` never lies above (Jensen);
    where it lies more than a nat below, the value is warned of (LooseBoundWarning).

    The standard error is that of Hájek's projection (each pair counted in its row and its column),
    with the density held fixed. Time O(N²), memory O(N).
    """

    bound: ClassVar[Bound] = "none"
    settings: ClassVar[type[PairConfig]] = CLUBConfig
    condition: ClassVar[str] = "it is an upper bound if q is close enough to p(y|x)"

    @torch.no_grad()
    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Raises ValueError for unusable samples or other widths than fitted, RuntimeError before
        `fit` unless the density is given.
        """
        left, right = self.check(x, y)
        pairs = left.shape[0]
        of_row = left.new_zeros(pairs, dtype=torch.float64)
        of_column, joint, tighter = of_row.clone(), of_row.clone(), of_row.clone()
        for where, block in self.columns(left, right):
            joint[where] = block[where].diagonal()
            of_row += block.sum(dim=1)
            of_column[where] = block.sum(dim=0)
            tighter[where] = local_leave_one_out(block, where)
        of_row, of_column = (of_row - joint) / (pairs - 1), (of_column - joint) / (pairs - 1)
        value = joint.mean() - of_row.mean()
        influence = joint - of_row - of_column
        error = influence.std() / math.sqrt(pairs)
        _warn_of_looseness(value.item(), tighter.mean().item())
        return Estimate(value.item(), error.item(), self.tag())


def _warn_of_looseness(value: float, tighter: float) -> None:
    if value > tighter + LARGEST_EXCESS:
        warnings.warn(
            f"CLUB reads {value:.4g} nats where leave_one_out of the same density reads "
            f"{tighter:.4g}, which is never above it: the bound is far from tight here. Use "
            "leave_one_out or difference_of_entropies for a value; CLUB for what is minimised",
            LooseBoundWarning,
            stacklevel=3,
        )
