"""Figures, videos and the report that an evaluation leaves behind."""

from __future__ import annotations

import json

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from plane_world import FollowSkill, PlaneWorld, StandStill

from agents.evaluation import (
    EvaluationConfig,
    RunLabel,
    Subject,
    evaluate,
    reward_figure,
    trajectory_figure,
)
from agents.evaluation.rollouts import collect_rollouts
from agents.evaluation.skill_colours import discrete_colours, skill_colours
from agents.evaluation.video import record_grid, skill_captions, tile_grid, write_videos
from rl_info.rewards import RewardContext, build_reward
from rl_info.rewards.metra import METRAConfig
from rl_info.skills import SkillSpec

LABEL = RunLabel("metra", "test/plane", 12_345, seed=6)
SMALL = EvaluationConfig(rollouts=8, goals=6, video_frames=5, video_tiles=4)


def rollouts_of(spec: SkillSpec, dims: int, count: int = 8):
    weights = torch.randn(max(spec.dim, 1), dims, generator=torch.Generator().manual_seed(0))
    policy = StandStill() if spec.kind == "none" else FollowSkill(weights)
    skills = spec.spread(count, torch.Generator().manual_seed(0))
    return collect_rollouts(policy, PlaneWorld(count, dims=dims), skills, seed=0)


def pixels(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    "spec",
    [
        SkillSpec(),
        SkillSpec("discrete", 4),
        SkillSpec("discrete", 24),
        SkillSpec("continuous", 1),
        SkillSpec("continuous", 2),
        SkillSpec("continuous", 5),
    ],
    ids=lambda spec: f"{spec.kind}{spec.dim}",
)
def test_trajectories_are_drawn_in_the_colours_of_their_skills(spec, dims):
    rollouts = rollouts_of(spec, dims)
    figure = trajectory_figure(rollouts, spec, LABEL)
    text = figure.get_suptitle()
    assert "metra · test/plane · 12,345 env steps · seed 6" in text
    axes = figure.axes[0]
    assert axes.get_xlabel() == ("time (env steps)" if dims == 1 else "x (m)")
    assert axes.get_ylabel() == ("x (m)" if dims == 1 else "y (m)")
    if dims == 1:
        drawn = np.array([line.get_color() for line in axes.lines[:8]])
    else:
        drawn = axes.collections[0].get_colors()[:, :3]
    np.testing.assert_allclose(drawn[:, :3], skill_colours(rollouts.skills, spec)[:, :3])
    picture = pixels(figure)
    assert picture.std() > 10


def test_the_title_counts_the_visited_cells():
    rollouts = rollouts_of(SkillSpec("discrete", 4), 1)
    expected = len(np.unique(np.floor(rollouts.positions / 2.0)))
    title = trajectory_figure(
        rollouts, SkillSpec("discrete", 4), LABEL, cell_size=2.0
    ).get_suptitle()
    assert f"{expected} bins of 2 m visited in 8 episodes" in title


def test_the_line_of_an_ended_episode_stops():
    world = PlaneWorld(2, dims=1, steps=10, edge=3.0)
    skills = torch.tensor([[1.0], [-0.1]])
    rollouts = collect_rollouts(FollowSkill(), world, skills, seed=0)
    figure = trajectory_figure(rollouts, SkillSpec("continuous", 1), LABEL)
    assert [len(line.get_xdata()) for line in figure.axes[0].lines[:2]] == [
        rollouts.lengths[0] + 1,
        11,
    ]


def test_trajectories_need_a_position():
    world = PlaneWorld(2, with_position=False)
    rollouts = collect_rollouts(FollowSkill(), world, torch.ones(2, 2), seed=0)
    with pytest.raises(ValueError, match="needs the signal 'position'"):
        trajectory_figure(rollouts, SkillSpec("continuous", 2), LABEL)


def test_reward_figure_averages_the_running_episodes_alone():
    world = PlaneWorld(2, dims=1, steps=10, edge=3.0)
    rollouts = collect_rollouts(FollowSkill(), world, torch.tensor([[1.0], [-0.1]]), seed=0)
    figure = reward_figure(rollouts, LABEL)
    mean = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(mean[0], 0.45, atol=1e-6)
    np.testing.assert_allclose(mean[-1], -0.1, atol=1e-6)
    assert "return 1.0" in figure.get_suptitle() or "return 1.5" in figure.get_suptitle()


@pytest.mark.parametrize("count", [2, 10, 16, 40])
def test_discrete_skills_have_different_colours(count):
    colours = discrete_colours(count)[:, :3]
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert distance[~np.eye(count, dtype=bool)].min() > 0.04


def test_a_grid_of_tiles_keeps_their_order():
    tiles = [np.full((2, 3, 3), value, dtype=np.uint8) for value in range(1, 6)]
    grid = tile_grid(tiles)
    assert grid.shape == (4, 9, 3)
    np.testing.assert_array_equal(grid[::2, ::3, 0], [[1, 2, 3], [4, 5, 0]])


def test_captions_name_the_skill():
    assert skill_captions(np.eye(3), SkillSpec("discrete", 3)) == ["skill 0", "skill 1", "skill 2"]
    circle = np.array([[1.0, 0.0], [0.0, -1.0]])
    assert skill_captions(circle, SkillSpec("continuous", 2)) == ["skill 0°", "skill 270°"]
    assert skill_captions(np.zeros((2, 0)), SkillSpec()) == ["", ""]
    assert skill_captions(np.eye(3), SkillSpec("continuous", 3)) == [
        "skill 0",
        "skill 1",
        "skill 2",
    ]


def test_videos_show_the_movement_of_every_tile(tmp_path):
    spec = SkillSpec("discrete", 4)
    policy = FollowSkill(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.0], [0.0, 1.0]]))
    pictures = record_grid(
        policy,
        PlaneWorld(4, steps=20, speed=0.3),
        torch.eye(4),
        spec,
        seed=0,
        frames=10,
        height=41,
        width=63,
    )
    assert len(pictures) == 10
    assert pictures[0].shape == (82, 126, 3)
    inside = [picture[20:38, 4:59, 0].mean(axis=0).argmax() for picture in pictures]
    assert inside == sorted(inside)
    assert inside[-1] > inside[0] + 10
    paths = write_videos(pictures, tmp_path / "skills")
    assert [path.name for path in paths] == ["skills.gif", "skills.mp4"]
    gif, mp4 = (iio.imread(path) for path in paths)
    assert gif.shape == (10, 82, 126, 3)
    assert mp4.shape == (10, 82, 126, 3)
    assert np.abs(mp4[-1].astype(int) - pictures[-1]).mean() < 12


def subject(spec: SkillSpec, policy, rewards=None, **world) -> Subject:
    return Subject(
        policy, spec, rewards or {}, lambda count, seed: PlaneWorld(count, seed, **world), LABEL
    )


def test_a_skill_agent_gets_a_full_report(tmp_path):
    spec = SkillSpec("continuous", 2)
    context = RewardContext(2, 2, spec, {"position": 2})
    metra = build_reward("metra", context, METRAConfig(), torch.Generator().manual_seed(0))
    report = evaluate(
        subject(spec, FollowSkill(), {"metra": metra}), tmp_path / "new" / "folder", SMALL
    )
    folder = tmp_path / "new" / "folder"
    assert json.loads((folder / "report.json").read_text()) == json.loads(json.dumps(report))
    assert {path.name for path in folder.iterdir()} == {
        "report.json", "trajectories.png", "skill_information.png", "skills.gif", "skills.mp4",
    }  # fmt: skip
    assert report["coverage"]["cells"] > 2 * report["coverage"]["uniform_random_actions_cells"]
    assert report["return"]["count"] == 8
    assert report["return"]["low"] <= report["return"]["value"] <= report["return"]["high"]
    assert report["goal_reaching"]["goals"] == 6
    assert report["settings"]["seed"] == 0
    assert report["versions"]["torch"]
    assert iio.imread(folder / "trajectories.png").shape[2] in (3, 4)


def test_evaluation_gives_the_same_numbers_twice(tmp_path):
    spec = SkillSpec("continuous", 3)
    weights = torch.eye(3)[:, :2]
    first, second = (
        evaluate(subject(spec, FollowSkill(weights)), tmp_path / name, SMALL) for name in "ab"
    )
    assert {**first, "created": 0} == {**second, "created": 0}


@pytest.mark.parametrize(
    "setting",
    [
        {"rollouts": 0}, {"goals": -1}, {"goal_radii": ()}, {"goal_radii": (1.0, -2.0)},
        {"cell_size": 0.0}, {"cell_size": float("nan")}, {"video_tiles": 0}, {"video_frames": 0},
        {"seed": -1},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        EvaluationConfig(**setting)


def test_a_task_agent_gets_returns_and_a_reward_curve(tmp_path):
    report = evaluate(subject(SkillSpec(), StandStill(), with_position=False), tmp_path, SMALL)
    assert report["return"]["value"] == pytest.approx(10.0)
    assert report["figures"] == {"rewards": "rewards.png"}
    assert "has no side signal 'position'" in report["coverage"]["message"]
    assert "no reward of this agent has a latent space" in report["goal_reaching"]["message"]
    assert (tmp_path / "rewards.png").is_file()


def test_goal_reaching_says_why_it_is_left_out(tmp_path):
    spec = SkillSpec("continuous", 2)
    context = RewardContext(2, 2, spec)
    metra = build_reward("metra", context, METRAConfig(), torch.Generator().manual_seed(0))
    off = EvaluationConfig(rollouts=4, goals=0, video=False)
    rewards = {"metra": metra}
    report = evaluate(subject(spec, FollowSkill(), rewards), tmp_path / "off", off)
    assert "as the settings say" in report["goal_reaching"]["message"]
    assert report["video"] == {"files": [], "message": "left out, as the settings say"}
    blind = evaluate(
        subject(spec, FollowSkill(), rewards, with_position=False), tmp_path / "b", off
    )
    assert "'position'" in blind["goal_reaching"]["message"]


def test_without_opengl_everything_but_the_video_is_written(tmp_path):
    spec = SkillSpec("discrete", 4)
    policy = FollowSkill(torch.eye(4)[:, :2])
    report = evaluate(subject(spec, policy, without_gl=True), tmp_path, SMALL)
    assert report["video"]["files"] == []
    assert "apt-get install libegl1" in report["video"]["message"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.json", "trajectories.png", "skill_information.png",
    }  # fmt: skip


def test_worlds_are_closed_even_if_the_policy_fails(tmp_path):
    made: list[PlaneWorld] = []

    def make(count: int, seed: int) -> PlaneWorld:
        made.append(PlaneWorld(count, seed))
        return made[-1]

    class Broken:
        device = torch.device("cpu")

        def act(self, obs, skill, deterministic=False):
            raise ArithmeticError("no action")

    broken = Subject(Broken(), SkillSpec("continuous", 2), {}, make, LABEL)
    with pytest.raises(ArithmeticError, match="no action"):
        evaluate(broken, tmp_path, SMALL)
    assert [world.closed_count for world in made] == [1]


@pytest.mark.gl
def test_a_real_world_is_filmed(tmp_path):
    import envs
    from envs.gl import probe_gl

    probe = probe_gl()
    if not probe.works:
        pytest.skip(probe.message)
    world = envs.make_vec("gym/HalfCheetah-v5", num_envs=2, seed=0, max_episode_steps=8)

    class Kick:
        device = torch.device("cpu")

        def act(self, obs, skill, deterministic=False):
            return skill.repeat(1, 3)

    skills = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    pictures = record_grid(Kick(), world, skills, SkillSpec("continuous", 2), seed=0, frames=4)
    world.close()
    assert len(pictures) == 4
    assert pictures[0].shape == (120, 320, 3)
    assert (pictures[0] != pictures[-1]).any()
