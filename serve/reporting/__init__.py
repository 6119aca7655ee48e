"""Reports: counted once when a run is published, summed over what a reader may see."""
