"""MIST's network, loss and training."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rl_info.estimators.mist.levels import LEVELS, calibrated, meeting_level, uncalibrated
from rl_info.estimators.mist.losses import from_scale, pinball_loss, squared_error, to_scale
from rl_info.estimators.mist.meta_data import MetaConfig, draw_batch
from rl_info.estimators.mist.model import MISTModel, ModelConfig
from rl_info.estimators.mist.presets import FULL, PRESETS, SMALL, TrainConfig, learning_rate
from rl_info.estimators.mist.rows import WIDTH
from rl_info.estimators.mist.set_transformer import MultiheadAttentionBlock
from rl_info.estimators.mist.summary import CONTEXT
from rl_info.estimators.mist.train import Training, train
from rl_info.estimators.mist.weights import load_weights

TINY_MODEL = ModelConfig(
    row_hidden=32,
    width=16,
    heads=2,
    feed_forward=16,
    self_attention_blocks=1,
    induced_blocks=1,
    inducing_points=4,
    seeds=2,
    head_hidden=32,
)
TINY = TrainConfig(
    model=TINY_MODEL,
    meta=MetaConfig(families=("normal-dense-base", "uniform-base"), samples=(10, 40), dims=(1, 3)),
    steps=4,
    sets=8,
    groups=2,
    learning_rate=3e-3,
    warm_up=2,
    bfloat16=False,
)


def model() -> MISTModel:
    torch.manual_seed(0)
    return MISTModel(TINY_MODEL).eval()


def inputs(rows: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return (
        torch.randn(3, rows, WIDTH, generator=random),
        torch.randn(3, CONTEXT, generator=random),
        torch.tensor([[0.1, 0.5, 0.9]]).expand(3, -1),
    )


def test_order_of_rows_does_not_matter() -> None:
    network, (rows, context, levels) = model(), inputs()
    shuffled = rows[:, torch.randperm(12, generator=torch.Generator().manual_seed(2))]
    before, after = network(rows, context, levels), network(shuffled, context, levels)
    torch.testing.assert_close(after, before, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(network(rows[[1, 0, 2]], context, levels), before, atol=1e-4)


def test_padding_rows_do_not_matter() -> None:
    network, (rows, context, levels) = model(), inputs()
    padded = torch.cat([rows, torch.full((3, 5, WIDTH), 7.0)], dim=1)
    mask = torch.arange(17).expand(3, -1) < 12
    before = network(rows, context, levels)
    torch.testing.assert_close(network(padded, context, levels, mask), before, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(network(padded, context, levels), before, atol=1e-4)


def test_level_is_read_by_quantile_networks_only() -> None:
    rows, context, levels = inputs()
    quantile = model()(rows, context, levels)
    mean = MISTModel(replace(TINY_MODEL, target="mean"))(rows, context, levels)
    assert quantile.std(dim=1).min() > 1e-5
    assert mean.std(dim=1).max() < 1e-6


def test_attention_matches_torch() -> None:
    torch.manual_seed(0)
    block = MultiheadAttentionBlock(16, 4, 8)
    reference = torch.nn.MultiheadAttention(16, 4, batch_first=True)
    key_value = block.key_value
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([block.query.weight, key_value.weight]))
        reference.in_proj_bias.copy_(torch.cat([block.query.bias, key_value.bias]))
        reference.out_proj.weight.copy_(block.mix.weight)
        reference.out_proj.bias.copy_(block.mix.bias)
    queries, elements = torch.randn(2, 3, 16), torch.randn(2, 5, 16)
    mask = torch.tensor([[True] * 5, [True, True, False, True, False]])
    hidden = queries + reference(queries, elements, elements, key_padding_mask=~mask)[0]
    expected = hidden + block.feed_forward(hidden)
    torch.testing.assert_close(block(queries, elements, mask), expected)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="multiple of 3 heads"):
        MultiheadAttentionBlock(16, 3, 8)


def test_pinball_loss_by_hand() -> None:
    prediction, truth = torch.tensor([[1.0, 4.0]]), torch.tensor([3.0])
    levels = torch.tensor([[0.25, 0.9]])
    # 0.25 (3 − 1) = 0.5 above, (1 − 0.9) (4 − 3) = 0.1 below
    assert pinball_loss(prediction, truth, levels).item() == pytest.approx(0.3)
    assert squared_error(prediction, truth).item() == pytest.approx(2.5)


def test_pinball_loss_is_least_at_the_quantile() -> None:
    truth = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    candidates = torch.linspace(-2, 2, 401)
    level = torch.tensor([[0.8]]).expand(4000, 1)
    losses = [pinball_loss(at.expand(4000, 1), truth, level).item() for at in candidates]
    best = float(candidates[int(np.argmin(losses))])
    assert best == pytest.approx(float(truth.quantile(0.8)), abs=0.02)


def test_scale_goes_there_and_back() -> None:
    nats = torch.tensor([0.0, 0.3, 40.0])
    torch.testing.assert_close(from_scale(to_scale(nats)), nats)
    assert from_scale(torch.tensor([-0.5])).item() == 0.0


def test_training_lowers_the_loss_on_held_out_sets() -> None:
    config = replace(TINY, steps=50, sets=8, learning_rate=5e-3)
    training = Training(config)
    held_out = draw_batch(config.meta, 48, (99, 0))

    def loss() -> float:
        with torch.no_grad():
            return training.loss(held_out, torch.Generator().manual_seed(5)).item()

    untrained = loss()
    batches = training.batches()
    for _ in range(config.steps):
        training.update(batches)
    assert loss() < 0.6 * untrained


@pytest.mark.parametrize("target", ["quantile", "mean"])
def test_interrupted_training_ends_with_the_same_bits(tmp_path: Path, target: str) -> None:
    config = replace(TINY, model=replace(TINY_MODEL, target=target))
    seen: list[int] = []
    whole = train(
        config, tmp_path / "whole", every=2, progress=lambda step, loss: seen.append(step)
    )
    assert seen == [2, 4]

    def interrupt(step: int, loss: float) -> None:
        assert math.isfinite(loss)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts", every=2, progress=interrupt)
    parts = train(config, tmp_path / "parts", every=2, workers=1)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name
    saved = load_weights(tmp_path / "parts" / "mist.safetensors").model.state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in whole.state_dict().items())


def test_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    Training(TINY).save(tmp_path / "training.pt")
    with pytest.raises(ValueError, match="other settings"):
        Training(replace(TINY, seed=1)).load(tmp_path / "training.pt")
    longer = Training(replace(TINY, steps=9))
    longer.load(tmp_path / "training.pt")
    assert longer.step == 0


def test_bfloat16_trains_close_to_float32() -> None:
    batch = draw_batch(TINY.meta, 8, (3, 0))
    exact, rounded = Training(TINY), Training(replace(TINY, bfloat16=True))
    losses = [
        each.loss(batch, torch.Generator().manual_seed(0)).item() for each in (exact, rounded)
    ]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(TINY, step) for step in range(TINY.steps + 1)]
    assert rates[0] == pytest.approx(TINY.learning_rate / 2)
    assert max(rates) == TINY.learning_rate == rates[1] == rates[2]
    assert rates[-1] == pytest.approx(0.0)


def test_presets_hold_the_papers_sizes_and_the_shipped_ones() -> None:
    assert PRESETS["full"] is FULL
    assert (FULL.sets, FULL.learning_rate, FULL.weight_decay) == (256, 1.127e-4, 8.65e-6)
    assert FULL.model.self_attention_blocks == FULL.model.induced_blocks == 2
    assert MISTModel(SMALL.model).rows.out.weight.shape[0] == SMALL.model.width
    with pytest.raises(ValueError, match="equal groups"):
        replace(TINY, groups=3)


def test_calibration_finds_the_levels_that_hold() -> None:
    # Predictions whose spread is half of what it should be.
    random = torch.Generator().manual_seed(0)
    truth = 5 + torch.randn(6000, generator=random)
    levels = torch.linspace(0.001, 0.999, 999)
    predicted = (5 + 0.5 * torch.special.ndtri(levels)).expand(6000, -1)
    asked = calibrated(truth[:3000], predicted[:3000], levels)
    quantiles = 5 + 0.5 * torch.special.ndtri(asked)
    held = (truth[3000:, None] <= quantiles).float().mean(dim=0)
    torch.testing.assert_close(held[3:16], uncalibrated()[3:16], atol=0.03, rtol=0)
    assert asked[2] < LEVELS[2]
    assert asked[-3] > LEVELS[-3]


def test_meeting_level_is_linear_between_and_clipped_beyond() -> None:
    predicted, levels = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.1, 0.5, 0.9])
    assert meeting_level(3.0, predicted, levels).item() == pytest.approx(0.7)
    assert meeting_level(0.0, predicted, levels).item() == pytest.approx(0.1)
    assert meeting_level(9.0, predicted, levels).item() == pytest.approx(0.9)
