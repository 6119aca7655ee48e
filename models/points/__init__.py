"""The points scorecard, written by hand or learned from history."""
