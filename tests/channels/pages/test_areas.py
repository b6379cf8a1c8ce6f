"""The areas of the site, which tell shared pages their layout and links."""

import pytest
from django.test import RequestFactory

from channels.pages.areas import area_of
from customers.models import User


@pytest.mark.parametrize("path", ["/console/", "/console/nowhere/", "/admin/customers/"])
def test_pages_of_staff_belong_to_the_console(path):
    area = area_of(RequestFactory().get(path))

    assert (area.home_url, area.preferences_url, area.language) == ("/console/", "", "en")


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/consoles/", "/u/token/"])
def test_all_other_pages_belong_to_the_portal(path):
    area = area_of(RequestFactory().get(path))

    assert (area.home_url, area.preferences_url, area.language) == ("/", "/preferences/", "")


@pytest.mark.django_db
def test_unsubscribe_page_links_to_the_preferences_in_the_layout_of_the_portal(client):
    page = client.get("/u/unknown/").text

    assert '<a href="/preferences/">' in page
    assert '<a class="logo" href="/">' in page
    assert 'action="/language/"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("is_staff", [True, False])
def test_only_staff_without_a_record_get_a_link_to_the_console(client, is_staff):
    client.force_login(User.objects.create_user("lin@example.com", is_staff=is_staff))

    assert ('<a href="/console/">' in client.get("/").text) is is_staff
