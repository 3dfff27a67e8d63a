"""What is information worth: estimators, objectives, rewards and dynamics built on it."""

__version__ = "0.1.0"
