"""Numbers and addresses by country and kind: what is found with its name or by its form, and what is left alone."""

import re

import pytest

from app.guardrail.checks import default_checks, national_id, optional_checks
from app.guardrail.checks.address import any_prefix
from app.guardrail.gate import redact

CHECKS = default_checks()

# In a form of their own: no word is needed.
STRONG = {
    "national id": (
        "536-22-8731",
        "911-53-1234",
        "85.07.30-033.28",
        "756.9217.0769.85",
        "131052-308T",
        "811228-9874",
        "120174-2070",
        "185057800608491",
        "1 85 05 78 006 084 91",
        "RSSMRA85T10A562S",
        "X9613851N",
        "12345678Z",
        "110501 10054",
        "529.982.247-25",
        "20-26756539-3",
        "12.531.909-2",
        "112-233-445 95",
        "11010519491231002X",
        "A123456(3)",
        "960121-1234567",
        "S2740116C",
        "2341 2341 2346",
        "65070803A019",
        "AB 12 34 56 C",
        "AB123456C",
    ),
    "tax id": ("11.222.333/0001-81", "27ABCDE1234F1Z5", "51 824 753 556", "556714-3069", "275-507-270-000"),
    "medical id": ("1EG4-TE5-MK73", "MRN-780498"),
    "driving licence": ("SMITH851010AB1CD", "11-22-123456-12"),
    "vehicle": ("AB51 ABC", "1HGCM82633A004352", "KA53ME3456", "KJA-999PZ"),
    "mac address": ("00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "aabb.ccdd.ee0f"),
    "wallet": (
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ),
    "address": (
        "12 Main St, Springfield, IL 62704",
        "221B Baker Street",
        "350 5th Avenue, New York, NY 10118",
        "1 Hacker Way, Menlo Park, CA 94025",
        "Flat 3, 12 High Street, London SW1A 2AA",
        "Hauptstraße 5, 10115 Berlin",
        "Musterweg 3a\n12345 Musterstadt",
        "Kärntner Straße 21-23, 1010 Wien",
        "10 rue de la Paix, 75002 Paris",
        "25 bis rue Pasteur",
        "Calle de Alcalá 12, 28014 Madrid",
        "Via Roma 3, 00184 Roma",
        "Rua Augusta 100",
        "Keizersgracht 123, 1015 CJ Amsterdam",
        "Drottninggatan 5, 111 51 Stockholm",
        "Strandvejen 12, 2900 Hellerup",
        "PO Box 1234",
        "Postfach 10 12 34",
        "PSC 6293, Box 8158\nAPO AP 04336",
        "EC1A 1BB",
    ),
}
# Beside a word that names them.
NAMED = {
    "national id": (
        ("SSN", "536228731"),
        ("SIN", "046 454 286"),
        ("PESEL", "44051401359"),
        ("BSN", "111222333"),
        ("NHS", "401-023-2137"),
        ("Steuer-ID", "86095742719"),
        ("T.C. kimlik no", "10000000146"),
        ("EGN", "7523169263"),
        ("OIB", "33392005961"),
        ("CNP", "1630615123457"),
        ("JMBG", "0101006500006"),
        ("rodné číslo", "710319/2745"),
        ("CPR", "211062-5629"),
        ("isikukood", "36805280109"),
        ("asmens kodas", "33309240064"),
        ("AFM", "094259216"),
        ("AMKA", "01013099997"),
        ("ИНН", "500100732259"),
        ("PPS no", "6433435F"),
        ("NIF", "501964843"),
        ("teudat zehut", "039337423"),
        ("Thai ID", "1-2345-45678-78-1"),
        ("NRIC", "S2740116C"),
        ("MyKad", "770305-02-1234"),
        ("TFN", "876 543 210"),
        ("IRD number", "49091850"),
        ("South African ID", "9202201234088"),
        ("NIN", "12345678901"),
        ("CNIC", "34201-0891231-8"),
        ("Aadhaar", "399876543211"),
        ("My Number", "6214 9832 0257"),
        ("cédula", "1714307103"),
        ("DNI", "20.123.456"),
        ("CURP", "BOXW310820HNERXN09"),
        ("Emirates ID", "784-1979-1234567-1"),
        ("national id number", "12345678"),
        ("CCCD", "001099012345"),
        ("voter card", "KSD1287349"),
    ),
    "tax id": (
        ("EIN", "12-3456789"),
        ("UEN", "53125226D"),
        ("NIP", "526-104-08-28"),
        ("partita IVA", "00743110157"),
        ("VAT number", "DE136695976"),
        ("TIN is", "275-507-270"),
    ),
    "medical id": (
        ("MRN:", "89857"),
        ("NPI", "1245319599"),
        ("DEA registration", "BB1388568"),
        ("KVNR", "A123456780"),
        ("Medicare", "2123 45670 1"),
    ),
    "passport": (("passport no.", "512345678"), ("Reisepass", "C01X00T47"), ("pasaporte es", "AAA123456")),
    "driving licence": (("driver's license", "D1234567"), ("Führerschein", "B072RRE2I55")),
    "bank account": (
        ("account number", "12345678"),
        ("sort code", "12-34-56"),
        ("BLZ", "10020030"),
        ("routing number", "021000021"),
        ("SWIFT code", "CHASUS33"),
    ),
    "staff number": (("employee ID", "EMP-12345"), ("Personalnummer", "123456")),
    "customer number": (("Kundennummer", "1234567"), ("customer no.", "99-1234")),
    "vehicle": (
        ("license plate", "ABC-1234"),
        ("Kennzeichen", "B-AB 1234"),
        ("plaka", "34 ABC 1234"),
        ("reg is", "kx62 pwl"),
        ("van whose plate I saw was", "kx62 pwl"),
        ("number plate", "b417 xrd"),
    ),
    "birth date": (
        ("DOB:", "12/03/1985"),
        ("born on", "March 12, 1985"),
        ("date of birth |", "1985-03-12"),
        ("geboren am", "12. März 1985"),
        ("né le", "5 mai 1970"),
        ("nacida el", "12 de marzo de 1985"),
        ("Born:", "12th of March 1985"),
    ),
    "address": (
        ("ul.", "Miła 57, 00-123 Warszawa"),
        ("She lives at", "Am Markt 5, 10115 Berlin"),
        ("address:", "255 Tungata 11"),
        ("my zip code is", "88013"),
        ("PLZ:", "10115"),
        ("postcode is", "BS14DJ"),
    ),
}
LEFT_ALONE = (
    "order 12345678Z",
    "ticket 123-45-6789",
    "INV-12345678Z",
    "Case number 811228-9874",
    "part no. AB123456C",
    "SKU X9613851N",
    "Rechnung 12345678Z",
    "https://example.com/536-22-8731/x",
    "ISBN 978-3-16-148410-0",
    "doi.org/10.1145/3426422.3426981",
    "The number 86095742719 is long",
    "In 44051401359 of cases",
    "AKIA 1234",
    "PO1234567 was sent",
    "FY23 YTD",
    "2 Google Drive folders",
    "5 Key Points",
    "Section 5, 2023",
    "There are 10 Street teams",
    "3 Way merge",
    "born in the cloud",
    "The birthday party is on 12 May",
    "released on March 12, 1985",
    "10:30:45:12:11:99",
    "FF:FF:FF:FF:FF:FF",
    "the account has 12345678 rows",
    "staff of 12345",
    "passport photos 35x45",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    "d670460b4b4aece5915caf5c68d12f560a9fe3e4",
    "99 Problems",
    "work is at Step 5",
    "May 5 is a holiday",
    "version 12.531.909-3",
    "000-00-0000",
    "license key AB51 and ABC",
    "556714-3068",
    "551588-2768",
    "275-507-271-000",
    "kx62 pwl",
    "the vehicles in b12 run late",
    "the vehicle b12 was late",
    "BS14DJ",
    "FR61 X204 0033 1410 2205 1",
)


def only(text: str, kind: str) -> str:
    """The redacted text, in which nothing but `kind` was found."""
    redacted = redact(text, CHECKS)
    assert set(redacted.counts) == {kind}, redacted
    return redacted.text.replace(f"[redacted: {kind}]", "#")


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in STRONG.items() for value in values])
def test_a_form_of_its_own_needs_no_word(kind: str, value: str) -> None:
    assert only(f"It says {value}; no more", kind) == "It says #; no more"


@pytest.mark.parametrize(("kind", "word", "value"), [(kind, *pair) for kind, pairs in NAMED.items() for pair in pairs])
def test_a_word_names_it(kind: str, word: str, value: str) -> None:
    assert only(f"The {word} {value}; no more", kind) == f"The {word} #; no more"


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_other_numbers_stay(text: str) -> None:
    assert redact(f"It says: {text} there", CHECKS).counts == {}


def test_a_number_dialled_with_two_zeros_may_stand_behind_one_of_digits_alone() -> None:
    assert redact("Room 2041 0044 20 7946 0958", CHECKS).text == "Room 2041 [redacted: phone]"


def test_numbers_of_many_countries() -> None:
    countries = {
        country for row in national_id.ROWS for country in row.country.replace(" and ", ", ").split(", ") if country
    }
    assert len(countries) >= 70


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Her salary is $85,000", "pay"),
        ("Das Gehalt beträgt 5.400 €", "pay"),
        ("She suffers from chronic migraine", "health"),
    ],
)
def test_pay_and_health_only_where_they_are_asked_for(text: str, kind: str) -> None:
    assert redact(text, CHECKS).counts == {}
    assert redact(text, (*CHECKS, *optional_checks())).counts == {kind: 1}


def test_every_prefix_of_some_words() -> None:
    pattern = re.compile(any_prefix(["rue", "route", "via"]))
    for text, end in {"r": 1, "ro": 2, "rout": 4, "rub": 2, "vi": 2, "x": 0, "via": 3}.items():
        match = pattern.match(text)
        assert match is not None
        assert match.end() == end


def test_a_placeholder_names_no_number_behind_it() -> None:
    assert only("+44 20 7946 0958 and 1234567 rows", "phone") == "# and 1234567 rows"
    assert only("SMITH851010AB1CD, 87654321 rows", "driving licence") == "#, 87654321 rows"
