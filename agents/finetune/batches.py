"""Learning that begins when a skill has been chosen, with the critics alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agents.finetune.choice import SkillChoice
from agents.learners import MultiCriticPPO, MultiCriticSAC
from agents.training.batches import Batch, Batches


class BatchesAfterChoice:
    """Gives no batch while skills are tried, so that all of them are tried with one policy.

    The env steps of the choice count as warm-up. Where they are more than `warmup_steps`, no
    updates are made up for, as none are for the steps of a warm-up. For `rest_steps` env steps
    after that, the batches come while the actor of `learner` rests.
    """

    def __init__(
        self,
        batches: Batches,
        choice: SkillChoice,
        learner: MultiCriticSAC | MultiCriticPPO,
        warmup_steps: int,
        rest_steps: int,
    ) -> None:
        self._batches = batches
        self._choice = choice
        self._learner = learner
        self._warmup_steps = warmup_steps
        self._rest_steps = rest_steps

    @property
    def updates(self) -> int:
        """See `Batches.updates`."""
        return self._batches.updates

    def due(self, env_steps: int) -> Iterator[Batch]:
        """None until a skill is chosen; see `Batches.due`."""
        chosen_at = self._choice.env_steps
        if not self._choice.finished or env_steps <= chosen_at:
            return iter(())
        begins = max(chosen_at, self._warmup_steps)
        self._learner.actor_rests = env_steps <= begins + self._rest_steps
        return self._batches.due(env_steps - max(chosen_at - self._warmup_steps, 0))

    def state_dict(self) -> dict[str, Any]:
        """See `Batches.state_dict`."""
        return self._batches.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Batches.load_state_dict`."""
        self._batches.load_state_dict(state)
