"""Calibrate trained weights: `python -m rl_info.estimators.mist.calibrate --help`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from rl_info.estimators.mist.levels import HIGHEST, LOWEST, calibrated
from rl_info.estimators.mist.meta_data import MetaConfig, draw_set, draw_size
from rl_info.estimators.mist.predict import predict_quantiles
from rl_info.estimators.mist.weights import TrainedMIST, load_weights, save_weights

log = logging.getLogger(__name__)

CALIBRATION_SEED = 0x5EED
"""First number of every seed of a calibration set; training and benchmarks use others."""
DENSE_LEVELS = torch.cat(
    [torch.tensor([LOWEST]), torch.arange(1, 100) / 100, torch.tensor([HIGHEST])]
)
"""Levels between which the level that meets a truth is interpolated."""


def calibrate(
    trained: TrainedMIST, config: MetaConfig, sets: int, per_group: int = 8
) -> TrainedMIST:
    """The same network with levels that hold on `sets` fresh sets of `config`."""
    truths, predictions = [], []
    for group in range(-(-sets // per_group)):
        random = np.random.default_rng([CALIBRATION_SEED, group])
        samples = draw_size(config.samples, config.logarithmic, random)
        drawn = [draw_set(config, samples, random) for _ in range(per_group)]
        pairs = [(each.x, each.y) for each in drawn]
        predictions.append(predict_quantiles(trained.model, pairs, DENSE_LEVELS).cpu())
        truths += [each.information for each in drawn]
    asked = calibrated(torch.tensor(truths), torch.cat(predictions), DENSE_LEVELS)
    return TrainedMIST(trained.model, asked)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Calibrate the quantile levels of MIST.")
    parser.add_argument("--weights", type=Path, required=True, help="weights to read")
    parser.add_argument("--output", type=Path, required=True, help="where calibrated ones go")
    parser.add_argument("--sets", type=int, default=3000)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trained = load_weights(arguments.weights, arguments.device)
    result = calibrate(trained, MetaConfig(), arguments.sets)
    save_weights(result, arguments.output)
    log.info("asked levels: %s", [round(float(level), 4) for level in result.asked_levels])


if __name__ == "__main__":
    main()
