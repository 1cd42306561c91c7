"""Words that name a phone number, by language, and words that name another number between them and it."""

NAMES = {
    "en": r"(?:tele)?phones?|ph|tel|mobiles?|mob|cell(?:phone)?|call(?:ing|ed|s)?|fax|dial|sms|text(?:ed)?|"
    r"whatsapp|signal|"
    r"hotline|helpline|(?:support|service|help|hot|direct|info|customer|emergency) line|"
    r"landline|extension|reach(?:ed|able)?|ring|contact (?:number|no)|callback|voicemail|pager",
    "de": r"telefon\w*|handy\w*|mobil\w*|festnetz\w*|rufnummer|durchwahl|anruf\w*|erreichbar|rückruf\w*|"
    r"fernruf|telefax",
    "fr": r"t[ée]l[ée]phones?|t[ée]l|portable|appel\w*|joignable|fixe|t[ée]l[ée]copie\w*|num[ée]ro de t[ée]l\w*|gsm",
    "es": r"tel[ée]fonos?|tfno?|m[óo]vil|celular|ll[aá]m[aeáé]\w*|fijo",
    "it": r"telefono|cellulare|cell|chiam\w+|recapito|numero di tel\w*",
    "pt": r"telefones?|telem[óo]vel|celular|lig(?:ue|ar)|contacto",
    "nl": r"telefoon\w*|mobiel\w*|bel(?:len)?|tel\.? ?nr|bereikbaar",
    "pl": r"telefon\w*|kom[óo]rk\w*|zadzwoń|dzwoni\w*|numer tel\w*|kom",
    "sv": r"telefon\w*|mobil\w*|ring(?:a|er)?|tfn|telnr",
    "da": r"telefon\w*|tlf|mobil\w*|ring(?:e)?",
    "no": r"telefon\w*|tlf|mobil\w*|ring(?:e)?",
    "fi": r"puhelin\w*|puh|matkapuhelin|soita|gsm",
    "tr": r"telefon\w*|cep|gsm|ara(?:yın|yabilir\w*)|faks",
    "ru": r"телефон\w*|тел|моб(?:ильн\w*)?|сотов\w*|звон\w*|позвон\w*|факс",
    "uk": r"телефон\w*|тел|моб(?:ільн\w*)?|дзвон\w*|подзвон\w*|зателефон\w*|факс",
    "cs": r"telefon\w*|mobil\w*|volejte|zavolejte|tel\. ?č",
    "hu": r"telefon\w*|mobil\w*|hívj\w*|telefonszám\w*",
    "ro": r"telefon\w*|mobil|sunați|suna",
    "el": r"τηλ[έε]φων\w*|τηλ|κινητ\w*",
    "id": r"telepon|telp|hp|ponsel|hubungi",
    "tl": r"telepono|selpon",
    "ar": r"هاتف|جوال|اتصل|الهاتف|موبايل",
    "he": r"טלפון|נייד|טל",
    "hi": r"फ़ोन|फोन|मोबाइल",
    "zh": r"(?:电话|電話|手机|手機|致电|联系方式)\w*",
    "ja": r"(?:電話|携帯|連絡先)\w*",
    "ko": r"(?:전화|휴대폰|휴대전화|연락처|핸드폰)\w*",
    "vi": r"điện thoại|đt|di động|gọi",
    "th": r"โทร\w*|เบอร์\w*|มือถือ",
}
OTHER = (
    r"(?:orders?|invoices?|tickets?|cases?|parts?|drawings?|batch|lot|tracking|ref|reference|items?|articles?|isbn|ean|sku|id|version|zip|postcode|account|issues?|pr|"
    r"room|models?|serial|port|"
    r"card|ssn|year|npi|mrn|since|in|bestell\w*|auftrags?\w*|rechnungs?\w*|artikel\w*|kundennummer|"
    r"commande|facture|pedido|"
    r"factura|ordine|fattura|zam[óo]wieni\w*|заказ\w*|сч[её]т\w*)"
)
