"""Floor 1: what reaches out of the process. Time, randomness, keys in memory, pictures."""
