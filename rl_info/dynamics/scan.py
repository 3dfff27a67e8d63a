"""The recurrence over observed time, with its backward pass written out.

Only what depends on the step before is left in the loop: projections of actions and embeddings
come in ready, and the gradient of every matrix is one product over all steps after the loop
instead of a sum of products in it. Automatic differentiation reads and writes each weight's
gradient at every step, which at small batches costs several times the arithmetic.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rl_info.dynamics.scan_gradient import (
    Trace,
    initial_gradient,
    step_gradient,
    weight_gradients,
)
from rl_info.dynamics.weights import RecurrenceWeights
from rl_info.nn.categorical_latent import draw_classes
from rl_info.nn.rms_silu import rms_silu_forward


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x W in the dtype of W; float32 rows where W is bfloat16 are rounded first."""
    return x.to(weight.dtype) @ weight


def block_product(x: Tensor, weight: Tensor) -> Tensor:
    """(B, G·i) times (G, i, o): each block's inputs by its own matrix, as (G, B, o)."""
    blocks = x.to(weight.dtype).view(x.shape[0], weight.shape[0], weight.shape[1])
    return torch.bmm(blocks.transpose(0, 1), weight)


def flatten_blocks(x: Tensor) -> Tensor:
    """(G, B, o) to (B, G·o)."""
    return x.transpose(0, 1).reshape(x.shape[1], -1)


class ObservedScan(torch.autograd.Function):
    """(action part, embed part, keep, uniform, h0, z0, weights) to (h, logits, z) of all steps.

    Time first. Shapes: action part (T, B, D), what actions add before the hidden layer's norm,
    with its bias; embed part (T, B, H), what embeddings add before the posterior's norm, with its
    bias; keep (T, B, 1), 0 where an episode begins; uniform (T, B, S, 1) numbers in [0, 1) that
    choose the classes. Gradients of z go straight through the draws.
    """

    @staticmethod
    def forward(
        ctx: Any,
        action_part: Tensor,
        embed_part: Tensor,
        keep: Tensor,
        uniform: Tensor,
        deter: Tensor,
        stoch: Tensor,
        uniform_mix: float,
        dtype: torch.dtype,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the loop and keep what the way back needs."""
        weights = RecurrenceWeights(*parameters).to(dtype)
        # Both products read h_t: what the posterior takes from it now, the recurrence takes next.
        from_deter = torch.cat([weights.posterior_deter, weights.deter_in], dim=1)
        hidden = weights.posterior_deter.shape[1]
        shape = stoch.shape
        stoch = stoch.flatten(1)
        before = product(deter, weights.deter_in)
        traces: list[Trace] = []
        deters, logits, stochs = [], [], []
        for t in range(action_part.shape[0]):
            kept, kept_stoch = deter * keep[t], stoch * keep[t]
            x0, normal0, scale0 = rms_silu_forward(
                torch.addcmul(weights.deter_in_bias, before, keep[t]), weights.deter_in_gain
            )
            x1, normal1, scale1 = rms_silu_forward(
                product(kept_stoch, weights.stoch_in) + weights.stoch_in_bias,
                weights.stoch_in_gain,
            )
            inputs = torch.cat([x0, x1], dim=1)
            v = product(inputs, weights.hidden_inputs) + action_part[t]
            v = v + flatten_blocks(block_product(kept, weights.hidden_blocks))
            y, normal_v, scale_v = rms_silu_forward(v, weights.hidden_gain)
            gates = block_product(y, weights.gates) + weights.gates_bias
            reset, candidate, update = gates.chunk(3, dim=-1)
            reset = torch.sigmoid(reset)
            new = torch.tanh(reset * candidate)
            update = torch.sigmoid(update)
            old = kept.view(kept.shape[0], gates.shape[0], -1).transpose(0, 1)
            deter = flatten_blocks(torch.lerp(old, new, update))
            both = product(deter, from_deter)
            before = both[:, hidden:]
            y2, normal_p, scale_p = rms_silu_forward(
                both[:, :hidden] + embed_part[t], weights.posterior_gain
            )
            logit = product(y2, weights.posterior_logits) + weights.posterior_logits_bias
            share = torch.softmax(logit.view(shape), dim=-1)
            mixed = share * (1.0 - uniform_mix) + uniform_mix / shape[-1]
            stoch = draw_classes(mixed, uniform[t]).flatten(1)
            deters.append(deter)
            logits.append(logit)
            stochs.append(stoch)
            traces.append(
                Trace(
                    kept, kept_stoch, normal0, scale0, normal1, scale1, inputs, normal_v, scale_v,
                    y, reset, candidate, new, update, deter, normal_p, scale_p, y2, share,
                )
            )  # fmt: skip
        # Saved by torch's own way, so that memory is given back as soon as the graph is done with.
        kept_tensors = (keep, from_deter, *weights, *(part for trace in traces for part in trace))
        ctx.save_for_backward(*kept_tensors)
        ctx.uniform_mix, ctx.shape = uniform_mix, shape
        stack = torch.stack(stochs).view(-1, *shape)
        return torch.stack(deters), torch.stack(logits).view(-1, *shape), stack

    @staticmethod
    def backward(ctx: Any, of_deter: Tensor, of_logits: Tensor, of_stoch: Tensor) -> Any:
        """Walk back through time; then one product for each matrix."""
        keep, from_deter, *rest = ctx.saved_tensors
        matrices = len(RecurrenceWeights._fields)
        weights, parts = RecurrenceWeights(*rest[:matrices]), rest[matrices:]
        width = len(Trace._fields)
        traces = [Trace(*parts[i : i + width]) for i in range(0, len(parts), width)]
        # Row-major copies: a product with a transposed view repacks it at every step.
        turned = RecurrenceWeights(
            *(w.mT.contiguous() if w.dim() > 1 else w for w in weights)
        )._replace(posterior_deter=from_deter.mT.contiguous())
        rows, hidden = of_deter.shape[1], weights.posterior_deter.shape[1]
        carry = (
            of_deter.new_zeros(rows, of_deter.shape[2]),
            of_deter.new_zeros(rows, hidden),
            of_deter.new_zeros(ctx.shape),
        )
        slopes = []
        for t in reversed(range(of_deter.shape[0])):
            slope, carry = step_gradient(
                traces[t],
                weights,
                turned,
                keep[t],
                (of_deter[t], of_logits[t], of_stoch[t]),
                carry,
                ctx.uniform_mix,
            )
            slopes.append(slope)
        slopes.reverse()
        of_action, of_embed, of_weights = weight_gradients(traces, slopes, weights)
        of_h0 = initial_gradient(carry, weights)
        return (of_action, of_embed, None, None, of_h0, carry[2], None, None, *of_weights)
