"""Fine-tuning: a task agent that starts from the policy of a reward-free run."""
