"""Parts of the leads: how rows are cut into them, and how far probabilities can be trusted in each."""
