"""Lines 20 to 23 and 25: what devices send again, too late, by wrong clocks, in no language, or far too much of."""

import gzip
import time
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, Final

from deploy.reconcile.accounts import Published
from schemas.devices import DEVICE_TYPE_BY_CODE
from tests.proving.faults.line import Figures
from tests.proving.faults.plain_device import PlainDevice, plain_device
from tests.proving.faults.stream import close_books, streaming
from tests.proving.faults.testbed import SNAPSHOT_S, Testbed, expect

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS
_PERSON: Final = """
select b.person_no, d.home_no, d.device_no from bindings b join devices d using (device_no)
where d.device = $1 and b.valid @> to_timestamp($2::float8 / 1000)
"""
_WORN_FOR_A_MONTH: Final = """
update bindings b set valid = tstzrange(lower(b.valid) - interval '30 days', upper(b.valid))
from devices d where d.device_no = b.device_no and d.device = $1
"""
_ROWS: Final = "select count(*) from readings r join devices d using (device_no) where d.device = $1 and r.epoch = $2"
_SOS: Final = "select count(*) from alerts where home_no = $1 and rule = 'sos'"
_EVENTS: Final = (
    "select count(*) from device_events e join devices d using (device_no) where d.device = $1 and e.epoch = $2"
)
_ROLLUP: Final = """
select (select coalesce(sum(readings), 0) from readings_1h where person_no = $1)
     - (select count(*) from readings where person_no = $1)
"""
_REJECTED: Final = "select count(*) from rejected where device = $1 and epoch = $2"
_REFUSED: Final = "select reason, count(*) as items from rejected where device = $1 and epoch = $2 group by reason"
_SILENCE: Final = """
select silent_at from silences s
where last_heard_at >= $2 and (device_no = $1 or device_no is null and home_no = (
    select home_no from devices where device_no = $1
)) order by silent_at limit 1
"""
_HEARD: Final = "select max(last_received_at) from device_cursor where device_no = $1"
_FLOODS: Final = "select count(*) from platform_incidents where kind = 'device_throttled' and subject = $1"


def _sos(device: PlainDevice, seq: int) -> bytes:
    at = device.now_ms()
    return device.uplink(seq, events=[{"event": "sos_pressed", "at": at}])


def ten_copies(testbed: Testbed) -> Figures:
    """Line 20."""
    with plain_device(testbed, "band") as band:
        home_no = testbed.rows(_PERSON, band.name, band.now_ms())[0]["home_no"]
        payloads = [band.pulse(seq) for seq in range(200)] + [_sos(band, 200)]
        band.send(*payloads)
        band.settled(200)
        testbed.until(lambda: testbed.value(_SOS, home_no), "the call for help is an alert")
        before = testbed.value(_ROWS, band.name, band.epoch), testbed.value(_SOS, home_no)
        for _ in range(10):
            band.acks.clear()
            band.send(*payloads)
            band.settled(200)
        after = testbed.value(_ROWS, band.name, band.epoch), testbed.value(_SOS, home_no)
    expect(after == before, f"rows and alerts were {before}, are {after}")
    close_books(testbed)
    return {"uplinks": len(payloads), "copies": 10, "rows": after[0], "alerts": after[1]}


def out_of_order(testbed: Testbed) -> Figures:
    """Line 21, with a band that has been worn for longer than the testbed has stood."""
    with plain_device(testbed, "band", number=1) as band:
        testbed.rows(_WORN_FOR_A_MONTH, band.name)
        time.sleep(SNAPSHOT_S)
        now = band.now_ms()
        person_no = testbed.rows(_PERSON, band.name, now)[0]["person_no"]
        recent = [band.pulse(seq, at=now - (300 - seq) * 2_000) for seq in range(300)]
        late = [band.pulse(300 + day, at=now - 7 * _DAY_MS + day * 1_000) for day in range(50)]
        mixed = recent + late
        testbed.chance.shuffle(mixed)
        band.send(*mixed)
        band.settled(349)
        rows, off = testbed.value(_ROWS, band.name, band.epoch), testbed.value(_ROLLUP, person_no)
        refused = {row["reason"]: row["items"] for row in testbed.rows(_REFUSED, band.name, band.epoch)}
        expect(rows == 350, f"{rows} rows of 350; rejected: {refused}")
        expect(off == 0, f"the hourly rollup differs from a recount by {off}")
    close_books(testbed)
    return {"shuffled": len(recent), "seven_days_late": len(late), "rollup_off_by": off}


def wrong_clocks(testbed: Testbed) -> Figures:
    """Line 22: by two platform minutes a second, silence after an hour takes half a minute."""
    year = 365 * _DAY_MS
    skews = [
        1_000,
        -1_000,
        60_000,
        -_MINUTE_MS,
        180_000,
        -4 * 60 * _MINUTE_MS,
        _DAY_MS,
        -_DAY_MS,
        year,
        -year,
        10 * year,
    ]
    limit_s = DEVICE_TYPE_BY_CODE["cgm"].silent_after_s or 0
    with plain_device(testbed, "cgm") as cgm:
        device_no = testbed.rows(_PERSON, cgm.name, cgm.now_ms())[0]["device_no"]
        began = datetime.fromtimestamp(cgm.now_ms() / 1000, UTC)
        for seq, skew in enumerate(skews):
            at = cgm.now_ms() + skew
            reading: dict[str, Any] = {"vital": "glucose", "value": 110, "unit": "mg/dL", "at": at}
            cgm.send(cgm.uplink(seq, readings=[reading], sent_at=at))
        cgm.settled(len(skews) - 1)
        refused = testbed.value(_REJECTED, cgm.name, cgm.epoch)
        heard = testbed.value(_HEARD, device_no)
        testbed.until(
            lambda: testbed.value(_SILENCE, device_no, began), "the device is found silent", within_s=limit_s / 120 + 30
        )
        found = datetime.fromtimestamp(cgm.now_ms() / 1000, UTC)
        silent_at = testbed.value(_SILENCE, device_no, began)
    after_s = (silent_at - heard).total_seconds()
    late_s = (found - silent_at).total_seconds() / testbed.kind.rate
    expect(abs(after_s - limit_s) <= 60, f"silent {after_s:.0f} platform seconds after the last uplink, not {limit_s}")
    expect(late_s <= 30, f"found {late_s:.0f} s after it was silent")
    expect(4 <= refused < len(skews), f"{refused} of {len(skews)} readings were rejected")
    close_books(testbed)
    return {
        "clocks": len(skews),
        "rejected": refused,
        "silent_after_s": round(after_s),
        "found_late_s": round(late_s, 1),
    }


_AT_ONCE: Final = 20
_UNREADABLE: Final = (
    b"}",
    b',"sent_at":NaN}',
    b',"readings":[{"vital":"heart_rate","value":Infinity}]}',
    b',"sent_at":1,"clock":"synced","oldest":0,"readings":' + b"[" * 5_000,
    b',"x":"\\ud800"}',
)
"""What may follow upon an identity that can be read."""


def _nameless(epoch: int) -> list[bytes]:
    """Payloads that name no uplink."""
    torn, endless = b'{"epoch":%d,"seq":0' % epoch, b"{" * 20_000
    return [
        torn,
        endless,
        b"",
        b"\x00",
        b"\xff\xfe{}",
        gzip.compress(b"{}"),
        b"null",
        b"[]",
        b'{"epoch":1e400,"seq":0}',
    ]


def poison(testbed: Testbed) -> Figures:
    """Line 23: a handful between good uplinks; the corpus has tests of its own."""
    named, seconds = len(_UNREADABLE), 8 if testbed.quick else 12
    calm = _p99_of_the_others(testbed, seconds)
    with plain_device(testbed, "band", number=2) as band, streaming(testbed, uplinks_per_s=200) as stream:
        junk = _nameless(band.epoch)
        for seq, rest in enumerate(_UNREADABLE):
            testbed.oracle[band.name, band.epoch, seq] = Published(readings=0, events=0)
            junk.append(b'{"epoch":%d,"seq":%d' % (band.epoch, seq) + rest)
        good = [band.pulse(seq) for seq in range(named, named + 19 * len(junk))]
        mixed = [*junk, *good]
        testbed.chance.shuffle(mixed)
        for start in range(0, len(mixed), _AT_ONCE):
            band.send(*mixed[start : start + _AT_ONCE])
            time.sleep(seconds * _AT_ONCE / len(mixed))
        took = band.settled(named + len(good) - 1)
        rows = testbed.value(_ROWS, band.name, band.epoch)
        refused = testbed.value(_REJECTED, band.name, band.epoch)
    expect(rows == len(good), f"{rows} of {len(good)} good readings are stored")
    expect(refused == named, f"{refused} of {named} readable rejections are kept")
    testbed.platform.check_alive()
    p99 = stream.report["ack_latency_ms"]["p99"]
    _expect_undisturbed(calm, p99)
    close_books(testbed)
    return {"junk": len(junk), "good": len(good), "settled_s_after_the_last": round(took, 1),
            "others_p99_ms_before": calm, "others_p99_ms": p99}  # fmt: skip


def _p99_of_the_others(testbed: Testbed, seconds: float) -> float:
    """From device to its own acknowledgement, in ms, while nobody does wrong."""
    with streaming(testbed, uplinks_per_s=200) as stream:
        time.sleep(seconds)
    return float(stream.report["ack_latency_ms"]["p99"])


def _expect_undisturbed(before: float, during: float) -> None:
    expect(during <= 1.2 * before, f"p99 of the others was {before:.0f} ms, is {during:.0f} ms")


def flood(testbed: Testbed) -> Figures:
    """Line 25: the same uplink a thousand times a second; in the middle of it a call for help."""
    seconds = 8 if testbed.quick else 12
    before, stop = _p99_of_the_others(testbed, seconds), Event()
    with plain_device(testbed, "band", number=3) as band, streaming(testbed, uplinks_per_s=200) as stream:
        thread = Thread(target=_pour, args=(band, band.pulse(0), stop))
        thread.start()
        try:
            time.sleep(seconds)
            band.offer(_sos(band, 1))
            cried_s = testbed.until(
                lambda: testbed.value(_EVENTS, band.name, band.epoch), "the call for help is stored"
            )
            testbed.until(lambda: testbed.value(_FLOODS, band.name), "watch has an incident of the flood", within_s=20)
            testbed.until(lambda: testbed.notified_operators("device throttled"), "operators are notified of the flood")
        finally:
            stop.set()
            thread.join()
    during = stream.report["ack_latency_ms"]["p99"]
    _expect_undisturbed(before, during)
    return {"sos_stored_after_s": round(cried_s, 2), "others_p99_ms_before": before, "others_p99_ms": during,
            **stream.figures}  # fmt: skip


def _pour(band: PlainDevice, payload: bytes, stop: Event) -> None:
    """A thousand a second."""
    next_at = time.monotonic()
    while not stop.is_set():
        for _ in range(10):
            band.offer(payload)
        next_at += 0.01
        time.sleep(max(0.0, next_at - time.monotonic()))
