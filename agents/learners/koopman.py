"""Koopman dynamics learned from replay, and control by LQR in their latents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agents.learners.finite import NonFiniteLossError
from agents.learners.koopman_config import KoopmanLQRConfig
from agents.learners.reward_term import RewardTerm
from agents.learners.sequences import Sequences
from rl_info.dynamics import SIZES, ObservationSpec
from rl_info.dynamics.koopman import LatentRegulator, build_koopman
from rl_info.rewards.base import IntrinsicReward
from rl_info.skills import SkillSpec


class KoopmanLQR:
    """Learns latents with linear dynamics (arXiv 2510.13025) and drives them to a goal's latent.

    The goal is an observation: that of the settings, or else the one with the greatest task reward
    in any batch so far. Every `solve_interval` updates the Riccati equation is solved anew; until
    then, and where dynamics have exploded so far that it cannot be, which `lqr/failures` counts,
    actions are uniform or those of the last solution. In training, noise is added to actions.

    Raises ValueError for rewards or commanded weights, of which it has no use, and for a goal that
    does not fit the observations.
    """

    def __init__(
        self,
        observation: int | tuple[int, ...],
        action_dim: int,
        skill: SkillSpec,
        rewards: Mapping[str, RewardTerm],
        config: KoopmanLQRConfig,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        commandable_weights: bool = False,
    ) -> None:
        if rewards or commandable_weights:
            raise ValueError(
                "an LQR minimises the distance to a goal and learns from no rewards: leave out "
                "--rewards and --commandable-weights"
            )
        shape = (observation,) if isinstance(observation, int) else observation
        if config.goal is not None and (len(config.goal),) != shape:
            raise ValueError(
                f"--learner.goal has {len(config.goal)} numbers, observations have shape {shape}: "
                "give one for each, or leave it out for the observation that earns most"
            )
        self.config, self.device = config, torch.device(device)
        self.action_dim, self.updates, self.failures = action_dim, 0, 0
        self.shape = {"observation": list(shape), "action": action_dim}
        self.generator = torch.Generator(self.device).manual_seed(seed)
        initial = torch.Generator().manual_seed(seed)
        self.model = build_koopman(
            ObservationSpec(shape), action_dim, config.dynamics, SIZES[config.size], initial
        ).to(self.device)
        self.learned = [each for each in self.model.parameters() if each.requires_grad]
        self.optimiser = torch.optim.Adam(
            self.learned, config.learning_rate, config.adam_betas, fused=True
        )
        goal = config.goal
        self.goal: Tensor | None = None if goal is None else torch.tensor([goal], device=device)
        self.goal_reward = -torch.inf
        self.regulator: LatentRegulator | None = None

    @property
    def rewards(self) -> dict[str, IntrinsicReward]:
        """None."""
        return {}

    @torch.no_grad()
    def act(
        self,
        obs: Shaped[Tensor, "N ..."],
        skill: Float[Tensor, "N Z"],
        deterministic: bool = False,
    ) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1] for vectors (N, O) or images (N, C, H, W)."""
        size = (len(obs), self.action_dim)
        if self.regulator is None:
            if deterministic:
                return torch.zeros(size, device=self.device)
            return torch.rand(size, generator=self.generator, device=self.device) * 2 - 1
        seen = obs.movedim(1, -1).contiguous() if obs.ndim == 4 else obs.float()
        action = self.regulator(self.model.encode(seen)).to(self.device)
        if deterministic:
            return action
        noise = torch.randn(size, generator=self.generator, device=self.device)
        return (action + self.config.exploration * noise).clamp(-1.0, 1.0)

    def observe(self, obs: Tensor) -> None:
        """Nothing: there are no statistics of observations."""

    def update(self, batch: Sequences, valid: None = None) -> dict[str, Tensor]:
        """Learn the dynamics from sequences, and now and then solve for the feedback.

        Returns detached scalars `model/…`, `lqr/…` and `gradient_norm/model`. Raises
        NonFiniteLossError if the loss is not finite.
        """
        with torch.inference_mode(False), torch.enable_grad():
            losses, metrics = self.model.loss(batch.for_model())
            total = self.model.total(losses)
            if not total.isfinite():
                raise NonFiniteLossError("loss/model", total.item())
            self.optimiser.zero_grad()
            total.backward()
            most = self.config.max_grad_norm or torch.inf
            norm = torch.nn.utils.clip_grad_norm_(self.learned, most)
            self.optimiser.step()
        self.updates += 1
        self._remember_goal(batch)
        found = {f"model/{name}": value for name, value in metrics.items()}
        if self.updates % self.config.solve_interval == 0:
            self._solve(self.model.encode(batch.obs).detach().flatten(0, 1))
            found |= {
                f"model/{name}": value
                for name, value in self.model.diagnostics(batch.for_model()).items()
            }
        found["lqr/failures"] = norm.new_tensor(float(self.failures))
        return found | {"gradient_norm/model": norm}

    def _remember_goal(self, batch: Sequences) -> None:
        if self.config.goal is not None:
            return
        best = int(batch.reward.argmax())
        reward = batch.reward.flatten()[best].item()
        if reward > self.goal_reward:
            self.goal_reward, self.goal = reward, batch.obs.flatten(0, 1)[best : best + 1].clone()

    @torch.no_grad()
    def _solve(self, z: Float[Tensor, "N D"]) -> None:
        assert self.goal is not None
        goal, variance = self.model.encode(self.goal)[0], z.var(dim=0).mean().item()
        try:
            self.regulator = LatentRegulator(
                self.model.operators, goal, self.config.regulator, variance
            )
        except ValueError:
            # Dynamics in the middle of learning may explode over the horizon; the next may not.
            self.failures += 1

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on, and the feedback in use."""
        return {
            "shape": self.shape,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "updates": self.updates,
            "failures": self.failures,
            "goal": self.goal,
            "goal_reward": None if self.goal_reward == -torch.inf else self.goal_reward,
            "regulator": None if self.regulator is None else self.regulator.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises ValueError if it is of other sizes."""
        if state["shape"] != self.shape:
            raise ValueError(f"the saved learner has sizes {state['shape']}, this one {self.shape}")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"].cpu())
        self.updates, self.failures = state["updates"], state["failures"]
        self.goal = state["goal"]
        reward = state["goal_reward"]
        self.goal_reward = -torch.inf if reward is None else reward
        saved = state["regulator"]
        self.regulator = None if saved is None else LatentRegulator.from_state(saved)
