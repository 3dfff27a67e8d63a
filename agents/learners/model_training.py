"""How a world model learns from replayed sequences."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agents.learners.imagination_config import ImaginationConfig
from agents.learners.losses import Metrics
from agents.learners.sequences import Sequences
from agents.learners.signal_heads import SignalHeads
from rl_info.dynamics import Latent, WorldModel, world_model_diagnostics
from rl_info.nn.laprop import LaProp

LOSS = "loss_"


class ModelTraining:
    """A world model, heads of the side signals that rewards read, and their optimiser."""

    def __init__(
        self,
        model: WorldModel,
        signals: Mapping[str, int],
        config: ImaginationConfig,
        generator: torch.Generator,
    ) -> None:
        size = model.rssm.size
        self.model = model
        self.heads = SignalHeads(size.feature, size.units, signals, generator)
        self._config = config
        self.optimiser = self._make_optimiser()

    def to(self, device: torch.device) -> ModelTraining:
        """Move everything to `device`, before anything has been learned."""
        self.model.to(device)
        self.heads.to(device)
        self.optimiser = self._make_optimiser()
        return self

    def _make_optimiser(self) -> LaProp:
        parts = nn.ModuleList([self.model, self.heads])
        return LaProp(
            (parameter for parameter in parts.parameters() if parameter.requires_grad),
            learning_rate=self._config.model_learning_rate,
            clip=self._config.model_clip,
            warm_up=self._config.model_warm_up,
        )

    def signals(self, feature: Float[Tensor, "B F"]) -> dict[str, Float[Tensor, "B _"]]:
        """Side signals of states with these features."""
        return self.heads(feature, self.model.dtype)

    def learn(self, batch: Sequences, generator: torch.Generator) -> tuple[Metrics, Latent]:
        """One optimiser step; metrics, and the posterior states (B, T) without gradient."""
        model = self.model
        observed = model.observe(batch.for_model(), generator=generator)
        losses, found = model.judge(observed)
        read = self.heads.loss(observed.posterior.feature, batch.signals, model.dtype)
        total = torch.stack([model.total(losses), *read.values()]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        model.after_update(found)
        metrics = {"loss/model": total.detach()}
        metrics |= {_place(name): value for name, value in found.items()}
        metrics |= {f"loss/model/signal_{name}": value.detach() for name, value in read.items()}
        return metrics, observed.posterior.detach()

    def diagnose(self, batch: Sequences, seed: int) -> Metrics:
        """Latent collapse, and the error of open-loop prediction over the second half of `batch`.

        `seed` is that of the draws, which are not the learner's: measuring disturbs nothing.
        """
        draws = torch.Generator(batch.obs.device).manual_seed(seed)
        context = batch.is_first.shape[1] // 2
        found = world_model_diagnostics(self.model, batch.for_model(), context, generator=draws)
        return {f"diagnostics/{name}": value for name, value in found.items()}


def _place(name: str) -> str:
    """Where TensorBoard shows a metric of the world model."""
    if name.startswith(LOSS):
        return f"loss/model/{name.removeprefix(LOSS)}"
    return f"model/{name}"
