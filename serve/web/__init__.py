"""The page and the API over HTTP: who may ask what, and how an answer is guarded."""
