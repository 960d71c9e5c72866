"""Chunks of epochs."""

from types import SimpleNamespace

import pytest

from backpath.training import chunks


class Clock:
    """An engine of a millisecond per epoch, and its clock."""

    def __init__(self):
        self.now, self.costs, self.asked, self.converged, self.overflow = 0.0, [], [], False, None

    def run(self, epochs):
        self.asked.append(epochs)
        self.costs += [1.0] * epochs
        self.now += 0.001 * epochs


@pytest.fixture
def engine(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(chunks, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_a_chunk_takes_a_tenth_of_a_second(engine):
    assert [*chunks.in_chunks(engine, 250)] == [1, 100, 199, 250]
    assert engine.asked == [1, 99, 99, 51]


def test_every_epoch_may_be_a_chunk(engine):
    assert [*chunks.in_chunks(engine, 4, every_epoch=True)] == [1, 2, 3, 4]


def test_chunks_end_where_a_checkpoint_is_due(engine):
    looked = []
    part = SimpleNamespace(most=lambda done: 40 - done % 40, look=looked.append)
    assert [*chunks.in_chunks(engine, 100, part=part)] == [1, 40, 80, 100] == looked


@pytest.mark.parametrize("end", [{"converged": True}, {"overflow": 2}])
def test_chunks_end_with_training(engine, end):
    for done in chunks.in_chunks(engine, 1000):
        if done >= 100:
            vars(engine).update(end)
    assert len(engine.costs) == 100
    assert [*chunks.in_chunks(engine, 1000)] == []


def test_chunks_end_when_it_is_over(engine):
    assert [*chunks.in_chunks(engine, 1000, is_over=lambda: len(engine.costs) > 150)] == [1, 100, 199]
