"""Personal data: what each check finds, and what it leaves alone."""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

CHECKS = default_checks()


def kinds(text: str) -> list[str]:
    return sorted(redact(text, CHECKS).counts)


def only(text: str, kind: str) -> str:
    """The redacted text, in which nothing but `kind` was found."""
    redacted = redact(text, CHECKS)
    assert set(redacted.counts) == {kind}, redacted
    return redacted.text.replace(f"[redacted: {kind}]", "#")


FOUND = {
    "email": [
        ("Write to alice@example.com.", "Write to #."),
        ("mailto:bob.o_neil+news@sub.example.co.uk?subject=x", "mailto:#?subject=x"),
        ("<carol@münchen.example>", "<#>"),
        ("john\\_doe@example.com", "#"),
        ("a" * 70 + "@example.com", "aaaaaa#"),
        ("user@xn--80ak6aa92e.com", "#"),
        ("Alice＠example．com", "#"),
        ("dave\u200b@exa\u00admple.com", "#"),
    ],
    "phone": [
        ("Call +44 20 7946 0958 now", "Call # now"),
        ("Tel. +49 (0)30 901820-44", "Tel. #"),
        ("+1-800-555-0199", "#"),
        ("at (415) 555-0132.", "at #."),
        ("415-555-0132", "#"),
        ("001-845-854-2110x1234", "#"),
        ("0171 2345678", "#"),
        ("01.84.17.61.18", "#"),
        ("my mobile is 7700900123", "my mobile is #"),
        ("phone: 555 0132", "phone: #"),
        ("**+44 20** 7946\u202f0958", "**#"),
        ("+44\u201120\u20117946\u20110958", "#"),
        ("tel:+1-415-555-0132", "tel:#"),
        ("+49 30 901820-44 or (415) 555-0132", "# or #"),
        ("+49 30 901820 ext. 44, please", "#, please"),
        ("555 0132 (mobile)", "# (mobile)"),
        ("Телефон: 8 912 345-67-89", "Телефон: #"),
        ("Zadzwoń: 501 234 567", "Zadzwoń: #"),
        ("Tlf. 22 12 34 56", "Tlf. #"),
        ("Cep no: 05321234567", "Cep no: #"),
        ("https://x.example/a?phone=4155550132", "https://x.example/a?phone=#"),
    ],
    "card": [
        ("4111111111111111", "#"),
        ("pay 4111 1111 1111 1111, please", "pay #, please"),
        ("4111-1111-1111-1111", "#"),
        ("4111\u20111111\u20111111\u20111111", "#"),
        ("4111\u202f1111\u00a01111\u20091111", "#"),
        ("**4111 1111** 1111 1111", "**#"),
        ("４１１１１１１１１１１１１１１１", "#"),
        ("𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", "#"),
        (
            "4\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1",
            "#",
        ),
        ("٤١١١١١١١١١١١١١١١", "#"),
        ("378282246310005", "#"),
        ("6011 0009 9013 9424", "#"),
        ("my card is 4012-8888-8888-1882", "my card is #"),  # a wrong checksum, but called a card
        ("4111 1111 1111 1111 12", "# 12"),
        ("https://x.example/pay?card=4111111111111111", "https://x.example/pay?card=#"),
    ],
    "iban": [
        ("DE89370400440532013000", "#"),
        ("to DE89 3704 0044 0532 0130 00.", "to #."),
        ("gb82 west 1234 5698 7654 32", "#"),
        ("GB82-WEST-1234-5698-7654-32", "#"),
        ("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00", "#"),
        ("NO9386011117947 is paid", "# is paid"),
        ("IBAN: DE88 3704 0044 0532 0130 00", "IBAN: #"),  # wrong checksum, but called an IBAN
    ],
    "ip": [
        ("from 10.20.30.41.", "from #."),
        ("192.168.0.1/24", "#/24"),
        ("http://203.0.113.7:8080/x", "http://#:8080/x"),
        ("2001:db8:85a3::8a2e:370:7334", "#"),
        ("fe80::1%eth0 up", "# up"),
        ("[2001:db8::1]:443", "[#]:443"),
    ],
}
LEFT_ALONE = {
    "email": [
        "git@github.com:team/repo",
        "logo@2x.png",
        "@alice and @bob",
        "a @ b",
        "x@y",
        "pkg@1.2.3",
    ],
    "phone": [
        "on 2024-05-21 and 21.05.2024",
        "01/02/2023 at 10:30",
        "order number 7700900123",
        "Order 4500012345",
        "version 10.4.12",
        "2019-2020",
        "pages 100-200, 3000 - 4000",
        "€ 1.200.000,00",
        "(2019) 12-13",
        "ISBN 978-3-16-148410-0",
        "https://example.com/a/0171-2345678",
        "call me at 10:30 on 5 May",
        "550e8400-e29b-41d4-a716-446655440000",
        "https://x.example/users/4155550132",
        "AL47 212A 1009 0000 0002 3569",
    ],
    "card": [
        "4111 1111 1111 1112",
        "4006381333931",  # an article number
        "EAN 4012345678901",
        "1234567890123456",
        "IMEI 490154203237518",
        "0.4111111111111111",
        "https://example.com/0/4111111111111111/",
        "gift card 0000000000000000",
    ],
    "iban": [
        "DE88370400440532013000",
        "XX89370400440532013000",
        "DE89 3704",
        "AB12 is a room",
    ],
    "ip": [
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.0",
        "version 1.2.3.4",
        "v1.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        "300.1.1.1",
        "::1",
        "std::vector",
        "10:30:45",
        "a::b",
    ],
}


@pytest.mark.parametrize(("kind", "text", "shown"), [(kind, *case) for kind, cases in FOUND.items() for case in cases])
def test_personal_data_is_masked(kind: str, text: str, shown: str) -> None:
    assert only(text, kind) == shown


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in LEFT_ALONE.items() for text in texts])
def test_what_only_looks_like_it_is_left_alone(kind: str, text: str) -> None:
    assert kinds(text) == [], f"no {kind}"


@pytest.mark.parametrize(
    "text",
    [
        "536-22-8731",
        "SSN 536228731",
        "social security number: 536 22 8731",
        "911-53-1234",
        "AB123456C",
        "AB 12 34 56 C",
        "NHS 401-023-2137",
        "Steuer-ID 86095742719",
        "86 095 742 719",
        "1 85 05 78 006 084 91",
        "185057800608491",
        "12345678Z",
        "X9613851N",
        "Y8063915-Z",
        "RSSMRA85T10A562S",
        "131052-308T",
        "811228-9874",
        "85.07.30-033.28",
        "756.9217.0769.85",
        "PESEL 44051401359",
        "BSN 111222333",
        "SIN 046 454 286",
        "529.982.247-25",
        "2341 2341 2346",
    ],
)
def test_national_id(text: str) -> None:
    assert only(f"{text}, yes", "national id").endswith("#, yes")


@pytest.mark.parametrize(
    "text",
    [
        "000-22-8731",
        "536-00-8731",
        "536228731",
        "BG123456C",
        "AB123456E",
        "86095742719",
        "86 095 742 718",
        "185057800608492",
        "12345678A",
        "RSSMRA85T10A562T",
        "131052-308U",
        "811228-9875",
        "85.07.30-033.29",
        "756.9217.0769.84",
        "44051401359",
        "111222333",
        "046 454 286",
        "529.982.247-26",
        "2341 2341 2347",
        "d670460b4b4aece5915caf5c68d12f560a9fe3e4",
        "US 2024",
        "in 12 of 34",
    ],
)
def test_not_a_national_id(text: str) -> None:
    assert "national id" not in kinds(f"The number {text} is here")


def test_a_card_is_found_beside_an_account_that_is_hidden() -> None:
    """The placeholder before it is not the word that says it is no card."""
    text = "DE89 3704 0044 0532 0130 00; also 4111 1111 1111 1111"
    assert redact(text, default_checks()).text == "[redacted: iban]; also [redacted: card]"
