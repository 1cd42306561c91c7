"""Numbering plans of the world, as Google's `phonenumbers` keeps them: could a national number be dialled there?

A plan is loaded when its country is first asked for; all of them take 3 MB.
"""

import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

# Countries in which numbers are dialled with a 0 in front.
_TRUNK_CODES = (
    "AT AU BD BE BG CH CM DE DZ EG FI FR GB GE GH GR HR IE IL IN IT JO JP KE KR LB LK MA MD ME MK MM MY NG "
    "NL NP NZ PE PH PK RO RS SE SI SK TH TR TW TZ UA UG UY VE VN ZA"
)
_TRUNK = _TRUNK_CODES.split()
# Countries whose mobile numbers have ten or eleven digits, the 0 counted, and are written in one piece.
_MOBILE_CODES = "AU BE CH DE EG FR GB IE IL IN JP KR MY NG NL NZ PH PK RO SE TH TR TW UA VN ZA"
_MOBILE = _MOBILE_CODES.split()
# Countries in which no 0 is dialled, and the groups in which their nine-digit or ten-digit numbers are written.
_GROUPED = {"3-3-2-2": ["TR", "RU", "KZ"], "3-3-3": ["ES", "PL", "PT", "CZ"]}
_KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan")


def _plan(region: str, kinds: tuple[str, ...]) -> re.Pattern[str]:
    """The national numbers of a country, without what is dialled before them."""
    metadata = PhoneMetadata.metadata_for_region(region)
    known = [getattr(metadata, kind) for kind in kinds] if metadata is not None else []
    patterns = [desc.national_number_pattern for desc in known if desc is not None and desc.national_number_pattern]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)", re.ASCII)


# Made beforehand: a plan that the first text with such a number makes would tell the next one by the clock.
_NATIONAL = {region: _plan(region, _KINDS) for region in {*_TRUNK, *(one for of in _GROUPED.values() for one in of)}}
_OF_MOBILES = {region: _plan(region, ("mobile",)) for region in _MOBILE}
for _code, _regions in COUNTRY_CODE_TO_REGION_CODE.items():
    for _region in _regions:
        PhoneMetadata.metadata_for_region_or_calling_code(_code, _region)


def is_national(number: str) -> bool:
    """Whether digits with a 0 in front are a number of some country."""
    return any(_NATIONAL[region].fullmatch(number if region == "IT" else number[1:]) is not None for region in _TRUNK)


def is_mobile(number: str) -> bool:
    """The same for mobile numbers."""
    return any(_OF_MOBILES[region].fullmatch(number[1:]) is not None for region in _MOBILE)


def is_grouped(number: str, groups: str) -> bool:
    """Whether digits without a 0 are a number of a country that writes it in such groups."""
    return any(_NATIONAL[region].fullmatch(number) is not None for region in _GROUPED[groups])


def is_international(number: str) -> bool:
    """Whether digits begin with a country code and go on as long as that country's numbers are."""
    for size in (1, 2, 3):
        for region in COUNTRY_CODE_TO_REGION_CODE.get(int(number[:size]), ()):
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(number[:size]), region)
            if metadata is not None and metadata.general_desc is not None:
                possible = metadata.general_desc.possible_length + metadata.general_desc.possible_length_local_only
                if len(number) - size in possible or (number[size] == "0" and len(number) - size - 1 in possible):
                    return True
    return False
