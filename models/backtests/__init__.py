"""The past replayed: what each order of calling would have found."""
