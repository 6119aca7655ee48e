"""What a published ranking looks like a while after training: what has moved, and what it is worth by now."""
