"""Collection that begins with trying out skills."""

from __future__ import annotations

import numpy as np

from agents.finetune.choice import SkillChoice
from agents.training.collector import Collector, Policy
from agents.training.replay import Replay
from agents.training.seeding import derive_seed
from envs.vector_world import Seeds, VectorWorld


class ChoosingCollector(Collector):
    """Collects under the skills of a choice, which it tells what they earn until one is chosen.

    All steps are stored and counted. The policy acts from the first step on: there are no random
    actions. Each round of the choice begins with new episodes, and so does the time after it.
    """

    def __init__(self, world: VectorWorld, replay: Replay, choice: SkillChoice, seed: int) -> None:
        super().__init__(world, replay, choice, np.random.default_rng(seed))
        self.choice = choice
        self._seed = seed
        self._stored = replay

    def reset(self, seed: Seeds) -> None:
        """Start an episode in every world: those of the round, or else from `seed`."""
        if self.choice.finished:
            super().reset(seed)
        else:
            self.choice.begin_round()
            super().reset([self._seed + start for start in self.choice.starts])

    def step(self, policy: Policy) -> None:
        """Take one step in every world and store it; see `Collector.step`."""
        super().step(policy)
        if self.choice.finished:
            return
        newest = self._stored.newest(1)
        reward = newest.reward.cpu().numpy().astype(np.float64)
        if self.choice.note(reward, (newest.terminated | newest.truncated).cpu().numpy()):
            self.choice.end_round(self.env_steps)
            self.replay.cut_episodes()
            self.reset(derive_seed(self._seed, "episodes of the chosen skill"))
