"""How parts are computed: chunks of rows become parts, in a plain loop or on Ray Data."""
