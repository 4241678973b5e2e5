"""What can go wrong in the simulator, in words for the tester."""


class SimulatorError(Exception):
    """The simulator can't go on."""


class ReplayError(SimulatorError):
    """The recorded file can't be replayed."""
