"""Empowerment of imagined steps, by the world model's own density of actions."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from agents.learners.latent_steps import LOG_PROB
from agents.learners.reward_term import RewardTerm
from rl_info.dynamics import Latent, WorldModel
from rl_info.rewards.base import IntrinsicReward, RewardContext
from rl_info.rewards.empowerment import Empowerment
from rl_info.rewards.inputs import OBSERVATION
from rl_info.transitions import Transitions


@runtime_checkable
class TellsActions(Protocol):
    """A representation objective that has learned which action led from one latent to another."""

    def empowerment(
        self, before: Latent, after: Latent, action: Float[Tensor, "N A"]
    ) -> Float[Tensor, " N"]:
        """ln q(a | z, z') in nats."""
        ...


class LatentEmpowerment(IntrinsicReward):
    """r = ln q_ψ(a|z,z') − ln π(a|z,h) in nats: InfoPower's empowerment of an imagined step.

    Its mean is a lower bound of I(a; z'|z, h) under the policy (Barber and Agakov, 2003), whose
    density imagination knows exactly: no second density has to stand for it. Learns nothing: the
    world model does.
    """

    def __init__(self, context: RewardContext, model: WorldModel, teller: TellsActions) -> None:
        super().__init__(context)
        # In a tuple, since the world model's parameters are not this module's.
        self._model = (model, teller)

    def forward(self, batch: Transitions) -> Float[Tensor, " B"]:
        """Value of each imagined step in nats; raises KeyError for replayed ones."""
        model, teller = self._model
        before, after = (model.latent(feature) for feature in (batch.obs, batch.next_obs))
        return teller.empowerment(before, after, batch.action) - batch.signals[LOG_PROB][:, 0]


def with_model(term: RewardTerm, model: WorldModel) -> RewardTerm:
    """`term`, or for empowerment of latents the model's own.

    Empowerment of a side signal stays as it is. Raises ValueError for that of latents if the
    model's objective does not tell actions: a density that reads h' would find the action there,
    since h' is a function of it, and call any step fully empowered.
    """
    if not isinstance(term.module, Empowerment) or term.module.config.input != OBSERVATION:
        return term
    if not isinstance(model.objective, TellsActions):
        raise ValueError(
            f"representation {model.config.representation!r} learns no density of actions, which "
            "the reward empowerment needs: use --learner.world-model.representation infopower or "
            "mudreamer, or let it read a signal with --rewards.empowerment.input"
        )
    return RewardTerm(LatentEmpowerment(term.module.context, model, model.objective), term.config)
