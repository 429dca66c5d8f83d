"""Writes python-case.json: how Python's str.upper() and str.lower() map each code point by itself."""
import json
import platform
import unicodedata


def mapped(convert):
    """Each code point that convert changes, in hexadecimal, with what it becomes."""
    chars = (chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)
    return {f"{ord(c):04X}": convert(c) for c in chars if convert(c) != c}


with open("python-case.json", "w", encoding="ascii") as out:
    json.dump({
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,
        "upper": mapped(str.upper),
        "lower": mapped(str.lower),
        # The one mapping that depends on the neighbours.
        "sigma": {"ΑΣ": "ΑΣ".lower(), "ΑΣΑ": "ΑΣΑ".lower()},
    }, out, indent=0)
    out.write("\n")
