"""What estimators by distances between neighbours have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rl_info.estimators.base import Estimator, EstimatorConfig
from rl_info.estimators.inputs import Samples, check_pair
from rl_info.estimators.margins import Margins


@dataclass(frozen=True)
class NeighbourConfig(EstimatorConfig):
    """Settings of the search for neighbours."""

    k: int = 3
    """Neighbours: fewer bias less, more vary less."""
    margins: Margins = "standard"
    """How columns are prepared. `rank` suits heavy tails and changes no information."""
    threads: int | None = None
    """Threads; None: NUMBA_NUM_THREADS, else one per core."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1 neighbour, got {self.k}")


class NeighbourEstimator(Estimator):
    """Needs more samples than neighbours, and learns nothing."""

    settings: ClassVar[type[NeighbourConfig]] = NeighbourConfig

    def __init__(
        self,
        config: NeighbourConfig | None = None,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config or self.settings(), seed=seed, device=device)

    def check(self, x: Samples, y: Samples) -> tuple[Tensor, Tensor]:
        """Samples as tensors; at least k + 1 of them."""
        return check_pair(x, y, minimum=self.config.k + 1, device=self.device)
