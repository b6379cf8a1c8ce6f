"""Pairs and times of links: the same, whichever end or source came first."""

from customers.identity.links import LinkTime, equal_number_time, pair_of
from tests.customers.identity.statements import day


def test_pair_has_the_smaller_id_first():
    assert pair_of(1, 2) == pair_of(2, 1) == (1, 2)


def test_time_of_equal_numbers_does_not_depend_on_which_source_came_first():
    assert equal_number_time(7, 8) == equal_number_time(8, 7)
    assert equal_number_time(7, 8) != equal_number_time(7, 9)


def test_time_of_two_statements_has_the_earliest_and_the_last():
    early, late = LinkTime(day(1), 9, day(2)), LinkTime(day(3), 4, day(3))

    assert early.including(late) == late.including(early) == (day(1), 9, day(3))


def test_arrival_decides_between_statements_of_one_moment():
    first, second = LinkTime(day(1), 4, day(1)), LinkTime(day(1), 9, day(1))

    assert second.including(first).arrival == 4
