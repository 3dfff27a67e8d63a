"""Deterministic episodes of a skill-conditioned policy, one in each world of a vector world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agents.training.collector import ActionScale, RememberingPolicy
from envs.vector_world import VectorWorld

POSITION = "position"
"""The side signal that says where an agent is, in metres."""


@runtime_checkable
class SkillPolicy(Protocol):
    """What evaluation needs of a learner."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]."""
        ...


@runtime_checkable
class EpisodePolicy(SkillPolicy, Protocol):
    """A policy that remembers something of the episode."""

    def begin(self) -> None:
        """New episodes begin in all worlds."""


ChooseSkill = Callable[
    [Float[Tensor, "N O"], dict[str, Float[Tensor, "N D"]]], Float[Tensor, "N Z"]
]
"""Skill of each world from its observation and side signals, asked at every step."""


@dataclass(frozen=True)
class Rollouts:
    """N episodes of at most T steps. Rows after an episode's end repeat its last state."""

    skills: Float[np.ndarray, "N Z"]
    """Skill of each episode; the last one where it was chosen anew at every step."""
    obs: Float[np.ndarray, "N T1 O"]
    """Observations, T1 = T + 1 of them with the first; of a policy that perceives, what it made of
    them, and of pictures that none does, nothing (O = 0)."""
    signals: dict[str, Float[np.ndarray, "N T1 D"]]
    """Side signals of the same states."""
    rewards: Float[np.ndarray, "N T"]
    """Task rewards; 0 after the end."""
    lengths: Int[np.ndarray, " N"]
    """Steps of each episode."""

    @property
    def returns(self) -> Float[np.ndarray, " N"]:
        """Sum of the task rewards of each episode."""
        return self.rewards.sum(axis=1)

    @property
    def positions(self) -> Float[np.ndarray, "N T1 D"] | None:
        """The position signal in metres; None where the environment has none."""
        return self.signals.get(POSITION)


def episode_steps(world: VectorWorld) -> int:
    """Steps until `world` cuts an episode; raises ValueError if it never does."""
    if world.max_episode_steps is None:
        raise ValueError(
            f"{world.spec_id} never truncates an episode: evaluation needs max_episode_steps"
        )
    return world.max_episode_steps


def collect_rollouts(
    policy: SkillPolicy,
    world: VectorWorld,
    skills: Float[Tensor, "N Z"],
    *,
    seed: int,
    choose_skill: ChooseSkill | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Rollouts:
    """Run the mode of the policy for one episode in each of the N worlds.

    World i starts from `seed + i` and follows `skills[i]`, unless `choose_skill` picks a skill
    anew at every step. `on_step` is called with the number of steps done, first with 0, while the
    worlds are in that state. Draws no random numbers but the worlds' own.

    Raises ValueError if the episodes never end or the number of skills is not that of the worlds.
    """
    count, steps = world.num_envs, episode_steps(world)
    if len(skills) != count:
        raise ValueError(f"{len(skills)} skills for {count} worlds: give one for each")
    recorder = _Recorder(count, steps)
    scale = ActionScale(world.single_action_space)
    if isinstance(policy, EpisodePolicy):
        policy.begin()
    obs, info = world.reset(seed=seed)
    state = _perceive(policy, obs)
    recorder.start(_vectors(state), info.get("signals", {}))
    for step in range(steps):
        if on_step is not None:
            on_step(step)
        if choose_skill is not None:
            signals = info.get("signals", {})
            skills = choose_skill(state, _tensors(signals, policy.device))
        with torch.inference_mode():
            action = policy.act(state, skills.to(policy.device), deterministic=True)
        obs, reward, terminated, truncated, info = world.step(scale(action.cpu().numpy()))
        ended = terminated | truncated
        final = info.get("final_obs")
        if isinstance(policy, RememberingPolicy) and final is not None:
            # It sees how an episode ended; what comes after that is not recorded.
            obs = np.where(ended.reshape(-1, *[1] * (obs.ndim - 1)), final, obs)
        state = _perceive(policy, obs)
        if final is not None:
            remembers = isinstance(policy, RememberingPolicy)
            final = _vectors(state if remembers else torch.as_tensor(final, dtype=torch.float32))
        recorder.add(_vectors(state), reward, ended, {**info, "final_obs": final})
        if not recorder.running.any():
            break
    return recorder.finish(skills)


def _perceive(policy: SkillPolicy, obs: Shaped[np.ndarray, "N ..."]) -> Shaped[Tensor, "N ..."]:
    """What the policy acts on."""
    if isinstance(policy, RememberingPolicy):
        return policy.perceive(torch.as_tensor(obs, device=policy.device))
    return torch.as_tensor(obs, dtype=torch.float32, device=policy.device)


def _vectors(state: Shaped[Tensor, "N ..."]) -> Float[np.ndarray, "N F"]:
    """Vectors as they are recorded; pictures are not, at width 0."""
    rows = state if state.ndim == 2 else state.flatten(1)[:, :0]
    return rows.cpu().numpy()


class _Recorder:
    """Fills the arrays of `Rollouts`, and knows which episodes still run."""

    def __init__(self, count: int, steps: int) -> None:
        self.steps = steps
        self.running = np.ones(count, dtype=bool)
        self.lengths = np.zeros(count, dtype=np.int64)
        self.rewards = np.zeros((count, steps))
        self.step = 0

    def start(self, obs: np.ndarray, signals: dict[str, np.ndarray]) -> None:
        self.obs = np.repeat(obs[:, None], self.steps + 1, axis=1)
        self.signals = {
            name: np.repeat(value[:, None], self.steps + 1, axis=1)
            for name, value in signals.items()
        }

    def add(
        self, obs: np.ndarray, reward: np.ndarray, ended: np.ndarray, info: dict[str, Any]
    ) -> None:
        self.rewards[self.running, self.step] = reward[self.running]
        self.lengths += self.running
        self.step += 1
        final = info.get("final_obs")
        self._extend(self.obs, obs, final, ended)
        finals = info.get("final_signals", {})
        for name, history in self.signals.items():
            self._extend(history, info["signals"][name], finals.get(name), ended)
        self.running &= ~ended

    def _extend(
        self, history: np.ndarray, now: np.ndarray, final: np.ndarray | None, ended: np.ndarray
    ) -> None:
        going, done = self.running & ~ended, self.running & ended
        # Everything that follows is set, so that an ended episode keeps its last state.
        history[going, self.step :] = now[going, None]
        if done.any():
            assert final is not None
            history[done, self.step :] = final[done, None]

    def finish(self, skills: Tensor) -> Rollouts:
        return Rollouts(skills.cpu().numpy(), self.obs, self.signals, self.rewards, self.lengths)


def _tensors(signals: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    return {
        name: torch.as_tensor(value, dtype=torch.float32, device=device)
        for name, value in signals.items()
    }


class UniformPolicy:
    """Uniform actions in [-1, 1], the baseline that every skill must beat."""

    def __init__(self, action_dim: int, seed: int) -> None:
        self.device = torch.device("cpu")
        self.action_dim = action_dim
        self.generator = torch.Generator().manual_seed(seed)

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Fresh random actions; there is no mode to take."""
        size = (len(obs), self.action_dim)
        return torch.rand(size, generator=self.generator) * 2 - 1
