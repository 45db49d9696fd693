"""The colours of all pictures, which can be told apart with every kind of colour vision. No matplotlib."""

# Of Okabe and Ito: two series of a picture, and what stands beside them.
MODEL, OTHER, REFERENCE = "#0072b2", "#d55e00", "#4a5568"

# Labels, in their order; the first four differ most.
LABELS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#000000",
    "#999999",
)

# Signed numbers: blue adds, red takes away, white is nothing.
SIGNED = "RdBu"
ADDS, TAKES_AWAY = "#2166ac", "#b2182b"

# Amounts without a sign, from light to dark.
AMOUNTS = "Blues"

GRID = "0.92"
