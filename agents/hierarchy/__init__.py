"""Use of skills: a controller that chooses which skill of a frozen policy acts next."""
