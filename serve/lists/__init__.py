"""Lists that people work from: whom each rep calls tomorrow, and what nurturing offers to whom."""
