import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from butler.models import Automation, AutomationVersion
from customers.models import Notice, Purpose, Topic, User
from tests import staff

PARK = Path(__file__).parents[3] / "examples" / "themepark" / "automations"

pytestmark = pytest.mark.django_db


def load(*args):
    out = StringIO()
    call_command("load_automations", *map(str, args), stdout=out)
    return out.getvalue()


@pytest.fixture
def copy(tmp_path):
    """A folder of one's own with the automations of the park."""
    for file in PARK.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def test_a_folder_is_loaded_as_drafts_and_again_without_change():
    output = load(PARK)

    assert re.search(r"visit-reminder +v1 +new +draft", output)
    assert set(AutomationVersion.objects.values_list("status", flat=True)) == {"draft"}
    assert Purpose.objects.get(key="offers").texts["nl"]["name"] == "Aanbiedingen"
    assert Notice.objects.filter(purpose="offers").count() == 4
    assert Topic.objects.get(key="rides").texts["sv"]["name"].startswith("Attraktioner")
    assert re.search(r"visit-reminder +v1 +same +draft", load(PARK))
    assert AutomationVersion.objects.count() == len(list(PARK.glob("*.toml"))) - 2


def test_version_approved_by_a_login_can_go_live_in_the_same_command():
    lin = staff.colleague("manager", "Lin")
    load(PARK)
    output = load(PARK, "--approve-as", lin.email)
    assert re.search(r"receipt +v1 +same +approved", output)

    load(PARK, "--approve-as", lin.email, "--live")

    versions = AutomationVersion.objects.all()
    assert {
        (version.status, version.approved_by, version.approved_by_login) for version in versions
    } == {("live", "Lin", lin.pk)}
    # A second load changes no automation that staff paused in the meantime.
    versions.filter(automation="offer").update(status="paused")
    load(PARK, "--approve-as", lin.email, "--live")
    assert AutomationVersion.objects.get(automation="offer").status == "paused"


def test_author_cannot_approve_and_no_version_goes_live():
    lin = staff.colleague("manager", "Lin")

    with pytest.raises(CommandError, match="The author of a version cannot approve it"):
        load(PARK, "--by", lin.email, "--approve-as", lin.email.upper(), "--live")

    assert set(AutomationVersion.objects.values_list("status", flat=True)) == {"draft"}
    assert set(AutomationVersion.objects.values_list("loaded_by_login", flat=True)) == {lin.pk}


@pytest.mark.parametrize("option", ["--by", "--approve-as"])
def test_author_and_approver_must_be_active_staff(option):
    guest = User.objects.create_user("noor@example.com")

    for nobody in (guest.email, "Lin"):
        with pytest.raises(CommandError, match="no active staff member"):
            load(PARK, option, nobody)


def test_staff_member_without_the_permission_cannot_approve():
    sam = staff.colleague("desk")

    with pytest.raises(CommandError, match="cannot approve versions"):
        load(PARK, "--approve-as", sam.email)


def test_live_option_requires_an_approver():
    with pytest.raises(CommandError, match="--approve-as"):
        load(PARK, "--live")


def test_dry_run_writes_no_row():
    assert "are valid" in load(PARK, "--dry-run")
    assert not Automation.objects.exists()
    assert not Purpose.objects.filter(key="offers").exists()


def test_every_problem_is_reported_with_its_file_and_no_file_is_loaded(copy):
    (copy / "receipt.toml").write_text("key = ")
    (copy / "purposes.toml").write_text('[[purpose]]\nkey = "offers"\n')
    (copy / "topics.toml").write_text('[[subject]]\nkey = "orders"\n')

    with pytest.raises(CommandError) as error:
        load(copy)

    error_text = str(error.value)
    assert re.search(r"receipt\.toml: : is not TOML", error_text)
    assert re.search(r"purposes\.toml: purpose\.0: .*kind", error_text)
    assert re.search(r"topics\.toml: subject: there is no such table", error_text)
    assert "loaded no file" in error_text
    assert not Automation.objects.exists()


def test_all_problems_of_texts_are_reported_together(copy):
    reminder = (copy / "visit-reminder.toml").read_text()
    (copy / "visit-reminder.toml").write_text(reminder.replace("order.visit_time", "order.time"))
    offer = (copy / "offer.toml").read_text()
    (copy / "offer.toml").write_text(offer.replace('purpose = "offers"', 'purpose = "nothing"'))

    with pytest.raises(CommandError) as error:
        load(copy, "--dry-run")

    assert "visit-reminder.toml: steps.0.texts.sv.text: there is no value order.time" in str(
        error.value
    )
    assert "offer.toml: purpose:" in str(error.value)


def test_missing_folder_is_reported(tmp_path):
    with pytest.raises(CommandError, match="no such folder"):
        load(tmp_path / "nowhere")
