"""Parts of a card are text and leave as text, however hostile."""

from journeylab.base.html import heading, listing, quotation

HOSTILE = "<script>alert('x')</script>"
SHOWN = "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;"


def test_headings_and_lists_are_escaped():
    assert heading(HOSTILE) == f"<h4>{SHOWN}</h4>"
    assert listing(["a", HOSTILE]) == f"<ul><li>a</li><li>{SHOWN}</li></ul>"


def test_a_quotation_is_escaped_and_finds_its_own_direction():
    assert quotation(HOSTILE, origin="<b>chat</b>, 2025-03") == (
        f'<blockquote class="jl-quote"><p dir="auto">“{SHOWN}”</p>'
        "<footer>&lt;b&gt;chat&lt;/b&gt;, 2025-03</footer></blockquote>"
    )
