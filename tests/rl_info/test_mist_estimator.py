"""MIST as an estimator, and its weights as a file."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rl_info.distributions import TASKS
from rl_info.estimators import build_estimator
from rl_info.estimators.mist import MIST, BeyondTrainingWarning, MISTConfig
from rl_info.estimators.mist.calibrate import calibrate
from rl_info.estimators.mist.families import TRAINING
from rl_info.estimators.mist.levels import LEVELS, uncalibrated
from rl_info.estimators.mist.meta_data import MetaConfig, draw_set
from rl_info.estimators.mist.model import MISTModel, ModelConfig
from rl_info.estimators.mist.predict import predict_quantiles
from rl_info.estimators.mist.weights import (
    SHIPPED,
    DamagedWeightsError,
    TrainedMIST,
    description_path,
    load_weights,
    save_uncalibrated,
    save_weights,
)


def samples(name: str, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return TASKS[name].sample(n, torch.Generator().manual_seed(seed), torch.float64)


def test_shipped_weights_are_small_and_match_their_hash() -> None:
    content = SHIPPED.read_bytes()
    described = json.loads(description_path(SHIPPED).read_text())
    assert len(content) < 10_000_000
    assert described["sha256"] == hashlib.sha256(content).hexdigest()
    trained = load_weights(SHIPPED)
    assert trained.asked_levels.shape == (len(LEVELS),)
    assert (trained.asked_levels.diff() > 0).all()
    assert not torch.equal(trained.asked_levels, uncalibrated())


@pytest.mark.parametrize("position", [9, -1])
def test_a_flipped_byte_is_refused(tmp_path: Path, position: int) -> None:
    path = tmp_path / "mist.safetensors"
    shutil.copy(SHIPPED, path)
    shutil.copy(description_path(SHIPPED), description_path(path))
    load_weights(path)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedWeightsError, match="SHA-256"):
        load_weights(path)
    with pytest.raises(DamagedWeightsError, match="again"):
        MIST(MISTConfig(weights=path))


def test_estimate_is_the_spread_of_calibrated_quantiles() -> None:
    estimator = build_estimator("mist")
    estimate = estimator.estimate(*samples("normal-1x1", 300))
    values = list(estimate.quantiles.values())
    assert tuple(estimate.quantiles) == LEVELS
    assert values == sorted(values)
    assert values[0] > 0
    assert estimate.bound == "none"
    assert estimate.value == pytest.approx(float(np.mean(values)))
    assert estimate.quantiles[0.15] < estimate.value - 0.5 * estimate.std_error
    assert estimate.interval(0.9) == pytest.approx((values[0], values[-1]))


def test_known_truths_lie_within_reach() -> None:
    estimator = MIST()
    for name, tolerance in (
        ("normal-1x1", 0.12),
        ("half-cube-1x1", 0.12),
        ("normal-dense-3x3", 0.15),
        ("half-cube-2pair-3x3", 0.25),
        ("student-2-2x2", 0.15),
    ):
        found = [estimator.estimate(*samples(name, 500, seed)).value for seed in range(3)]
        assert np.mean(found) == pytest.approx(TASKS[name].information, abs=tolerance), name


def test_independent_variables_are_near_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(500, 3, generator=generator), torch.randn(500, 3, generator=generator)
    assert MIST().estimate(x, y).value < 0.1


def test_more_rows_narrow_the_interval() -> None:
    few, many = (MIST().estimate(*samples("normal-1x1", n)) for n in (20, 500))
    assert many.std_error < 0.6 * few.std_error


def test_ninety_percent_interval_holds_on_unseen_draws() -> None:
    estimator, random = MIST(), np.random.default_rng(424242)
    config = MetaConfig(families=TRAINING, samples=(10, 200), dims=(1, 16))
    held = []
    for _ in range(120):
        drawn = draw_set(config, int(random.integers(10, 201)), random)
        low, high = estimator.estimate(drawn.x, drawn.y).interval(0.9)
        held.append(low <= drawn.information <= high)
    # Four standard errors of 120 draws around 0.85 and 0.95, the band that is promised.
    assert 0.78 <= np.mean(held) <= 0.99


def test_nothing_changes_with_order_side_or_map() -> None:
    x, y = samples("student-1-2x2", 100)
    estimator = MIST()
    value = estimator.estimate(x, y).value
    order = torch.randperm(100, generator=torch.Generator().manual_seed(1))
    for left, right in (
        (x[order], y[order]),
        (y, x),
        (torch.asinh(3 * x), y.pow(3)),
        (x[:, [1, 0]], y),
        (x.to(torch.float64), y.numpy()),
    ):
        assert estimator.estimate(left, right).value == pytest.approx(value, abs=1e-3)


def test_sizes_beyond_training_are_refused_or_warned_of() -> None:
    estimator = MIST()
    x, y = samples("normal-1x1", 1100)
    with pytest.warns(BeyondTrainingWarning, match="3 parts"):
        many = estimator.estimate(x, y)
    assert many.value == pytest.approx(TASKS["normal-1x1"].information, abs=0.12)
    with pytest.raises(ValueError, match="at least 10"):
        estimator.estimate(x[:9], y[:9])
    wide = torch.randn(50, 33, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="33 columns"):
        estimator.estimate(wide, y[:50])


def test_weights_that_predict_means_are_no_estimator(tmp_path: Path) -> None:
    sizes = ModelConfig(row_hidden=8, width=8, heads=2, feed_forward=8, seeds=2, head_hidden=8)
    save_uncalibrated(MISTModel(replace(sizes, target="mean")), tmp_path / "mean.safetensors")
    with pytest.raises(ValueError, match="predicts means"):
        MIST(MISTConfig(weights=tmp_path / "mean.safetensors"))


def test_calibration_moves_levels_where_a_network_errs(tmp_path: Path) -> None:
    trained = load_weights(SHIPPED)
    shifted = MISTModel(trained.model.config)
    shifted.load_state_dict(trained.model.state_dict())
    with torch.no_grad():
        last = shifted.head[-1]
        assert isinstance(last, torch.nn.Linear)
        last.bias += 0.05
    config = MetaConfig(samples=(40, 60), dims=(1, 3))
    result = calibrate(TrainedMIST(shifted.eval(), uncalibrated()), config, sets=64)
    # Every prediction is too high now: lower levels must be asked for.
    assert (result.asked_levels < uncalibrated() - 0.02).float().mean() > 0.8
    save_weights(result, tmp_path / "calibrated.safetensors")
    again = load_weights(tmp_path / "calibrated.safetensors")
    assert torch.equal(again.asked_levels, result.asked_levels)
    pair = samples("normal-1x1", 50)
    torch.testing.assert_close(
        predict_quantiles(again.model, [pair], again.asked_levels),
        predict_quantiles(shifted, [pair], result.asked_levels),
    )
