"""Words that mean a number, a month, a weekday or a unit, in English, German, French and Spanish. Data."""

_ENGLISH = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"  # noqa: E501
_GERMAN = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"  # noqa: E501
_FRENCH = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf"  # noqa: E501
_SPANISH = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve"  # noqa: E501
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "vingt trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_LANGUAGES = ("en", "de", "fr", "es")
_ONES = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_MORE: dict[str, dict[str, int]] = {
    "en": {"hundred": 100, "thousand": 1000, "dozen": 12},
    "de": {
        "hundert": 100, "tausend": 1000, "dutzend": 12, "dreissig": 30, "fuenf": 5, "zwoelf": 12, "fuenfzehn": 15,
        **{
            f"{one}und{ten}": n + tens
            for ten, tens in zip(_TENS[1].split(), range(20, 100, 10), strict=True)
            for n, one in enumerate(_ONES, start=1)
        },
    },
    "fr": {"cent": 100, "cents": 100, "mille": 1000, "douzaine": 12},
    "es": {
        "cien": 100, "ciento": 100, "mil": 1000, "docena": 12,
        **{
            f"veinti{one}": 20 + n
            for n, one in enumerate(["uno", "dós", "trés", "cuatro", "cinco", "séis", "siete", "ocho", "nueve"], 1)
        },
    },
}  # fmt: skip
# Number words by language: "once" is eleven in Spanish alone.
NUMBERS = {
    language: {
        **{word: n for n, word in enumerate(ones.split())},
        **dict(zip(tens.split(), range(20, 100, 10), strict=True)),
        **_MORE[language],
    }
    for language, ones, tens in zip(_LANGUAGES, (_ENGLISH, _GERMAN, _FRENCH, _SPANISH), _TENS, strict=True)
}
SCALES = {"hundred": 100, "hundert": 100, "cent": 100, "cents": 100, "cien": 100, "ciento": 100, "thousand": 1000,
          "tausend": 1000, "mille": 1000, "mil": 1000}  # fmt: skip
# Behind figures only: "2.5 million".
MAGNITUDES = {
    "hundred": 100, "hundert": 100, "k": 1_000, "thousand": 1_000, "tausend": 1_000, "mille": 1_000, "mil": 1_000,
    "tsd": 1_000, "m": 1_000_000, "mn": 1_000_000, "mio": 1_000_000, "million": 1_000_000, "millions": 1_000_000,
    "millionen": 1_000_000, "millón": 1_000_000, "millones": 1_000_000, "bn": 10**9, "b": 10**9, "mrd": 10**9,
    "billion": 10**9, "billions": 10**9, "milliarde": 10**9, "milliarden": 10**9, "milliard": 10**9,
    "milliards": 10**9, "trillion": 10**12, "trillions": 10**12,
}  # fmt: skip
# An article as well: in a passage it may mean 1, in an answer it says nothing that has to be checked.
ARTICLES = frozenset(
    [
        "one",
        "a",
        "an",
        "each",
        "per",
        "every",
        "single",
        "ein",
        "eine",
        "einen",
        "einem",
        "einer",
        "eines",
        "eins",
        "un",
        "une",
        "una",
        "uno",
        "unos",
        "unas",
        "le",
        "la",
        "cada",
    ]
)
MONTHS = {
    word: number
    for line in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sept oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jänner feber mär apr mai juni juli aug sep okt nov dez",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, word in enumerate(line.split(), start=1)
}
# Words that are no month more often than they are one, unless a day or a year stands beside them.
AMBIGUOUS_MONTHS = frozenset(["may", "march", "mar", "dec", "mars", "august", "mai"])
WEEKDAYS = {
    word: number
    for line in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "mondays tuesdays wednesdays thursdays fridays saturdays sundays",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "montags dienstags mittwochs donnerstags freitags samstags sonntags",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lunes martes miércoles jueves viernes sábado domingo",
    )
    for number, word in enumerate(line.split(), start=1)
}
_TIME = {
    "second seconds sec secs s sekunde sekunden seconde secondes segundo segundos": 1,
    "minute minutes min mins minuten minuto minutos": 60,
    "hour hours hr hrs h stunde stunden std heure heures hora horas": 3600,
    "day days tag tage tagen jour jours día días": 86_400,
    "week weeks woche wochen semaine semaines semana semanas": 604_800,
}
_MONTHS_LONG = {
    "month months monat monate monaten mois mes meses": 1,
    "quarter quarters quartal quartale trimestre trimestres": 3,
    "year years yr yrs jahr jahre jahren an ans année années año años": 12,
}
_SCALED: dict[str, dict[str, float]] = {
    "m": {
        "mm millimetre millimetres millimeter millimeters": 0.001,
        "cm centimetre centimetres centimeter centimeters zentimeter": 0.01,
        "metre metres meter meters metern mètre mètres metro metros": 1,
        "km kilometre kilometres kilometer kilometers kilometern kilomètre kilomètres kilómetro kilómetros": 1000,
        "mile miles meile meilen": 1609.344, "foot feet ft": 0.3048, "inch inches": 0.0254,
    },
    "g": {
        "mg milligram milligrams milligramm": 0.001, "g gram grams gramm gramme grammes gramo gramos": 1,
        "kg kilo kilos kilogram kilograms kilogramm": 1000, "tonne tonnes ton tons tonnen tonelada toneladas": 10**6,
        "pound-weight lbs lb": 453.6,
    },
    "l": {"ml millilitre millilitres milliliter": 0.001, "l litre litres liter liters litern litro litros": 1},
    "byte": {
        "byte bytes": 1, "kb kilobyte kilobytes": 10**3, "mb megabyte megabytes": 10**6,
        "gb gigabyte gigabytes": 10**9, "tb terabyte terabytes": 10**12,
    },
    "ratio": {"% percent percentage pct prozent pourcent pourcents": 0.01},
    "m/s": {"m/s mps": 1, "km/h kmh kph": 1 / 3.6, "mph": 0.44704},
    "kn": {"kn knots knot knoten nœuds nudos": 1},
    "eur": {"€ eur euro euros": 1}, "usd": {"$ usd us$ dollar dollars dólar dólares": 1},
    "gbp": {"£ gbp pound pounds pfund": 1}, "jpy": {"¥ jpy yen": 1}, "chf": {"chf franken francs": 1},
    "°c": {"°c celsius ºc": 1}, "°f": {"°f fahrenheit": 1}, "w": {"w watt watts": 1, "kw kilowatt kilowatts": 1000},
    "hz": {"hz hertz": 1, "khz": 1000, "mhz": 10**6, "ghz": 10**9}, "bar": {"bar bars": 1}, "pa": {"pa pascal": 1},
    "v": {"v volt volts": 1}, "px": {"px pixel pixels": 1}, "ms": {"ms millisecond milliseconds": 1},
}  # fmt: skip
_KINDS: dict[str, dict[str, float]] = {"s": dict(_TIME), "month": dict(_MONTHS_LONG), **_SCALED}
# Unit word → (what is measured, how many of its base).
UNITS: dict[str, tuple[str, float]] = {
    word: (kind, factor)
    for kind, groups in _KINDS.items()
    for words, factor in groups.items()
    for word in words.split()
}
