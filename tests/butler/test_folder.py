import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from butler.models import Automation, AutomationVersion
from customers.models import Notice, Purpose, Topic

PARK = Path(__file__).parents[2] / "examples" / "themepark" / "automations"

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
    told = load(PARK)

    assert re.search(r"visit-reminder +v1 +new +draft", told)
    assert set(AutomationVersion.objects.values_list("status", flat=True)) == {"draft"}
    assert Purpose.objects.get(key="offers").texts["nl"]["name"] == "Aanbiedingen"
    assert Notice.objects.filter(purpose="offers").count() == 4
    assert Topic.objects.get(key="rides").texts["sv"]["name"].startswith("Attraktioner")
    assert re.search(r"visit-reminder +v1 +same +draft", load(PARK))
    assert AutomationVersion.objects.count() == len(list(PARK.glob("*.toml"))) - 2


def test_what_is_approved_by_name_can_go_live_at_once():
    load(PARK)
    told = load(PARK, "--approve-as", "Lin")
    assert re.search(r"receipt +v1 +same +approved", told)

    load(PARK, "--approve-as", "Lin", "--live")

    versions = AutomationVersion.objects.all()
    assert {(one.status, one.approved_by) for one in versions} == {("live", "Lin")}
    # Again it leaves alone what somebody paused meanwhile.
    versions.filter(automation="offer").update(status="paused")
    load(PARK, "--approve-as", "Lin", "--live")
    assert AutomationVersion.objects.get(automation="offer").status == "paused"


def test_nobody_goes_live_without_a_name():
    with pytest.raises(CommandError, match="--approve-as"):
        load(PARK, "--live")


def test_a_dry_run_writes_nothing():
    assert "without fault" in load(PARK, "--dry-run")
    assert not Automation.objects.exists()
    assert not Purpose.objects.filter(key="offers").exists()


def test_everything_wrong_is_told_with_its_file_and_nothing_is_loaded(copy):
    (copy / "receipt.toml").write_text("key = ")
    (copy / "purposes.toml").write_text('[[purpose]]\nkey = "offers"\n')
    (copy / "topics.toml").write_text('[[subject]]\nkey = "orders"\n')

    with pytest.raises(CommandError) as error:
        load(copy)

    told = str(error.value)
    assert re.search(r"receipt\.toml: : no TOML", told)
    assert re.search(r"purposes\.toml: purpose\.0: .*kind", told)
    assert re.search(r"topics\.toml: subject: there is no such table", told)
    assert "nothing was loaded" in told
    assert not Automation.objects.exists()


def test_faults_of_texts_are_told_all_at_once(copy):
    reminder = (copy / "visit-reminder.toml").read_text()
    (copy / "visit-reminder.toml").write_text(reminder.replace("order.visit_time", "order.time"))
    offer = (copy / "offer.toml").read_text()
    (copy / "offer.toml").write_text(offer.replace('purpose = "offers"', 'purpose = "nothing"'))

    with pytest.raises(CommandError) as error:
        load(copy, "--dry-run")

    assert "visit-reminder.toml: steps.0.texts.sv.text: nothing is called order.time" in str(
        error.value
    )
    assert "offer.toml: purpose:" in str(error.value)


def test_a_folder_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(CommandError, match="no such folder"):
        load(tmp_path / "nowhere")
