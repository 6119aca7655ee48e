"""From a feature table to a calibrated probability, tags and reasons."""
