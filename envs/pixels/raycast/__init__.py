"""Pictures without OpenGL: rays that meet primitives in closed form, compiled by numba."""
