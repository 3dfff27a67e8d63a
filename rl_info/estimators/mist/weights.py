"""Trained weights as files that are checked before they are believed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor

from rl_info.estimators.mist.levels import uncalibrated
from rl_info.estimators.mist.model import MISTModel, ModelConfig

SHIPPED = Path(__file__).parent / "weights" / "mist.safetensors"
"""The weights that come with the package."""
_ASKED = "asked_levels"


class DamagedWeightsError(ValueError):
    """A file of weights is not the one its hash was taken of."""


@dataclass(frozen=True)
class TrainedMIST:
    """A network that can be asked."""

    model: MISTModel
    """The network."""
    asked_levels: Float[Tensor, Q]
    """The level to ask for in place of each of `LEVELS`, from calibration."""


def save_weights(trained: TrainedMIST, path: Path) -> None:
    """Write weights (float32) and, beside them as JSON, their SHA-256 and the model's sizes."""
    tensors = {**trained.model.state_dict(), _ASKED: trained.asked_levels}
    content = save(
        {
            name: value.detach().to("cpu", torch.float32).contiguous()
            for name, value in tensors.items()
        }
    )
    described = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "model": asdict(trained.model.config),
    }
    _replace(path, content)
    _replace(description_path(path), (json.dumps(described, indent=2) + "\n").encode())


def save_uncalibrated(model: MISTModel, path: Path) -> None:
    """Write the weights of a network whose levels were not calibrated."""
    save_weights(TrainedMIST(model, uncalibrated()), path)


def load_weights(path: Path, device: torch.device | str = "cpu") -> TrainedMIST:
    """The network of a file, ready to predict.

    Raises FileNotFoundError, and DamagedWeightsError if the file does not match its hash.
    """
    described = json.loads(description_path(path).read_text())
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != described["sha256"]:
        raise DamagedWeightsError(
            f"{path} has SHA-256 {found[:12]}… instead of {described['sha256'][:12]}…: "
            "install the package again, or train again"
        )
    tensors = load(content)
    asked = tensors.pop(_ASKED)
    model = MISTModel(ModelConfig(**described["model"]))
    model.load_state_dict(tensors)
    return TrainedMIST(model.to(device).eval().requires_grad_(False), asked)


def description_path(path: Path) -> Path:
    """Where the hash and the sizes of the weights at `path` are."""
    return path.with_suffix(".json")


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
