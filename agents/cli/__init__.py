"""The `rl-info` command, one module a verb."""
