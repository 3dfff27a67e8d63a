"""Worlds in which an action is a skill that acts for several steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from jaxtyping import Bool, Float

from agents.hierarchy.decision import Decision
from agents.hierarchy.skills import Skills, SkillsInWorld
from agents.training.collector import ENV_STEPS, ActionScale
from agents.training.seeding import derive_seed
from envs.seeding import spread_seeds
from envs.vector_world import Options, Picture, Seeds, Start, StepResult, VectorWorld


class HierarchyWorld(VectorWorld):
    """N worlds of a task in which a step is a decision: one skill acts for `steps` env steps.

    The reward of a decision is the plain sum of the task's rewards in it. It is not discounted
    within the decision, so that the sum over an episode stays the task's return, in the same
    units as that of an agent without skills; the learner discounts by the env steps of a full
    decision.

    A decision ends with its episode, and then with the last observation of that episode. A world
    whose episode ended waits for the others, and its next episode begins with the next decision,
    in an initial state that only its seed and the number of the episode decide: episode 0 begins
    as the task's world with the same seed would, whatever happens in the other worlds.
    `info["env_steps"]` (N,) says how many env steps each world took in the decision; steps in
    which a world only waits do not count.

    Args:
        world: Worlds of the task, which from now on belong to this one.
        skills: The policy that acts; raises ValueError if it cannot act in `world`.
        steps: Env steps of a decision.
        sample: Whether the policy draws its actions instead of taking their mode.
        seed: World i is first seeded with `seed + i`; None draws seeds from the operating system.
    """

    def __init__(
        self,
        world: VectorWorld,
        skills: Skills,
        steps: int,
        *,
        sample: bool = False,
        seed: int | None = None,
    ) -> None:
        limit = world.max_episode_steps
        size, box = skills.spec.dim, gymnasium.spaces.Box
        self._skills = SkillsInWorld(skills, world)
        super().__init__(
            world.spec_id,
            world.num_envs,
            world.single_observation_space,  # type: ignore[arg-type]
            box(-1.0, 1.0, (size,), np.float32),
            world.signal_dims,
            None if limit is None else math.ceil(limit / steps),
        )
        self.coverage_cell = world.coverage_cell
        self.observation_layout = world.observation_layout
        self.steps = steps
        self._world = world
        self._scale = ActionScale(world.single_action_space)
        idle = np.zeros((world.num_envs, len(skills.interface.action_low)), np.float32)
        self._idle = self._scale(idle)
        self._seeds = np.array(
            [_entropy() if value is None else value for value in spread_seeds(seed, self.num_envs)],
            dtype=np.int64,
        )
        self._episodes = np.full(self.num_envs, -1, dtype=np.int64)
        self._noise = _noise(int(self._seeds[0])) if sample else None
        self._obs: Float[np.ndarray, "N D"] = np.empty((0, 0), np.float32)

    def reset(self, *, seed: Seeds = None, options: Options = None) -> Start:
        """Begin new episodes; see `VectorWorld.reset`."""
        mask = self._worlds_to_reset(options)
        for index, value in enumerate(spread_seeds(seed, self.num_envs)):
            if value is not None and mask[index]:
                self._seeds[index], self._episodes[index] = value, -1
        if seed is not None and mask.all() and self._noise is not None:
            self._noise = _noise(int(self._seeds[0]))
        self._ready = False
        self._obs, info = self._begin_episodes(mask)
        self._ready = True
        return self._obs.copy(), {"signals": info["signals"]}

    def step(self, actions: Float[np.ndarray, "N A"]) -> StepResult:
        """Let the chosen skill act for `steps` env steps; see `VectorWorld.step`.

        Beside what that raises: NonFiniteStepError naming a world of the task that returned a value
        that is not finite.
        """
        choice = np.asarray(self._check_step(actions), dtype=np.float32)
        skill = self._skills.choose(torch.from_numpy(choice).to(self._skills.device))
        # A failed step leaves the worlds apart in time: a reset or a saved state is needed then.
        self._ready = False
        decision = Decision(self.num_envs)
        for _ in range(self.steps):
            obs = torch.as_tensor(self._obs, dtype=torch.float32, device=self._skills.device)
            wanted = self._skills.act(obs, skill, self._noise).cpu().numpy()
            action = np.where(decision.running[:, None], self._scale(wanted), self._idle)
            outcome = self._world.step(action)
            self._obs = outcome[0]
            decision.add(*outcome)
            if not decision.running.any():
                break
        ended = ~decision.running
        info: dict[str, Any] = {"signals": decision.signals, ENV_STEPS: decision.env_steps}
        if ended.any():
            info["final_obs"], info["_final_obs"] = decision.final_obs, ended
            info["final_signals"] = decision.final_signals
            self._obs, begun = self._begin_episodes(ended)
            info["signals"] = begun["signals"]
        self._ready = True
        return self._obs.copy(), decision.reward, decision.terminated, decision.truncated, info

    def _begin_episodes(self, mask: Bool[np.ndarray, "N"]) -> Start:
        """Begin the next episodes of some worlds, all of them seeded anew."""
        self._episodes[mask] += 1
        seeds = [
            _episode_seed(seed, episode)
            for seed, episode in zip(self._seeds.tolist(), self._episodes.tolist(), strict=True)
        ]
        return self._world.reset(seed=seeds, options={"reset_mask": mask})

    def state_dict(self) -> dict[str, Any]:
        """See `VectorWorld.state_dict`; raises NotImplementedError if the task's worlds do."""
        return {
            "spec_id": self.spec_id,
            "world": self._world.state_dict(),
            "obs": self._obs.copy(),
            "seeds": self._seeds.copy(),
            "episodes": self._episodes.copy(),
            "noise": None if self._noise is None else self._noise.get_state(),
            "ready": self._ready,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`; see `VectorWorld.load_state_dict`."""
        self._check_saved(state["spec_id"], len(state["seeds"]))
        self._world.load_state_dict(state["world"])
        self._obs = np.array(state["obs"])
        self._seeds[:], self._episodes[:] = state["seeds"], state["episodes"]
        if self._noise is not None:
            self._noise.set_state(state["noise"])
        self._ready = bool(state["ready"])

    def render(  # type: ignore[override]
        self, world_index: int = 0, height: int = 240, width: int = 320
    ) -> Picture:
        """Draw one world; see `VectorWorld.render`."""
        return self._world.render(world_index, height, width)

    def close_extras(self, **kwargs: Any) -> None:
        """Close the worlds of the task."""
        self._world.close()


def _episode_seed(seed: int, episode: int) -> int:
    """Seed of the initial state of an episode: the world's own for the first one."""
    if episode == 0:
        return seed
    return int(np.random.SeedSequence([seed, episode]).generate_state(1)[0])


def _entropy() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


def _noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, "actions of skills"))
