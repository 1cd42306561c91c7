"""Marks of page generators are no text of the page; what they wrap is, and code and maths stay as they are."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import Extracted
from ingest.extract import extract
from ingest.extractors.page_source import clean_source


def read(text: str, name: str = "a.md") -> Extracted:
    return extract(text.encode(), filename=name)


def shown(text: str, name: str = "a.md") -> list[str]:
    return [block.text for block in read(text, name).blocks]


TAGGED = {
    # Liquid, Jinja, Django
    "{% include nav.html %}\nText.": ["Text."],
    "{%- if user -%}Yours.{%- else -%} Theirs.{%- endif -%}": ["Yours. Theirs."],
    "Ask in {% slack_channel \"travel-help\" %} or {% trans 'by mail' %}.": ["Ask in travel-help or by mail."],
    '{% alert "Heads up!" %}\nNew rules.\n{% endalert %}': ["Heads up!", "New rules."],
    '{% include figure.html src="a/b.png" caption="How it flows" class="wide" %}': ["How it flows"],
    "See {% image 'img/a.png' %}the plan.": ["See the plan."],
    "One.{% comment %}Not `yet`{% endcomment %} Two.{# nor this #}": ["One. Two."],
    "{% raw %}{{ kept }}{% endraw %} and {{ page.gone }}.": ["{{ kept }} and ."],
    '{% for x in y %}\nWhile {{ x }} {{ "literal" }}.\n{% endfor %}': ["While literal."],
    "{% highlight ruby %}\nputs {{ x }}\n{% endhighlight %}": ["puts {{ x }}"],
    "<table>\n<tr><td>\n{% if a %}\n<b>Cell</b>\n{% endif %}\n</td></tr>\n</table>": ["Cell"],
    # Hugo
    "{{< note >}}Bring cash.{{< /note >}}": ["Bring cash."],
    '{{% expand title="Who pays?" %}}\nWe do.\n{{% /expand %}}': ["Who pays?", "We do."],
    '{{< figure src="a.png" title="The plan" >}}': ["The plan"],
    '{{< youtube "dQw4w9WgXcQ" >}}\nText.': ["Text."],
    '{{< highlight go "linenos=table" >}}\na{{b}}\n{{< /highlight >}}': ["a{{b}}"],
    # Values
    "{{generator:team_list}}\n\nText.": ["Text."],
    "{% if x %}{% endif %}Mail {{site.mail}} today.": ["Mail  today."],
    "[the rules]({{ site.base }}/rules) bind": ["the rules bind"],
    '[the rules]({% page "/rules/#all" %}), [more][m]\n[m]: {% page "m" %}': ["the rules, more"],
    '<a href="{% link rules.md %}">the rules</a>': ["the rules"],
}


@pytest.mark.parametrize(("source", "expected"), TAGGED.items())
def test_tags_are_taken_out_and_what_they_wrap_stays(source: str, expected: list[str]) -> None:
    assert shown(source) == [" ".join(text.split()) if "\n" not in text else text for text in expected]


MARKED = {
    "## Pay {#pay .lead}\n\nText.": ["Pay", "Text."],
    "Seen on 3 May. {#day-of-it} And then.": ["Seen on 3 May. And then."],
    'Go [here](a.md){:target="_blank"} or ![there](b.png){width=50%}\n{: .note}': ["Go here or there"],
    "| A | B |\n|---|---|\n| 1 | 2 |\n{: .table .wide}": ["A: 1; B: 2"],
    "* replaced\n{:toc}\n\nText.": ["Text."],
    "[[_TOC_]]\n\n[TOC]\n\n{{toc}}\n\nText.": ["Text."],
    ":::note[Mind this]\nText.\n:::": ["Mind this", "Text."],
    "::: warning Careful now\nText.\n:::": ["Careful now", "Text."],
    '!!! note "Careful"\n    One.\n\n    Two.\n\nThree.': ["Careful", "One.", "Two.", "Three."],
    '=== "On a Mac"\n\n    - press\n    - hold\n': ["On a Mac", "- press\n- hold"],
    "!!! tip\n    !!! warning\n        Deep.": ["Deep."],
    "> [!NOTE]\n> Text.\n\n> [!WARNING] More.": ["Text.", "More."],
    "Said[^1] so.[^n]\n\n[^1]: By us.\n[^n]: https://example.org/a": ["Said so.", "By us.", "https://example.org/a"],
    "See [here](#The first part) or ![a plan](my plan.png).": ["See here or a plan."],
    "See [[Travel rules|the rules]] and [[Pay]] ![[plan.png]].": ["See the rules and Pay ."],
    "A [thing][#thing] and [b][ref]\n[ref]: https://example.org": ["A thing and b"],
    "**Note: **be there, and** **go.": ["Note: be there, and go."],
    "import Tabs from '@theme/Tabs';\nimport {A, B} from './x'\n\nexport const meta = {\n  a: 1,\n}\n\nText.": [
        "Text."
    ],
    "{/* draft */}Text.": ["Text."],
    "Text.{::comment}later{:/comment} More.": ["Text. More."],
    '<Tabs\n  values={[\n    {label: "Mac", value: {a: 1}},\n  ]}>\n\nInside.\n\n</Tabs>': ["Inside."],
    '(place)=\n::: app.module\n\nText.\n\n--8<-- "part.md"': ["Text."],
    "Click ![the gear](gear.png) twice.": ["Click the gear twice."],
    "<h3><button>Step 1</button></h3>\n\nText.": ["Step 1", "Text."],
}


@pytest.mark.parametrize(("source", "expected"), MARKED.items())
def test_marks_of_markdown_dialects_are_taken_out_and_their_text_stays(source: str, expected: list[str]) -> None:
    assert shown(source) == expected


KEPT = [
    "Use {{name}} in your letter",
    "Write {{contact.name}} there",
    "Runs as ${{ github.run_id }} there",
    r"So $\frac{{a}}{{b}}$ and $$x_{{i}}$$ hold, as does {a, b}",
    "A list[0][1] of [1], (see [2]) and 100 %} of it",
    "Wait!!! No ::: really === so",
    "Import duties from abroad",
    "import duties from the north",
    "export controls apply",
    "Matrix [[1, 2], [3, 4]] and x[[i]]",
    "GET /users/{:id} and {id}",
    "[x] done, [ ] open",
    "f(x)= y for all x",
    "Cost: {low: 1}",
]


@pytest.mark.parametrize("text", KEPT)
def test_text_that_only_looks_so_stays(text: str) -> None:
    assert shown(text) == [text]


@pytest.mark.parametrize("mark", [*TAGGED, *MARKED])
def test_code_is_kept_to_the_letter(mark: str) -> None:
    """In a fenced block, in an indented one, in one of a list, and in a span if it has one line."""
    indented = "\n".join(f"    {line}" for line in mark.split("\n"))
    blocks = read(
        f"{{% if x %}}\n\n~~~~\n{mark}\n~~~~\n\nText.\n\n{indented}\n\n- Item\n\n  ~~~~\n  x {{{{ a.b }}}}\n  ~~~~"
    ).blocks
    wanted = mark.strip("\n")
    assert [b.text for b in blocks if b.kind == "code"] == [wanted, wanted, "x {{ a.b }}"]
    if "\n" not in mark and "`" not in mark:
        assert shown(f"{{% if x %}}Say `` {mark} `` so.") == [f"Say {mark.strip()} so."]


@pytest.mark.parametrize("name", ["a.txt", "a.rst", "a.csv"])
def test_plain_text_has_no_marks(name: str) -> None:
    text = "Use {{name}} and {% tag %} in {{< it >}}"
    assert text in " ".join(shown(text, name))


words = st.text(string.ascii_letters + "éß日本", min_size=1, max_size=9) | st.sampled_from(
    "{x} {a,b} {{name}} 100% $5 [1] (a) a:b :: !!! ??? ... 3:4 # ^ ~ } { ]] {} ${x} ${{x}} a/b C++ {1} |".split()  # noqa: SIM905  # as it is read
)


@given(st.lists(words, min_size=1, max_size=40).map(" ".join))
def test_prose_without_marks_passes_unchanged(prose: str) -> None:
    assert clean_source(f"A {prose} z", templated=False) == (f"A {prose} z", {})


@given(st.text("{}%<>[]()!:#`$*_\\^=~ab \n\t\"'.-", max_size=200), st.booleans())
def test_any_text_is_cleaned_without_an_error_and_gains_no_letters(text: str, templated: bool) -> None:
    cleaned, _ = clean_source(text, templated=templated)
    # `x` stands for the target of a link.
    assert cleaned.count("a") <= text.count("a")
    assert cleaned.count("b") <= text.count("b")


FIELDS = {"title": "Leave: who gets it", "draft": True, "tags": ["a"], "owner": "People team", "weight": 3}
FRONT = [
    "---\ntitle: 'Leave: who gets it'\ndraft: true\ntags: [a]\nowner: People team\nweight: 3\n---\n",
    "---\ntitle: Leave: who gets it\ntags:\n  - a\nowner: People team\n---\n",  # no YAML, and what people write
    '+++\ntitle = "Leave: who gets it"\nowner = "People team"\n[menu.main]\nweight = 3\n+++\n',
    json.dumps(FIELDS, indent=2) + "\n\n",
]


@pytest.mark.parametrize("front", FRONT)
@pytest.mark.parametrize(("name", "body"), [("a.md", "# Heading\n\nText."), ("a.html", "<h1>Heading</h1><p>Text.</p>")])
def test_front_matter_names_the_page_and_leaves_only_facts(front: str, name: str, body: str) -> None:
    found = read(front + body, name)
    assert found.title == "Leave: who gets it"
    assert [block.text for block in found.blocks] == ["Owner: People team", "Heading", "Text."]


def test_a_description_is_text_without_its_key() -> None:
    assert shown("---\ntitle: T\ndescription: How it works.\nquestions: ['#help']\n---\nText.") == [
        "How it works.\nQuestions: #help",
        "Text.",
    ]


@pytest.mark.parametrize("text", ["---\n\nText", "+++\nText", '{"a": 1} text', "{curly} text", "---\n- a\n- b\n---\n"])
def test_what_is_no_front_matter_stays(text: str) -> None:
    assert "".join(shown(text)).split()[-1] == text.replace("-", " ").split()[-1]


def test_html_that_no_generator_reads_is_left_alone() -> None:
    assert shown("<p>Use {{name.x}} and {% tag %}</p>", "a.html") == ["Use {{name.x}} and {% tag %}"]
    template = "{% extends 'base.html' %}{% block a %}<p>Hi {{ user.name }}</p><pre>{{ x.y }}</pre>{% endblock %}"
    assert shown(template, "a.html") == ["Hi", "{{ x.y }}"]


def test_comments_of_templates_are_counted_as_hidden() -> None:
    assert read("Text{% comment %}later{% endcomment %} <!-- that --> here.").hidden == {"comments": 2}


CONTENTS = "- [Pay](#pay)\n- [Leave](#leave)\n  - [Sick leave](#sick-leave)\n"
SECTIONS = "\n\n## Pay\n\nP.\n\n## Leave\n\nL.\n\n### Sick leave\n\nS.\n"


@pytest.mark.parametrize(
    "above",
    [
        "",
        "# Rules\n\n",
        "# Rules\n\n## Table of contents\n\n",
        "# Rules\n\n**On this page:**\n\n",
        "# Rules\n\nAll rules.\n\n",
    ],
)
def test_a_list_of_contents_goes_with_its_title(above: str) -> None:
    texts = shown(above + CONTENTS + SECTIONS)
    assert [t for t in texts if t not in ("Rules", "All rules.")] == ["Pay", "P.", "Leave", "L.", "Sick leave", "S."]


@pytest.mark.parametrize(
    ("above", "listed"),
    [
        ("The pillars are:\n\n", CONTENTS),  # what the page says, with links to more
        ("# Rules\n\n## What we offer\n\n", CONTENTS),
        ("", "- [Pay](#pay) is due\n- [Leave](#leave)\n"),
        ("", "- [Pay](pay.md)\n- [Leave](leave.md)\n"),
        ("", "- [Ways of paying](#a)\n- [Ways of leaving](#b)\n"),  # stands nowhere else
    ],
)
def test_other_lists_of_links_stay(above: str, listed: str) -> None:
    assert any(block.kind == "list" for block in read(above + listed + SECTIONS).blocks)


def test_a_bold_question_is_the_heading_of_its_answer() -> None:
    """Side by side, one level below the section; one that nothing answers is text, as is one within a line."""
    answered = "# FAQ\n\n**Who pays?**\n\nWe do.\n\n__When?__\n\n- On Friday\n\n"
    found = read(answered + "**Why?** So.\n\n**What else?**\n\n## Next\n\nN.")
    assert [(b.text, b.heading_path[1:]) for b in found.blocks if b.kind != "heading"] == [
        ("We do.", ("Who pays?",)),
        ("- On Friday", ("When?",)),
        ("Why? So.", ("When?",)),
        ("What else?", ("When?",)),
        ("N.", ("Next",)),
    ]
