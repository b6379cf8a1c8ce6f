"""A layout of an automation's own: what could run, load or take long is no layout."""

import pytest

from butler.messages.templating import InvalidTemplate
from tests.butler.messages.test_render import rendered


@pytest.mark.parametrize(
    "inside",
    [
        "<mj-text><script>alert(1)</script></mj-text>",
        "<mj-raw><iframe src='https://example.com'></iframe></mj-raw>",
        '<mj-text><a href="{{ customer.traits.page }}">x</a></mj-text>',
        '<mj-button href="{{ customer.first_name }}">x</mj-button>',
        '<mj-image src="{{ customer.traits.photo }}" />',
        '<mj-image src="http://example.com/pixel.gif" />',
        '<mj-text><p style="color:{{ customer.first_name }}">x</p></mj-text>',
        "<mj-text><p title={{customer.first_name}}>x</p></mj-text>",
        '<mj-text><p onclick="x()">x</p></mj-text>',
        '<mj-text><a href="javascript:alert(1)">x</a></mj-text>',
        "<mj-raw><style>p { color: {{ customer.first_name }} }</style></mj-raw>",
        "<mj-include path='/etc/passwd' />",
        "<mj-include path='https://example.com/x.html' type='html' />",
        "<mj-text>",
        "<mj-text><{{ customer.first_name }}></mj-text>",
        "<mj-text>{{ '<' }}script{{ '>' }}</mj-text>",
        "<mj-text>" + "<b>" * 20_000 + "</b>" * 20_000 + "</mj-text>",
        "<mj-text>" + "x" * 60_000 + "</mj-text>",
        "<mj-text>x</mj-text>" * 201,
        "<mj-raw><meta http-equiv='Refresh' content='0;url=https://example.com'></mj-raw>",
        "<mj-raw><link rel='stylesheet' href='https://example.com/x.css'></mj-raw>",
        "<mj-raw><style>@import 'https://example.com/x.css';</style></mj-raw>",
        "<mj-raw><style>p { background: url(data:image/png;base64,x) }</style></mj-raw>",
        "<mj-text><p style='width: expression(alert(1))'>x</p></mj-text>",
        "<mj-raw><!--[if mso]><script>alert(1)</script><![endif]--></mj-raw>",
        "<mj-raw><!--[if mso]><p onclick='x()'>x</p><![endif]--></mj-raw>",
        "<mj-text><video autoplay src='https://example.com/x'></video></mj-text>",
    ],
)
def test_layout_in_which_a_value_could_run_code_is_refused(inside):
    mjml = (
        f"<mjml><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>"
    )

    with pytest.raises(InvalidTemplate):
        rendered("Hello.", "email", mjml=mjml)


@pytest.mark.parametrize(
    "head",
    [
        "<mj-include path='/etc/passwd' />",
        "<mj-include path='file:///etc/passwd' type='css' />",
        "<mj-font name='E' href='https://example.com/x.css' />"
        "<mj-attributes><mj-all font-family='E' /></mj-attributes>",
        "<mj-style>@import url(https://example.com/x.css);</mj-style>",
        "<mj-style>p { color: {{ customer.first_name }} }</mj-style>",
    ],
)
def test_layout_head_with_external_content_is_refused(head):
    mjml = f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>"

    with pytest.raises(InvalidTemplate):
        rendered("Hello.", "email", mjml=mjml)


@pytest.mark.parametrize("declared", ["<!ENTITY a SYSTEM 'file:///etc/passwd'>", "<!ENTITY a 'x'>"])
def test_layout_with_a_doctype_is_refused(declared):
    body = "<mj-body><mj-section><mj-column><mj-text>&a;</mj-text></mj-column></mj-section>"

    with pytest.raises(InvalidTemplate, match="is not MJML"):
        rendered("Hello.", "email", mjml=f"<!DOCTYPE x [{declared}]><mjml>{body}</mj-body></mjml>")


def test_background_image_over_https_is_permitted():
    mjml = "<mjml><mj-body><mj-section background-url='https://larkmoor.example/park.jpg'><mj-column><mj-text>{{ subject }}</mj-text></mj-column></mj-section></mj-body></mjml>"

    assert "park.jpg" in rendered("Hello.", "email", mjml=mjml).html
