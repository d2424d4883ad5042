"""Freed memory goes back to the system, where the C library can do that."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path

import pytest

from teleport_email.daemon import heap


def resident() -> int:
    """Of this process, KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_freed_memory_goes_back() -> None:
    blocks = [bytearray(3000) for _ in range(20_000)]
    pin = blocks.pop()  # what lies above the others keeps the C library from giving anything back by itself
    blocks.clear()
    before = resident()
    heap.give_back()
    assert before - resident() > 30_000
    assert len(pin) == 3000


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    heap.give_back()


def test_what_is_there_for_good_is_collected_no_more() -> None:
    before = gc.get_freeze_count()
    try:
        heap.settle()
        assert gc.get_freeze_count() > before + 1000
        assert len(gc.get_objects()) < 1000
    finally:
        gc.unfreeze()
