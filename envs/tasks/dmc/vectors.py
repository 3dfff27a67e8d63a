"""Parts of rotations and lengths of vectors, batch-first."""

from __future__ import annotations

from array_api_compat import array_namespace

from envs.tasks.base import Array

XZ, ZZ = 2, 8
"""Places of the x and z components of a body's z axis in its rotation matrix (nine numbers)."""


def length(vectors: Array) -> Array:
    """Euclidean lengths (N,) of `vectors` (N, d), with the bits of `numpy.linalg.norm` on each.

    The norm of one vector is the root of a BLAS dot product, which may fuse multiplications with
    additions. A norm along an axis does not, and differs in the last bit.
    """
    xp = array_namespace(vectors)
    return xp.sqrt(xp.vecdot(vectors, vectors))
