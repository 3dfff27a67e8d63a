"""Settings of MINDE."""

from __future__ import annotations

from dataclasses import dataclass

from rl_info.estimators.margins import MARGINS, Margins
from rl_info.estimators.training_config import TrainingConfig


@dataclass(frozen=True)
class MINDEConfig(TrainingConfig):
    """Settings of MINDE."""

    margins: Margins = "rank"
    """Maps of the columns, learned in `fit`: `rank` (normal scores), `standard` or `raw`."""
    lowest_log_snr: float = -8.0
    """λ = ln(α²/σ²) at the noisiest level, beyond which nothing of x is left to tell."""
    highest_log_snr: float = 14.0
    """λ at the cleanest level; dependence finer than e^(−λ/2) deviations is not seen."""
    hidden_dim: int = 128
    """Units of each hidden layer of the denoiser."""
    hidden_layers: int = 3
    """Number of hidden layers."""
    check_every: int = 100
    """Steps between two looks at the validation samples."""
    draws: int = 64
    """Noise levels at which each sample is read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margins not in MARGINS:
            raise ValueError(f"margins must be one of {', '.join(MARGINS)}, got {self.margins!r}")
        if not self.lowest_log_snr < self.highest_log_snr:
            raise ValueError(
                "lowest_log_snr must lie below highest_log_snr, "
                f"got {self.lowest_log_snr} and {self.highest_log_snr}"
            )
        if min(self.hidden_dim, self.hidden_layers, self.draws) < 1:
            raise ValueError("hidden_dim, hidden_layers and draws must be at least 1")

    @property
    def span(self) -> float:
        """Width of the range of log signal-to-noise ratios."""
        return self.highest_log_snr - self.lowest_log_snr
