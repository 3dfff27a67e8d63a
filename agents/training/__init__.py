"""How a learner is run: collection, replay, the loop, checkpoints and logs."""
