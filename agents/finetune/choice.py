"""Which of several skills to hold: each is tried, and the one that earns most is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor


class SkillChoice:
    """Tries candidates in N worlds, round by round, then holds the best one in all of them.

    In a round, each world follows one candidate for `trial_steps` steps or until its episode ends.
    Tries are numbered through the rounds: try t is of candidate t mod C and begins in initial state
    t div C, so that the first tries of all candidates begin alike. There are as many rounds as give
    every candidate one try; what worlds are left over begins second tries. Unless there is only one
    candidate, which is chosen at once.
    """

    def __init__(self, candidates: Float[Tensor, "C Z"], num_worlds: int, trial_steps: int) -> None:
        self.candidates = candidates
        self.trial_steps = trial_steps
        self.returns: list[list[float]] = [[] for _ in candidates]
        """Task returns of the tries of each candidate."""
        self.finished = len(candidates) == 1
        """Whether a skill has been chosen."""
        self.env_steps = 0
        """Env steps, summed over worlds, that choosing took."""
        self._num_worlds = num_worlds
        self._round = 0
        self.begin_round()

    @property
    def rounds(self) -> int:
        """Rounds until every candidate has been tried; 0 if there is nothing to choose."""
        count = len(self.candidates)
        return 0 if count == 1 else math.ceil(count / self._num_worlds)

    @property
    def most_env_steps(self) -> int:
        """Env steps, summed over worlds, that choosing takes unless episodes end earlier."""
        return self.rounds * self.trial_steps * self._num_worlds

    @property
    def starts(self) -> list[int]:
        """Number of the initial state in which the try of each world begins."""
        return (self._tries // len(self.candidates)).tolist()

    @property
    def best(self) -> int:
        """Number of the candidate with the highest mean return so far; before any, the first."""
        means = [fmean(values) if values else -math.inf for values in self.returns]
        return means.index(max(means))

    @property
    def held(self) -> Float[Tensor, " Z"]:
        """The best candidate so far."""
        return self.candidates[self.best]

    def begin_round(self) -> None:
        """Begin the tries of this round, or begin them again: new episodes start in all worlds."""
        self._elapsed = 0
        self._running = np.ones(self._num_worlds, dtype=bool)
        self._earned = np.zeros(self._num_worlds)
        self._renew_skills()

    def advance(self, ended: Bool[np.ndarray, " N"]) -> None:
        """Nothing: a skill is held across episodes."""

    def note(self, reward: Float[np.ndarray, " N"], ended: Bool[np.ndarray, " N"]) -> bool:
        """Count one step of every world of a round; returns whether the round is over."""
        self._earned += np.where(self._running, reward, 0.0)
        self._running &= ~ended
        self._elapsed += 1
        return self._elapsed >= self.trial_steps or not bool(self._running.any())

    def end_round(self, env_steps: int) -> None:
        """Take down the returns of a round that ended after so many env steps of the run."""
        for number, earned in zip(self._numbers.tolist(), self._earned.tolist(), strict=True):
            self.returns[number].append(earned)
        self._round += 1
        if self._round == self.rounds:
            self.finished, self.env_steps = True, env_steps
        self.begin_round()

    @property
    def _tries(self) -> Any:
        return self._round * self._num_worlds + np.arange(self._num_worlds)

    @property
    def _numbers(self) -> Any:
        return self._tries % len(self.candidates)

    def _renew_skills(self) -> None:
        # One tensor for many steps, never written to: the collector holds on to it for a step.
        self.skills: Float[Tensor, "N Z"] = (
            self.held.repeat(self._num_worlds, 1)
            if self.finished
            else self.candidates[torch.from_numpy(self._numbers)]
        )

    def state_dict(self) -> dict[str, Any]:
        """Candidates, their returns, and how far the round is."""
        return {
            "candidates": self.candidates.clone(),
            "trial_steps": self.trial_steps,
            "returns": [list(values) for values in self.returns],
            "finished": self.finished,
            "env_steps": self.env_steps,
            "round": self._round,
            "elapsed": self._elapsed,
            "running": self._running.copy(),
            "earned": self._earned.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises ValueError for another number of worlds."""
        if len(state["running"]) != self._num_worlds:
            raise ValueError(f"the saved choice is of {len(state['running'])} worlds")
        self.candidates, self.trial_steps = state["candidates"].clone(), state["trial_steps"]
        self.returns = [list(values) for values in state["returns"]]
        self.finished, self.env_steps = state["finished"], state["env_steps"]
        self._round, self._elapsed = state["round"], state["elapsed"]
        self._running, self._earned = state["running"].copy(), state["earned"].copy()
        self._renew_skills()

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> SkillChoice:
        """The choice that returned `state`."""
        choice = cls(state["candidates"], len(state["running"]), state["trial_steps"])
        choice.load_state_dict(state)
        return choice
