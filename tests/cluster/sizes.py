"""How many leads the cluster's jobs have."""

ROWS, TIMES = 639, 50  # of the demo, and how often: 31,950 leads
PARTITIONS = 30
