"""What an agent with a world model makes of the observations of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from rl_info.dynamics import Latent, WorldModel


class Perception:
    """The posterior states of N worlds, which are as many as the first observations.

    For each world it holds the latent, the action that followed it, and whether an episode has just
    begun. Where perception begins in the middle of an episode it knows nothing of what was before,
    as the model does at the start of a training sequence. Draws come from its own generator.
    """

    def __init__(self, model: WorldModel, device: torch.device, seed: int) -> None:
        self._model, self._device, self._seed = model, device, seed
        self._generator = torch.Generator(device)
        self.begin()

    def begin(self) -> None:
        """New episodes begin in all worlds, with the same draws as ever."""
        self._generator.manual_seed(self._seed)
        self._state: Latent | None = None
        self._action = self._first = torch.empty(0)

    def forget(self, worlds: Bool[Tensor, " N"]) -> None:
        """New episodes begin in some of the worlds."""
        if self._state is not None:
            self._first = self._first | worlds.to(self._device)

    @torch.inference_mode()
    def perceive(self, obs: Shaped[Tensor, "N ..."]) -> Float[Tensor, "N F"]:
        """Features [h, z] of the worlds, given uint8 images (C, H, W) or float32 vectors."""
        obs = obs.to(self._device)
        # The model's images have their channels last.
        obs = obs.movedim(1, -1) if obs.ndim == 4 else obs.float()
        if self._state is None:
            self._start(len(obs))
        assert self._state is not None
        model = self._model
        latent, _ = model.rssm.observe(
            model.encoder(obs.contiguous()[:, None], model.dtype),
            self._action[:, None],
            self._first[:, None],
            self._state,
            generator=self._generator,
            dtype=model.dtype,
        )
        # Laid out as a saved state comes back: products round by layout.
        now = latent.at(0)
        self._state = Latent(*(part.contiguous() for part in (now.deter, now.stoch, now.logits)))
        self._first = torch.zeros_like(self._first)
        return self._state.feature

    def took(self, action: Float[Tensor, "N A"]) -> None:
        """What the worlds do next."""
        self._action = action.contiguous()

    def _start(self, count: int) -> None:
        rssm = self._model.rssm
        self._action = torch.zeros(count, rssm.action_dim, device=self._device)
        self._first = torch.ones(count, dtype=torch.bool, device=self._device)
        self._state = rssm.initial(count, self._action)

    def state_dict(self) -> dict[str, Any]:
        """Latents, actions, which episodes begin, and the generator."""
        state = self._state
        parts = None if state is None else [state.deter, state.stoch, state.logits]
        return {
            "state": parts,
            "action": self._action,
            "first": self._first,
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        parts = state["state"]
        move = [] if parts is None else [part.to(self._device) for part in parts]
        self._state = Latent(*move) if move else None
        self._action = state["action"].to(self._device)
        self._first = state["first"].to(self._device)
        self._generator.set_state(state["generator"].cpu())
