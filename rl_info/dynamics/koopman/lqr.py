"""Linear-quadratic control in latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import torch
from jaxtyping import Float
from torch import Tensor

from rl_info.dynamics.koopman.operators import Operators

Matrix = Float[np.ndarray, "_M _N"]
CLOSED_LOOP_LIMIT = 1.0
"""Spectral radius below which a closed loop is stable."""


class NotStabilisableError(ValueError):
    """No feedback stabilises the latents."""


@dataclass(frozen=True)
class RegulatorConfig:
    """Settings of the latent LQR. Raises ValueError for a value out of range."""

    state_cost: float = 50.0
    """Weight of ‖z − z*‖², in units of the latents' mean variance where it is given."""
    action_cost: float = 1.0
    """Weight of ‖a − a*‖²."""
    horizon: int | None = None
    """Steps that are planned, anew at each; None for ever. Learned dynamics have modes that grow
    and that actions hardly reach, such as the cosine of a pole's angle near the top: a feedback
    that stabilises them for ever spends everything on them, one of some forty steps does not."""
    fallback_horizon: int = 100
    """Steps that are planned where none is asked for and no feedback stabilises the latents."""
    hold_tolerance: float = 0.1
    """The goal counts as one that can be held if a steady action within bounds leaves at most
    this share of the drift ‖K z* + c − z*‖ that there is without action."""

    def __post_init__(self) -> None:
        for name in ("state_cost", "action_cost"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("horizon", "fallback_horizon"):
            steps = getattr(self, name)
            if steps is not None and steps < 1:
                raise ValueError(f"{name} must be at least 1, got {steps}")
        if not self.hold_tolerance >= 0:
            raise ValueError(f"hold_tolerance must be at least 0, got {self.hold_tolerance}")


@dataclass(frozen=True)
class Riccati:
    """Feedback a = −L x and its cost-to-go xᵀ P x."""

    gain: Matrix
    """L, (A, D)"""
    cost: Matrix
    """P, (D, D)"""
    horizon: int | None
    """Steps ahead that it plans for; None for ever."""


def infinite_horizon(transition: Matrix, control: Matrix, q: Matrix, r: Matrix) -> Riccati:
    """The feedback that minimises Σ xᵀQx + aᵀRa for x' = Kx + Ba, by the discrete Riccati equation.

    Raises NotStabilisableError, naming the eigenvalues that no action reaches, if there is none.
    """
    try:
        cost = scipy.linalg.solve_discrete_are(transition, control, q, r)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise NotStabilisableError(_unreachable(transition, control)) from error
    gain = _gain(transition, control, cost, r)
    closed = transition - control @ gain
    if not np.isfinite(cost).all() or _radius(closed) >= CLOSED_LOOP_LIMIT:
        raise NotStabilisableError(_unreachable(transition, control))
    return Riccati(gain, cost, None)


def finite_horizon(
    transition: Matrix, control: Matrix, q: Matrix, r: Matrix, steps: int
) -> Riccati:
    """The first feedback of the plan that minimises the cost over `steps` steps.

    Raises ValueError if it is not finite: over so many steps the latents explode.
    """
    cost = q
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            gain = _gain(transition, control, cost, r)
            cost = q + transition.T @ cost @ (transition - control @ gain)
            cost = (cost + cost.T) / 2
            if not np.isfinite(cost).all():
                raise ValueError(
                    f"the cost of {steps} steps overflows: the latents' dynamics have spectral "
                    f"radius {_radius(transition):.3g}; shorten the horizon or train longer"
                )
    return Riccati(gain, cost, steps)


def solve(transition: Matrix, control: Matrix, config: RegulatorConfig, unit: float) -> Riccati:
    """The feedback that `config` asks for, `unit` being the variance that latents are measured in.

    `finite_horizon` also where latents cannot be stabilised for ever.
    """
    q = config.state_cost / unit * np.eye(len(transition))
    r = config.action_cost * np.eye(control.shape[1])
    if config.horizon is not None:
        return finite_horizon(transition, control, q, r, config.horizon)
    try:
        return infinite_horizon(transition, control, q, r)
    except NotStabilisableError:
        return finite_horizon(transition, control, q, r, config.fallback_horizon)


class LatentRegulator:
    """a = a* − L (z − z*), clipped to [-1, 1]: linear-quadratic control to a goal's latent.

    a* is the steady action that holds z* where there is one (see `hold_tolerance`), else 0. Solved
    once for K and B; called anew at each step, so that it always plans from where it is. `variance`
    is the latents' mean variance, so that costs do not depend on their scale.
    Raises ValueError if `variance` is not positive, or as `finite_horizon` does.
    """

    def __init__(
        self,
        operators: Operators,
        goal: Float[Tensor, " D"],
        config: RegulatorConfig,
        variance: float = 1.0,
    ) -> None:
        if not variance > 0:
            raise ValueError(f"the latents' variance must be positive, got {variance}")
        k, b = _array(operators.transition), _array(operators.control)
        self.riccati = solve(k, b, config, variance)
        star = _array(goal)
        drift = k @ star + _array(operators.offset) - star
        action, left = steady_action(b, drift)
        bounded = bool((np.abs(action) <= 1).all())
        self.holds_goal = bounded and left <= config.hold_tolerance * np.linalg.norm(drift)
        self.goal = goal.detach().cpu().double()
        self.steady = torch.from_numpy(action if self.holds_goal else np.zeros_like(action))
        self.gain = torch.from_numpy(self.riccati.gain)

    def __call__(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N A"]:
        """Actions in [-1, 1], float32."""
        wanted = self.steady - (z.detach().cpu().double() - self.goal) @ self.gain.T
        return wanted.clamp(-1.0, 1.0).float()

    def state_dict(self) -> dict[str, Any]:
        """The solution: what `from_state` needs."""
        solved = self.riccati
        return {
            "goal": self.goal,
            "steady": self.steady,
            "gain": self.gain,
            "cost": torch.from_numpy(solved.cost),
            "horizon": solved.horizon,
            "holds_goal": self.holds_goal,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LatentRegulator:
        """The regulator that `state_dict` described, without solving again."""
        found = cls.__new__(cls)
        found.goal, found.steady, found.gain = state["goal"], state["steady"], state["gain"]
        found.holds_goal = state["holds_goal"]
        found.riccati = Riccati(state["gain"].numpy(), state["cost"].numpy(), state["horizon"])
        return found


def steady_action(control: Matrix, drift: Float[np.ndarray, " D"]) -> tuple[np.ndarray, float]:
    """The action whose B a comes nearest to −drift, and how far from it: 0 holds the state."""
    action, *_ = np.linalg.lstsq(control, -drift, rcond=None)
    return action, float(np.linalg.norm(control @ action + drift))


def _gain(transition: Matrix, control: Matrix, cost: Matrix, r: Matrix) -> Matrix:
    weighted = control.T @ cost
    return np.linalg.solve(r + weighted @ control, weighted @ transition)


def _radius(matrix: Matrix) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max()) if np.isfinite(matrix).all() else np.inf


def _unreachable(transition: Matrix, control: Matrix) -> str:
    """Which unstable eigenvalues no action moves, by the test of Popov, Belevitch and Hautus."""
    values = np.linalg.eigvals(transition)
    stuck = [
        value
        for value in values[np.abs(values) >= CLOSED_LOOP_LIMIT - 1e-9]
        if np.linalg.matrix_rank(
            np.hstack([transition - value * np.eye(len(transition)), control]), tol=1e-9
        )
        < len(transition)
    ]
    named = ", ".join(f"{value:.4g}" for value in stuck)
    reason = f"no action reaches their modes {named}" if named else "the Riccati equation fails"
    return (
        f"no feedback stabilises these latents: {reason}. Plan over a finite horizon, or train "
        "on more varied actions"
    )


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()
