"""What estimators that learn a critic have in common."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rl_info.estimators.base import Estimate, Estimator
from rl_info.estimators.critics import CRITICS, CriticSize
from rl_info.estimators.gaussian_ratio import GaussianRatio
from rl_info.estimators.inputs import HeavyTailWarning, Samples, check_pair
from rl_info.estimators.margins import MARGINS
from rl_info.estimators.training import Fitted, fit_network
from rl_info.estimators.variational.config import VariationalConfig
from rl_info.estimators.variational.ratio_model import RatioModel, choose_shrinkage

FEWEST_SAMPLES_TO_FIT = 10
LARGEST_SHARE_OF_VARIANCE = 0.1
"""Of one sample, beyond which it carries too much of the estimate."""


class Reading(NamedTuple):
    """What a trained model says about some pairs."""

    value: Float[Tensor, ""]
    """The estimate in nats."""
    influence: Float[Tensor, B]
    """First-order effect of each pair on it: its deviation over √B is the standard error."""


class VariationalEstimator(Estimator):
    """Learns a critic f(x, y) on one part of the samples, stops by another, is read on a third.

    A subclass says what is minimised (`losses`) and what is read (`read`); it may add networks to
    the model (`build`). Standard errors are of the reading with the model held fixed, by the first
    order influence of each sample on a statistic of all pairs (Hájek's projection). They do not
    cover the gap between the learned critic and the best one.
    """

    learns: ClassVar[bool] = True
    settings: ClassVar[type[VariationalConfig]] = VariationalConfig
    config: VariationalConfig

    def __init__(
        self,
        config: VariationalConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or self.settings(), seed=seed, device=device)
        self.model: nn.Module | None = None
        self.fitted: Fitted | None = None

    @abstractmethod
    def losses(
        self, model: nn.Module, x: Float[Tensor, "B X"], y: Float[Tensor, "B Y"]
    ) -> Mapping[str, Tensor]:
        """Named scalars of a minibatch, whose sum is minimised."""

    @abstractmethod
    def read(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> Reading:
        """The estimate from pairs the model did not learn from."""

    def score(
        self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]
    ) -> Float[Tensor, ""]:
        """What chooses when to stop, the higher the better: the estimate, unless it misleads."""
        return self.read(model, x, y).value

    def build(self, ratio: RatioModel, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The model that learns, given the one that scores pairs."""
        return ratio

    def critic(self, size: CriticSize, generator: torch.Generator) -> nn.Module:
        """The network that scores pairs."""
        return CRITICS[self.config.critic](size, generator)

    def finish(self, model: nn.Module, x: Float[Tensor, "N X"], y: Float[Tensor, "N Y"]) -> None:
        """Anything left to set in the trained model, from the validation samples."""

    def fit(self, x: Samples, y: Samples) -> VariationalEstimator:
        """Learn from samples (N, X) and (N, Y), at least 10.

        Raises ValueError for unusable samples and FloatingPointError if the loss explodes.
        """
        left, right = check_pair(x, y, minimum=FEWEST_SAMPLES_TO_FIT, device=self.device)
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(left.shape[0], generator=generator).to(self.device)
        share = round(self.config.validation * left.shape[0])
        kept = min(max(2, share), self.config.candidates)
        unseen, seen = order[:kept], order[kept:]
        margin = MARGINS[self.config.margins]
        self._margins = margin(left[seen]), margin(right[seen])
        left, right = self._margins[0](left), self._margins[1](right)
        held_out = left[unseen], right[unseen]
        model = self._model(left[seen], right[seen], held_out, generator)
        self.fitted = fit_network(
            model,
            lambda x, y: self.losses(model, x, y),
            lambda: self._validate(model, *held_out),
            left[seen],
            right[seen],
            self.config.training(),
            generator,
            self.progress,
        )
        self.finish(model, *held_out)
        self.model = model
        return self

    def estimate(self, x: Samples, y: Samples) -> Estimate:
        """Estimate I(X;Y) in nats from samples (N, X) and (N, Y) that were not fitted.

        Warns if few samples carry it (HeavyTailWarning), as where means of exponentials miss most
        of their weight. Raises ValueError for unusable samples or other widths than fitted,
        RuntimeError before `fit`.
        """
        left, right = self.check(x, y)
        if self.model is None:
            raise RuntimeError("this estimator learns: call fit first, or fit_estimate")
        widths, asked = self._widths, (left.shape[1], right.shape[1])
        if asked != widths:
            raise ValueError(f"fitted to widths {widths} of x and y, asked about widths {asked}")
        dtype = next(self.model.parameters()).dtype
        maps = zip(self._margins, (left, right), strict=True)
        value, error = self._read_in_blocks(self.model, *(go(part).to(dtype) for go, part in maps))
        return Estimate(value, error, self.bound)

    def _model(
        self,
        x: Float[Tensor, "N X"],
        y: Float[Tensor, "N Y"],
        held_out: tuple[Tensor, Tensor],
        generator: torch.Generator,
    ) -> nn.Module:
        """The untrained model for prepared samples."""
        config = self.config
        self._widths = x.shape[1], y.shape[1]
        size = CriticSize(
            *self._widths, config.hidden_dim, config.hidden_layers, config.embedding_dim
        )
        gaussian = None
        if config.baseline == "gaussian":
            gaussian = GaussianRatio(x, y).to(x.dtype)
            choose_shrinkage(gaussian, *held_out)
        ratio = RatioModel(self.critic(size, generator), gaussian)
        return self.build(ratio, size, generator).to(device=x.device, dtype=x.dtype)

    @torch.no_grad()
    def _validate(self, model: nn.Module, x: Tensor, y: Tensor) -> float:
        return float(self.score(model, x, y))

    @torch.no_grad()
    def _read_in_blocks(self, model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Value and standard error, from blocks of nearly equal size of at most `candidates`."""
        samples = x.shape[0]
        blocks = math.ceil(samples / self.config.candidates)
        parts = zip(x.tensor_split(blocks), y.tensor_split(blocks), strict=True)
        readings = [(len(left), self.read(model, left, right)) for left, right in parts]
        value = sum(size * float(reading.value) for size, reading in readings) / samples
        influence = torch.cat([reading.influence for _, reading in readings])
        _warn_of_heavy_tail(influence)
        return value, float(influence.std() / math.sqrt(samples))


def _warn_of_heavy_tail(influence: Float[Tensor, N]) -> None:
    squared = (influence - influence.mean()).square()
    share, samples = float(squared.max() / squared.sum()), len(squared)
    # Among few samples one has a large share by chance: 2 ln N / N if they are normal.
    if share > max(LARGEST_SHARE_OF_VARIANCE, 8 * math.log(samples) / samples):
        warnings.warn(
            f"one of {samples} samples carries {share:.0%} of the estimate's variance: a mean of "
            "exponentials sees too little of its weight at this much information, so that the "
            "value may be far off and its standard error too small; give more samples, or use "
            "difference_of_entropies or InfoNCE",
            HeavyTailWarning,
            stacklevel=4,
        )
