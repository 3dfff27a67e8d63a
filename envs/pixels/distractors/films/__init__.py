"""What is shown behind the agent: each film is an array of pictures made from a seed."""
