"""Ways to run N worlds of a task."""
