"""Dates of birth: a date right behind a word for it. Other dates are left alone."""

import re

from app.guardrail.check import NUMBER_START, PatternCheck, Run
from app.guardrail.checks.runs import NUMBER_AND_LABEL

_KIND = "birth date"
_REASON = "date called a date of birth"
_MONTH = (
    r"(?:jan|feb|mar|m[äa]r|apr|may|mai|jun|jul|aug|sep|o[ckt]t|nov|de[czs]|ene|abr|ago|dic|gen|mag|"
    r"giu|lug|set|ott|fév|fev|avr|juin|juil|ao[uû]t|"
    r"maj|mei|okt|stycz|lut|marz|marc|kwie|czerw|lip|sierp|wrze|paźd|paz|list|grud|ocak|şub|nis|mayıs|"
    r"haz|tem|ağu|eyl|eki|kas|ara|янв|фев|мар|апр|ма[яй]|июн|"
    r"июл|авг|сен|окт|ноя|дек)\w{0,9}\.?"
)
_DATE = re.compile(
    rf"(?i)(?:\d{{1,2}}[./\- ]{{1,2}}\d{{1,2}}[./\- ]{{1,2}}\d{{2,4}}|\d{{4}}[./\-]\d{{1,2}}[./\-]\d{{1,2}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er)?[. ,/\-]{{0,2}}(?:of |de |d')?{_MONTH}(?:,? (?:of |de |del )?|"
    rf"[/\-])\d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)?[. ]{{0,2}}(?:of |de )?{_MONTH}(?!\w)|"
    rf"{_MONTH}[ /\-]\d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}}|[/\-]\d{{2,4}})?|{_MONTH} \d{{4}}|\d{{8}})(?!\w|[.\-/]\d)"
)
_WORDS = (
    r"(?:date of birth|birth ?dates?|birthdays?|d\.?o\.?b\.?|born(?: on)?|geburtsdatum|geburtstag|"
    r"geboren(?: am)?|geb\.(?: am)?|date de naissance|n[ée]e? le|"
    r"naissance|fecha de nacimiento|nacid[oa](?: el)?|nacimiento|data di nascita|nat[oa] il|data de "
    r"nascimento|nascid[oa](?: em| a)?|nascimento|geboortedatum|"
    r"geboren op|data urodzenia|ur\.|urodzon\w+|födelsedatum|född(?: den)?|fødselsdato|fødselsdag|"
    r"født(?: den)?|syntymäaika|doğum tarihi|дата рождения|"
    r"родил\w+|рожд\w*|дата народження|datum narození|narozen\w*|data nașterii|születési (?:dátum|"
    r"idő)|出生日期|生年月日|생년월일|تاريخ الميلاد)"
)
_named = re.compile(
    rf"(?i)(?<![^\W\d_]){_WORDS}(?: (?:is|was|ist|est|es|[èé]|:|on|am|le|el|:))?[ :=(|\-\"'`]{{0,24}}\Z"
)
# A month first, as in the United States.
_MONTH_START = re.compile(r"[JFMASOND](?<!\w.)(?=(?:an|eb|ar|pr|ay|un|ul|ug|ep|ct|ov|ec)[a-z]{0,6}+[. /\-])", re.ASCII)
_MONTH_RUN = Run(
    re.compile(r"(?:[A-Z][a-z]{0,9}\.?[ /\-]?[\d]{0,2}(?:st?|nd?|rd?|th?)?,? ?[ /\-]?\d{0,4})?", re.ASCII), 24
)
# Year, month and day, each with its sign, as in Chinese, Japanese and Korean.
_EASTERN = re.compile(r"(?:19|20)\d\d[年년] ?\d{1,2}[月월] ?\d{1,2}[日일]?", re.ASCII)
_EASTERN_RUN = Run(
    re.compile(r"(?:\d{1,4}(?:[年년](?: ?\d{0,2}(?:[月월](?: ?\d{0,2}[日일]?)?)?)?)?)?", re.ASCII), 16, min_extent=7
)


def _is_birth(_match: re.Match[str], before: str) -> bool:
    return _named.search(before) is not None


CHECKS = (
    PatternCheck(_KIND, _REASON, _DATE, _is_birth, run=NUMBER_AND_LABEL, opener=NUMBER_START),
    PatternCheck(_KIND, _REASON, _EASTERN, _is_birth, run=_EASTERN_RUN, opener=NUMBER_START),
    PatternCheck(_KIND, _REASON, _DATE, _is_birth, run=_MONTH_RUN, opener=_MONTH_START, needs="[A-Z]"),
)
