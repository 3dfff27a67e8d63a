"""The variational information bottleneck (Alemi et al., ICLR 2017, arXiv 1612.00410)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from rl_info.objectives.checks import Metrics


def rate(mean: Float[Tensor, "B D"], log_std: Float[Tensor, "B D"]) -> Float[Tensor, "B"]:
    """KL(N(mean, e^{2·log_std}) ‖ N(0, 1)) of every row, summed over dimensions, in nats.

    Its mean over the data is an upper bound of I(X;Z) (arXiv 1612.00410, equation 14), loose by
    the divergence of the aggregate code from N(0, 1). β times it, added to any loss, is the
    regulariser that VIB and MID share; what else MID does is not certain from the public text.
    """
    variance = (2 * log_std).exp()
    return 0.5 * (mean.square() + variance - 1 - 2 * log_std).sum(dim=-1)


def variational_bottleneck(
    prediction_loss: Float[Tensor, "B"],
    mean: Float[Tensor, "B D"],
    log_std: Float[Tensor, "B D"],
    beta: float = 1e-3,
) -> tuple[Float[Tensor, ""], Metrics]:
    """VIB: mean of −ln q(y|z) plus β times the rate of the code z, in nats.

    `prediction_loss` is −ln q(y_i|z_i) with z_i drawn from N(mean_i, e^{2·log_std_i}) by
    reparameterisation; the sum bounds −I(Z;Y) + β I(X;Z) + H(Y) from above (equation 17 of the
    paper). The metrics are both terms.

    Limits: both terms are bounds and the gap of the first depends on q; β does not tell how many
    nats come through; large β collapses the code to N(0, 1), where the loss is that of a constant
    prediction. A squared error in place of −ln q(y|z) fixes a scale that β then absorbs.
    Raises ValueError for a negative β.
    """
    if beta < 0:
        raise ValueError(f"beta must be at least 0, got {beta}")
    distortion, nats = prediction_loss.mean(), rate(mean, log_std).mean()
    metrics = {"distortion": distortion.detach(), "rate": nats.detach()}
    return distortion + beta * nats, metrics
