"""Names that say something, and one name that must stay ours."""

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

import pytest

from tests.architecture.tree import ROOT, files

SAYS_NOTHING = {"common", "handlers", "helpers", "managers", "misc", "services", "signals", "utils"}


def test_django_channels_is_not_installed():
    """Our own channels/ would shadow it: whichever comes first on sys.path wins."""
    with pytest.raises(PackageNotFoundError):
        distribution("channels")


def test_channels_is_our_own_folder():
    assert list(find_spec("channels").submodule_search_locations) == [str(ROOT / "channels")]
    assert find_spec("channels.http") is None


def test_no_module_has_a_name_that_says_nothing():
    # deploy.local.services starts PostgreSQL and Valkey: those are services by name.
    nameless = [path for path in files("*.py") if path.stem in SAYS_NOTHING or _in_such(path)]

    assert nameless in ([], [ROOT.joinpath("deploy/local/services.py").relative_to(ROOT)])


def _in_such(path):
    return bool(SAYS_NOTHING & set(path.parts[:-1]))
