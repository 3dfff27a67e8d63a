"""Steps N worlds with a policy and writes what happened to the replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from agents.training.errors import NonFiniteStepError
from agents.training.replay_layout import StepArrays
from envs.vector_world import Seeds, VectorWorld

ENV_STEPS = "env_steps"
"""Key of `info` under which a world whose step is many env steps says how many each took, (N,)."""


@runtime_checkable
class Policy(Protocol):
    """What the collector needs of a learner."""

    def act(
        self, obs: Float[Tensor, "N O"], skill: Float[Tensor, "N Z"], deterministic: bool = False
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1]."""
        ...

    def observe(self, obs: Shaped[Tensor, "N ..."]) -> None:
        """Take note of newly collected observations, for running statistics."""
        ...


@runtime_checkable
class RememberingPolicy(Policy, Protocol):
    """A policy that remembers its episodes: its `act` reads what its `perceive` returns."""

    def begin(self) -> None:
        """New episodes begin in all worlds."""
        ...

    def forget(self, worlds: Bool[Tensor, " N"]) -> None:
        """New episodes begin in some of the worlds."""
        ...

    def perceive(self, obs: Shaped[Tensor, "N ..."]) -> Float[Tensor, "N F"]:
        """What it makes of observations; to be called once a step, before `act`."""
        ...


@runtime_checkable
class StepLayout(Protocol):
    """What the collector must know of how steps are stored."""

    @property
    def action_dim(self) -> int:
        """Width of an action."""
        ...

    @property
    def signals(self) -> Mapping[str, int]:
        """Width of every side signal to store."""
        ...


@runtime_checkable
class StepStore(Protocol):
    """Where steps are stored."""

    device: torch.device

    @property
    def layout(self) -> StepLayout:
        """What a step holds."""
        ...

    def add(self, step: StepArrays) -> None:
        """Store one step of all N worlds."""
        ...

    def cut_episodes(self) -> None:
        """The open episodes will not be continued."""
        ...


@runtime_checkable
class SkillSource(Protocol):
    """Says which skill each world follows."""

    skills: Float[Tensor, "N Z"]
    """The skill that chooses the next action; never written to, but replaced."""

    def advance(self, ended: Bool[np.ndarray, " N"]) -> None:
        """One step of every world is done."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next skills depend on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        ...


@dataclass(frozen=True)
class Episode:
    """What remains of a finished episode."""

    task_return: float
    """Sum of the task rewards."""
    length: int
    """Env steps."""


class ActionScale:
    """Maps actions in [-1, 1] to the bounds of a Box.

    Raises ValueError for a space that is not a Box or has an infinite bound.
    """

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        if not isinstance(space, gymnasium.spaces.Box):
            raise ValueError(f"this agent needs a Box of actions, the environment has {space}")
        if not space.is_bounded():
            raise ValueError(
                f"the environment's actions are unbounded ({space}): limit its actuators, or wrap "
                "it in gymnasium.wrappers.RescaleAction"
            )
        self._centre = ((space.high.astype(np.float64) + space.low) / 2).astype(np.float32)
        self._half = ((space.high.astype(np.float64) - space.low) / 2).astype(np.float32)
        self._identity = bool((self._centre == 0).all() and (self._half == 1).all())

    def __call__(self, action: Float[np.ndarray, "N A"]) -> Float[np.ndarray, "N A"]:
        """`action` in the environment's units, float32."""
        return action if self._identity else self._centre + self._half * action


class Collector:
    """Collects one step of every world at a time; `env_steps` counts steps summed over worlds.

    A world whose step is many env steps says so in `info` under `ENV_STEPS`, and is counted by it.

    The first `warmup_steps` env steps take uniform random actions from `generator`.
    """

    def __init__(
        self,
        world: VectorWorld,
        replay: StepStore,
        skills: SkillSource,
        generator: np.random.Generator,
        warmup_steps: int = 0,
    ) -> None:
        self.world = world
        self.replay = replay
        self.skills = skills
        self.warmup_steps = warmup_steps
        self.env_steps = 0
        self._generator = generator
        self._scale = ActionScale(world.single_action_space)
        self._action_shape = (world.num_envs, replay.layout.action_dim)
        self._returns = np.zeros(world.num_envs)
        self._lengths = np.zeros(world.num_envs, dtype=np.int64)
        self._one_each = np.ones(world.num_envs, dtype=np.int64)
        self._finished: list[Episode] = []
        self._obs: Shaped[np.ndarray, "N ..."] = np.empty(0)
        self._signals: dict[str, Float[np.ndarray, "N _"]] = {}

    def reset(self, seed: Seeds) -> None:
        """Start an episode in every world; world i gets seed + i, or its own of a sequence."""
        self._obs, info = self.world.reset(seed=seed)
        self._signals = self._stored_signals(info.get("signals", {}))
        self._returns[:] = 0.0
        self._lengths[:] = 0

    def step(self, policy: Policy) -> None:
        """Take one step in every world and store it.

        Raises NonFiniteStepError naming the world if it returns a value that is not finite.
        """
        skill = self.skills.skills
        policy.observe(torch.from_numpy(self._obs))
        action = self._choose_action(policy, skill)
        obs, reward, terminated, truncated, info = self.world.step(self._scale(action))
        ended = terminated | truncated
        next_obs = obs
        signals = self._stored_signals(info.get("signals", {}))
        next_signals = signals
        if ended.any():
            next_obs = np.where(_per_row(ended, obs), info["final_obs"], obs)
            final = self._stored_signals(info.get("final_signals", {}))
            next_signals = {
                name: np.where(ended[:, None], final[name], value)
                for name, value in signals.items()
            }
        require_finite(next_obs, reward)
        self.replay.add(
            StepArrays(
                self._obs, action, reward, next_obs, terminated, truncated, skill.numpy(),
                self._signals, next_signals,
            )
        )  # fmt: skip
        self._obs, self._signals = obs, signals
        taken = info.get(ENV_STEPS, self._one_each)
        self.env_steps += int(taken.sum())
        self._count(reward, taken, ended)
        self.skills.advance(ended)
        if isinstance(policy, RememberingPolicy):
            policy.forget(torch.from_numpy(ended))

    def drain_episodes(self) -> list[Episode]:
        """Episodes that have ended since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def state_dict(self) -> dict[str, Any]:
        """Counters, current observations and signals, open returns, and the generator."""
        return {
            "env_steps": self.env_steps,
            "obs": self._obs,
            "signals": self._signals,
            "returns": self._returns.copy(),
            "lengths": self._lengths.copy(),
            "finished": [[episode.task_return, episode.length] for episode in self._finished],
            "generator": self._generator.bit_generator.state,
            "skills": self.skills.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.env_steps = state["env_steps"]
        self._obs, self._signals = state["obs"], dict(state["signals"])
        self._returns[:] = state["returns"]
        self._lengths[:] = state["lengths"]
        self._finished = [Episode(*pair) for pair in state["finished"]]
        self._generator.bit_generator.state = state["generator"]
        self.skills.load_state_dict(state["skills"])

    def cut_episodes(self, seed: int) -> None:
        """Give up the open episodes and start new ones, where worlds cannot be restored."""
        self.replay.cut_episodes()
        self.reset(seed)
        self.skills.advance(np.ones(self.world.num_envs, dtype=bool))

    def _choose_action(
        self, policy: Policy, skill: Float[Tensor, "N Z"]
    ) -> Float[np.ndarray, "N A"]:
        if self.env_steps < self.warmup_steps:
            return self._generator.uniform(-1.0, 1.0, self._action_shape).astype(np.float32)
        with torch.inference_mode():
            obs = torch.from_numpy(self._obs).to(self.replay.device)
            if isinstance(policy, RememberingPolicy):
                obs = policy.perceive(obs)
            return policy.act(obs, skill.to(self.replay.device)).cpu().numpy()

    def _stored_signals(self, signals: Mapping[str, Any]) -> dict[str, Float[np.ndarray, "N _"]]:
        return {name: signals[name] for name in self.replay.layout.signals}

    def _count(
        self,
        reward: Float[np.ndarray, " N"],
        taken: Int[np.ndarray, " N"],
        ended: Bool[np.ndarray, " N"],
    ) -> None:
        self._returns += reward
        self._lengths += taken
        for index in np.flatnonzero(ended):
            self._finished.append(Episode(float(self._returns[index]), int(self._lengths[index])))
        self._returns[ended] = 0.0
        self._lengths[ended] = 0


def _per_row(
    chosen: Bool[np.ndarray, " N"], rows: Shaped[np.ndarray, "N ..."]
) -> Bool[np.ndarray, "N ..."]:
    """`chosen` with as many dimensions as `rows`."""
    return chosen.reshape(-1, *[1] * (rows.ndim - 1))


def require_finite(obs: Shaped[np.ndarray, "N ..."], reward: Float[np.ndarray, " N"]) -> None:
    """Raise NonFiniteStepError naming the first world whose row or reward is not finite."""
    sound = np.issubdtype(obs.dtype, np.integer) or np.isfinite(obs).all()
    if sound and np.isfinite(reward).all():
        return
    rows = np.isfinite(obs).reshape(len(obs), -1).all(axis=1)
    bad = ~(rows & np.isfinite(reward))
    raise NonFiniteStepError(
        f"world {int(np.flatnonzero(bad)[0])} returned an observation or reward that is not finite"
    )
