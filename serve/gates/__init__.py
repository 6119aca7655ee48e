"""What a ranking must pass before it is published: each gate turns figures into findings."""
