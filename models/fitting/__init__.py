"""How a model is fitted: slices in time, trees, the linear part, and the choices among them."""
