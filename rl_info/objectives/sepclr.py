"""SepCLR: common apart from salient patterns (Louiset et al., ICLR 2024, arXiv 2402.11928)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rl_info.distances import squared_distances
from rl_info.objectives.checks import Metrics, require_batch, require_positive
from rl_info.objectives.geometry import log_mean_exp, uniformity, unit


def common_and_salient(
    common: tuple[Float[Tensor, "B C"], Float[Tensor, "B C"]],
    salient: tuple[Float[Tensor, "B S"], Float[Tensor, "B S"]],
    is_target: Bool[Tensor, "B"],
    *,
    salient_weight: float = 1.0,
    silence_weight: float = 1.0,
    independence_weight: float = 1.0,
    bandwidth: float = 0.5,
) -> tuple[Float[Tensor, ""], Metrics]:
    """Split what all samples share from what only the targets have, without labels inside them.

    `common` and `salient` are two views each; background rows (`is_target` false) have no salient
    pattern, for which the zero vector stands. With the kernel e^{−d²/2τ}, τ the `bandwidth`:

    - common: ‖c_1 − c_2‖²/2τ of unit rows plus twice their uniformity, over all rows;
    - salient: ‖s_1 − s_2‖²/2τ over targets, plus twice the uniformity of s with backgrounds at 0;
    - silence: ‖s‖²/2τ over backgrounds;
    - independence: ln of the mean over j of the product of both kernels, averaged over rows i:
      minus an estimate of the joint entropy H(c, s), which is maximised, so that I(c; s) falls.

    The loss is the weighted sum (arXiv 2402.11928, sections 3.1 to 3.4), dimensionless; the
    metrics are the four terms. In a world of agents, a background is a scene without the agent.

    Limits: the entropies are kernel estimates, biased at any batch size; targets and backgrounds
    must share their common distribution. The factor of two on uniformity and the use of the zero
    vector follow the authors' code, whose weights (1000, 1000, 10 on one data set, 1, 100, 10 on
    another) were tuned for each set: ones are neutral here, not advice. Raises ValueError without
    two targets and one background, and for a bandwidth that is not positive.
    """
    require_batch(int(is_target.sum()))
    require_positive("bandwidth", bandwidth)
    if bool(is_target.all()):
        raise ValueError("every row is a target; SepCLR needs background rows to compare with")
    first, second = unit(common[0]), unit(common[1])
    silent = [torch.where(is_target[:, None], s, torch.zeros_like(s)) for s in salient]
    spreads = [uniformity(c, bandwidth) for c in (first, second)]
    salient_spreads = [uniformity(s, bandwidth) for s in silent]
    shared = _alignment(first, second, bandwidth) + spreads[0] + spreads[1]
    own = _alignment(salient[0][is_target], salient[1][is_target], bandwidth)
    own = own + salient_spreads[0] + salient_spreads[1]
    quiet = [s[~is_target].square().sum(dim=-1).mean() / (2 * bandwidth) for s in salient]
    silence = (quiet[0] + quiet[1]) / 2
    joint = [_negative_joint_entropy(c, s, bandwidth)
             for c, s in zip((first, second), silent, strict=True)]  # fmt: skip
    independence = (joint[0] + joint[1]) / 2
    loss = shared + salient_weight * own
    loss = loss + silence_weight * silence + independence_weight * independence
    return loss, {
        "common": shared.detach(),
        "salient": own.detach(),
        "silence": silence.detach(),
        "independence": independence.detach(),
    }


def _alignment(
    x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], bandwidth: float
) -> Float[Tensor, ""]:
    return (x - y).square().sum(dim=-1).mean() / (2 * bandwidth)


def _negative_joint_entropy(
    common: Float[Tensor, "B C"], salient: Float[Tensor, "B S"], bandwidth: float
) -> Float[Tensor, ""]:
    distances = squared_distances(common, common) + squared_distances(salient, salient)
    return log_mean_exp(-distances / (2 * bandwidth)).mean()
