"""A library that cannot be made: its start fails."""


class NeedsLicence:
    def __init__(self):
        raise RuntimeError("The licence server of the device did not give a licence.")
