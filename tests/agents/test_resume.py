"""Same seed, same bits: twice in a row, in another process, and across an interruption."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from counting import CountingWorld

from agents.errors import UsageError
from agents.learners import PPOConfig, SACConfig
from agents.learners.finite import NonFiniteLossError
from agents.training.checkpoint import MANIFEST, list_checkpoints, load_checkpoint
from agents.training.config import TrainConfig
from agents.training.defaults import default_config
from agents.training.errors import CorruptRunError, NonFiniteStateError
from agents.training.logger import RunLogger, read_metrics
from agents.training.run import Outcome, train
from agents.training.run_folder import CHECKPOINTS, latest_checkpoint, write_config
from agents.training.session import Session


class NoEvaluation:
    """Evaluates nothing, quickly."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
        return {"eval/return": 0.0}

    def close(self) -> None:
        pass


def small(agent: str = "metra", **changes: Any) -> TrainConfig:
    """Settings that take 2,000 env steps with 160 updates in about a second."""
    config = default_config(agent)
    return dataclasses.replace(
        config,
        **{
            "env": "dmc/cheetah-run",
            "env_options": {},
            "max_episode_steps": 30,
            "num_envs": 8,
            "total_steps": 2000,
            "warmup_steps": 400,
            "update_ratio": 0.1,
            "replay_capacity": 1200,
            "log_interval": 200,
            "eval_interval": 500,
            "checkpoint_interval": 1000,
            "torch_threads": 1,
            "num_threads": 1,
            "learner": dataclasses.replace(config.learner, hidden_dim=32, batch_size=32),
            **changes,
        },
    )


def manifest(folder: Path) -> bytes:
    """The hashes of all files of the newest checkpoint."""
    return (latest_checkpoint(folder) / MANIFEST).read_bytes()


def run(folder: Path, config: TrainConfig, **options: Any) -> Outcome:
    return train(folder, config, NoEvaluation, **options)


@pytest.mark.parametrize(
    "config",
    [
        small("metra", skill_steps=7, update_ratio=0.25),
        small("sac", learner=SACConfig(hidden_dim=32, batch_size=32, n_step=3)),
        small("metra", learner=PPOConfig(hidden_dim=32, rollout_length=30), warmup_steps=0),
    ],
    ids=["metra", "sac-3-step", "metra-ppo"],
)
def test_interrupted_and_resumed_equals_straight_through(
    tmp_path: Path, config: TrainConfig
) -> None:
    run(tmp_path / "straight", config)
    run(tmp_path / "again", config)
    assert manifest(tmp_path / "straight") == manifest(tmp_path / "again")

    halves = tmp_path / "halves"
    run(halves, dataclasses.replace(config, total_steps=1000))
    first = [path.name for path in list_checkpoints(halves / CHECKPOINTS)]
    assert first == ["step_000001000"]
    assert run(halves, config, resume=True) == Outcome(2000, None)
    assert manifest(halves) == manifest(tmp_path / "straight")

    timeless = [
        [{k: v for k, v in line.items() if not k.startswith("time/")} for line in read_metrics(d)]
        for d in (tmp_path / "straight", halves)
    ]
    assert timeless[0] == timeless[1]
    assert [line["env_steps"] for line in timeless[0] if "eval/return" in line] == [
        504, 1000, 1504, 2000,
    ]  # fmt: skip


def test_training_moves_the_parameters(tmp_path: Path) -> None:
    run(tmp_path, small(checkpoint_interval=400, keep_checkpoints=9))
    paths = list_checkpoints(tmp_path / CHECKPOINTS)
    before, after = (tensors(load_checkpoint(paths[i]).states["learner"]) for i in (0, -1))
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    for part in ("modules.actor", "modules.critics", "modules.target_critics", "metra"):
        assert any(part in name and "optimisers" not in name for name in moved), part


def tensors(tree: Any, path: str = "learner") -> dict[str, torch.Tensor]:
    """Every tensor of a state by its path."""
    if isinstance(tree, torch.Tensor):
        return {path: tree}
    if not isinstance(tree, (dict, list, tuple)):
        return {}
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {k: v for name, item in pairs for k, v in tensors(item, f"{path}.{name}").items()}


def test_another_seed_gives_other_bits(tmp_path: Path) -> None:
    config = small(total_steps=600)
    run(tmp_path / "a", config)
    run(tmp_path / "b", dataclasses.replace(config, seed=1))
    assert manifest(tmp_path / "a") != manifest(tmp_path / "b")


def test_another_process_gives_the_same_bits(tmp_path: Path) -> None:
    config = small(total_steps=600)
    run(tmp_path / "here", config)
    (tmp_path / "settings").mkdir()
    write_config(tmp_path / "settings", config)
    program = (
        "import sys; from pathlib import Path; from agents.training.run import train;"
        "from agents.training.run_folder import read_config;"
        "from agents.training.periodic_evaluation import PeriodicEvaluation;"
        "train(Path(sys.argv[2]), read_config(Path(sys.argv[1])), PeriodicEvaluation)"
    )
    # The evaluation there is a real one: it must not disturb training.
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "settings"), str(tmp_path / "there")],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "123"},
    )
    assert manifest(tmp_path / "here") == manifest(tmp_path / "there")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_resuming_loses_nothing(tmp_path: Path, number: int) -> None:
    class Interrupting(NoEvaluation):
        def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
            if step >= 1000:
                signal.raise_signal(number)
            return super().__call__(step, logger)

    handler = signal.getsignal(number)
    config = small(total_steps=1600)
    folder = tmp_path / "cut"
    assert train(folder, config, Interrupting) == Outcome(1000, number)
    assert signal.getsignal(number) is handler
    run(folder, config, resume=True)
    run(tmp_path / "straight", config)
    assert manifest(folder) == manifest(tmp_path / "straight")


def break_loss(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    import agents.learners.sac as module

    update = module.MultiCriticSAC.update

    def broken(self: Any, *batch: Any) -> dict[str, Any]:
        metrics = update(self, *batch)
        return metrics | {"loss/actor": torch.tensor(torch.nan)} if self.updates == at else metrics

    monkeypatch.setattr(module.MultiCriticSAC, "update", broken)


def test_a_loss_that_is_not_finite_stops_and_leaves_a_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_loss(monkeypatch, at=100)
    with pytest.raises(NonFiniteLossError, match="loss/actor is nan"):
        run(tmp_path, small(checkpoint_interval=1000))
    assert [path.name for path in list_checkpoints(tmp_path / CHECKPOINTS)] == ["step_000001000"]
    (path,) = tmp_path.glob("non_finite_*.pt")
    dump = torch.load(path)
    assert dump["term"] == "loss/actor"
    assert dump["step"] == int(path.stem.split("_")[-1]) == 1400
    assert dump["batch"]["obs"].shape == (32, 17)
    assert dump["learner"]["updates"] == 100


def test_a_state_that_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    class Poisoning(NoEvaluation):
        def __call__(self, step: int, logger: RunLogger) -> Mapping[str, float]:
            if step >= 1500:
                with torch.no_grad():
                    next(self.session.learner.actor.parameters()).fill_(torch.inf)
            return super().__call__(step, logger)

    config = small(checkpoint_interval=500, update_ratio=0.0)
    with pytest.raises(NonFiniteStateError, match=r"modules\.actor.* not finite"):
        train(tmp_path, config, Poisoning)
    assert latest_checkpoint(tmp_path).name == "step_000001000"


def damage_config(folder: Path) -> None:
    data = json.loads((folder / "config.json").read_text())
    data["config"]["learner"]["hidden_dim"] = 48
    (folder / "config.json").write_text(json.dumps(data))


def flip_byte(folder: Path) -> None:
    path = latest_checkpoint(folder) / "replay.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "changes", "message"),
    [
        (flip_byte, {}, r"replay\.safetensors is damaged"),
        (damage_config, {"hidden_dim": 48}, "does not belong to the run's settings"),
    ],
)
def test_damage_is_named_and_nothing_is_overwritten(
    tmp_path: Path, damage: Callable[[Path], None], changes: dict[str, int], message: str
) -> None:
    config = small(total_steps=400)
    run(tmp_path, config)
    damage(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    learner = dataclasses.replace(config.learner, **changes)
    with pytest.raises(CorruptRunError, match=message):
        run(tmp_path, dataclasses.replace(config, learner=learner), resume=True)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_bad_settings_make_no_folder(tmp_path: Path) -> None:
    for changes, message in [
        ({"env": "dmc/cheetah-rum"}, "cheetah-run"),
        ({"env_options": {"no_such": 1}}, "no option 'no_such'"),
        ({"env": "x"}, "unknown env 'x'"),
    ]:
        with pytest.raises(UsageError, match=message):
            run(tmp_path / "run", small(**changes))
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_cuda_device_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no CUDA device here; use --device cpu"):
        run(tmp_path / "run", small(device="cuda"))
    assert not (tmp_path / "run").exists()


def test_worlds_that_cannot_be_saved_are_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[CountingWorld] = []

    def make_world(config: TrainConfig, num_envs: int, seed: int) -> CountingWorld:
        made.append(CountingWorld(num_envs, can_save=False))
        made[-1].step = lambda actions: step(made[-1], actions)  # type: ignore[method-assign]
        return made[-1]

    def step(world: CountingWorld, actions: Any) -> Any:
        world.count += 1
        zeros = world.count * 0.0
        never = zeros > 0
        return world._obs(), zeros, never, never, {"signals": world._signals()}

    monkeypatch.setattr("agents.training.session.make_world", make_world)
    config = small("sac", total_steps=800, skill_steps=None)
    run(tmp_path, config)
    run(tmp_path, dataclasses.replace(config, total_steps=1600), resume=True)
    assert [world.closed for world in made] == [True, True]
    replay = load_checkpoint(latest_checkpoint(tmp_path)).states["replay"]
    block = replay["block"]
    # Row 99 was the newest of each world when the run stopped; only those are cut.
    cut = block[..., -1].nonzero()[:, 0].unique()
    assert cut.tolist() == [99]
    assert block[100, :, 2].tolist() == [0.0] * 8
