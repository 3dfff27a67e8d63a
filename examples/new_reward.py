"""A reward of your own beside METRA, with a critic of its own: skills that keep the torso low."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.api import default_config, evaluate, train
from rl_info.rewards import IntrinsicReward, RewardConfig, RewardContext, register_reward
from rl_info.transitions import Transitions


@dataclass(frozen=True)
class CrouchConfig(RewardConfig):
    """Settings of the crouch reward."""

    height: float = -0.1
    """Height of the torso above its rest, in metres, that earns most."""


class Crouch(IntrinsicReward):
    """r = exp(−((height − target) / 0.1 m)²): 1 at the target height, 0 far from it."""

    requires = ("height",)

    def __init__(
        self, context: RewardContext, config: CrouchConfig, generator: torch.Generator
    ) -> None:
        super().__init__(context)
        self.config = config

    def forward(self, batch: Transitions) -> Tensor:
        """Value of each step, shape (B,)."""
        height = batch.next_signals["height"][:, 0]
        return torch.exp(-(((height - self.config.height) / 0.1) ** 2))


register_reward("crouch", CrouchConfig, Crouch, "keep the torso at a height")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total-steps", type=int, default=100_000)
    parser.add_argument("--run-dir", default="runs/crouch")
    options = parser.parse_args()
    metra = default_config("metra")
    config = dataclasses.replace(
        metra,
        agent="metra-crouch",
        rewards={**metra.rewards, "crouch": CrouchConfig(weight=0.5)},
        total_steps=options.total_steps,
        warmup_steps=min(metra.warmup_steps, options.total_steps // 10),
    )
    train(options.run_dir, config)
    print(evaluate(options.run_dir)["coverage"])
