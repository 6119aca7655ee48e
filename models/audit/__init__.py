"""The leakage audit: columns that know the outcome, found before a model learns from them."""
