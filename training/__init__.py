"""How the published checkpoints are trained; not part of the installed package."""
