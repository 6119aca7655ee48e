"""How the curve from margin to probability is learned, and how far off it may be."""
