"""Random draws that are part of a checkpoint."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from rl_info.skills import SkillSpec


class SavedGenerator(nn.Module):
    """A generator of a reward's own, on the CPU, whose state is in the state dict.

    It is seeded from `parent` once, so that rewards built from one generator do not share draws.
    """

    def __init__(self, parent: torch.Generator) -> None:
        super().__init__()
        seed = torch.randint(2**62, (), generator=parent, device=parent.device)
        self.generator = torch.Generator().manual_seed(int(seed))

    def skills(
        self, spec: SkillSpec, count: int, device: torch.device | str
    ) -> Float[Tensor, "N Z"]:
        """`count` skills from the prior p(z)."""
        return spec.sample(count, self.generator).to(device)

    def get_extra_state(self) -> UInt8[Tensor, " S"]:
        """State of the generator, for the state dict."""
        return self.generator.get_state()

    def set_extra_state(self, state: UInt8[Tensor, " S"]) -> None:
        """Restore what `get_extra_state` returned."""
        self.generator.set_state(state.cpu())
