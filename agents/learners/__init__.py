"""Learners: what turns a batch of steps into a better policy."""

from agents.learners.config import SACConfig
from agents.learners.finite import NonFiniteLossError, require_finite_losses
from agents.learners.imagination import ImaginationLearner
from agents.learners.imagination_config import ImaginationConfig
from agents.learners.koopman import KoopmanLQR
from agents.learners.koopman_config import KoopmanLQRConfig
from agents.learners.ppo import MultiCriticPPO
from agents.learners.ppo_config import PPOConfig
from agents.learners.reward_term import RewardTerm
from agents.learners.sac import MultiCriticSAC

__all__ = [
    "ImaginationConfig",
    "ImaginationLearner",
    "KoopmanLQR",
    "KoopmanLQRConfig",
    "MultiCriticPPO",
    "MultiCriticSAC",
    "NonFiniteLossError",
    "PPOConfig",
    "RewardTerm",
    "SACConfig",
    "require_finite_losses",
]
