"""Any gymnasium env and any suite task in the contract of the native worlds."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import adapter_envs  # also registers the envs of these tests
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from envs import make_vec
from envs.backends.adapter import make_adapter
from envs.backends.adapter_dm_control import DMControlRecipe
from envs.errors import RenderingError, WorldError


def test_suite_time_limit_truncates_by_default() -> None:
    world = make_vec("dmc/cartpole-two_poles", num_envs=1, seed=0, time_limit=0.1)
    assert world.max_episode_steps == 10
    world.reset()
    for step in range(1, 21):
        _, _, terminated, truncated, _ = world.step(np.zeros((1, 1)))
        assert not terminated[0]
        assert truncated[0] == (step % 10 == 0)


@pytest.mark.parametrize(("discount", "terminated"), [(0.0, True), (1.0, False), (0.5, False)])
def test_only_discount_zero_is_terminal(discount: float, terminated: bool) -> None:
    world = DMControlRecipe("dmc/lqr-lqr_2_1", "lqr", "lqr_2_1").make(0)
    world._env.task.get_termination = lambda physics: discount
    step = world.step(np.zeros(1))
    assert (step.terminated, step.truncated) == (terminated, not terminated)


def test_contract_of_spaces_signals_and_ends() -> None:
    world = make_vec("gym/Counting-v0", num_envs=3, seed=5, length=4)
    assert world.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert world.single_observation_space.shape == (3,)
    assert world.single_observation_space.dtype == np.float32
    assert world.signal_dims == {"position": 1, "object_position": 2}
    assert (world.spec_id, world.max_episode_steps) == ("gym/Counting-v0", 100)
    obs, info = world.reset()
    kept = obs.copy()
    for step in range(1, 9):
        new, reward, terminated, truncated, info = world.step(np.full((3, 1), 0.5))
        count = 4 if step % 4 == 0 else step % 4
        assert reward.dtype == np.float64
        assert (reward == count).all()
        assert (terminated == (step % 4 == 0)).all()
        assert not truncated.any()
        assert (new[:, 1] == step % 4).all()
        np.testing.assert_array_equal(info["signals"]["position"][:, 0], new[:, 0])
        assert (info["signals"]["object_position"][:, 0] == step % 4).all()
        assert ("final_obs" in info) == ("_final_obs" in info) == (step % 4 == 0)
        if step % 4 == 0:
            assert info["_final_obs"].all()
            assert (info["final_obs"][:, 1] == 4).all()
            assert (info["final_signals"]["object_position"][:, 0] == 4).all()
    np.testing.assert_array_equal(obs, kept)


def test_time_limit_truncates_on_top_of_the_env() -> None:
    world = make_vec("gym/Counting-v0", num_envs=1, seed=0, length=100, max_episode_steps=7)
    world.reset()
    ends = [world.step(np.zeros((1, 1)))[2:4] for _ in range(21)]
    assert [bool(cut[0]) for _, cut in ends] == [step % 7 == 0 for step in range(1, 22)]
    assert not any(end[0] for end, _ in ends)


def test_world_i_is_seeded_with_seed_plus_i() -> None:
    many = make_vec("gym/Counting-v0", num_envs=4, seed=20).reset()[0]
    for i in range(4):
        alone = make_vec("gym/Counting-v0", num_envs=1, seed=20 + i).reset()[0]
        np.testing.assert_array_equal(many[i], alone[0])
    assert len(set(many[:, 0])) == 4


@pytest.mark.parametrize("id_", ["gym/Counting-v0", "dmc/lqr-lqr_2_1"])
def test_reseeding_equals_a_fresh_start(id_: str) -> None:
    world = make_vec(id_, num_envs=2, seed=1, dtype="float64")
    first, _ = world.reset()
    follow_on, _ = world.reset()
    assert not np.array_equal(first, follow_on)
    np.testing.assert_array_equal(world.reset(seed=1)[0], first)
    fresh = make_vec(id_, num_envs=2, seed=9, dtype="float64").reset()[0]
    np.testing.assert_array_equal(world.reset(seed=[9, 10])[0], fresh)


def test_making_a_world_does_not_spend_an_episode() -> None:
    world = make_adapter("gym/Counting-v0", num_envs=1, seed=3)
    world.reset()
    world.reset(options={"reset_mask": np.array([True])})
    assert world._worlds._worlds[0]._env.unwrapped.resets == 2


def test_reset_mask_leaves_the_other_worlds_alone() -> None:
    world = make_vec("gym/Counting-v0", num_envs=3, seed=0, dtype="float64", length=50)
    world.reset()
    before = world.step(np.zeros((3, 1)))[0]
    obs, info = world.reset(options={"reset_mask": np.array([False, True, False])})
    np.testing.assert_array_equal(obs[[0, 2]], before[[0, 2]])
    assert obs[1, 1] == 0
    assert info["signals"]["object_position"][:, 0].tolist() == [1.0, 0.0, 1.0]
    assert world.step(np.zeros((3, 1)))[0][:, 1].tolist() == [2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((2, 1)), "world 2"),
        (np.zeros((3, 2)), "shape"),
        (np.zeros((3, 1), dtype=int), "dtype"),
        (np.array([[0.0], [np.nan], [0.0]]), "world 1"),
        (np.array([[0.0], [0.0], [np.inf]]), "world 2"),
    ],
)
def test_a_bad_action_names_the_world_and_steps_none(bad: np.ndarray, message: str) -> None:
    world = make_vec("gym/Counting-v0", num_envs=3, seed=0)
    world.reset()
    with pytest.raises(ValueError, match=message):
        world.step(bad)
    assert (world.step(np.zeros((3, 1)))[0][:, 1] == 1).all()


def test_spaces_of_any_shape_are_flattened_in_order() -> None:
    world = make_vec("gym/Square-v0", num_envs=2)
    assert world.single_observation_space.shape == world.single_action_space.shape == (4,)
    assert world.max_episode_steps is None
    world.reset()
    action = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
    obs, reward, *_ = world.step(action)
    np.testing.assert_array_equal(obs, action)
    np.testing.assert_array_equal(reward, action[:, 1])


@pytest.mark.parametrize("name", ["CartPole-v1", "Blackjack-v1"])
def test_spaces_that_are_no_boxes_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"only Box is supported; wrap"):
        make_vec(f"gym/{name}")


@pytest.mark.parametrize(
    ("id_", "nearest"),
    [
        ("gym/Pendulum-v9", "gym/Pendulum-v1"),
        ("dmc/manipulator-bring_bal", "dmc/manipulator-bring_ball"),
        ("dmc/manipulator", "dmc/manipulator-"),
        ("Pendulum-v1", "gym/Pendulum-v1"),
        ("gym/dmc-walker-walkk", "mean dmc/walker-walk,"),
        ("gym/no_such_module:Pendulum-v1", "no_such_module"),
    ],
)
def test_unknown_ids_name_the_nearest(id_: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=nearest):
        make_vec(id_)


@pytest.mark.parametrize("id_", ["gym/Pendulum-v1", "dmc/manipulator-bring_ball"])
def test_options_that_the_env_does_not_know_are_refused(id_: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)cannot be made.*no_such_option"):
        make_vec(id_, no_such_option=1)


@pytest.mark.parametrize("option", [{"workers": -1}, {"step_timeout": 0.0}])
def test_senseless_worker_options_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        make_vec("gym/Pendulum-v1", **option)


def test_ids_with_a_module_import_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import gymnasium
        from adapter_envs import CountingEnv
        gymnasium.register("Imported-v0", entry_point=CountingEnv)
    """
    (tmp_path / "module_of_a_user.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="Imported"):
        make_vec("gym/Imported-v0")
    assert make_vec("gym/module_of_a_user:Imported-v0").signal_dims["position"] == 1


def test_a_factory_of_the_user_makes_the_worlds() -> None:
    world = make_adapter(
        "gym/mine", num_envs=2, seed=0, max_episode_steps=3, env_factory=adapter_envs.CountingEnv
    )
    world.reset()
    cuts = [world.step(np.zeros((2, 1)))[3].all() for _ in range(3)]
    assert cuts == [False, False, True]
    with pytest.raises(ValueError, match="env_factory"):
        make_adapter("gym/mine", env_factory=adapter_envs.CountingEnv, length=3)


def test_state_of_other_worlds_is_refused() -> None:
    world = make_vec("gym/Pendulum-v1", num_envs=2)
    with pytest.raises(RuntimeError, match="reset"):
        world.state_dict()
    world.reset()
    state = world.state_dict()
    with pytest.raises(ValueError, match="2 worlds of gym/Pendulum-v1, not of 1 worlds"):
        make_vec("gym/Pendulum-v1", num_envs=1).load_state_dict(state)
    with pytest.raises(ValueError, match="gym/MountainCarContinuous-v0"):
        make_vec("gym/MountainCarContinuous-v0", num_envs=2).load_state_dict(state)


def test_an_env_that_hides_its_state_says_how_to_show_it() -> None:
    world = make_vec("gym/Secretive-v0", num_envs=1)
    world.reset()
    with pytest.raises(NotImplementedError, match=r"give SecretiveEnv the methods state_dict\(\)"):
        world.state_dict()


def test_pictures_have_the_size_asked_for() -> None:
    world = make_vec("gym/Counting-v0", num_envs=2, seed=0)
    world.reset()
    world.step(np.zeros((2, 1)))
    picture = world.render(1, height=16, width=24)
    assert picture.shape == (16, 24, 3)
    assert (picture == 10).all()
    with pytest.raises(ValueError, match="world 2"):
        world.render(2)
    with pytest.raises(RenderingError, match="rgb_array"):
        make_vec("gym/Secretive-v0").render()


@pytest.mark.gl
@pytest.mark.parametrize("id_", ["dmc/point_mass-hard", "gym/Swimmer-v5"])
def test_mujoco_pictures_show_something(id_: str) -> None:
    world = make_vec(id_, num_envs=1, seed=0)
    world.reset()
    try:
        picture = world.render(0, height=48, width=64)
    except RenderingError as error:
        pytest.skip(str(error))
    assert picture.shape == (48, 64, 3)
    assert picture.std() > 5.0


def test_an_exception_in_this_process_names_the_world_and_keeps_its_cause() -> None:
    world = make_vec("gym/Counting-v0", num_envs=3, seed=0, trouble="raise", trouble_seed=1)
    world.reset()
    world.step(np.zeros((3, 1)))
    with pytest.raises(WorldError, match=r"(?s)world 1 raised ZeroDivisionError.*raise_error") as e:
        world.step(np.zeros((3, 1)))
    assert e.value.worlds == (1,)
    assert isinstance(e.value.__cause__, ZeroDivisionError)
    # The worlds before it have moved, those behind have not: nothing can go on from there.
    for request in (world.reset, world.render, world.state_dict):
        with pytest.raises(RuntimeError, match=r"closed \(world 1 raised.*make them anew"):
            request()


def test_an_unwritten_method_of_an_env_names_the_world() -> None:
    world = make_vec("gym/Counting-v0", num_envs=3, seed=0, trouble="gap", trouble_seed=1)
    world.reset()
    world.step(np.zeros((3, 1)))
    with pytest.raises(WorldError, match="world 1 raised NotImplementedError: a deliberate gap"):
        world.step(np.zeros((3, 1)))


def test_coordinates_that_only_steps_report_are_no_signal() -> None:
    world = make_adapter("gym/late", num_envs=2, seed=0, env_factory=adapter_envs.LateEnv)
    assert world.signal_dims == {"object_position": 2}
    world.reset()
    assert list(world.step(np.zeros((2, 1)))[4]["signals"]) == ["object_position"]


def test_closing_reaches_every_world_and_is_final() -> None:
    world = make_adapter("gym/sticky", num_envs=3, seed=0, env_factory=adapter_envs.StickyEnv)
    world.reset()
    asked = adapter_envs.StickyEnv.asked
    with pytest.raises(OSError, match="deliberate"):
        world.close()
    assert adapter_envs.StickyEnv.asked == asked + 3
    with pytest.raises(RuntimeError, match="closed"):
        world.step(np.zeros((3, 1)))


def test_a_picture_without_pixels_is_refused_and_ends_nothing() -> None:
    world = make_vec("gym/Counting-v0", num_envs=1, seed=0)
    world.reset()
    with pytest.raises(ValueError, match="at least one pixel"):
        world.render(0, height=0)
    world.step(np.zeros((1, 1)))
