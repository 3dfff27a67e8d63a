"""Long learning runs through the public command: their curves, final figures and plots."""
