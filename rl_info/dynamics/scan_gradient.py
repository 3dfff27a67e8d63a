"""One step back through the recurrence, and the gradients of its matrices over all steps."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rl_info.dynamics.weights import RecurrenceWeights
from rl_info.nn.rms_silu import rms_silu_backward

Carry = tuple[Tensor, Tensor, Tensor]
"""Gradients that flow to the step before: of h, of its projection, of z."""


class Trace(NamedTuple):
    """What one step of the recurrence leaves for its way back."""

    kept: Tensor
    kept_stoch: Tensor
    deter_normal: Tensor
    deter_scale: Tensor
    stoch_normal: Tensor
    stoch_scale: Tensor
    inputs: Tensor
    hidden_normal: Tensor
    hidden_scale: Tensor
    hidden: Tensor
    reset: Tensor
    candidate: Tensor
    new: Tensor
    update: Tensor
    deter: Tensor
    posterior_normal: Tensor
    posterior_scale: Tensor
    posterior: Tensor
    share: Tensor


class Slope(NamedTuple):
    """Gradients at one step of all sums that a matrix or bias enters, and of the gains."""

    deter_in: Tensor
    deter_gain: Tensor
    stoch_in: Tensor
    stoch_gain: Tensor
    hidden: Tensor
    hidden_gain: Tensor
    gates: Tensor
    posterior: Tensor
    posterior_gain: Tensor
    logits: Tensor


def step_gradient(
    trace: Trace,
    weights: RecurrenceWeights,
    turned: RecurrenceWeights,
    keep: Tensor,
    of_outputs: tuple[Tensor, Tensor, Tensor],
    carry: Carry,
    uniform_mix: float,
) -> tuple[Slope, Carry]:
    """Gradients of one step, given those of its outputs and what came back from the next."""
    of_deter, of_logits, of_stoch = of_outputs
    dtype = weights.gates.dtype
    # Straight through the draw: the one-hot's gradient is that of the mixed probabilities.
    of_share = (of_stoch + carry[2]) * (1.0 - uniform_mix)
    of_share = torch.ops.aten._softmax_backward_data(of_share, trace.share, -1, trace.share.dtype)
    of_logit = (of_logits + of_share).flatten(1)
    of_y2 = (of_logit.to(dtype) @ turned.posterior_logits).to(of_logit.dtype)
    of_p, gain_p = rms_silu_backward(
        of_y2, trace.posterior_normal, trace.posterior_scale, weights.posterior_gain
    )
    both = torch.cat([of_p, carry[1]], dim=1).to(dtype)
    of_h = of_deter + carry[0] + both @ turned.posterior_deter
    blocks, rows, width = trace.update.shape
    flow = of_h.view(rows, blocks, width).transpose(0, 1)
    old = trace.kept.view(rows, blocks, width).transpose(0, 1)
    of_gates = _gate_gradient(flow, old, trace)
    rounded = of_gates.to(dtype)
    of_y = torch.bmm(rounded, turned.gates).transpose(0, 1).reshape(rows, -1).to(of_h.dtype)
    of_v, gain_v = rms_silu_backward(
        of_y, trace.hidden_normal, trace.hidden_scale, weights.hidden_gain
    )
    rounded = of_v.to(dtype)
    of_x0, of_x1 = (rounded @ turned.hidden_inputs).to(of_h.dtype).chunk(2, dim=1)
    of_u0, gain0 = rms_silu_backward(
        of_x0, trace.deter_normal, trace.deter_scale, weights.deter_in_gain
    )
    of_u1, gain1 = rms_silu_backward(
        of_x1, trace.stoch_normal, trace.stoch_scale, weights.stoch_in_gain
    )
    of_old = torch.bmm(rounded.view(rows, blocks, width).transpose(0, 1), turned.hidden_blocks)
    of_old = torch.addcmul(of_old, flow, 1.0 - trace.update)
    of_kept = of_old.transpose(0, 1).reshape(rows, -1)
    of_z = (of_u1.to(dtype) @ turned.stoch_in).to(of_h.dtype)
    back = (of_kept * keep, of_u0 * keep, (of_z * keep).view(of_stoch.shape))
    slope = Slope(of_u0, gain0, of_u1, gain1, of_v, gain_v, of_gates, of_p, gain_p, of_logit)
    return slope, back


def _gate_gradient(flow: Tensor, old: Tensor, trace: Trace) -> Tensor:
    """Gradient before the three non-linearities of the gates, (G, B, 3d)."""
    reset, new, update = trace.reset, trace.new, trace.update
    of_tanh = torch.ops.aten.tanh_backward(flow * update, new)
    of_reset = torch.ops.aten.sigmoid_backward(of_tanh * trace.candidate, reset)
    of_update = torch.ops.aten.sigmoid_backward(flow * (new - old), update)
    return torch.cat([of_reset, of_tanh * reset, of_update], dim=-1)


def initial_gradient(carry: Carry, weights: RecurrenceWeights) -> Tensor:
    """Gradient of the first h, which also enters through its projection."""
    through = carry[1].to(weights.deter_in.dtype) @ weights.deter_in.mT
    return carry[0] + through


def weight_gradients(
    traces: list[Trace], slopes: list[Slope], weights: RecurrenceWeights
) -> tuple[Tensor, Tensor, RecurrenceWeights]:
    """Gradients of the action parts, the embed parts and all weights, over all steps."""
    slope = Slope(*(torch.stack(part) for part in zip(*slopes, strict=True)))
    blocks, _, width = traces[0].update.shape

    def joined(name: str) -> Tensor:
        return torch.cat([getattr(trace, name) for trace in traces])

    def outer(inputs: Tensor, outputs: Tensor) -> Tensor:
        dtype = weights.gates.dtype
        return (inputs.to(dtype).mT @ outputs.to(dtype)).to(outputs.dtype)

    def in_blocks(rows: Tensor) -> Tensor:
        return rows.view(rows.shape[0], blocks, width).transpose(0, 1)

    def total(part: Tensor) -> Tensor:
        return part.flatten(0, 1).sum(dim=0)

    of_u0, of_u1 = slope.deter_in.flatten(0, 1), slope.stoch_in.flatten(0, 1)
    of_v, of_p = slope.hidden.flatten(0, 1), slope.posterior.flatten(0, 1)
    of_logits = slope.logits.flatten(0, 1)
    # (T, G, B, 3d) to (G, T·B, 3d), in the order of the rows above.
    of_gates = slope.gates.transpose(0, 1).flatten(1, 2)
    kept = joined("kept")
    gradients = RecurrenceWeights(
        deter_in=outer(kept, of_u0),
        deter_in_bias=of_u0.sum(dim=0),
        deter_in_gain=total(slope.deter_gain),
        stoch_in=outer(joined("kept_stoch"), of_u1),
        stoch_in_bias=of_u1.sum(dim=0),
        stoch_in_gain=total(slope.stoch_gain),
        hidden_inputs=outer(joined("inputs"), of_v),
        hidden_blocks=outer(in_blocks(kept), in_blocks(of_v)),
        hidden_gain=total(slope.hidden_gain),
        gates=outer(in_blocks(joined("hidden")), of_gates),
        gates_bias=of_gates.sum(dim=1, keepdim=True),
        posterior_deter=outer(joined("deter"), of_p),
        posterior_gain=total(slope.posterior_gain),
        posterior_logits=outer(joined("posterior"), of_logits),
        posterior_logits_bias=of_logits.sum(dim=0),
    )
    return slope.hidden, slope.posterior, gradients
