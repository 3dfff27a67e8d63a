"""Who learns and how it is run: learners, presets, training, evaluation and the command."""
