"""What every learner saves, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from agents.learners.reward_set import RewardSet
from rl_info.nn import FlatAdam


def learner_shape(
    obs_dim: int, action_dim: int, skill_dim: int, terms: RewardSet
) -> dict[str, int]:
    """Sizes that a saved learner must have in common with the one that takes over its state."""
    shape = {"obs": obs_dim, "action": action_dim, "skill": skill_dim}
    # Only where there are any, so that states saved without them still fit.
    features = {"features": terms.outputs} if terms.outputs > 1 else {}
    commands = {"commands": terms.commands} if terms.commands else {}
    return {**shape, **features, **commands}


@dataclass(frozen=True)
class LearnerParts:
    """The parts of a learner that change as it learns."""

    shape: Mapping[str, int]
    """Sizes that a saved learner must have in common with this one."""
    terms: RewardSet
    modules: nn.ModuleDict
    optimisers: Mapping[str, FlatAdam | Optimizer]
    generator: torch.Generator

    def state_dict(self, updates: int) -> dict[str, Any]:
        """All of it after so many updates, as tensors and plain containers.

        The tensors are those of the learner, not copies: save them before the next update.
        """
        return {
            "shape": dict(self.shape),
            "names": list(self.terms.names),
            "modules": self.modules.state_dict(),
            "rewards": self.terms.state_dict(),
            "optimisers": {name: each.state_dict() for name, each in self.optimisers.items()},
            "generator": self.generator.get_state(),
            "updates": updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> int:
        """Restore what `state_dict` returned; returns the number of updates.

        Raises ValueError if it is of other sizes or rewards, RuntimeError if networks differ.
        """
        shape, names = state["shape"], tuple(state["names"])
        if (shape, names) != (self.shape, self.terms.names):
            raise ValueError(
                f"the saved learner has sizes {shape} and rewards {', '.join(names)}; "
                f"this one has {self.shape} and {', '.join(self.terms.names)}"
            )
        self.modules.load_state_dict(state["modules"])
        self.terms.load_state_dict(state["rewards"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.generator.set_state(state["generator"].cpu())
        return int(state["updates"])
