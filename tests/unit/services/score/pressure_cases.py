"""The case table of blood pressure, and what cuffs send."""

from schemas.devices.fall_robot import FALL_ROBOT
from schemas.devices.pressure_cuff import PRESSURE_CUFF
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import uplink

F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA


def cuff(*readings: tuple[float, float, float], late: float = 0) -> list[JudgedUplink]:
    """Measured ``(minute, systolic, diastolic)``, received so many minutes late."""
    return [
        uplink(
            seq, at, {"systolic": systolic, "diastolic": diastolic}, device=31, device_type=PRESSURE_CUFF.number,
            received=at + late,
        )
        for seq, (at, systolic, diastolic) in enumerate(readings)
    ]  # fmt: skip


def symptom(at: float, said: str = "chest pain", *, late: float = 0) -> JudgedUplink:
    """Answered to a check-in through the robot, received so many minutes late."""
    details = {"symptom": said}
    return uplink(
        round(at * 10) + 500, at, events=["check_in_answered"], details=details, device=33,
        device_type=FALL_ROBOT.number, received=at + late,
    )  # fmt: skip


def heard(at: float) -> JudgedUplink:
    """Another device, so that time passes."""
    return uplink(900, at, {"weight": 70}, device=32)


PRESSURE_CASES: list[Row] = [
    (F, "190/104, and 188/102 six minutes later", cuff((0, 190, 104), (6, 188, 102)), [(1, 6)]),
    (
        F,
        "225/80 after 150/80, and no third one: for the list, however high",
        [*cuff((0, 150, 80), (5, 225, 80)), heard(21)],
        [(2, 5)],
    ),
    (F, "150/124 twice: the diastolic value alone", cuff((0, 150, 124), (6, 152, 122)), [(1, 6)]),
    (F, "225/110 at once", cuff((0, 225, 110)), [(2, 0)]),
    (F, "225/110 after a good reading", cuff((0, 130, 80), (5, 225, 110)), [(2, 5)]),
    (F, "225/110 after 185/100", cuff((0, 185, 100), (5, 225, 110)), [(2, 5)]),
    (F, "88/56 twice", cuff((0, 88, 56), (5, 86, 54)), [(1, 5)]),
    (F, "78/50 twice is level 2", cuff((0, 78, 50), (5, 76, 50)), [(2, 5)]),
    (F, "20 more are worse", cuff((0, 182, 100), (5, 184, 100), (30, 206, 100)), [(1, 5), (1, 30)]),
    (F, "a good sitting ends it", cuff((0, 190, 104), (6, 188, 102), (90, 165, 95)), [(1, 6), (0, 90)]),
    (
        F,
        "from far too high to far too low",
        cuff((0, 190, 104), (6, 188, 102), (90, 84, 50), (95, 86, 50)),
        [(1, 6), (0, 95), (1, 95)],
    ),
    (F, "confirmed, then a symptom", [*cuff((0, 190, 102), (6, 190, 102)), symptom(8)], [(1, 6), (2, 8)]),
    (F, "too low, then a symptom", [*cuff((0, 87, 54), (6, 87, 54)), symptom(8)], [(1, 6), (2, 8)]),
    (F, "one reading and a symptom", [*cuff((0, 190, 102)), symptom(2)], [(2, 2)]),
    (F, "a symptom, then one reading", [symptom(-20), *cuff((0, 88, 54))], [(2, 0)]),
    (F, "the diastolic value and a symptom", [*cuff((0, 150, 124)), symptom(2)], [(2, 2)]),
    (F, "an outlier and a symptom", [*cuff((0, 150, 90), (4, 192, 98)), symptom(5)], [(2, 5)]),
    (F, "unconfirmed, then a symptom", [*cuff((0, 188, 100)), heard(16), symptom(20)], [(1, 0), (2, 20)]),
    (
        F,
        "20 more are worse, and as urgent as before",
        [symptom(-1), *cuff((0, 185, 100), (120, 206, 100), (240, 160, 90))],
        [(2, 0), (2, 120), (0, 240)],
    ),
    (
        F,
        "a symptom that was said before, and comes late",
        [*cuff((0, 190, 102), (6, 190, 102)), symptom(3, late=20)],
        [(1, 6), (2, 3)],
    ),
    (D, "the answer that there is no symptom", [*cuff((0, 190, 102)), symptom(2, "None.")], []),
    (D, "a symptom, and a pressure within the limits", [symptom(0), *cuff((1, 150, 90)), symptom(3)], []),
    (D, "a symptom after a good second reading", [*cuff((0, 192, 98), (6, 150, 90)), symptom(8)], []),
    (B, "a symptom 30 min before the first reading", [symptom(-30), *cuff((0, 190, 102))], [(2, 0)]),
    (B, "a symptom 31 min before it", [symptom(-31), *cuff((0, 190, 102))], []),
    (B, "a symptom 60 min after the last one", [*cuff((0, 87, 54), (6, 87, 54)), symptom(66)], [(1, 6), (2, 66)]),
    (B, "a symptom 61 min after it", [*cuff((0, 87, 54), (6, 87, 54)), symptom(67)], [(1, 6)]),
    (
        D,
        "measured without a cuff",
        [
            one._replace(readings=tuple(reading._replace(flags=int(Flag.CUFFLESS)) for reading in one.readings))
            for one in cuff((0, 190, 104), (6, 188, 102))
        ],
        [],
    ),
    (D, "130/80", cuff((0, 130, 80), (5, 132, 82)), []),
    (D, "a good second reading", cuff((0, 192, 98), (6, 150, 90)), []),
    (D, "the mean of a sitting is not beyond", cuff((0, 192, 98), (6, 164, 94)), []),
    (D, "one outlier of three", cuff((0, 170, 92), (2, 172, 92), (4, 206, 92), (9, 166, 92)), []),
    (B, "180/120 is not beyond", cuff((0, 180, 120), (5, 180, 120)), []),
    (B, "219 is level 1", cuff((0, 219, 100), (5, 219, 100)), [(1, 5)]),
    (B, "91 is not too low", cuff((0, 91, 60), (5, 91, 60)), []),
    (B, "81 is level 1, 80 is level 2", cuff((0, 81, 50), (5, 81, 50), (60, 80, 50), (65, 80, 50)), [(1, 5), (2, 60)]),
    (B, "170 does not end it", cuff((0, 190, 104), (6, 188, 102), (90, 170, 95)), [(1, 6)]),
    (M, "188/100, and nobody measures again", [*cuff((0, 188, 100)), heard(16)], [(1, 0)]),
    (M, "90/56, and nobody measures again", [*cuff((0, 90, 56)), heard(16)], [(1, 0)]),
    (M, "80/48, and nobody measures again", [*cuff((0, 80, 48)), heard(16)], [(2, 0)]),
    (M, "a quarter of an hour is not over", [*cuff((0, 90, 56)), heard(15)], []),
    (M, "nobody measures again for hours", cuff((0, 90, 56), (300, 120, 70)), [(1, 0), (0, 300)]),
    (
        M,
        "confirmed after it was said to be unconfirmed",
        cuff((0, 188, 100), (20, 190, 100), (25, 188, 100)),
        [(1, 0), (1, 20)],
    ),
    (M, "a day without a reading is a pause", [*cuff((0, 88, 56), (5, 86, 54)), heard(1500)], [(1, 5), (0, 1445)]),
    (
        M,
        "the second reading comes late and is good",
        [*cuff((0, 90, 56)), heard(16), *cuff((99, 0, 0), (12, 120, 70), late=8)[1:]],
        [(1, 0), (0, 12)],
    ),
    (M, "one value of two", [uplink(0, 0, {"systolic": 190}, device_type=PRESSURE_CUFF.number)], []),
]
