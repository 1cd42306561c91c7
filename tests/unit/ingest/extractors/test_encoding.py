"""A text is decoded right, or refused with what to do: never indexed as something that nobody wrote."""

import contextlib

import pytest

from ingest.extract import extract
from ingest.extractors.encoding import decode
from ingest.extractors.errors import Undecodable

TEXTS = {
    "German": (
        "Die Prüfung für Führungskräfte läuft über fünf Wochen, außer für Beschäftigte in Übergangslösungen.\n"
        "Wer größere Beträge überweist, benötigt zusätzlich die Bestätigung der Geschäftsführung."
    ),
    "French": (
        "L’employé présente ses frais à la fin du mois ; la direction générale décide, après délibération, où l’équipe "
        "sera hébergée.\nLe congé d’été est accordé à tous, même à l’étranger."
    ),
    "Polish": (
        "Każdy pracownik może złożyć wniosek o urlop, jeżeli przełożony wyrazi zgodę.\n"
        "Zwrot kosztów podróży następuje w ciągu trzydziestu dni, później już się nie należy."
    ),
    "Czech": (
        "Každý zaměstnanec může požádat o dovolenou, pokud ji nadřízený schválí.\n"
        "Náhrada cestovních výdajů přijde během třiceti dnů; později už není možná."
    ),
    "Russian": (
        "Каждый сотрудник может подать заявление на отпуск, если руководитель согласен.\n"
        "Возмещение расходов приходит в течение тридцати дней."
    ),
    "Greek": (
        "Κάθε υπάλληλος μπορεί να ζητήσει άδεια, εφόσον συμφωνεί ο προϊστάμενος.\n"
        "Η επιστροφή των εξόδων γίνεται μέσα σε τριάντα ημέρες."
    ),
    "Turkish": (
        "Her çalışan, yöneticisi onaylarsa izin isteyebilir; yıllık izin otuz gündür.\n"
        "Yolculuk giderleri için başvuru süresi altmış gündür, sonra ödeme yapılmaz."
    ),
    "Japanese": "従業員は、上司の承認を得て休暇を申請することができます。\n出張費は三十日以内に払い戻されます。",
    "Chinese": "每位员工经主管批准后都可以申请休假。\n差旅费用将在三十天之内报销，逾期不予办理。",
    "Taiwanese": "每位員工經主管批准後都可以申請休假。\n差旅費用將在三十天之內報銷，逾期不予辦理。",
    "Korean": "모든 직원은 상사의 승인을 받아 휴가를 신청할 수 있습니다.\n출장비는 삼십 일 이내에 지급됩니다.",
}
ENCODINGS = [
    *(("German", e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")),
    *(("German", e) for e in ("cp1252", "latin-1", "iso8859-15", "mac-roman")),
    *(("French", e) for e in ("cp1252", "mac-roman")),
    *((language, e) for language in ("Polish", "Czech") for e in ("cp1250", "iso8859-2")),
    *(("Russian", e) for e in ("cp1251", "koi8-r", "iso8859-5", "cp866", "utf-16-le", "utf-16-be")),
    *(("Greek", e) for e in ("cp1253", "iso8859-7")),
    ("Turkish", "cp1254"),
    *(("Japanese", e) for e in ("shift_jis", "euc-jp", "iso2022_jp")),
    ("Chinese", "gb18030"),
    ("Taiwanese", "big5"),
    ("Korean", "euc-kr"),
]
WORDS = ["Größe", "für", "Čer.", "nom à afficher", "Привет", "你好", "naïve", "Ağu.", "et sekund\u00a0siden", "Œuvre"]


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_two_sentences_are_read_in_every_encoding_that_is_in_use(language: str, encoding: str) -> None:
    assert decode(TEXTS[language].encode(encoding)) == TEXTS[language]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_or_two_are_read_right_or_refused(word: str) -> None:
    for encoding in ("cp1252", "cp1250", "cp1251", "cp1254", "koi8-r", "mac-roman", "utf-16", "big5"):
        with contextlib.suppress(UnicodeEncodeError, Undecodable):
            assert decode(word.encode(encoding)) == word


def test_texts_and_tables_of_a_windows_program_are_read() -> None:
    [block] = extract(TEXTS["Turkish"].replace("\n", " ").encode("cp1254"), filename="a.txt").blocks
    assert block.text == TEXTS["Turkish"].replace("\n", " ")
    rows = "Straße;Größe;Zuständig\nMühlgässchen 4;groß;Jörg Müller\nAm Römerbühl 1;übergroß;Käthe Schröder\n"
    text = "\n".join(block.text for block in extract(rows.encode("cp1252"), filename="a.csv").blocks)
    assert "Straße: Mühlgässchen 4; Größe: groß; Zuständig: Jörg Müller" in text


MARKUP = "<html><head>{}<title>Übersicht</title></head><body><p>Größe</p></body></html>"
PROLOGUE = '<?xml version="1.0" encoding="iso-8859-1"?><html><body><p>Größe</p></body></html>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", MARKUP.format('<meta charset="windows-1252">').encode("cp1252")),
        ("a.html", MARKUP.format('<meta http-equiv=a content="text/html; charset=latin1">').encode("cp1252")),
        ("a.html", MARKUP.format('<meta charset="iso-8859-1">').encode()),  # says one thing and is UTF-8
        ("a.html", MARKUP.format('<meta charset="utf-8">').encode("utf-16")),
        ("a.xhtml", PROLOGUE.encode("latin-1")),
        ("a.eml", b"Subject: s\nContent-Type: text/plain; charset=iso-8859-1\n\n" + "Größe".encode("latin-1")),
        ("a.eml", b"Subject: s\nContent-Type: text/html; charset=windows-1252\n\n<p>" + "Größe".encode("cp1252")),
    ],
)  # fmt: skip
def test_one_word_is_read_as_it_is_declared(name: str, content: bytes) -> None:
    assert "Größe" in [block.text for block in extract(content, filename=name).blocks]


def test_a_header_of_bare_bytes_is_read_in_the_encoding_of_the_body() -> None:
    raw = b"Subject: Gr\xf6\xdfe\nContent-Type: text/plain; charset=iso-8859-1\n\nBody"
    assert extract(raw, filename="a.eml").title == "Größe"


def test_a_false_declaration_does_not_make_garbage() -> None:
    page = '<meta charset="{}"><p>' + TEXTS["Russian"]
    for declared in ("iso-8859-1", "unicode_escape", "punycode", "rot13", "x" * 30, "utf-16"):
        shown = extract(page.format(declared).encode("cp1251"), filename="a.html").blocks[0].text
        assert shown.startswith("Каждый сотрудник")


REFUSED = {
    "damaged UTF-8": TEXTS["German"].encode().replace(b"\xc3\xa4", b"\xe4", 1),
    "UTF-8 with a byte overwritten": TEXTS["German"].encode().replace(b"\xc3\xbc", b"\xc3?", 1),
    "cut UTF-8": TEXTS["Chinese"].encode()[:-1],
    "cut UTF-16": TEXTS["German"].encode("utf-16")[:-1],
    "two encodings": TEXTS["German"].encode("cp1252") + TEXTS["Russian"].encode("koi8-r"),
    "bytes": bytes(range(128, 256)) * 3,
    "control characters": b"\x01\x02\x03 a \x04\x05\x06 b \x07\x08 c" * 9,
    "DOS": TEXTS["German"].encode("cp850"),
    "mainframe": TEXTS["German"].encode("cp500"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_text_is_refused_and_the_reason_says_what_to_do(what: str) -> None:
    with pytest.raises(Undecodable, match="UTF-8"):
        decode(REFUSED[what])


def test_much_text_costs_no_more_than_its_length() -> None:
    """Only a bounded part is judged; a strange character behind it is still found."""
    text = TEXTS["German"].replace("\n", " ") + "\n"
    assert decode((text * 5_000).encode("cp1252")) == text * 5_000
    with pytest.raises(Undecodable):
        decode((text * 2_000).encode("cp1252") + b"\x81\x8d")
    with pytest.raises(Undecodable, match="no text"):
        decode((text * 2_000).encode("cp1252") + b"\x07")
