"""Floor 3: faces translate in and translate out, and decide nothing. They are blind to one another."""
