"""Single cells that hold a number with a unit, or with the sign of a currency, such as $1,234.50 and 45 %."""

import re

from ...formats.cells import plain_minus
from ...time.durations import seconds_of

_SIGNS = "€$£¥₹₽₩₺₫฿₪₴₦₱₡₲₵₸₼₾¢"
_CODES = (
    *(
        "EUR",
        "USD",
        "GBP",
        "JPY",
        "CHF",
        "CNY",
        "RMB",
        "INR",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "BRL",
    ),
    *("AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "ZAR", "TRY", "KRW", "RUB"),
    *("US$", "R$", "A$", "C$", "NZ$", "HK$", "S$", "kr.", "kr", "zł", "Kč", "Ft", "Fr.", "Rs.", "Rs"),
)
_MONEY = "|".join([*map(re.escape, sorted(_CODES, key=len, reverse=True)), f"[{_SIGNS}]"])
# Other units stand behind a number, without a blank only if they can be nothing else.
_BEHIND = rf"{_MONEY}|%|‰|°[CF]?|(?<=\s)(?![ap]\.?m\b)[^\W\d_][^\s\d.,;:]{{0,9}}|(?<=\s)µ[^\s\d.,;:]{{1,9}}"
_CELL = re.compile(
    rf"(?P<open>\()?(?P<sign>[+-])?\s*(?:(?P<before>{_MONEY})\s*)?(?P<inner>[+-])?"
    rf"(?P<number>\d[\d.,'’\s]*|[.,]\d+)(?P<after>{_BEHIND})?(?P<close>\))?",
    re.IGNORECASE,
)


def split_amount(cell: str) -> tuple[str, str] | None:
    """Return a cell's number and its unit, "" if it has none, or None if it holds anything else.

    An amount in parentheses is negative, as bookkeepers write it.
    """
    match = _CELL.fullmatch(plain_minus(cell.strip()))
    if match is None or seconds_of(cell) is not None:
        return None
    parts = match.groupdict(default="")
    if bool(parts["open"]) != bool(parts["close"]) or (parts["before"] and parts["after"]):
        return None
    signs = parts["sign"] + parts["inner"] + ("-" if parts["open"] else "")
    if len(signs) > 1:
        return None
    return signs + parts["number"].strip(), parts["before"] or parts["after"]
