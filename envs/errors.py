"""What can go wrong in a world, beside bad arguments, which raise ValueError."""

from __future__ import annotations

from collections.abc import Sequence


class PhysicsError(RuntimeError):
    """The simulation of some worlds broke down; `worlds` holds their indices.

    The vector world must be reset, or given an earlier `state_dict`, before it can go on.
    """

    def __init__(self, worlds: Sequence[int], step: int, reason: str) -> None:
        self.worlds = tuple(int(world) for world in worlds)
        self.step = step
        shown = ", ".join(map(str, self.worlds[:8])) + (", ..." if len(self.worlds) > 8 else "")
        super().__init__(
            f"physics failed at step {step} in world {shown}: {reason}; "
            "call reset(), or load an earlier state_dict, to go on"
        )


class RenderingError(RuntimeError):
    """No picture can be drawn on this machine; the message says how to change that."""


class WorldError(RuntimeError):
    """A world's own code raised, hung or took its process down; `worlds` holds the indices.

    The vector world is closed then: make it anew to go on.
    """

    def __init__(self, worlds: Sequence[int], reason: str) -> None:
        self.worlds = tuple(int(world) for world in worlds)
        self.reason = reason
        super().__init__(self.worlds, reason)

    def __str__(self) -> str:
        return self.reason
