"""Boxes on a table, moved by a gripper: skill discovery and manipulation with safety signals."""
