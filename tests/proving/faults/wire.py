"""Lines 31 and 32: devices far away, and devices that are heard but hear nothing."""

import time

from tests.proving.faults.line import Figures
from tests.proving.faults.proxy import Mode
from tests.proving.faults.stream import streaming
from tests.proving.faults.testbed import Testbed, expect

_NARROW_BYTES_PER_S = 32_000
"""256 kbit/s for each device's connection."""
_LOST_ONE_IN = 20
_RESENDS = 3
"""Of one uplink in half a minute, by a device that waits 5 s, then twice as long each time."""


def far_away(testbed: Testbed) -> Figures:
    """Line 31. A lost segment costs its connection the time until TCP repeats it: that is what can be seen of it."""
    line = testbed.proxies["devices"]
    line.delay_s, line.bytes_per_s = 0.1, _NARROW_BYTES_PER_S
    line.stumbles_one_in, line.stumbles_s = _LOST_ONE_IN, 0.4
    try:
        with streaming(testbed, port=line.port) as stream:
            time.sleep(5 if testbed.quick else 15)
    finally:
        line.stumbles_one_in = 0
    p99 = stream.report["ack_latency_ms"]["p99"]
    expect(p99 <= 5000, f"p99 from device to its own acknowledgement {p99:.0f} ms")
    return {"device_to_ack_p99_ms": round(p99), **stream.figures}


def heard_but_deaf(testbed: Testbed) -> Figures:
    """Line 32."""
    line = testbed.proxies["devices"]
    with streaming(testbed, port=line.port) as stream:
        time.sleep(3)
        line.switch(Mode.ONE_WAY)
        time.sleep(12 if testbed.quick else 25)
        line.switch(Mode.THROUGH)
    most = stream.report["most_sends_of_one"]
    expect(1 < most <= 1 + _RESENDS, f"an uplink was sent {most} times")
    return {"most_sends_of_one": most, **stream.figures}
