"""The data folder: one at a time, private, and nothing of others is changed."""

import os
import stat

import pytest

from deploy.local.errors import SetupError
from deploy.local.home import Home


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_existing_folder_keeps_its_mode(home):
    home.mkdir(mode=0o750)

    Home(home).service_folder("postgres")

    assert mode(home) == 0o750 or os.geteuid() != 0
    assert home.stat().st_uid == os.geteuid()


def test_service_folders_and_keys_are_private(home):
    opened = Home(home)

    place = opened.service_folder("postgres")
    key = opened.secret_key_file()

    assert mode(place) == 0o700
    assert place.stat().st_uid == opened.account.uid
    assert mode(key) == 0o600
    assert opened.secret_key_file().read_text() == key.read_text()


def test_link_to_missing_data_is_explained(home):
    opened = Home(home)
    (home / "postgres").symlink_to(home.parent / "gone")

    with pytest.raises(SetupError, match="which does not exist any more"):
        opened.service_folder("postgres")


def test_copied_home_does_not_share_the_data_of_the_first(home):
    first = Home(home)
    place = first.service_folder("postgres")
    first.lock_folder(place)
    copy = Home(home.with_name("copy"))
    (copy.path / "postgres").symlink_to(place)

    with pytest.raises(SetupError, match="A Butler with another BUTLER_HOME uses"):
        copy.lock_folder(copy.service_folder("postgres"))


def test_second_supervisor_in_one_home_is_refused(home):
    first = Home(home)
    first.lock()
    first.write_services({"DATABASE_URL": "postgresql://…"})

    with pytest.raises(SetupError, match=f"already runs in {home}"):
        Home(home).lock()


def test_lock_waits_for_a_supervisor_that_is_ending(home):
    ending = Home(home)
    ending.lock()

    with pytest.raises(SetupError):
        Home(home).lock(timeout=0.3)
    os.close(ending.lock_fd)

    Home(home).lock(timeout=0.3)


def test_services_file_is_private_and_read_back(home):
    opened = Home(home)

    opened.write_services({"REDIS_URL": "unix:///x"})

    assert opened.read_services()["REDIS_URL"] == "unix:///x"
    assert mode(home / "services.json") == 0o600
    opened.remove_services()
    assert opened.read_services() == {}


def test_home_that_cannot_be_created_is_explained(home):
    home.parent.joinpath("file").touch()

    with pytest.raises(SetupError, match="Set BUTLER_HOME"):
        Home(home.parent / "file" / "home")


def test_removed_home_removes_its_outside_folders(home):
    opened = Home(home)
    outside = home.parent / "outside"
    outside.mkdir()
    (home / "run").symlink_to(outside)

    opened.remove()

    assert not home.exists()
    assert not outside.exists()
