"""Settings of Koopman dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

InformationName = Literal["nce", "nwj", "normal"]


@dataclass(frozen=True)
class KoopmanConfig:
    """Settings of Koopman dynamics and of their loss; a weight of 0 switches its term off.

    Raises ValueError for a value out of range, naming the field.
    """

    latent_dim: int = 16
    """Latent observables D."""
    information_weight: float = 0.1
    """α, of the information between a latent and its neighbours in time."""
    prediction_weight: float = 1.0
    """β, of the squared error of linear prediction."""
    entropy_weight: float = 0.1
    """γ, of the von Neumann entropy of the latents' covariance."""
    reconstruction_weight: float = 1.0
    """Of the squared error of decoding latents; needs a decoder unless 0."""
    information: InformationName = "nce"
    """How information is measured: `nce` contrasts cosines, `nwj` a learned bilinear critic, and
    `normal` is the closed form for normal latents under the linear dynamics."""
    neighbours: int = 3
    """Steps back in time that count as neighbours."""
    temperature: float = 0.1
    """Divisor of cosines in `nce`."""
    prediction_steps: int = 1
    """Steps ahead that are predicted without looking, each with equal weight."""
    relative_prediction: bool = True
    """Divide the error of prediction by the latents' variance, without which shrinking latents
    predict better."""
    offset: bool = True
    """Whether the dynamics have a constant term: the constant function is an eigenfunction of
    every Koopman operator."""

    def __post_init__(self) -> None:
        for name in ("latent_dim", "neighbours", "prediction_steps"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        weights = ("information", "prediction", "entropy", "reconstruction")
        for name in weights:
            self._require(f"{name}_weight", getattr(self, f"{name}_weight") >= 0, "at least 0")
        self._require("temperature", self.temperature > 0, "positive")
        if not any(getattr(self, f"{name}_weight") for name in weights):
            raise ValueError("every weight is 0: there is nothing to learn")

    def _require(self, name: str, holds: bool, bound: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {bound}, got {getattr(self, name)}")
