"""Rows of boxes as people, editors and crashed programs leave them: annotations, checked and tracked, and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.datasets.tiny import picture
from tests.faults.case import Case, Place, Words

ROW = "3,4,10,8"
GOOD = f"{ROW}\n" * 4
FINE = (0, "sound")
SCORED = (0, "pysot")
RUN = (0, "1 runs of a sequence wanted")


def wrong(words: str) -> tuple[int, str]:
    return 2, words


def rows(*lines: str, sep: str = "\n") -> str:
    return sep.join(lines) + sep


def four(row: str) -> str:
    return rows(row, row, row, row)


@dataclass(frozen=True)
class Text:
    """A file and what it comes to as an annotation that is checked or tracked, and as a result that is scored."""

    name: str
    data: bytes | str
    check: tuple[int, str] = FINE
    track: tuple[int, str] = RUN
    score: tuple[int, str] = SCORED


def good(name: str, data: bytes | str) -> Text:
    return Text(name, data)


def bad(name: str, data: bytes | str, words: str) -> Text:
    """Unreadable in all three places; ``check`` finds it, the others refuse."""
    return Text(name, data, (1, words), wrong(words), wrong(words))


NUMBER = r"which is no number: mend the file"
COUNT = r"numbers instead of 4: mend or replace the file"
EIGHT = "line 1 of .* has 8 " + COUNT
LENGTH = r"complete the one or the other"
FIRST = "is no box, so no tracker can start"
SIZE = "which has no size: mend its first row"
REFUSED = "pysot refuses a result of {} rows for an annotation of 4"
GAP = "1 frame in 1 sequence not annotated: no protocol scores them"
PARTIAL = "rows in which only some numbers are NaN"
INFINITE = "rows that are infinite"
BROKEN = "Boxes are NaN, infinite or without size in 1 of 1 sequences"

TEXTS: Sequence[Text] = (
    good("as it should be", GOOD),
    good("crlf", GOOD.replace("\n", "\r\n")),
    good("byte-order mark", b"\xef\xbb\xbf" + GOOD.encode()),
    good("byte-order mark and crlf", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()),
    good("no newline at the end", GOOD.rstrip()),
    good("blank lines at the end", GOOD + "\n\n \n"),
    good("blank lines at the start", "\n\n" + GOOD),
    good("tabs", GOOD.replace(",", "\t")),
    good("spaces", GOOD.replace(",", " ")),
    good("many spaces", GOOD.replace(",", "    ")),
    good("comma and space", GOOD.replace(",", ", ")),
    good("semicolons", GOOD.replace(",", ";")),
    good("comma, tab and space mixed", rows("3,4,10,8", "3\t4\t10\t8", "3 4 10 8", "3, 4\t10  8")),
    good("comma at the end of lines", GOOD.replace("\n", ",\n")),
    good("spaces around lines", GOOD.replace("\n", "  \n  ")),
    good("plus signs", four("+3,+4,+10,+8")),
    good("no digit before the point", four(".5,4,10,8")),
    good("no digit after the point", four("3.,4.,10.,8.")),
    good("exponents", four("3e0,4E0,1e+1,80e-1")),
    good("leading zeros", four("003,04,10,8")),
    good("too small for a float", four("1e-400,4,10,8")),
    good("300 digits behind the point", four(f"3.{'1' * 300},4,10,8")),
    good("negative place", four("-3,-4,10,8")),
    good("negative zero", four("-0,-0.0,10,8")),
    good("partly outside the image", four("25,18,10,8")),
    bad("blank line in the middle", rows(ROW, ROW, "", ROW, ROW), "line 3 of .* has 0 " + COUNT),
    bad("three numbers", four("3,4,10"), "line 1 of .* has 3 " + COUNT),
    bad("five numbers", four("3,4,10,8,0.9"), "line 1 of .* has 5 " + COUNT),
    Text(
        "a polygon", four("3,4,13,4,13,12,3,12"), (1, EIGHT), wrong(EIGHT),
        wrong("clip.txt holds polygons, 8 numbers in a row: score --boxes polygon takes their enclosing rectangles"),
    ),
    bad("one short row", rows(ROW, ROW, "3,4", ROW), "line 3 of .* has 2 " + COUNT),
    bad("one number per line", rows(*["3", "4", "10", "8"] * 4), "has 1 " + COUNT),
    bad("two commas together", four("3,,4,10,8").replace(",,", ",x,"), "has 5 " + COUNT),
    bad("a header", rows("x,y,w,h", ROW, ROW, ROW), "line 1 of .* holds 'x', " + NUMBER),
    bad("a comment", rows("# boxes,1,2,3", ROW, ROW, ROW), "line 1 of "),
    bad("words", four("a,b,c,d"), "holds 'a', " + NUMBER),
    bad("None", four("None,4,10,8"), "holds 'None', " + NUMBER),
    bad("quoted numbers", four('"3","4","10","8"'), "holds '\"3\"', " + NUMBER),
    bad("brackets", four("[3,4,10,8]"), r"holds '\[3', " + NUMBER),
    bad("underscores", four("1_0,4,10,8"), "holds '1_0', " + NUMBER),
    bad("hexadecimal", four("0x3,4,10,8"), "holds '0x3', " + NUMBER),
    bad("two signs", four("--3,4,10,8"), "holds '--3', " + NUMBER),
    bad("two exponents", four("3e1e1,4,10,8"), "holds '3e1e1', " + NUMBER),
    bad("Windows' NaN", four("1.#QNAN,4,10,8"), "holds '1.#QNAN', " + NUMBER),
    bad("a fraction", four("1/2,4,10,8"), "holds '1/2', " + NUMBER),
    bad("NUL bytes", GOOD.encode() + b"\0\0\0\0", "line 5 of .* has 1 " + COUNT),
    bad("zeros of a crashed disk", bytes(64), "line 1 of "),
    bad("UTF-16", GOOD.encode("utf-16"), "line 1 of "),
    bad("binary", bytes(range(256)), "line [12] of "),
    bad("latin-1 letters", b"\xe9,4,10,8\n" * 4, NUMBER),
    bad("a no-break space", four("3,4,10,8").replace("3,", "3\u00a0,"), NUMBER),
    bad("full-width commas", four("3，4，10，8"), "line 1 of "),
    bad("an error page", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "line 1 of "),
    bad("JSON", '{"boxes": [[3, 4, 10, 8]]}\n', "line 1 of "),
    bad("a JPEG", picture(), "line [0-9]+ of "),
    bad("a line of a million numbers", "1," * 1_000_000 + "\n", "has 1000000 " + COUNT),
    bad("a word of a megabyte", four("x" * 1_000_000 + ",4,10,8"), "holds 'x{40}', " + NUMBER),
    bad("old Mac line ends", GOOD.replace("\n", "\r"), "line 1 of .* has 16 " + COUNT),
    bad("vertical tabs", GOOD.replace(",", "\v"), "line 1 of .* has 1 " + COUNT),
    bad("more text than any annotation", "3,4,10,8\n" * 2_000_000, "more than 16 MiB"),
    Text("empty", "", (1, "holds no box"), wrong("holds no box"), wrong(REFUSED.format(0))),
    Text("blank", " \n\t\r\n", (1, "holds no box"), wrong("holds no box"), wrong(REFUSED.format(0))),
    Text("a row too few", rows(ROW, ROW, ROW), (1, LENGTH), wrong(LENGTH), wrong(REFUSED.format(3))),
    Text("a row too many", GOOD + ROW + "\n", (1, LENGTH), wrong(LENGTH), wrong(REFUSED.format(5))),
    Text("100,000 rows", GOOD * 25_000, (1, LENGTH), wrong(LENGTH), wrong(REFUSED.format(100000))),
    Text("one row", rows(ROW), (0, "first box alone"), RUN, wrong(REFUSED.format(1))),
    Text("NaN later", rows(ROW, "NaN,NaN,NaN,NaN", ROW, ROW), (0, GAP), RUN, (0, BROKEN)),
    Text("nan, -nan, NAN", rows(ROW, "nan,nan,nan,nan", "-nan,nan,nan,nan", "NAN,1,1,1"), (1, PARTIAL), RUN, (0, BROKEN)),
    Text("NaN first", rows("NaN,NaN,NaN,NaN", ROW, ROW, ROW), (0, "3 annotated frames"), RUN, (0, BROKEN)),
    Text("inf later", rows(ROW, "inf,4,10,8", ROW, "3,4,-inf,8"), (1, INFINITE), RUN, (0, BROKEN)),
    Text("inf first", rows("inf,4,10,8", ROW, ROW, ROW), (1, FIRST), wrong(SIZE), (0, BROKEN)),
    Text("Infinity", rows(ROW, "Infinity,4,10,8", ROW, ROW), (1, INFINITE), RUN, (0, BROKEN)),
    Text("too large for a float", rows(ROW, "1e400,4,10,8", ROW, ROW), (1, INFINITE), RUN, (0, BROKEN)),
    Text("400 digits", rows(ROW, f"{'9' * 400},4,10,8", ROW, ROW), (1, INFINITE), RUN, (0, BROKEN)),
    Text("30 digits", rows(ROW, f"{'9' * 30},4,10,8", ROW, ROW)),
    Text("huge boxes", rows(ROW, "3,4,1e300,1e300", ROW, ROW)),
    Text("a huge box first", rows("0,0,1e300,1e300", ROW, ROW, ROW)),
    Text("zero size later", rows(ROW, "3,4,0,0", ROW, ROW), (1, "zero or negative size"), RUN, (0, BROKEN)),
    Text("zero size first", rows("3,4,0,8", ROW, ROW, ROW), (1, FIRST), wrong(SIZE), (0, BROKEN)),
    Text("negative size later", rows(ROW, "3,4,-10,-8", ROW, ROW), (1, "zero or negative size"), RUN, (0, BROKEN)),
    Text("negative size first", rows("3,4,-10,8", ROW, ROW, ROW), (1, FIRST), wrong(SIZE), (0, BROKEN)),
    Text("outside the image at first", rows("100,100,10,8", ROW, ROW, ROW), (1, "lies outside its image")),
    Text("outside the image later", rows(ROW, "100,100,10,8", "-50,-50,10,8", ROW)),
)  # fmt: skip


def clip(place: Place, boxes: bytes | str, images: int = 4) -> None:
    """A sequence ``clip`` of small pictures with these boxes."""
    place.write("data/clip/groundtruth_rect.txt", boxes)
    for number in range(images):
        place.write(f"data/clip/img/{number + 1:04}.png", picture(".png", 32, 24))


def checking(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, data)
        return [["check", "--dataset", f"folder={place.input / 'data'}"]]

    return make


def tracking(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, data)
        data_set = f"folder={place.input / 'data'}"
        return [["track", "--tracker", "constant", "--dataset", data_set, "--store", place.store]]

    return make


def scoring(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, GOOD, images=0)
        place.write("results/Mine/clip.txt", data)
        return [["score", "--dataset", f"folder={place.input / 'data'}", "--results", str(place.input / "results")]]

    return make


CASES = tuple(
    case
    for text in TEXTS
    for case in (
        Case(f"annotation, checked: {text.name}", checking(text.data), *text.check),
        Case(f"annotation, tracked: {text.name}", tracking(text.data), *text.track),
        Case(f"result, scored: {text.name}", scoring(text.data), *text.score),
    )
)
