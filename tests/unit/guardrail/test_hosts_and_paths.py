"""Names of machines in the house and paths below home folders, which are off by default."""

import pytest

from app.guardrail.checks import default_checks, optional_checks
from app.guardrail.gate import redact

CHECKS = optional_checks()


@pytest.mark.parametrize(
    "host",
    ["db-3.corp.example.internal", "printer.lan", "nas.local:8080", "kube.svc.cluster.local", "router.home.arpa",
     "gitlab.intern.firma.de", "wiki.corp.example.com", "NAS.LOCAL", r"\\fs01\share\plans.docx", r"\\fs01.corp\c$",
     r"\\\\fs01\\share"],
)  # fmt: skip
@pytest.mark.parametrize(("before", "behind"), [("see ", ", ok"), ("(", ")."), ("", ""), ("on\n", "\nand")])
def test_a_host_is_found(host: str, before: str, behind: str) -> None:
    assert redact(f"{before}{host}{behind}", CHECKS).text == f"{before}[redacted: host]{behind}"
    assert redact(f"ssh to {host} now", default_checks()).text == f"ssh to {host} now"


@pytest.mark.parametrize(
    "text",
    ["www.example.com", "internal.", "foo.internals", "a.local.b", "settings.local.json", "non-internal.com", "v1.2.3",
     "It is local. The next", "local.example", "e.g. internal", r"C:\\x", r"a \\ b", r"\\server"],
)  # fmt: skip
def test_no_host_is_found(text: str) -> None:
    assert redact(text, CHECKS).text == text


def test_the_rest_of_an_address_stays() -> None:
    text = "https://wiki.corp.example.com/page?x=1"
    assert redact(text, CHECKS).text == "https://[redacted: host]/page?x=1"


@pytest.mark.parametrize(
    "path",
    ["/home/anna/keys", "/home/anna", "/Users/anna.miller/Desktop/a.txt", r"C:\Users\anna\Desktop", "c:/users/anna",
     r"C:\Users\Anna Miller\Documents\x.txt", r"C:\\Users\\anna\\x", "~anna/plans", "/mnt/c/Users/anna/x",
     "/var/home/anna/x", r"C:\Documents and Settings\anna\x"],
)  # fmt: skip
@pytest.mark.parametrize(("before", "behind"), [("in ", ", ok"), ("(", ")."), ("", ""), ("`", "` and"), ('"', '"')])
def test_a_path_is_found(path: str, before: str, behind: str) -> None:
    assert redact(f"{before}{path}{behind}", CHECKS).text == f"{before}[redacted: path]{behind}"
    assert redact(f"look in {path} now", default_checks()).text == f"look in {path} now"


@pytest.mark.parametrize(
    "text",
    ["/home/ubuntu/x", "/home/user", "/home/<you>/x", "https://x.example/home/anna", "~/plans", r"C:\Users\Public\x",
     r"D:\Data\x", "/home/", "/homes/anna", "/var/log/anna", "~50/60", "/home/$USER/x", r"C:\Users\%USERNAME%\x"],
)  # fmt: skip
def test_no_path_is_found(text: str) -> None:
    assert redact(text, CHECKS).text == text
