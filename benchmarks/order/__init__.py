"""Three tasks in which order is all that matters, and the models that can learn them."""
