"""Checkpoints: exact, atomic, and never silently wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.training import checkpoint
from agents.training.checkpoint import (
    MANIFEST,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
    verify_checkpoint,
)
from agents.training.errors import CorruptRunError
from agents.training.state_tree import decode, encode, non_finite_path


def states(value: float = 1.0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(3)
    return {
        "learner": {
            "weights": torch.full((3, 2), value),
            "optimiser": {
                "state": {0: {"step": torch.tensor(4.0)}},
                "groups": [{"betas": (0.9, 1)}],
            },
            "generator": generator.get_state(),
        },
        "collector": {
            "numpy": np.random.default_rng(0).bit_generator.state,
            "legacy": np.arange(4, dtype=np.uint32),
            "float64": np.linspace(0, 1, 5),
            "nothing": None,
            "empty": np.zeros((0, 3)),
            "numbers": [1, 2.5, True, "text", float("inf")],
        },
    }


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 1234, states())
    loaded = load_checkpoint(path)
    assert path.name == "step_000001234"
    assert loaded.step == 1234
    assert same(dict(loaded.states), states())
    assert set(load_checkpoint(path, ["learner"]).states) == {"learner"}


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.lists(st.floats(width=32, allow_nan=False), max_size=4).map(torch.tensor)
    | st.lists(st.integers(0, 255), max_size=4).map(lambda x: np.array(x, dtype=np.uint8))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(tree=trees)
def test_any_state_survives_a_file(tree: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tree") / "state.safetensors"
    path.write_bytes(encode(tree))
    assert same(decode(path), tree)
    assert encode(decode(path)) == encode(tree)


def test_refuses_to_save_what_it_could_not_restore() -> None:
    with pytest.raises(TypeError, match=r"state\.learner\.0: cannot save a set"):
        encode({"learner": [{1, 2}]})
    with pytest.raises(TypeError, match="keys"):
        encode({(1, 2): 3})


def test_views_of_one_tensor_are_saved_apart(tmp_path: Path) -> None:
    block = torch.arange(6.0).view(2, 3)
    path = tmp_path / "state.safetensors"
    path.write_bytes(encode({"all": block, "column": block[:, 1], "row": block[1]}))
    assert decode(path)["column"].tolist() == [1.0, 4.0]


def test_equal_states_give_equal_bytes(tmp_path: Path) -> None:
    paths = [save_checkpoint(tmp_path / name, 5, states()) for name in ("a", "b")]
    for file in paths[0].iterdir():
        assert file.read_bytes() == (paths[1] / file.name).read_bytes()
    other = save_checkpoint(tmp_path / "c", 5, states(2.0))
    assert (other / MANIFEST).read_bytes() != (paths[0] / MANIFEST).read_bytes()


def test_keeps_the_newest_checkpoints(tmp_path: Path) -> None:
    for step in (1, 20, 300, 1_000_000_000):
        save_checkpoint(tmp_path, step, states(), keep=2)
    assert [path.name for path in list_checkpoints(tmp_path)] == [
        "step_000000300",
        "step_1000000000",
    ]
    assert list_checkpoints(tmp_path / "absent") == []


@pytest.mark.parametrize("name", ["learner.safetensors", "collector.safetensors", MANIFEST])
def test_one_flipped_byte_is_found_anywhere(tmp_path: Path, name: str) -> None:
    path = save_checkpoint(tmp_path, 7, states())
    content = (path / name).read_bytes()
    for position in np.linspace(0, len(content) - 1, 40).astype(int):
        broken = bytearray(content)
        broken[position] ^= 1
        (path / name).write_bytes(broken)
        with pytest.raises(CorruptRunError, match=name):
            load_checkpoint(path)
    (path / name).write_bytes(content)
    load_checkpoint(path)


@pytest.mark.parametrize("name", ["learner.safetensors", MANIFEST])
def test_a_missing_or_short_file_is_named(tmp_path: Path, name: str) -> None:
    path = save_checkpoint(tmp_path, 7, states())
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[:-3])
    with pytest.raises(CorruptRunError, match=name):
        load_checkpoint(path)
    (path / name).unlink()
    with pytest.raises(CorruptRunError, match=rf"{name} is missing"):
        load_checkpoint(path)


def test_damage_points_to_the_checkpoint_that_is_sound(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, states(), keep=3)
    newest, middle = tmp_path / "step_000000003", tmp_path / "step_000000002"
    (newest / "learner.safetensors").write_bytes(b"junk")
    (middle / "learner.safetensors").unlink()
    with pytest.raises(CorruptRunError, match=r"step_000000001 is sound: remove .*step_000000003"):
        load_checkpoint(newest)
    (tmp_path / "step_000000001" / MANIFEST).write_text("{}")
    with pytest.raises(CorruptRunError, match="no other checkpoint of this run is sound"):
        load_checkpoint(newest)


def test_a_foreign_state_file_is_named(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 7, states())
    body = {"format": 1, "step": 7, "files": {}}
    manifest = {**body, "sha256": checkpoint.body_hash(body)}
    (path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(CorruptRunError, match="lists no learner"):
        load_checkpoint(path, ["learner"])
    moved = save_checkpoint(tmp_path, 8, states()).rename(tmp_path / "copy")
    with pytest.raises(CorruptRunError, match="not a checkpoint folder"):
        verify_checkpoint(moved)


@pytest.mark.parametrize("moment", ["write_durably", "os.rename"])
def test_an_interrupted_write_leaves_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    old = save_checkpoint(tmp_path, 1, states())
    calls = 0

    def crash(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"agents.training.checkpoint.{moment}", crash)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, 2, states(2.0))
    assert calls == 1
    assert list_checkpoints(tmp_path) == [old]
    assert same(dict(load_checkpoint(old).states), states())
    save_checkpoint(tmp_path, 2, states(2.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000000001", "step_000000002"]


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 2, states(1.0))
    path = save_checkpoint(tmp_path, 2, states(2.0))
    assert same(dict(load_checkpoint(path).states), states(2.0))


def test_the_first_value_that_is_not_finite_is_named() -> None:
    state = states()["learner"]
    assert non_finite_path(state) is None
    state["weights"][1, 1] = float("nan")
    assert non_finite_path({"learner": [state]}) == "learner.0.weights"
