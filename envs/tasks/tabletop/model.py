"""The tabletop's MJCF: a Cartesian robot with a parallel gripper, a table with a rim, boxes.

The robot is a gantry, not an articulated arm: three slides, and a yaw hinge if wanted, carry the
gripper. Its joint coordinates are the pinch point's place in the world, so that an action is an
end-effector displacement without inverse kinematics, and joint, workspace and force limits stay
real quantities. All geoms are primitives, and nothing needs a solver that GPUs lack.
"""

from __future__ import annotations

import mujoco

TIMESTEP = 0.005
NUM_SUBSTEPS = 10
"""Physics steps in a control step: 20 Hz."""
HALF_BOX = 0.0225
"""Half the edge of a box, m; the table's surface is at height 0."""
TABLE_HALF_WIDTH = 0.25
FLOOR = -0.4

SPEED = 0.5
"""Speed of the servos' target at an action of 1, m/s: 25 mm in a control step."""
YAW_SPEED = 2.0
"""Speed of the yaw target at an action of 1, rad/s."""
HARD_LIMITS = {"x": (-0.22, 0.22), "y": (-0.22, 0.22), "z": (-0.02, 0.25), "yaw": (-1.57, 1.57)}
"""Where the joints end, m and rad. The table stops the fingertips before z does below."""
TARGET_LIMITS = {"x": (-0.24, 0.24), "y": (-0.24, 0.24), "z": (-0.01, 0.27), "yaw": (-1.6, 1.6)}
"""Where the servos' targets end: up to 20 mm into a stop, which bounds the pressure on it."""
MAX_FORCE = {"x": 60.0, "y": 60.0, "z": 60.0, "yaw": 2.0}
"""Where servos saturate, N and N m."""
FINGERTIP = 0.01
"""How far the fingertips reach below the pinch point, m."""
MAX_OPENING = 0.08
"""Distance of the open fingers, m."""

_STIFFNESS, _DAMPING = 2400.0, 120.0
_YAW_STIFFNESS, _YAW_DAMPING = 17.0, 0.85
_GRIP_STIFFNESS, _GRIP_DAMPING, _GRIP_FORCE = 900.0, 32.0, 20.0

_RIM = """
      <geom class="table" type="box" size=".27 .01 .065" pos="0 .26 -.035"/>
      <geom class="table" type="box" size=".27 .01 .065" pos="0 -.26 -.035"/>
      <geom class="table" type="box" size=".01 .25 .065" pos=".26 0 -.035"/>
      <geom class="table" type="box" size=".01 .25 .065" pos="-.26 0 -.035"/>"""

_GOAL = """
    <body name="goal" mocap="true">
      <geom type="sphere" size=".012" rgba=".2 .8 .3 .6" contype="0" conaffinity="0"/>
    </body>"""

_COLOURS = (
    ".85 .25 .2 1",
    ".2 .4 .85 1",
    ".95 .75 .2 1",
    ".5 .25 .65 1",
    ".2 .65 .6 1",
    ".9 .5 .65 1",
)
MAX_OBJECTS = len(_COLOURS)


def compile_model(num_objects: int, yaw: bool, rim: bool, marker: bool) -> mujoco.MjModel:
    """Compile the table with `num_objects` boxes; `marker` adds a goal's, without contacts.

    Raises:
        ValueError: unless there are 1 to 6 objects.
    """
    if not 1 <= num_objects <= MAX_OBJECTS:
        raise ValueError(f"num_objects must be 1 to {MAX_OBJECTS}, got {num_objects}")
    return mujoco.MjModel.from_xml_string(_xml(num_objects, yaw, rim, marker))


def arm_joints(yaw: bool) -> tuple[str, ...]:
    """Names of the arm's joints, which are those of its actuators, in order."""
    return ("x", "y", "z", "yaw") if yaw else ("x", "y", "z")


def target_speeds(yaw: bool) -> tuple[float, ...]:
    """Speed of each servo's target at an action of 1, m/s and rad/s."""
    return (SPEED, SPEED, SPEED, YAW_SPEED) if yaw else (SPEED, SPEED, SPEED)


def _joint(name: str) -> str:
    kind, inertia = ("hinge", 0.01) if name == "yaw" else ("slide", 1.0)
    axis = {"x": "1 0 0", "y": "0 1 0"}.get(name, "0 0 1")
    low, high = HARD_LIMITS[name]
    return (
        f'<joint name="{name}" type="{kind}" axis="{axis}" range="{low} {high}" '
        f'armature="{inertia}"/>'
    )


def _servo(name: str, speed: float) -> str:
    """A position servo whose target is the integral of the control: activation × speed."""
    stiffness, damping = (_YAW_STIFFNESS, _YAW_DAMPING) if name == "yaw" else (_STIFFNESS, _DAMPING)
    low, high = (limit / speed for limit in TARGET_LIMITS[name])
    force = MAX_FORCE[name]
    return (
        f'<general name="{name}" joint="{name}" dyntype="integrator" ctrlrange="-1 1" '
        f'gainprm="{stiffness * speed}" biastype="affine" biasprm="0 {-stiffness} {-damping}" '
        f'actlimited="true" actrange="{low} {high}" forcerange="{-force} {force}"/>'
    )


def _object(index: int) -> str:
    return (
        f'<body name="object_{index}" pos="{0.1 * index} 0 {HALF_BOX}"><freejoint/>'
        f'<geom class="object" name="object_{index}" rgba="{_COLOURS[index]}"/></body>'
    )


def _object_sensors(index: int) -> str:
    return "".join(
        f'<contact name="{side}_object_{index}" body1="{side}_finger" body2="object_{index}" '
        f'data="found" num="1"/>'
        for side in ("left", "right")
    )


def _xml(num_objects: int, yaw: bool, rim: bool, marker: bool) -> str:
    names = arm_joints(yaw)
    half_grip = MAX_OPENING / 4
    grip = _GRIP_STIFFNESS * half_grip
    indices = range(num_objects)
    return f"""
<mujoco model="tabletop">
  <compiler autolimits="true" angle="radian"/>
  <option timestep="{TIMESTEP}" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <size memory="2M"/>
  <visual><headlight ambient=".4 .4 .4" diffuse=".5 .5 .5"/><map znear=".01"/></visual>
  <statistic center="0 0 .1" extent=".9"/>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1=".7 .8 .9" rgb2=".3 .4 .5"
     width="32" height="192"/>
    <texture name="board" type="2d" builtin="checker" rgb1=".78 .70 .58" rgb2=".72 .64 .52"
     width="64" height="64"/>
    <material name="board" texture="board" texrepeat="2.5 2.5"/>
  </asset>
  <default>
    <!-- Stiff: a light box under a pressed finger must not sink into the table. -->
    <geom solref=".01 1" solimp=".95 .99 .001"/>
    <default class="table">
      <geom contype="1" conaffinity="0" friction=".4" rgba=".55 .42 .3 1"/>
    </default>
    <default class="object">
      <geom type="box" size="{HALF_BOX} {HALF_BOX} {HALF_BOX}" mass=".06" contype="2"
       conaffinity="11" friction=".4"/>
    </default>
    <default class="hand">
      <geom contype="0" conaffinity="3" friction=".4" rgba=".3 .32 .35 1"/>
      <default class="finger">
        <geom type="box" size=".01 .006 .03" mass=".05" condim="4" friction="1 .01"
         rgba=".15 .15 .17 1"/>
        <joint type="slide" range="0 {MAX_OPENING / 2}" armature=".1"/>
      </default>
    </default>
  </default>
  <worldbody>
    <camera name="front" pos=".62 0 .5" xyaxes="0 1 0 -.6 0 .8" fovy="50"/>
    <camera name="top" pos="0 0 .9" xyaxes="1 0 0 0 1 0" fovy="40"/>
    <light pos=".5 -.5 2" dir="-.25 .25 -1" castshadow="false"/>
    <geom name="floor" type="plane" size="2 2 .1" pos="0 0 {FLOOR}" contype="8" conaffinity="0"
     rgba=".45 .47 .5 1"/>
    <body name="table">
      <geom name="table" class="table" type="box" size="{TABLE_HALF_WIDTH} {TABLE_HALF_WIDTH} .05"
       pos="0 0 -.05" material="board" rgba="1 1 1 1"/>{_RIM if rim else ""}
    </body>{_GOAL if marker else ""}
    <body name="hand" gravcomp="1">
      {"".join(map(_joint, names))}
      <geom class="hand" type="box" size=".02 .058 .015" pos="0 0 .065" mass=".4"/>
      <geom type="capsule" size=".015" fromto="0 0 .08 0 0 .25" mass="0" contype="0" conaffinity="0"
       rgba=".6 .62 .65 1"/>
      <body name="left_finger" gravcomp="1">
        <joint class="finger" name="left_finger" axis="0 1 0"/>
        <geom class="finger" pos="0 .006 .02"/>
      </body>
      <body name="right_finger" gravcomp="1">
        <joint class="finger" name="right_finger" axis="0 -1 0"/>
        <geom class="finger" pos="0 -.006 .02"/>
      </body>
    </body>
    {"".join(map(_object, indices))}
  </worldbody>
  <tendon>
    <fixed name="grip">
      <joint joint="left_finger" coef=".5"/><joint joint="right_finger" coef=".5"/>
    </fixed>
  </tendon>
  <equality>
    <joint joint1="left_finger" joint2="right_finger" polycoef="0 1 0 0 0" solref=".01 1"/>
  </equality>
  <actuator>
    {"".join(map(_servo, names, target_speeds(yaw)))}
    <general name="grip" tendon="grip" ctrlrange="-1 1" gainprm="{grip}" biastype="affine"
     biasprm="{grip} {-_GRIP_STIFFNESS} {-_GRIP_DAMPING}"
     forcerange="{-_GRIP_FORCE} {_GRIP_FORCE}"/>
  </actuator>
  <sensor>
    {"".join(map(_object_sensors, indices))}
    <contact name="hand_table" subtree1="hand" body2="table" data="force" reduce="netforce"
     num="1"/>
  </sensor>
</mujoco>"""
