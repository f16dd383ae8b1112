"""分担: a sum shared out to the fen."""

from collections.abc import Sequence
from decimal import Decimal


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts of `total` yuan in proportion to `weights`, each to the fen; they add up to exactly `total`.

    Every part is rounded down; the fen left over go to those that lost most, of equals to the first. No part exceeds
    its weight where the weights are yuan that together suffice. Raises ValueError where there is nothing to share by.
    """
    fen = int(total * 100)
    units = [int(weight * 100) for weight in weights]
    whole = sum(units)
    if whole <= 0 or min(units) < 0 or fen < 0:
        raise ValueError("nothing to share by")
    parts = [fen * unit // whole for unit in units]
    lost_most = sorted(range(len(units)), key=lambda place: (-(fen * units[place] % whole), place))
    for place in lost_most[: fen - sum(parts)]:
        parts[place] += 1
    return [Decimal(part).scaleb(-2) for part in parts]
