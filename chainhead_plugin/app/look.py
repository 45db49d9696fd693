"""How the page looks: the fonts of the user's system, in light and dark, on wide and narrow screens."""

from typing import Any

FONTS = ("ui-sans-serif", "system-ui", "sans-serif")
FIXED_FONTS = ("ui-monospace", "monospace")

STYLE = """
.gradio-container { max-width: 1080px !important; margin: 0 auto !important; }
#message { border-left: 4px solid #d55e00; padding: 0.4rem 0.8rem; font-weight: 600; }
.answer p { font-size: 1.15rem; }
@media (max-width: 640px) { .gradio-container { padding: 0.5rem !important; } }
"""


def theme() -> Any:
    """Return a theme without fonts from elsewhere."""
    from gradio.themes import Base, colors

    return Base(primary_hue=colors.blue, neutral_hue=colors.slate, font=FONTS, font_mono=FIXED_FONTS)
