"""The parameters of the recurrence, by name."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class RecurrenceWeights(NamedTuple):
    """What the loop over time multiplies with; matrices map rows: (inputs, outputs).

    D is the deterministic width in G blocks of d, H the hidden width, S·C the stochastic width.
    """

    deter_in: Tensor
    """(D, H)"""
    deter_in_bias: Tensor
    deter_in_gain: Tensor
    stoch_in: Tensor
    """(S·C, H)"""
    stoch_in_bias: Tensor
    stoch_in_gain: Tensor
    hidden_inputs: Tensor
    """(2H, D): from the deterministic and the stochastic projection to all blocks."""
    hidden_blocks: Tensor
    """(G, d, d)"""
    hidden_gain: Tensor
    gates: Tensor
    """(G, d, 3d): reset, candidate and update of each block."""
    gates_bias: Tensor
    """(G, 1, 3d)"""
    posterior_deter: Tensor
    """(D, H)"""
    posterior_gain: Tensor
    posterior_logits: Tensor
    """(H, S·C)"""
    posterior_logits_bias: Tensor

    def to(self, dtype: torch.dtype) -> RecurrenceWeights:
        """Matrices in `dtype`; biases and gains, which meet float32 sums, stay as they are."""
        return RecurrenceWeights(
            *(
                value.to(dtype) if name in MATRICES else value
                for name, value in zip(self._fields, self, strict=True)
            )
        )


MATRICES = frozenset(
    {
        "deter_in",
        "stoch_in",
        "hidden_inputs",
        "hidden_blocks",
        "gates",
        "posterior_deter",
        "posterior_logits",
    }
)
