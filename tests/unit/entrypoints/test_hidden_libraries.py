"""A library that is hidden while another one is imported."""

import importlib
import sys

import pytest

from entrypoints.hidden_libraries import hidden


def test_a_hidden_library_cannot_be_imported_in_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modules neither; others can, and afterwards it can again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "wsgiref"]:
        monkeypatch.delitem(sys.modules, name)
    before = list(sys.meta_path)
    with hidden("wsgiref"):
        for name in ("wsgiref", "wsgiref.util"):
            with pytest.raises(ModuleNotFoundError, match="No module named 'wsgiref'"):
                importlib.import_module(name)
        importlib.import_module("colorsys")
    assert sys.meta_path == before
    importlib.import_module("wsgiref.util")


def test_a_library_that_is_imported_already_is_not_hidden() -> None:
    """Whoever uses it goes on to."""
    with hidden("json"):
        assert importlib.import_module("json") is sys.modules["json"]


def test_an_error_in_the_block_ends_it() -> None:
    """Nothing stays hidden."""
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), hidden("json"):
        _ = 1 / 0
    assert sys.meta_path == before
