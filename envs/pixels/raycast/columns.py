"""Columns of the two tables that drawing reads: one row a primitive, one row a light.

One table of each kind instead of many arrays: a compiled function pays for every array it is given.
"""

from __future__ import annotations

CENTRE, AXES, SIZE, REACH = 0, 3, 12, 15
"""Of a primitive, in the camera's frame: centre (3), three axes (9), sizes (3), bounding radius."""
RGB, ALPHA, EMISSION, SHINE, EXPONENT, REFLECTANCE = 16, 19, 20, 21, 22, 23
"""Of its material: colour (3), opacity, emission, strength and exponent of highlights, mirror."""
TEXTURE_SCALE, GRID, PRIMITIVE_COLUMNS = 24, 27, 33
"""Texture coordinates per metre (3), grid of a plane (2 × 3: cells, outer width, inner width)."""

POSITION, DIRECTION, AMBIENT, DIFFUSE, SPECULAR = 0, 3, 6, 9, 12
"""Of a light: where it is and shines in the camera's frame, and its colours."""
DIRECTIONAL, ATTENUATION, CUTOFF, FOCUS, CASTS, LIGHT_COLUMNS = 15, 16, 19, 20, 21, 22
"""Whether it is infinitely far, attenuation (3), cosine of the cutoff, exponent, throws shadows."""
