"""The whole model at a glance: what moves it, how, how steadily, and what stands in for protected fields."""
