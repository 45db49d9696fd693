"""Examples of every kind of chain, for tests that run over all kinds."""

from chainhead_plugin.chain.kinds import Chain

UNI_DIRECTIONAL = [
    Chain(),
    Chain(self_weight=0.0),
    Chain(self_weight=-0.7),
    Chain("multihop", hops=1),
    Chain("multihop", hops=3, self_weight=0.5),
    Chain("multihop", hops=4, self_weight=0.0),
    Chain("multihop", hops=3, accumulative=True),
    Chain("multihop", hops=40, accumulative=True, self_weight=0.3),
    Chain("inverse"),
    Chain("exponential"),
    Chain("inverse", decay=0.9),
    Chain("exponential", decay=0.6),
]
BI_DIRECTIONAL = [
    Chain(bi_directional=True),
    Chain(bi_directional=True, self_weight=0.0),
    Chain("multihop", bi_directional=True, hops=3, self_weight=0.5),
    Chain("multihop", bi_directional=True, hops=2, self_weight=-0.7),
    Chain("multihop", bi_directional=True, hops=3, accumulative=True),
    Chain("multihop", bi_directional=True, hops=90, accumulative=True),
    Chain("multihop", bi_directional=True, hops=5, accumulative=True, self_weight=0.0),
    Chain("inverse", bi_directional=True),
    Chain("exponential", bi_directional=True),
    Chain("inverse", bi_directional=True, decay=0.45),
    Chain("exponential", bi_directional=True, decay=0.7),
]
CHAINS = UNI_DIRECTIONAL + BI_DIRECTIONAL


def name(chain: Chain) -> str:
    """A readable test id."""
    parts = [chain.kind, "bi" if chain.bi_directional else "uni"]
    if chain.kind == "multihop":
        parts.append(f"h{chain.hops}" + ("acc" if chain.accumulative else ""))
    if chain.kind in ("single_hop", "multihop"):
        parts.append(f"s{chain.self_weight:g}")
    if chain.decay is not None:
        parts.append(f"d{chain.decay:g}")
    return "-".join(parts)


def options(chain: Chain) -> dict[str, object]:
    """The head's options that ask for a chain."""
    chosen: dict[str, object] = {"bi_directional": chain.bi_directional}
    if chain.kind in ("single_hop", "multihop"):
        chosen["self_scaling"] = chain.self_weight
    if chain.kind == "multihop":
        chosen |= {"with_multihop": True, "h": chain.hops, "accumulative": chain.accumulative}
    if chain.kind == "inverse":
        chosen["with_inverse_approx"] = True
    if chain.kind == "exponential":
        chosen["with_exponential_approx"] = True
    if chain.decay is not None:
        chosen["decay"] = chain.decay
    return chosen


def _learned(chain: Chain) -> tuple[str, dict[str, object]]:
    return f"{name(chain)}-learned", options(chain) | {"with_learned_decay": True}


# Options of heads of every kind, those among them that mix by channel or by feature.
UNI_DIRECTIONAL_HEADS = {
    **{name(chain): options(chain) for chain in UNI_DIRECTIONAL},
    "channel-hops-uni": {"channel_hops": [2, 0, 7]},
    **dict(_learned(chain) for chain in UNI_DIRECTIONAL if chain.decay is not None),
}
HEADS = {
    **UNI_DIRECTIONAL_HEADS,
    **{name(chain): options(chain) for chain in BI_DIRECTIONAL},
    "channel-hops-bi": {"channel_hops": [1, -3, 0], "bi_directional": True},
    **dict(_learned(chain) for chain in BI_DIRECTIONAL if chain.decay is not None),
}
