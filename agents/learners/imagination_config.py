"""Settings of actor-critic learning in imagination."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agents.learners.network_config import NetworkConfig
from rl_info.dynamics import WorldModelConfig
from rl_info.dynamics.representation.registry import find_representation


@dataclass(frozen=True)
class ImaginationConfig(NetworkConfig):
    """Settings of actor-critic learning in the imagination of a world model.

    Horizon, λ, entropy coefficient, slow copy, clipping of the world model and scaling of returns
    are DreamerV3's (arXiv 2301.04104); its sequences are four times as long, its step sizes are
    4e-5 after 1000 updates of warm-up, and it has 255 bins: the others are ours, for small models
    on few updates. Raises ValueError for a value out of range, naming the field.
    """

    world_model: WorldModelConfig = field(default_factory=WorldModelConfig)
    """The world model and what its latents shall keep."""
    hidden_dim: int = 128
    """Units of each hidden layer of actor and critics."""
    layer_norm: bool = True
    """Standardise the hidden layers of actor and critics."""
    max_grad_norm: float | None = 100.0
    """Norm to which the gradients of actor and critics are clipped, each by itself."""
    batch_size: int = 16
    """Sequences in an update."""
    sequence_length: int = 16
    """Observations in each of them."""
    horizon: int = 15
    """Steps imagined from every observation of the batch."""
    lambda_: float = 0.95
    """λ of the returns of imagined steps."""
    entropy_coefficient: float = 3e-4
    """Weight of the policy's entropy, in nats."""
    model_learning_rate: float = 3e-4
    """LaProp step size of the world model."""
    model_warm_up: int = 100
    """Updates in which the world model's step size rises to its value."""
    model_clip: float = 0.3
    """Norm of each parameter's gradient, as a share of its own, beyond which it is clipped."""
    actor_learning_rate: float = 3e-4
    """Adam step size of the actor."""
    critic_learning_rate: float = 3e-4
    """Adam step size of the critics."""
    slow_rate: float = 0.02
    """Share of the critics that moves into their slow copy at each update."""
    slow_weight: float = 1.0
    """Weight of the slow copy's values as a second target of the critics."""
    value_bins: int = 63
    """Bins of the critics' two-hot distribution over values, an odd number."""
    least_scale: float = 1.0
    """Least range of returns that advantages are divided by, so that noise is not blown up."""
    diagnostics_interval: int = 200
    """Updates between measurements of latent collapse and open-loop prediction; 0 for never."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "world_model", _with_own_objective(self.world_model))
        self._require_at_least_one("batch_size", "horizon")
        self._require_positive(
            "model_learning_rate", "model_clip", "actor_learning_rate", "critic_learning_rate",
            "least_scale",
        )  # fmt: skip
        self._require_share("slow_rate")
        self._require("lambda_", 0 <= self.lambda_ <= 1, "in [0, 1]")
        for name in ("entropy_coefficient", "slow_weight", "model_warm_up", "diagnostics_interval"):
            self._require(name, getattr(self, name) >= 0, "not negative")
        self._require("sequence_length", self.sequence_length >= 2, "at least 2")
        odd = self.value_bins % 2 == 1 and self.value_bins >= 3
        self._require("value_bins", odd, "odd and at least 3")
        self._require(
            "normalise_observations", not self.normalise_observations,
            "off: actor and critics read latents, which are bounded",
        )  # fmt: skip


def _with_own_objective(config: WorldModelConfig) -> WorldModelConfig:
    """`config` with settings of its own representation.

    Where only the name was changed, those of another one give way if they are its defaults; raises
    ValueError if they are not.
    """
    objective, kind = config.objective, find_representation(config.representation).config
    if objective is None or type(objective) is kind:
        return config
    if objective != type(objective)():
        raise ValueError(
            f"representation {config.representation!r} has settings of its own, not those in "
            f"{type(objective).__name__}: leave out the flags of world-model.objective"
        )
    return replace(config, objective=kind())
