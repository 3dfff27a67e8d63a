"""SMILE (Song and Ermon, arXiv 1910.06222)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.variational.base import Reading, VariationalEstimator
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.jsd import jensen_shannon_bound
from rl_info.estimators.variational.scores import (
    check_scores,
    log_mean_negatives,
    log_mean_negatives_of_columns,
    log_mean_negatives_of_rows,
)


def smile_bound(scores: Float[Tensor, "B B"], clip: float = 5.0) -> Float[Tensor, ""]:
    """E_joint[f] − ln E_product[clip(e^f, e^−clip, e^clip)], in nats.

    Equation 10 of arXiv 1910.06222. The second mean has a variance of at most e^(2·clip) over the
    number of pairs, at the price of a bias: no bound of I(X;Y), and too high where the log ratio
    exceeds `clip`. Infinite `clip` gives Donsker–Varadhan. The gradient stops at clipped pairs.
    """
    check_scores(scores)
    return scores.diagonal().mean() - log_mean_negatives(_clipped(scores, clip))


def smile_influence(scores: Float[Tensor, "B B"], clip: float = 5.0) -> Float[Tensor, B]:
    """What each pair contributes to `smile_bound`, by the delta method."""
    clipped = _clipped(scores, clip)
    mean = log_mean_negatives(clipped)
    rows = (log_mean_negatives_of_rows(clipped) - mean).exp()
    columns = (log_mean_negatives_of_columns(clipped) - mean).exp()
    return scores.diagonal() - rows - columns


@dataclass(frozen=True)
class SMILEConfig(VariationalConfig):
    """Settings of SMILE."""

    clip: float = 5.0
    """τ: density ratios are clipped to [e^−τ, e^τ] under the product of the marginals."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_clip(self.clip)


class SMILE(VariationalEstimator):
    """A critic trained by the logistic loss, as the paper's experiments do, and read by SMILE."""

    settings = SMILEConfig
    config: SMILEConfig

    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> dict[str, Tensor]:
        """The logistic loss."""
        return {"jensen_shannon": -jensen_shannon_bound(model(x, y))}

    def score(
        self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Float[Tensor, ""]:
        """What is trained, too: the reading grows with its own bias."""
        return jensen_shannon_bound(model(x, y).double())

    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """SMILE of all pairs."""
        scores, clip = model(x, y).double(), self.config.clip
        return Reading(smile_bound(scores, clip), smile_influence(scores, clip))


def check_clip(clip: float) -> None:
    """Raise ValueError unless `clip` is positive."""
    if not clip > 0:
        raise ValueError(f"clip must be positive (infinite for none), got {clip}")


def _clipped(scores: Float[Tensor, "B B"], clip: float) -> Float[Tensor, "B B"]:
    check_clip(clip)
    return scores.clamp(-clip, clip)
