"""The skill variable z: its kind, its dimension and how it is drawn."""

from __future__ import annotations

import math
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

    def spread(
        self, count: int, generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "N Z"]:
        """`count` skills spread evenly over the skill space, float32.

        Discrete skills are repeated in turn (0, 1, …, dim−1, 0, …); continuous skills of dimension
        1 or 2 are evenly spaced on the sphere; others, for which no even spacing of any `count`
        exists, are drawn from `generator`.
        """
        if self.kind == "discrete":
            index = torch.arange(count, device=device) % self.dim
            return torch.nn.functional.one_hot(index, self.dim).float()
        if self.kind == "continuous" and self.dim == 1:
            return (1.0 - 2.0 * (torch.arange(count, device=device) % 2)).unsqueeze(-1).float()
        if self.kind == "continuous" and self.dim == 2:
            angle = torch.arange(count, device=device) * (2 * math.pi / max(count, 1))
            return torch.stack([angle.cos(), angle.sin()], dim=-1).float()
        return self.sample(count, generator, device)

    def direction(self, skill: Float[Tensor, "*B Z"]) -> Float[Tensor, "*B Z"]:
        """The direction in latent space that a skill stands for, as LSD and METRA use it.

        A continuous skill is its own direction. A discrete one becomes
        (one-hot − 1/D)·D/(D−1): 1 in its own coordinate and −1/(D−1) in the others, so that the
        directions of all skills sum to zero (LSD, arXiv 2202.00914, section 4; METRA,
        arXiv 2310.08887, appendix).
        """
        if self.kind == "discrete":
            return (skill - 1.0 / self.dim) * (self.dim / (self.dim - 1))
        return skill

    def nearest(self, displacement: Float[Tensor, "*B Z"]) -> Float[Tensor, "*B Z"]:
        """The skill whose direction has the largest inner product with a latent displacement.

        Continuous: the displacement scaled to unit length; discrete: the one-hot of its argmax.
        This is how a goal becomes a skill, z ∝ φ(g) − φ(s) (METRA, arXiv 2310.08887, section 4).
        """
        if self.kind == "discrete":
            return torch.nn.functional.one_hot(displacement.argmax(dim=-1), self.dim).float()
        return torch.nn.functional.normalize(displacement, dim=-1)
