"""The default stack of chain heads: its shapes, its training, and what cross-validation chooses.

May import: the same as `recipes`.
"""

from .fitting import FittedStack as FittedStack, fit_stack as fit_stack
from .shapes import SHAPES as SHAPES, default_stack as default_stack
