"""What streets, boxes and flats are called, as patterns, and what towns and postcodes look like."""

CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-ŽΆ-ΫА-ЯЁЄІЇ]"
SMALL = "a-zß-öø-ÿā-žά-ώа-яёєії"

# Behind the name, in English; the second list are words that stand in many other names as well.
BEHIND = (
    r"(?:Street|St|Str|Avenue|Ave|Av|Road|Rd|Lane|Ln|Boulevard|Blvd|Terrace|Crescent|Cres|Parkway|"
    r"Pkwy|Highway|Hwy|Freeway|"
    r"Turnpike|Broadway|Mews|Esplanade|Sokak|Sokağı|Caddesi|Cad|Bulvarı|Marg|STREET|AVENUE|ROAD|LANE|"
    r"street|avenue|road|lane)\b\.?"
)
BEHIND_WEAK = (
    r"(?:Drive|Dr|Court|Ct|Place|Pl|Way|Square|Sq|Close|Circle|Cir|Trail|Trl|Ter|Walk|Gardens|Gdns|"
    r"Grove|Hill|Rise|Quay|Wharf|"
    r"Alley|Loop|Plaza|Parade|Green|Mall|Ridge|View|Park|Point|Pass|Path|Run|Crossing|Bend|Cove|"
    r"Heights|Hollow|Manor|Yard|"
    r"Gate|Bridge|Causeway|Common|End|Fields?|DRIVE|WAY|COURT)\b\.?"
)
# At the end of a street's name, German, Dutch, Nordic, Finnish, Estonian, Hungarian; weak: of many other words too.
_ENDINGS = (
    "straße strasse straat gasse platz allee damm ufer gracht plein laan kade dreef singel vej vejen "
    "gade gaden gata gatan vägen veien vegen "
    "gaten stræde strædet gränd katu kuja polku weg steig steeg chaussee promenade brücke allé utca "
    "str. stræti vangur braut tie tänav"
)
ENDINGS = _ENDINGS.split()
# Before the name: French, Spanish, Catalan, Portuguese, Italian, Romanian, Polish, Czech, Indonesian, German, Slavonic.
_BEFORE = (
    "Rue Avenue Boulevard Bd Place Quai Chemin Allée Impasse Route Cours Passage Faubourg Via Viale "
    "Piazza Piazzale Corso Vicolo "
    "Largo Calle C/ Avenida Avda Avda. Paseo Plaza Carrer Carretera Camino Ronda Travesía Rua Rúa "
    "Travessa Praça Alameda Estrada "
    "Rodovia Strada Bulevardul Calea Ulica Aleja Osiedle Náměstí Třída Jalan Jl. Straße Strasse "
    "Platz Ulitsa Prospekt Улица "
    "Проспект Переулок Бульвар Вулиця Провулок Вул. Ул."
)
BEFORE = [*_BEFORE.split(), "Av."]
# Before the name of many German streets ("Am Markt 3"), and of much else: a postcode and a town must follow.
AT = r"(?:Am|Im|Zum|Zur|(?:An|Auf|In|Unter|Hinter) de[rmn])"
AT_STARTS = ["Am", "Im", "Zum", "Zur", "An", "Auf", "In", "Unter", "Hinter"]
_BEFORE_SMALL = (
    "rue avenue boulevard place quai chemin allée impasse route via viale piazza corso calle avenida rua "
    "ul. al. ул. вул."
)
BEFORE_SMALL = _BEFORE_SMALL.split()
UNIT = (
    r"(?:Apt|Apartment|Suite|Ste|Flat|Unit|Apto|Piso|Wohnung|Whg|Top|Stiege|B[âa]t|B[âa]timent|Appt|"
    r"Appartement|Interno|Scala|"
    r"Building|Bldg|Floor|Fl|Level|Room|Rm|Block|Depto|Departamento|lok|kv|кв|apt|suite|unit|PMB|#)\b\.? ?#?"
    r"(?:[A-Z]?\d{1,5}[A-Za-z]?|[A-Z])\b"
)
BOXES = (
    r"P\.? ?O\.? ?Box (?:No\.? ?)?\d{1,6}[A-Z]?",
    r"Post(?:al)?(?: ?Office)? Box \d{1,6}",
    r"(?:PSC|CMR|[Uu]nit) \d{3,5},? [Bb]ox \d{2,5}",
    r"(?:US[SN]S?|USCGC|uscgc) \w{3,20}(?=,?\n(?:> ?)?(?:[AFDafd][Pp][Oo]) )",
    r"Post(?:fach|bus|boks|box) \d{1,4}(?: ?\d{2,3}){0,2}",
    r"B\.?P\.? \d{1,5}(?=[,\n]| \d{5})",
    r"Apartado(?: (?:de [Cc]orreos|[Pp]ostal))? \d{1,6}",
    r"(?:Casella|Caixa|Bo[îi]te|Skrytka) (?:[Pp]ostale?|pocztowa) \d{1,6}",
    r"(?:GPO|G\.P\.O\.) Box \d{1,6}",
    r"Private Bag [A-Z]?\d{1,6}",
)
_BOX_STARTS = (
    "PO P.O P. Post Postal Postfach Postbus Postboks Postbox PSC CMR Unit USS USNS USCGC BP B.P. "
    "Apartado Casella Caixa Boîte Skrytka GPO G.P.O. Private"
)
BOX_STARTS = _BOX_STARTS.split()
_UNIT_STARTS = "Apt Apt. Apartment Suite Ste. Flat"
UNIT_STARTS = _UNIT_STARTS.split()
# Named like a street and a number, but none.
NO_STREETS = (
    r"(?:Sections?|Table|Figure|Fig|Chapter|Page|Step|Version|Level|Phase|Week|Day|Appendix|Article|"
    r"Part|Question|Exhibit|Annex|"
    r"Note|Volume|Vol|Issue|Grade|Band|Tier|Class|Line|Item|Rule|Release|Sprint|Slide|Example|Option|"
    r"Type|Group|Stage|Lesson|"
    r"The|On|In|At|By|From|Since|Until|About|Over|Under|Only|Top|First|Last|Next|Every|Total|Q[1-4]|"
    r"Monday|Tuesday|Wednesday|"
    r"Thursday|Friday|Saturday|Sunday|Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|"
    r"July?|Aug(?:ust)?|Sept?|"
    r"September|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
CODE = (
    r"(?:(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?(?: [A-Z]{2}(?![\w]))?|\d{3} \d{2}|\d{2}-\d{3}|[A-Z]{1,"
    r"2}\d[A-Z\d]? ?\d[A-Z]{2}|"
    r"[A-Z]\d[A-Z] ?\d[A-Z]\d)(?!\w)"
)
STATE = r"(?:[A-Z]{2,3}|nan)(?!\w)"
TOWN = (
    rf"(?!Apt|Suite|Unit|Flat|[A-Z]{{2}} \d){CAPITAL}[\w.'\-]{{1,24}}(?:[ "
    rf"\-/](?:\(?{CAPITAL}[\w.'\-]{{0,24}}\)?|de|la|le|les|du|am|an|der|"
    r"den|in|of|upon|sur|sous|dei|di|del|u|v|i|y|do|da|bei|im|ob|nad)(?!\w)){0,5}"
)
