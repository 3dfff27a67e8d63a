"""The evaluation during training: mean return of the task without exploration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from agents.training.assembly import make_world
from agents.training.collector import ActionScale
from agents.training.logger import RunLogger
from agents.training.seeding import derive_seed, torch_generator
from agents.training.session import Session


class ReturnEvaluation:
    """Runs one episode in each of `eval_episodes` worlds of their own, always from the same seed.

    It takes the mode of the policy and draws from generators of its own, so that training goes on
    just as it would have without it. Raises ValueError for a task whose episodes may never end.
    """

    def __init__(self, session: Session) -> None:
        config = session.config
        self._learner = session.learner
        self._seed = derive_seed(config.seed, "evaluation")
        self._world = make_world(config, config.eval_episodes, self._seed)
        if self._world.max_episode_steps is None:
            raise ValueError("evaluation needs episodes that end: set --max-episode-steps")
        self._scale = ActionScale(self._world.single_action_space)
        generator = torch_generator(config.seed, "evaluation")
        self._skill = config.skill.spread(config.eval_episodes, generator)

    def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
        """Mean and standard deviation of the return, and the mean length in steps."""
        device = self._learner.device
        obs, _ = self._world.reset(seed=self._seed)
        total = np.zeros(self._world.num_envs)
        length = np.zeros(self._world.num_envs)
        running = np.ones(self._world.num_envs, dtype=bool)
        while running.any():
            with torch.inference_mode():
                action = self._learner.act(
                    torch.from_numpy(obs).to(device), self._skill.to(device), deterministic=True
                )
            obs, reward, terminated, truncated, _ = self._world.step(
                self._scale(action.cpu().numpy())
            )
            total += reward * running
            length += running
            running &= ~(terminated | truncated)
        return {
            "eval/return": float(total.mean()),
            "eval/return_std": float(total.std()),
            "eval/length_steps": float(length.mean()),
        }

    def close(self) -> None:
        """Close the worlds."""
        self._world.close()
