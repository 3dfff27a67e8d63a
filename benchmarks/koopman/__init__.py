"""To-goal percentages of Koopman dynamics with a latent LQR on a pendulum and a cart-pole."""
