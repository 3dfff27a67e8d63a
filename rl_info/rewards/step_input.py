"""How a state changes in one step, standardised."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from rl_info.nn import RunningNormaliser
from rl_info.rewards.base import RewardContext
from rl_info.rewards.inputs import StateInput
from rl_info.transitions import Transitions


class StepInput(StateInput):
    """An input of which the change s' − s is standardised as well.

    A change is small beside the state, so a network that read s and s' would have to find their
    small difference; dynamics models of this family therefore work on it. The statistics of
    state and change freeze together; rows 0 leaves both raw.
    """

    def __init__(self, context: RewardContext, source: str, rows: int) -> None:
        super().__init__(context, source, rows)
        self.change = RunningNormaliser(self.width, clip=math.inf)

    def learn_step(self, batch: Transitions) -> None:
        """Let the rows of a batch count in both statistics, until enough have been seen."""
        if self.change.count < self.rows:
            before, after = self.both(batch).chunk(2)
            self.learn(before)
            self.change.observe(after - before)

    def step(self, batch: Transitions) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        """Standardised s and s' − s."""
        before, after = self.both(batch).chunk(2)
        change = after - before
        return self(before), self.change(change) if self.rows else change
