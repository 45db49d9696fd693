"""Three tasks in which order is all that matters: who can learn them."""
