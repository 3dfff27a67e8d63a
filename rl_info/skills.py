"""The skill variable z: its kind, its dimension and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

SkillKind = Literal["none", "discrete", "continuous"]


@dataclass(frozen=True)
class SkillSpec:
    """Kind and size of the skill a policy is conditioned on.

    `discrete` skills are one-hot vectors drawn uniformly; `continuous` skills are uniform on the
    unit sphere; `none` is the unconditioned agent, whose skill has width 0.

    Raises ValueError if `dim` does not fit `kind` (0 for `none`, at least 1 otherwise, at least 2
    for `discrete`, where a single skill carries no information).
    """

    kind: SkillKind = "none"
    """One of none, discrete (one-hot) and continuous (unit sphere)."""
    dim: int = 0
    """Number of discrete skills, or dimension of the continuous skill."""

    def __post_init__(self) -> None:
        least = {"none": 0, "continuous": 1, "discrete": 2}[self.kind]
        if self.dim < least or (self.kind == "none" and self.dim != 0):
            bound = "exactly 0" if self.kind == "none" else f"at least {least}"
            raise ValueError(f"a {self.kind} skill needs dim {bound}, got dim={self.dim}")

    def sample(
        self, count: int, generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "N Z"]:
        """Draw `count` skills as float32 rows of width `dim` from `generator`."""
        if self.kind == "discrete":
            index = torch.randint(self.dim, (count,), generator=generator, device=device)
            return torch.nn.functional.one_hot(index, self.dim).float()
        noise = torch.randn(count, self.dim, generator=generator, device=device)
        if self.kind == "none":
            return noise
        return noise / noise.norm(dim=-1, keepdim=True).clamp_min(1e-12)
