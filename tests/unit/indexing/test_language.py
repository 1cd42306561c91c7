"""The language of a question, which is too short for stop words alone."""

import pytest

from app.indexing.analysis.language import question_language

QUESTIONS = {
    "en": ["How many days of leave do I get?", "leave", "", "?!", "VPN", "Was Peter informed?", "Who approves travel?",
           "die casting tolerances", "van rental", "plus size uniforms", "Müller contract",
           "Comment policy?", "Hay fever?", "Chi square?", "VAR review?",
           "Is per diem paid in Zürich?", "Où-est-ce GmbH", "max_retry_count", "Come early",
           "Does the 東京 office have a gym?", "no smoking", "Café opening hours"],
    "de": ["Wie viele Urlaubstage habe ich?", "Wer genehmigt Urlaub?", "Urlaubsanspruch für Teilzeit",
           "Was kostet das Parken?", "Darf ich im Homeoffice arbeiten?", "Wo ist der Schlüssel?",
           "Reisekosten und Spesen für Außendienst", "WER GENEHMIGT URLAUB?", "Wann endet die Probezeit?",
           "Wann startet Kasse Zwei?"],
    "fr": ["Combien de jours de congé ai-je ?", "Qui approuve les voyages ?", "Quand partir en vacances ?",
           "Où se trouve la clé ?", "règles de télétravail pour les stagiaires", "Comment demander un congé ?"],
    "es": ["¿Cuántos días de vacaciones tengo?", "¿Quién aprueba los viajes?", "gastos de viaje en el extranjero",
           "¿Vacaciones?", "Cómo pido vacaciones"],
    "it": ["Chi approva i viaggi?", "Quanti giorni di ferie ho?"],
    "pt": ["Quantos dias de férias eu tenho?", "Quem aprova as viagens?"],
    "nl": ["Wie keurt mijn verlof goed?", "Hoeveel vakantiedagen heb ik?"],
    "sv": ["Vem godkänner min semester?"],
    "fi": ["Kuinka monta lomapäivää minulla on?"],
    "pl": ["Ile dni urlopu może wziąć każdy, gdy są święta?"],
    "ja": ["有給休暇は何日ありますか？", "VPNの設定方法", "ログイン", "出張費の精算はどうしますか"],
    "zh": ["年假有多少天？", "如何申请VPN"],
    "th": ["ลาพักร้อนได้กี่วัน", "ใครอนุมัติการเดินทาง"],
    "ko": ["연차는 며칠입니까?"],
    "ru": ["Сколько дней отпуска?"],
    "el": ["Πόσες ημέρες άδειας;"],
    "ar": ["كم عدد أيام الإجازة؟"],
}  # fmt: skip


@pytest.mark.parametrize(("language", "question"), [(x, q) for x, questions in QUESTIONS.items() for q in questions])
def test_the_language_of_a_question(language: str, question: str) -> None:
    assert question_language(question) == language


def test_a_name_or_a_word_of_two_languages_proves_nothing() -> None:
    """What would be taken for German with one piece of evidence."""
    assert {question_language(text) for text in ("Straße 12", "Wann", "der", "Jürgen Müller")} == {"en"}
