"""Dates of birth: a date right behind a word for it. Other dates are left alone."""

import re

from app.guardrail.check import Cue, PatternCheck, Run

_MONTH = (
    r"(?:jan|feb|mar|m[äa]r|apr|may|mai|jun|jul|aug|sep|o[ckt]t|nov|de[czs]|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|fév|fev|avr|juin|juil|ao[uû]t|"
    r"maj|mei|okt|stycz|lut|marz|marc|kwie|czerw|lip|sierp|wrze|paźd|paz|list|grud|ocak|şub|nis|mayıs|haz|tem|ağu|eyl|eki|kas|ara|янв|фев|мар|апр|ма[яй]|июн|"
    r"июл|авг|сен|окт|ноя|дек)\w{0,9}\.?"
)
_DATE = re.compile(
    rf"(?i)(?:\d{{1,2}}[./\- ]{{1,2}}\d{{1,2}}[./\- ]{{1,2}}\d{{2,4}}|\d{{4}}[./\-]\d{{1,2}}[./\-]\d{{1,2}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er)?[. ,/\-]{{0,2}}(?:of |de |d')?{_MONTH}(?:,? (?:of |de |del )?|[/\-])\d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)?[. ]{{0,2}}(?:of |de )?{_MONTH}(?!\w)|"
    rf"{_MONTH}[ /\-]\d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}}|[/\-]\d{{2,4}})?|{_MONTH} \d{{4}}|\d{{8}}|(?:19|20)\d\d年\d{{1,2}}月\d{{1,2}}日)(?!\w|[.\-/]\d)"
)
_WORDS = (
    r"(?:date of birth|birth ?dates?|birthdays?|d\.?o\.?b\.?|born(?: on)?|geburtsdatum|geburtstag|geboren(?: am)?|geb\.(?: am)?|date de naissance|n[ée]e? le|"
    r"naissance|fecha de nacimiento|nacid[oa](?: el)?|nacimiento|data di nascita|nat[oa] il|data de nascimento|nascid[oa](?: em| a)?|nascimento|geboortedatum|"
    r"geboren op|data urodzenia|ur\.|urodzon\w+|födelsedatum|född(?: den)?|fødselsdato|fødselsdag|født(?: den)?|syntymäaika|doğum tarihi|дата рождения|"
    r"родил\w+|рожд\w*|дата народження|datum narození|narozen\w*|data nașterii|születési (?:dátum|idő)|出生日期|生年月日|생년월일|تاريخ الميلاد)"
)
CHECK = PatternCheck(
    "birth date",
    "date called a date of birth",
    _DATE,
    run=Run(re.compile(r"(?:[\w][\w .,/\-'年月日]{0,26})?"), 27),
    opener=re.compile(r"\w(?<!\w.)"),
    cue=Cue(
        ("birth", "born", "dob", "d.o.b", "geb", "naissance", "né le", "née le", "nacid", "nacim", "nascit", "nascid", "nascim", "nato il", "nata il", "urodz", "ur.",
         "född", "födel", "fødsel", "født", "syntym", "doğum", "рожд", "родил", "народж", "naroz", "nașter", "szület", "出生", "生年", "생년", "ميلاد"),
        re.compile(rf"(?<![^\W\d_]){_WORDS}(?: (?:is|was|ist|est|es|[èé]|:|on|am|le|el))?[ :=(|\-\"'`]{{0,6}}\Z"),
    ),
)  # fmt: skip
