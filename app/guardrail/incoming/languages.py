"""How a text speaks to a model in languages other than English: the commonest forms of each."""

import re

from app.guardrail.incoming.finding import Frame

_MODEL = r"(?:ki|ia|ai|llm|chatgpt|gpt|chatbot|chat-bot|bot|claude|gemini|copilot|chatbots|чат-?бот\w*|ии)"

# A language: its own verbs for leaving orders aside, what stands for earlier ones, the orders; what an answer is; how it
# addresses a model; how it asks for a hidden prompt. Several words of a kind are alternatives.
_DISREGARD = {
    "de": (
        r"ignorier\w*|missacht\w*|vergiss|vergessen sie|vergesst|übergeh\w*|verwirf|überschreib\w*|beachte\w* nicht|befolge\w* nicht"
        r"|folge nicht|setz\w* dich über",
        r"vorherig\w*|bisherig\w*|vorig\w*|früher\w*|obig\w*|vorangegangen\w*|vorausgehend\w*|deine|ihre|dir|dein|ursprünglich\w*|alles",
        r"anweisung\w*|instruktion\w*|anleitung\w*|regeln?|vorgaben?|befehle?|richtlinien?|system-?prompt\w*|prompts?|gesagt wurde|gesagt worden|kontext",
    ),
    "fr": (
        r"ignore[rz]?|oublie[rz]?|négligez?|ne ten\w+ (?:pas|aucun) compte|n'obéi\w+ (?:pas|plus)|fai\w+ abstraction|écarte[rz]?|ne sui\w+ (?:pas|plus)",
        r"précédente?s?|ci-dessus|antérieure?s?|initiales?|d'origine|tes|vos|système|tout ce",
        r"instructions?|consignes?|directives?|règles?|ordres?|prompt|contexte|t'a dit|vous a dit|qui précède",
    ),
    "es": (
        r"ignor[aeá]\w*|olvid[aeá]\w*|descart[aeá]\w*|omit[aeí]\w*|no (?:sigas|siga|obedezcas|hagas caso)|desobedec\w*|haz caso omiso|pas[ae] por alto",
        r"anterior\w*|previ[ao]s?|precedentes?|de arriba|iniciales?|originales|tus|sus|lo que",
        r"instrucci\w+|órdenes|ordenes|reglas|directrices|indicaciones|normas|prompt|contexto|te han dicho|te dijeron|se te ha dicho",
    ),
    "it": (
        r"ignora\w*|dimentica\w*|trascura\w*|scarta\w*|non (?:seguire|rispettare|tenere conto)|tralascia\w*",
        r"precedent[ei]|anterior[ei]|sopra|iniziali|originali|tue|tuoi|sistema|ciò che|quello che",
        r"istruzion[ei]|regole|direttive|indicazioni|ordini|comandi|prompt|contesto|ti è stato detto|ti hanno detto",
    ),
    "pt": (
        r"ignor[ae]\w*|esqueç\w+|esquece\w*|desconsider[ae]\w*|descart[ae]\w*|não (?:siga|sigas|obedeça)|despreze",
        r"anterior\w*|prévi[ao]s|acima|iniciais|originais|tuas|suas|do sistema|tudo o que|o que",
        r"instruç\w+|ordens|regras|diretrizes|orientações|comandos|prompt|contexto|lhe disseram|te disseram|foi dito",
    ),
    "nl": (
        r"negeer\w*|vergeet|sla .{0,20} over|volg .{0,30} niet|houd geen rekening",
        r"vorige|eerdere|voorgaande|bovenstaande|oorspronkelijke|je|jouw|uw|alles wat",
        r"instructies?|aanwijzingen|opdrachten|regels|richtlijnen|prompt|context|is gezegd|is verteld",
    ),
    "pl": (
        r"z?ignoruj\w*|zapomnij\w*|pomiń\w*|odrzuć\w*|nie (?:przestrzegaj|stosuj|wykonuj)\w*|zlekceważ\w*",
        r"poprzedni\w*|wcześniejsz\w*|powyższ\w*|dotychczasow\w*|pierwotn\w*|swoje|twoje|wszystko",
        r"instrukcj\w+|polece\w+|wytyczn\w+|zasad\w*|reguł\w*|prompt\w*|kontekst\w*|powiedziano",
    ),
    "ru": (
        r"игнорируй\w*|проигнорируй\w*|забудь\w*|отбрось\w*|не следуй\w*|не выполняй\w*|не обращай\w* внимания|отмени\w*|пренебреги",
        r"предыдущ\w+|прежн\w+|вышеуказанн\w+|вышеизложенн\w+|ранее|свои|твои|ваши|первоначальн\w+|всё|все",
        r"инструкци\w+|указани\w+|правил\w*|команд\w*|директив\w*|промпт\w*|контекст\w*|распоряжени\w+|сказали|говорили|сказано",
    ),
    "uk": (
        r"ігноруй\w*|проігноруй\w*|забудь\w*|не виконуй\w*|не дотримуй\w*",
        r"попередн\w+|усі|всі|вищенаведен\w+|свої|твої",
        r"інструкці\w+|вказівк\w+|правил\w*|наказ\w*|промпт\w*|команд\w*",
    ),
    "tr": (
        r"yok say\w*|görmezden gel\w*|unut\w*|dikkate alma\w*|göz ardı et\w*|uyma",
        r"önceki|yukarıdaki|daha önceki|tüm|ilk|sana",
        r"talimat\w*|yönerge\w*|komut\w*|kural\w*|emir\w*|istem\w*|söylenen\w*|prompt\w*",
    ),
    "sv": (
        r"ignorera\w*|glöm\w*|bortse|strunta i|följ inte|åsidosätt",
        r"tidigare|föregående|ovanstående|ursprungliga|dina|dig|allt",
        r"instruktion\w*|anvisning\w*|regler\w*|riktlinjer\w*|prompt\w*|order|kommandon|sagts",
    ),
    "da": (
        r"ignor[ée]r\w*|glem\w*|se bort fra|følg ikke|tilsidesæt\w*",
        r"tidligere|foregående|ovenstående|forrige|oprindelige|dine|alt|alle",
        r"instruktion\w*|instruks\w*|anvisning\w*|regler\w*|retningslinj\w*|prompt\w*|ordrer|kommandoer",
    ),
    "cs": (
        r"ignoruj\w*|zapomeň\w*|přehlížej\w*|neřiď se|nedodržuj\w*",
        r"předchozí\w*|dřívější\w*|výše uveden\w*|všechn\w+|původní\w*|své",
        r"pokyn\w*|instrukc\w*|pravid\w*|příkaz\w*|prompt\w*",
    ),
    "ar": (r"تجاهل\w*|انس|انسى|إنس|لا تتبع|أهمل", r"السابقة|أعلاه|جميع|كل|الأصلية", r"التعليمات|الأوامر|الإرشادات|القواعد|التوجيهات|تعليمات\w*"),
    "hi": (r"अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल जा", r"पिछले|पिछली|पूर्व|ऊपर|सभी", r"निर्देश\w*|आदेश|नियम"),
    "id": (r"abaikan\w*|lupakan|jangan ikuti", r"sebelumnya|di atas|semua", r"instruksi\w*|perintah\w*|aturan\w*|petunjuk\w*"),
    "vi": (r"bỏ qua|phớt lờ|quên", r"trước|trên|tất cả|mọi", r"hướng dẫn|chỉ dẫn|lệnh|quy tắc|chỉ thị"),
}  # fmt: skip
# Written without blanks: the verb may stand first or last.
_UNSPACED_DISREGARD = (
    r"(?:忽略|无视|無視|忘记|忘掉|忘記|不要理会|不要遵守|抛开|不用管)[^.!?\n]{0,16}?(?:之前|以前|先前|以上|上述|上面|前面|此前|原来|系统|你)[^.!?\n]{0,8}?(?:指令|指示|提示|规则|規則|命令|要求|说明|內容|内容|设定)"
    r"|(?:これまで|以前|上記|今まで|前|元|先ほど|すべて|全て)[^.!?\n]{0,10}?(?:指示|命令|ルール|プロンプト|指令|規則|設定|制約)[^.!?\n]{0,8}?(?:無視|忘れ|破棄|従わ|無効)"
    r"|(?:이전|위|앞|지금까지|기존|모든)[^.!?\n]{0,10}?(?:지시|명령|지침|규칙|프롬프트|설정)[^.!?\n]{0,10}?(?:무시|잊|따르지|버리)"
)
_ANSWER = {
    "de": r"(?:deine[rnsm]?|ihre[rnsm]?|jede[rnsm]?)(?: \w+){0,2} (?:antwort(?:en)?|zusammenfassung|ausgaben?|erwiderung)\b",
    "fr": r"(?:ta|votre|tes|vos|chaque|toute)(?: \w+)? (?:réponses?|résumé|sortie)\b",
    "es": r"(?:tu|su|tus|sus|cada|toda)(?: \w+)? (?:respuestas?|resumen|salida)\b",
    "it": r"(?:la tua|le tue|tua|ogni|vostra|nella tua)(?: \w+)? (?:rispost[ae]|riassunto)\b",
    "pt": r"(?:sua|tua|suas|cada|toda)(?: \w+)? (?:respostas?|resumo)\b",
    "nl": r"(?:je|jouw|uw|elk|ieder)(?: \w+)? (?:antwoord(?:en)?|samenvatting|reactie)\b",
    "pl": r"(?:swoj\w+|twoj\w+|każd\w+)(?: \w+)? (?:odpowied\w+|podsumowani\w+)\b",
    "ru": r"(?:сво\w+|тво\w+|ваш\w+|кажд\w+)(?: \w+)? (?:ответ\w*|резюме)\b",
    "tr": r"(?:yanıtın\w*|cevabın\w*|yanıtları\w+)\b",
    "sv": r"(?:ditt|dina|varje|ert)(?: \w+)? svar\b",
    "da": r"(?:dit|dine|hvert)(?: \w+)? svar\b",
}  # fmt: skip
# What a model is told to do to its answer.
_EDIT = {
    "de": r"beende\w*|beginn\w*|schließ\w*|ende\b|füge\w*|ergänz\w*|erwähn\w*|nenn\w*|verschweig\w*|schreib\w*|ersetz\w*|übersetz\w*|formulier\w*|kodier\w*|baue?\b|lass\w*|verwend\w*|benutz\w*|nutze?\b|vertausch\w*|empfiehl|behaupt\w*|streu\w*|gib\b|verfass\w*|setz\w*|hänge?\b|integrier\w*|erweiter\w*|verzicht\w*|wandle|verschlüssel\w*|entfern\w*",
    "fr": r"termine[rz]?|commence[rz]?|ajoute[rz]?|mentionne[rz]?|inclu[st]?\w*|inclure|écri[st]\w*|remplace[rz]?|traduis\w*|insère|insérez|omet\w*|évite[rz]?|utilise[rz]?|finis\w*|conclu\w*|donne[rz]?|rédige[rz]?|encode[rz]?|rends|rendez|intègre|intégrez|recommande[rz]?|invers\w+|modifie[rz]?|débute[rz]?",
    "es": r"termin[ae]\w*|empiez[ae]\w*|comienz[ae]\w*|añad\w+|agreg\w+|mencion\w+|incluy\w+|escrib\w+|reemplaz\w+|sustituy\w+|traduc\w+|traduzc\w+|insert\w+|omit\w+|evit\w+|us[ae]\b|utili[cz]\w+|finali[cz]\w+|concluy\w+|codific\w+|codifiqu\w+|recomiend\w+|acab[ae]|modific\w+|modifiqu\w+",
    "it": r"termina\w*|inizia\w*|comincia\w*|aggiung\w+|menziona\w*|includ\w+|scriv\w+|sostitui\w+|traduc\w+|inseri\w+|omett\w+|evita\w*|usa\b|utilizza\w*|concludi\w*|codifica\w*|consiglia\w*|finisc\w+|modifica\w*",
    "pt": r"termin[ae]\w*|comec[ae]\w*|comece\w*|adicion\w+|acrescent\w+|mencion\w+|inclu\w+|escrev\w+|substitu\w+|traduz\w*|insir\w+|inser\w+|omit\w+|evit\w+|us[ae]\b|utiliz\w+|conclu\w+|codifi\w+|recomend\w+|finaliz\w+|modifi\w+",
    "nl": r"eindig\w*|begin\w*|voeg\w*|vermeld\w*|noem\w*|schrijf\w*|vervang\w*|vertaal\w*|gebruik\w*|sluit\w*|neem\w*|laat\w*|vermijd\w*|codeer\w*|raad\b|verwerk\w*",
    "pl": r"zakończ\w*|zacznij\w*|rozpocznij\w*|dodaj\w*|wspominaj\w*|wspomnij\w*|napisz\w*|zamień\w*|zastąp\w*|przetłumacz\w*|używaj\w*|użyj\w*|pomiń\w*|umieść\w*|zakoduj\w*|kończ\w*",
    "ru": r"закончи\w*|заканчивай\w*|заверши\w*|начни\w*|начинай\w*|добавь\w*|упомяни\w*|упоминай\w*|напиши\w*|пиши\w*|замени\w*|переведи\w*|используй\w*|вставь\w*|включи\w*|закодируй\w*|не раскрывай\w*",
    "tr": r"bitir\w*|başla\w*|ekle\w*|belirt\w*|bahset\w*|yaz\w*|değiştir\w*|çevir\w*|kullan\w*",
    "sv": r"avsluta\w*|börja\w*|lägg\w*|nämn\w*|skriv\w*|ersätt\w*|översätt\w*|använd\w*|inkludera\w*",
    "da": r"afslut\w*|begynd\w*|start\w*|tilføj\w*|nævn\w*|skriv\w*|erstat\w*|oversæt\w*|brug\w*|inkluder\w*",
}  # fmt: skip
_ONLY = (
    r"\b(?:antworte|antwortet|antworten sie|reagiere)\b[^.!?]{0,30}?\b(?:nur|ausschließlich|lediglich|immer) (?:mit|auf|in)\b(?! (?:e-?mail|anfrage|bewertung|nachricht))"
    r"|\brépond(?:s|ez)\b[^.!?]{0,20}?\b(?:uniquement|seulement|exclusivement|juste)\b"
    r"|\brespond[ea]\w*\b[^.!?]{0,20}?\b(?:solo|sólo|únicamente|solamente|exclusivamente|apenas|somente)\b(?! (?:a|si|se|cuando|quando)\b)"
    r"|\brispond[ia]\w*\b[^.!?]{0,20}?\b(?:solo|soltanto|esclusivamente|unicamente)\b(?! (?:a|se|quando)\b)"
    r"|\bantwoord\b[^.!?]{0,20}?\b(?:alleen|uitsluitend|enkel) (?:met|in)\b"
    r"|\bodpowiadaj\w*\b[^.!?]{0,20}?\b(?:tylko|wyłącznie|jedynie)\b"
    r"|\bотвечай\w*\b[^.!?]{0,20}?\b(?:только|исключительно|лишь)\b"
    r"|\b(?:yalnızca|sadece)\b[^.!?]{0,40}?\b(?:yanıt|cevap) ver"
    r"|\bsvara?\b[^.!?]{0,20}?\b(?:bara|endast|kun|enbart) (?:med|på)\b"
    r"|(?:只|仅|僅)(?:能|需|可以)?(?:回答|回复|回覆|输出|輸出)|(?:だけ|のみ)(?:を|で|と)?(?:回答|答え|出力|返答)|(?:만|라고만) (?:대답|답변|출력|답)"
)
_ADDRESSED = (
    rf"(?:hinweis|nachricht|anweisung\w*|notiz|achtung|wichtig|an)\W+(?:an |für |die |alle |den |jede )*(?:{_MODEL}|künstliche intelligenz|sprachmodelle?|assistenten|ki-\w+)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:note|message|instructions?|consignes?|attention|important|avis)\W+(?:à |pour |au |aux |l'|la |les |toute |une )*(?:{_MODEL}|intelligence artificielle|modèles? de langage|assistant ia|assistants?)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:notas?|mensaje|mensagem|instruc\w+|instruç\w+|atención|atenção|aviso|nota|messaggio|istruzion\w+|attenzione)\W+(?:para |a |al |ao |la |el |o |os |las |los |per |l'|il |gli |le |di )*(?:{_MODEL}|inteligencia artificial|inteligência artificial|intelligenza artificiale|modelos? de (?:lenguaje|linguagem)|modell[oi] linguistic[oi]|(?:asistente|assistente)(?: de| di)? (?:ia|ai)|asistente|assistente)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:opmerking|bericht|instructies?|let op|aandacht|belangrijk)\W+(?:voor |aan |de |het |alle |elke )*(?:{_MODEL}|taalmodel\w*|ai-\w+|kunstmatige intelligentie)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:uwaga|informacja|instrukcj\w+|wiadomość|polecenie)\W+(?:dla |do )(?:{_MODEL}|asystenta|modelu|modelu językowego|sztucznej inteligencji|si)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:примечание|сообщение|инструкци\w+|внимание|указани\w+|заметка)\W+(?:для |к )?(?:{_MODEL}|ассистент\w*|языков\w+ модел\w+|модел\w+|искусственн\w+ интеллект\w*|нейросет\w+)\b[^.!?:]{{0,40}}[:,]"
    r"|\b(?:falls|wenn|da|sofern) (?:du|sie) (?:ein|eine) (?:sprachmodell|ki\b|künstliche|chatbot|assistent|llm|bot\b)"
    r"|\b(?:si|comme|puisque) (?:tu es|vous êtes) (?:un|une) (?:ia\b|intelligence artificielle|modèle de langage|assistant|chatbot|llm)"
    r"|\bsi (?:eres|usted es) (?:un|una) (?:ia\b|inteligencia artificial|modelo de lenguaje|asistente|chatbot|llm)"
    r"|\bse sei un'? ?(?:ia\b|intelligenza artificiale|modello linguistico|modello di linguaggio|assistente|chatbot|llm)"
    r"|\bse (?:você é|és|for) (?:um|uma) (?:ia\b|inteligência artificial|modelo de linguagem|assistente|chatbot|llm)"
    r"|\bals (?:je|u|jij) een (?:taalmodel|ai\b|chatbot|assistent|llm|kunstmatige)"
    r"|\bjeśli jesteś (?:modelem|sztuczną|asystentem|chatbotem|ai\b)|\bесли (?:ты|вы)\W+(?:языковая модель|ии\b|искусственный|ассистент|чат-бот|нейросеть|бот\b)"
    r"|\beğer bir (?:dil modeli|yapay zeka)|\bom du är en (?:språkmodell|ai\b|chatbot|assistent)|\bhvis du er en (?:sprogmodel|ai\b|chatbot|assistent)"
    r"|(?:ai|人工智能|人工智慧|语言模型|語言模型|聊天机器人|大模型)\s?(?:助手|助理|模型|系统)?\s*(?:请|請|必须|必須|注意|:|,)|如果你是(?:一个|一個)?\s?(?:ai|人工智能|语言模型|助手)"
    r"|(?:ai|人工知能|言語モデル|チャットボット)\s?(?:アシスタント|モデル)?(?:へ|宛|の方へ|に告ぐ)|あなたが(?:ai|言語モデル)"
    r"|(?:ai|인공지능|언어 ?모델|챗봇)\s?(?:어시스턴트|비서|모델)?(?:에게|께|는 반드시)|당신이 (?:ai|언어)"
)
_PROMPT = (
    r"\b(?:gib|gebt|geben sie|zeig\w*|nenn\w*|verrat\w*|wiederhol\w*|druck\w*|schreib\w*)\b[^.!?]{0,40}?\b(?:system-?prompt\w*|systemnachricht|anfangsanweisung\w*|systemanweisung\w*|(?:deine|ihre) (?:\w+ )?(?:anweisungen|instruktionen))\b"
    r"|\b(?:affiche[rz]?|montre[rz]?|révèle[rz]?|révéler|répète[rz]?|donne[rz]?|écri[sv]\w*)\b[^.!?]{0,40}?\b(?:prompt|message système|(?:tes|vos) (?:instructions|consignes))\b"
    r"|\b(?:revel[ae]\w*|muestr[ae]\w*|mostr[ae]\w*|repit\w+|repet\w+|imprim\w+|exib\w+|dime|diga)\b[^.!?]{0,40}?\b(?:prompt|mensaje del sistema|mensagem do sistema|(?:tus|suas|sus) instruc\w+|suas instruções|messaggio di sistema|(?:le )?tue istruzioni)\b"
    r"|\b(?:rivela\w*|mostra\w*|stampa\w*|ripeti\w*)\b[^.!?]{0,40}?\b(?:prompt|messaggio di sistema|tue istruzioni)\b"
    r"|\b(?:toon|geef|laat|herhaal|onthul)\b[^.!?]{0,40}?\b(?:systeemprompt|systeembericht|je (?:\w+ )?instructies)\b"
    r"|\b(?:pokaż|wyświetl|ujawnij|powtórz|wypisz)\w*\b[^.!?]{0,40}?\b(?:prompt\w*|wiadomość systemową|swoje instrukcje)"
    r"|\b(?:покажи|раскрой|выведи|повтори|напечатай|напиши)\w*\b[^.!?]{0,40}?(?:системн\w+ (?:промпт|сообщени|инструкци|подсказк)|промпт)"
    r"|(?:显示|顯示|输出|輸出|打印|透露|告诉我|重复|泄露)[^.!?\n]{0,12}?(?:系统提示|系統提示|提示词|初始指令|系统指令)|(?:システムプロンプト|初期指示)[^.!?\n]{0,8}?(?:表示|出力|教え|公開)|(?:시스템 ?프롬프트|초기 지시)[^.!?\n]{0,8}?(?:출력|보여|공개|알려)"
    r"|(?:sistem (?:istem|mesaj|prompt)\w*)[^.!?]{0,20}?(?:göster|yazdır|açıkla)|(?:اعرض|اكشف|أظهر|اطبع)[^.!?]{0,30}?(?:رسالة النظام|موجه النظام|تعليماتك)"
    r"|\b(?:visa|skriv ut|avslöja|upprepa|vis|udskriv|gentag)\b[^.!?]{0,40}?\bsystem(?:prompt|meddelande|besked)\w*"
)
_UNSPACED_ANSWER = (
    r"(?:你|您)的?(?:回答|回复|回覆|答案|输出|總結|总结)[^.!?\n]{0,10}?(?:中|里|裡|必须|必須|要|都|以|末尾|结尾|開頭|开头)"
    r"|(?:在|每次)(?:回答|回复|总结)(?:时|中|的末尾|的结尾|末尾|结尾|开头)[^.!?\n]{0,12}?(?:不要|必须|请|加上|提到|写|以)"
    r"|(?:あなたの)?(?:回答|返答|応答|要約)の?(?:最後|最初|末尾|冒頭|中)(?:に|で|は)[^!?\n]{0,30}?(?:書|付け|加え|入れ|述べ|含め|言及)"
    r"|(?:답변|대답|응답|요약)의? ?(?:끝|마지막|처음|시작|안)[^.!?\n]{0,30}?(?:써|쓰|추가|붙|넣|언급|포함)"
)


def _disregard(language: str) -> Frame:
    verbs, prior, orders = _DISREGARD[language]
    words = r"(?:[\s,]+[^\s.!?]+){0,5}?[\s,]+"
    # The verb first, then in any order what stands for earlier ones and what they are; some languages put the verb last.
    forward = rf"\b(?:{verbs})(?={words}(?:{prior})(?!\w))(?=(?:[\s,]+[^\s.!?]+){{0,7}}?[\s,]+(?:{orders})(?!\w))"
    backward = rf"(?<!\w)(?:{prior})\s(?:[^\s.!?]+\s){{0,3}}?(?:{orders})\s(?:[^\s.!?]+\s){{0,2}}?(?:{verbs})"
    return Frame("override", 2, (), re.compile(f"{forward}|{backward}" if language in ("tr", "hi", "de") else forward))


def _answer(language: str) -> Frame:
    order = rf"(?:^|[.!?,:;\-\"]\s*|\b(?:bitte|und|et|y|e|en|i|и|och|og|nie|не|ne|no|non|não|nicht|pas|niet|ve)\s)\W*(?:{_EDIT[language]})"
    words = r"(?:[\s,]+[^\s!?]+){0,14}?[\s,]+(?:\w+\s)?"
    lead = rf"(?:^|[.!?:]\s*)(?:in|dans|en|nella?|em|w|в|на|i)\s{_ANSWER[language]}"
    backward = rf"|{_ANSWER[language]}(?:[\s,]+[^\s!?]+){{0,8}}?[\s,]+(?:{_EDIT[language]})" if language == "tr" else ""
    return Frame("form of the answer", 2, (), re.compile(rf"{order}{words}{_ANSWER[language]}|{lead}{backward}"), _PEOPLE)


_PEOPLE = re.compile(
    r"\b(?:e-?mails?|kund\w+|bewerb\w+|fragebogen|umfrage|clients?|clientes?|klant\w*|formulaire|formulario|questionnaire|cuestionario|encuesta|klient\w*|клиент\w*|анкет\w*|kandidat\w*|ticket)\b"
)

OTHER_LANGUAGES = (
    *(_disregard(language) for language in _DISREGARD),
    *(_answer(language) for language in _ANSWER),
    Frame("override", 2, (), re.compile(_UNSPACED_DISREGARD)),
    Frame("form of the answer", 2, (), re.compile(f"{_ONLY}"), _PEOPLE),
    Frame("form of the answer", 2, (), re.compile(_UNSPACED_ANSWER), re.compile(r"客户|客戶|顧客|お客様|고객|邮件|メール|이메일")),
    Frame("addressee", 2, (), re.compile(rf"(?:^|[.!?\n\"(]\s*|\b)(?:{_ADDRESSED})")),
    Frame("prompt", 2, (), re.compile(_PROMPT)),
)
