"""The domains of dm_control's suite, exact to the bit on the CPU."""
