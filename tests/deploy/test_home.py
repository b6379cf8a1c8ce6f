"""The data folder: one at a time, private, and nothing of others is changed."""

import os
import stat

import pytest

from deploy.local.home import Home
from deploy.local.refusal import Refusal


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_is_there_keeps_its_mode(home):
    home.mkdir(mode=0o750)

    Home(home).place("postgres")

    assert mode(home) == 0o750 or os.geteuid() != 0
    assert home.stat().st_uid == os.geteuid()


def test_places_and_keys_are_private(home):
    opened = Home(home)

    place = opened.place("postgres")
    key = opened.secret_key_file()

    assert mode(place) == 0o700
    assert place.stat().st_uid == opened.account.uid
    assert mode(key) == 0o600
    assert opened.secret_key_file().read_text() == key.read_text()


def test_a_link_to_data_that_is_gone_is_explained(home):
    opened = Home(home)
    (home / "postgres").symlink_to(home.parent / "gone")

    with pytest.raises(Refusal, match="which is gone"):
        opened.place("postgres")


def test_a_copied_home_does_not_share_the_data_of_the_first(home):
    first = Home(home)
    place = first.place("postgres")
    first.claim(place)
    copy = Home(home.with_name("copy"))
    (copy.path / "postgres").symlink_to(place)

    with pytest.raises(Refusal, match="in use by a Butler with another BUTLER_HOME"):
        copy.claim(copy.place("postgres"))


def test_a_second_one_is_told_to_go_elsewhere(home):
    first = Home(home)
    first.lock()
    first.tell({"DATABASE_URL": "postgresql://…"})

    with pytest.raises(Refusal, match=f"already runs in {home}"):
        Home(home).lock()


def test_one_that_is_ending_is_waited_for(home):
    ending = Home(home)
    ending.lock()

    with pytest.raises(Refusal):
        Home(home).lock(patience=0.3)
    os.close(ending.lock_fd)

    Home(home).lock(patience=0.3)


def test_what_is_told_is_read_back_and_private(home):
    opened = Home(home)

    opened.tell({"REDIS_URL": "unix:///x"})

    assert opened.told()["REDIS_URL"] == "unix:///x"
    assert mode(home / "services.json") == 0o600
    opened.untell()
    assert opened.told() == {}


def test_a_home_that_cannot_be_made_is_explained(home):
    home.parent.joinpath("file").touch()

    with pytest.raises(Refusal, match="Set BUTLER_HOME"):
        Home(home.parent / "file" / "home")


def test_a_temporary_home_takes_what_it_has_outside_with_it(home):
    opened = Home(home)
    outside = home.parent / "outside"
    outside.mkdir()
    (home / "run").symlink_to(outside)

    opened.remove()

    assert not home.exists()
    assert not outside.exists()
