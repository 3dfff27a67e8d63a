"""A partition function that is followed over minibatches, instead of found anew in each."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.estimators.variational.scores import check_scores, log_mean_negatives


@torch.no_grad()
def track_log_partition(
    log_partition: Float[Tensor, ""] | None, scores: Float[Tensor, "B B"], rate: float
) -> Float[Tensor, ""]:
    """ln u after u ← (1 − rate)·u + rate·mean e^f over the pairs off the diagonal, in logarithms.

    `log_partition` is ln u before, or None at the start, where u is the mean itself. Carries no
    gradient.
    """
    found = log_mean_negatives(scores)
    if log_partition is None or rate == 1:
        return found
    return torch.logaddexp(log_partition + math.log1p(-rate), found + math.log(rate))


def tracked_partition_bound(
    scores: Float[Tensor, "B B"], log_partition: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """1 + E_joint[f] − ln u − E_product[e^f] / u, with ln u as `log_partition` held fixed; nats.

    Its gradient is E_joint[∇f] − E_product[e^f ∇f] / u: that of Donsker–Varadhan, with u in the
    place of the minibatch mean, whose ratio of two means of the same few pairs is biased. Its
    value is a lower bound of I(X;Y) whenever u does not depend on the pairs (TUBA, equation 6 of
    arXiv 1905.06922), tight at u = E_product[e^f].
    """
    check_scores(scores)
    log_partition = log_partition.detach()
    excess = (log_mean_negatives(scores) - log_partition).exp()
    return 1 + scores.diagonal().mean() - log_partition - excess


def check_rate(name: str, rate: float) -> None:
    """Raise ValueError unless `rate`, called `name`, is a share above 0."""
    if not 0 < rate <= 1:
        raise ValueError(f"{name} must lie above 0 and not above 1, got {rate}")
