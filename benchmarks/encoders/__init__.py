"""Chain heads on encoders of transformers, beside the encoders' own heads, all trained from random weights."""
