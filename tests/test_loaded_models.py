"""Tests of models that several users ask for at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from cmkt_plugin.loading import loaded_models
from cmkt_plugin.loading.loaded_models import LoadedModels


def test_a_model_that_is_there_does_not_wait_for_another(monkeypatch):
    loading, go_on, opened = threading.Event(), threading.Event(), []

    def open_slowly(source, **options):
        opened.append(source)
        if source == "b/slow":
            loading.set()
            assert go_on.wait(20)
        return Mock(sample_rate=16000)

    monkeypatch.setattr(loaded_models, "open_model", open_slowly)
    models = LoadedModels(["a/fast", "b/slow", "c/new"])
    there = models["a/fast"]
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(models.__getitem__, "b/slow") for _ in range(2)]
        assert loading.wait(20)
        others = [
            pool.submit(lambda n: models[n], n) for n in ("a/fast", "c/new")
        ]
        try:
            assert others[0].result(timeout=10) is there
            assert others[1].result(timeout=10) is models["c/new"]
        finally:
            go_on.set()
        assert slow[0].result(20) is slow[1].result(20)
    assert sorted(opened) == ["a/fast", "b/slow", "c/new"]
    with pytest.raises(KeyError):
        models["d/none"]
