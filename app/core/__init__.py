"""Floor 0: values and decisions.

Pure: no clock, no randomness, no I/O, nothing but the standard library, `cryptography` and `cbor2`, and only relative
imports, so that this package can be shipped on its own to whoever verifies offline.
"""
