"""JSON of whoever is at the other end: as json.loads has it, at a bounded cost."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.wire.values import LARGEST_VALUE, NotJsonError, TooMuchError, is_list, read_entries, read_value

text = st.text(st.characters(exclude_categories=()), max_size=9)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), text)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)
containers = st.lists(scalars) | st.dictionaries(text, values)


@pytest.mark.slow
@given(st.lists(containers | st.just({"long": "é" * 9000}), max_size=9), st.booleans(), st.sampled_from([None, 1]))
def test_a_list_is_read_entry_by_entry_as_it_was_written(
    entries: list[object], plain: bool, indent: int | None
) -> None:
    """Whatever its spaces and escapes are, and wherever the reader's slices cut it."""
    body = b"\xef\xbb\xbf " + json.dumps(entries, ensure_ascii=plain, indent=indent).encode(errors="replace") + b" \n"
    assert list(read_entries(body)) == json.loads(body)
    assert read_value(body) == json.loads(body)
    assert is_list(body)


@pytest.mark.slow
@given(st.lists(containers, min_size=1, max_size=5), st.data())
def test_half_a_list_is_no_list(entries: list[object], data: st.DataObject) -> None:
    """Wherever it breaks off."""
    body = json.dumps(entries).encode()
    with pytest.raises(NotJsonError):
        list(read_entries(body[: data.draw(st.integers(1, len(body) - 1))]))


@pytest.mark.parametrize("body", [b"[1 2]", b"[1,]", b"[,]", b"[] []", b"[{}]x", b"[{} {}]", b"[{}", b"["])
def test_what_is_nearly_a_list_is_none(body: bytes) -> None:
    """No guess is made."""
    with pytest.raises(NotJsonError):
        list(read_entries(body))


def test_one_spoiled_entry_spoils_no_other() -> None:
    """Half a character, bytes that are no UTF-8, a number without an end, a pair of surrogates that is a character."""
    body = b'["\\ud83d", "\xff\xed\xa0\x80", ' + b"9" * 30000 + rb', "\ud83d\ude80", 12, "last"]'
    assert list(read_entries(body)) == ["\ud83d", "\udcff\udced\udca0\udc80", float("inf"), "🚀", 12, "last"]


@pytest.mark.parametrize("end", [b"", b".5", b"e+1", b"E-1", b".5e1"])
@pytest.mark.parametrize("most", [1024, 4096])
def test_a_number_is_read_to_its_end_wherever_it_stands(end: bytes, most: int) -> None:
    """Half of it would be another number."""
    for digits in range(most - 6, most + 2):
        body = b"[" + b"9" * digits + end + b", 1]"
        assert list(read_entries(body)) == [float("inf"), 1]


def test_a_value_may_have_as_many_bytes_as_are_read() -> None:
    """What stands behind it doesn't count."""
    longest = "x" * (LARGEST_VALUE - 2)
    assert list(read_entries(f'["{longest}", 1]'.encode())) == [longest, 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'["' + b"x" * LARGEST_VALUE + b'"]', "one value has more than 1048576 bytes"),
        (b"[" + b"1," * 200_001 + b"1]", "more than 200000 entries"),
    ],
)
def test_there_is_an_end_to_what_is_read(body: bytes, message: str) -> None:
    """Of depth, of one value, of their number."""
    with pytest.raises(TooMuchError, match=message):
        list(read_entries(body))


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["{},", "[[]],", "1,", '"",', " "])
def test_the_cost_of_60_megabytes_is_bounded(entry: str) -> None:
    """They take less than 200 MiB beside themselves, whatever they hold."""
    program = (
        "from reconciler.wire.values import *\n"
        f"body = b'[' + {entry!r}.encode() * (60_000_000 // {len(entry)})\n"
        "try:\n    list(read_entries(body))\nexcept (NotJsonError, TooMuchError):\n    print('refused')\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) // 1024)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    refused, mebibytes = ended.stdout.split()
    assert refused == "refused"
    assert int(mebibytes) < 60 + 200
