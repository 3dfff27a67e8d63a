"""Swimmer: a chain of links that swims to a target in the plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar
from xml.etree import ElementTree

import mujoco
from array_api_compat import array_namespace

from envs.tasks.base import Array, Fields, RandomSource, Task
from envs.tasks.dmc.frames import to_local
from envs.tasks.dmc.joints import randomize_joints
from envs.tasks.dmc.model import compile_model, read_xml
from envs.tasks.dmc.tolerance import tolerance
from envs.tasks.dmc.vectors import length
from envs.tasks.layout import consecutive, readings

NEAR_PROBABILITY = 0.2
"""Chance that an episode's target lies near the start."""
NEAR, FAR = 0.3, 2.0
"""Half the side in m of the square in which a near or a far target lies."""
ROOT_POSITIONS = 3
"""Elements of qpos that place the head: x, y and the angle about z."""


class Swimmer(Task):
    """Bring the nose of a chain of `links` bodies to a target that is drawn for each episode.

    Observation: joint angles, target seen from the nose, and planar velocity of each body.
    """

    signal_names: ClassVar[tuple[str, ...]] = ("position", "target")
    fields: ClassVar[tuple[str, ...]] = ("qpos", "xmat", "sensordata")
    model_fields: ClassVar[tuple[str, ...]] = ("geom_pos", "light_pos")

    def __init__(self, links: int) -> None:
        self.model = compile_model(swimmer_xml(links))
        self.num_substeps = 15
        self._links = links
        self.observation_layout = consecutive(
            joints=links - 1, to_target=2, body_velocities=3 * links
        )
        self._head = self.model.body("head").id
        self._target = self.model.geom("target").id
        self._target_light = self.model.light("target_light").id
        self._target_size = float(self.model.geom("target").size[0])
        self._nose_place = readings(self.model, "nose_pos", 3)
        self._target_place = readings(self.model, "target_pos", 3)
        # The head's velocimeter and gyro, then those of each link behind it.
        self._velocities = readings(self.model, "head_vel", 6 * links)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData, random: RandomSource) -> None:
        """Random joint angles and heading, and a target that is near with probability 0.2."""
        randomize_joints(model, data, random)
        reach = NEAR if random.uniform() < NEAR_PROBABILITY else FAR
        place = random.uniform(-reach, reach, size=2)
        model.geom_pos[self._target, :2] = place
        model.light_pos[self._target_light, :2] = place

    def observe(self, data: Fields, out: Array) -> None:
        """Write the layout's parts: rad, m, and m/s and rad/s in each body's frame; (N, D)."""
        layout = self.observation_layout
        out[:, layout["joints"]] = data.qpos[:, ROOT_POSITIONS:]
        out[:, layout["to_target"]] = self._to_target(data)
        xp, velocities = array_namespace(data.qpos), data.sensordata[:, self._velocities]
        velocities = xp.reshape(velocities, (-1, self._links, 6))
        planar = xp.concat([velocities[..., :2], velocities[..., 5:]], axis=-1)
        out[:, layout["body_velocities"]] = xp.reshape(planar, (-1, 3 * self._links))

    def reward(self, data: Fields, action: Array, out: Array) -> None:
        """Write how near the nose is to the target, in (0, 1]; 1 within the target."""
        size = self._target_size
        out[:] = tolerance(length(self._to_target(data)), (0.0, size), 5 * size, "long_tail")

    def signals(self, data: Fields) -> dict[str, Array]:
        """`position` (N, 2): of the nose; `target` (N, 2): of the target; in metres."""
        nose, target = self._nose_place.start, self._target_place.start
        return {
            "position": data.sensordata[:, nose : nose + 2],
            "target": data.sensordata[:, target : target + 2],
        }

    def _to_target(self, data: Fields) -> Array:
        """From nose to target in the head's frame, in metres, (N, 2)."""
        offset = data.sensordata[:, self._target_place] - data.sensordata[:, self._nose_place]
        return to_local(offset, data.xmat[:, self._head])[:, :2]


def swimmer_xml(links: int) -> str:
    """MJCF of a swimmer: the suite's head with `links` - 1 hinged and actuated bodies behind it.

    Raises:
        ValueError: for fewer than 3 links.
    """
    if links < 3:
        raise ValueError(f"a swimmer needs at least 3 links, got {links}")
    root = ElementTree.fromstring(read_xml("swimmer.xml"))
    body = root.find("worldbody/body")
    assert body is not None
    actuators = ElementTree.SubElement(root, "actuator")
    sensors = ElementTree.SubElement(root, "sensor")
    # A longer body needs a camera farther away; the suite's file suits six links.
    distance = links / 6
    for camera in body.iterfind("camera[@mode='trackcom']"):
        place = [float(number) * distance for number in camera.get("pos", "").split()]
        camera.set("pos", " ".join(map(str, place)))
    limit = 360.0 / links
    for index in range(links - 1):
        body = ElementTree.SubElement(body, "body", name=f"segment_{index}", pos="0 .1 0")
        ElementTree.SubElement(body, "geom", {"class": "visual", "name": f"visual_{index}"})
        ElementTree.SubElement(body, "geom", {"class": "inertial", "name": f"inertial_{index}"})
        ElementTree.SubElement(body, "site", name=f"site_{index}")
        ElementTree.SubElement(body, "joint", name=f"joint_{index}", range=f"{-limit} {limit}")
        ElementTree.SubElement(actuators, "motor", name=f"motor_{index}", joint=f"joint_{index}")
        for sensor in ("velocimeter", "gyro"):
            ElementTree.SubElement(sensors, sensor, name=f"{sensor}_{index}", site=f"site_{index}")
    return ElementTree.tostring(root, encoding="unicode")


TASKS: Mapping[str, Callable[..., Task]] = {
    "dmc/swimmer-swimmer6": partial(Swimmer, links=6),
    "dmc/swimmer-swimmer15": partial(Swimmer, links=15),
}
