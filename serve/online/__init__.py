"""Scoring a lead now: a request's tables, the features of the night, and the champion's answer."""
