"""What is predicted beside the ranking: horizons, stages, tags, amounts."""
