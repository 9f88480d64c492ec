"""`lazy_property` computes once, and threads do not wait for one another."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, dataclass

import pytest

from sklearn_amortlda.runtime.lazy import lazy_property


@dataclass(frozen=True)
class Square:
    side: int

    @lazy_property
    def area(self):
        """A new list with the area."""
        return [self.side**2]


def test_value_is_computed_once_for_each_instance():
    small, large = Square(2), Square(3)
    assert small.area == [4] and large.area == [9]
    assert small.area is small.area
    with pytest.raises(FrozenInstanceError):
        small.area = 3


def test_instances_do_not_wait_for_one_another():
    barrier = threading.Barrier(2, timeout=10)

    class Waiting:
        @lazy_property
        def order(self):
            return barrier.wait()

    with ThreadPoolExecutor(2) as pool:
        orders = pool.map(lambda instance: instance.order, [Waiting(), Waiting()])
        assert sorted(orders) == [0, 1]
