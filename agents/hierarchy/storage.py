"""Frozen skills taken from a run, and kept in the folder of the run that uses them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from agents.errors import UsageError
from agents.hierarchy.frozen_skills import FrozenSkills, Origin
from agents.hierarchy.interface import Interface
from agents.hierarchy.trained import require_acting, trained_agent
from agents.presets import PRESETS
from agents.training.checkpoint import MANIFEST, body_hash, check_file
from agents.training.config import TrainConfig
from agents.training.config_data import to_data, train_config_from_data
from agents.training.errors import CorruptRunError
from agents.training.files import replace_atomically, write_durably
from agents.training.state_tree import decode, encode

SKILLS = "skills"
"""Folder of frozen skills in a run folder."""
POLICY = "policy.safetensors"
_FORMAT = 1


def skills_of_run(folder: Path, device: torch.device) -> FrozenSkills:
    """The skills of the run in `folder` as its newest checkpoint holds them.

    Raises UsageError if the folder is not that of a run, is damaged, or its agent has no skills.
    """
    trained = trained_agent(folder, "--hierarchy.skills", _require_skills)
    try:
        state = {name: trained.module(name) for name in ("actor", "normaliser")}
        return FrozenSkills(trained.origin, state, device)
    except (ValueError, KeyError, RuntimeError) as error:
        raise trained.misfit(error) from error


def _require_skills(config: TrainConfig) -> None:
    require_acting(config)
    if config.skill.kind == "none":
        able = [name for name, preset in PRESETS.items() if preset.skill.kind != "none"]
        raise UsageError(f"this run has no skill; train one of {', '.join(able)}")


def save_skills(folder: Path, skills: FrozenSkills) -> None:
    """Write the policy and a manifest with its hash, settings and origin to the new `folder`."""
    folder.mkdir()
    content, origin = encode(skills.state_dict()), skills.origin
    write_durably(folder / POLICY, content)
    digest = hashlib.sha256(content).hexdigest()
    body = {
        "format": _FORMAT,
        "taken_from": origin.folder,
        "env_steps": origin.env_steps,
        "interface": asdict(origin.interface),
        "config": to_data(origin.config),
        "files": {POLICY: {"size": len(content), "sha256": digest}},
    }
    # As JSON will give it back: its keys are strings, its tuples lists.
    body = json.loads(json.dumps(body))
    manifest = {**body, "sha256": body_hash(body)}
    replace_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())


def load_skills(folder: Path, device: torch.device) -> FrozenSkills:
    """What `save_skills` wrote to `folder`, after checking all hashes.

    Raises CorruptRunError naming the file that is missing or damaged.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        if manifest.pop("sha256") != body_hash(manifest) or manifest["format"] != _FORMAT:
            raise ValueError("its hash is not that of its content")
        origin = _origin(manifest)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, UsageError) as error:
        raise CorruptRunError(f"{path} is missing or damaged ({error})") from error
    check_file(folder / POLICY, manifest["files"][POLICY])
    try:
        return FrozenSkills(origin, decode(folder / POLICY), device)
    except (ValueError, KeyError, RuntimeError) as error:
        raise CorruptRunError(f"{folder / POLICY} does not fit {path}: {error}") from error


def _origin(manifest: dict[str, Any]) -> Origin:
    interface = dict(manifest["interface"])
    for name in ("action_low", "action_high"):
        interface[name] = tuple(interface[name])
    config = train_config_from_data(manifest["config"])
    return Origin(manifest["taken_from"], manifest["env_steps"], config, Interface(**interface))
