"""How a text speaks to a model in languages other than English: the commonest words of each."""

_MODEL = r"(?:ki|ia|ai|llm|chatgpt|gpt|chatbot|chat-bot|bot|claude|gemini|copilot|chatbots|чат-?бот\w*|ии)"

# By language: verbs for leaving orders aside, what stands for earlier ones, and the orders. Words of a kind are
# alternatives.
DISREGARD = {
    "de": (
        r"ignorier\w*|missacht\w*|vergiss|vergessen sie|vergesst|übergeh\w*|verwirf|überschreib\w*|beachte\w* nicht"
        r"|befolge\w* nicht|hör\w* nicht auf|folge nicht|setz\w* dich über",
        r"vorherig\w*|bisherig\w*|vorig\w*|früher\w*|obig\w*|vorangegangen\w*|vorausgehend\w*|deine|ihre|dir|dein"
        r"|ursprünglich\w*|alle[sn]?|vorangehend\w*|zuvor\w*",
        r"anweisung\w*|instruktion\w*|anleitung\w*|regeln?|vorgaben?|befehle?|richtlinien?|system-?prompt\w*"
        r"|prompts?|gesagt wurde|gesagt worden|kontext",
    ),
    "fr": (
        r"ignore[rz]?|oublie[rz]?|négligez?|ne ten\w+ (?:pas|aucun) compte|n'obéi\w+ (?:pas|plus)|fai\w+ abstraction"
        r"|écarte[rz]?|ne sui\w+ (?:pas|plus)",
        r"précédente?s?|ci-dessus|antérieure?s?|initiales?|d'origine|tes|vos|système|tout ce|toutes les|tous les",
        r"instructions?|consignes?|directives?|règles?|ordres?|prompt|contexte|t'a dit|vous a dit|qui précède",
    ),
    "es": (
        r"ignor[aeá]\w*|olvid[aeá]\w*|descart[aeá]\w*|omit[aeí]\w*|no (?:sigas|siga|obedezcas|hagas caso)"
        r"|desobedec\w*|haz caso omiso|pas[ae] por alto",
        r"anterior\w*|previ[ao]s?|precedentes?|de arriba|iniciales?|originales|tus|sus|lo que|todas las|todos los",
        r"instrucci\w+|órdenes|ordenes|reglas|directrices|indicaciones|normas|prompt|contexto|te han dicho"
        r"|te dijeron|se te ha dicho",
    ),
    "it": (
        r"ignora\w*|dimentica\w*|trascura\w*|scarta\w*|non (?:seguire|rispettare|tenere conto)|tralascia\w*",
        r"precedent[ei]|anterior[ei]|sopra|iniziali|originali|tue|tuoi|sistema|tutte le|tutti gli|tutti i|ciò che"
        r"|quello che",
        r"istruzion[ei]|regole|direttive|indicazioni|ordini|comandi|prompt|contesto|ti è stato detto|ti hanno detto",
    ),
    "pt": (
        r"ignor[ae]\w*|esqueç\w+|esquece\w*|desconsider[ae]\w*|descart[ae]\w*|não (?:siga|sigas|obedeça)|despreze",
        r"anterior\w*|prévi[ao]s|acima|iniciais|originais|tuas|suas|do sistema|todas as|todos os|tudo o que|o que",
        r"instruç\w+|ordens|regras|diretrizes|orientações|comandos|prompt|contexto|lhe disseram|te disseram|foi dito",
    ),
    "nl": (
        r"negeer\w*|vergeet|sla .{0,20} over|volg .{0,30} niet|houd geen rekening",
        r"vorige|eerdere|voorgaande|bovenstaande|oorspronkelijke|je|jouw|uw|alle|alles wat",
        r"instructies?|aanwijzingen|opdrachten|regels|richtlijnen|prompt|context|is gezegd|is verteld",
    ),
    "pl": (
        r"z?ignoruj\w*|zapomnij\w*|pomiń\w*|odrzuć\w*|nie (?:przestrzegaj|stosuj|wykonuj)\w*|zlekceważ\w*",
        r"poprzedni\w*|wcześniejsz\w*|powyższ\w*|dotychczasow\w*|pierwotn\w*|swoje|twoje|wszystko",
        r"instrukcj\w+|polece\w+|wytyczn\w+|zasad\w*|reguł\w*|prompt\w*|kontekst\w*|powiedziano",
    ),
    "ru": (
        r"игнорируй\w*|проигнорируй\w*|забудь\w*|отбрось\w*|не следуй\w*|не выполняй\w*|не обращай\w* внимания"
        r"|отмени\w*|пренебреги",
        r"предыдущ\w+|прежн\w+|вышеуказанн\w+|вышеизложенн\w+|ранее|свои|твои|ваши|первоначальн\w+|всё|все",
        r"инструкци\w+|указани\w+|правил\w*|команд\w*|директив\w*|промпт\w*|контекст\w*|распоряжени\w+|сказали"
        r"|говорили|сказано",
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
    "ar": (
        r"تجاهل\w*|انس|انسى|إنس|لا تتبع|أهمل",
        r"السابقة|أعلاه|جميع|كل|الأصلية",
        r"التعليمات|الأوامر|الإرشادات|القواعد|التوجيهات|تعليمات\w*",
    ),
    "hi": (r"अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल जा", r"पिछले|पिछली|पूर्व|ऊपर|सभी", r"निर्देश\w*|आदेश|नियम"),
    "id": (
        r"abaikan\w*|lupakan|jangan ikuti",
        r"sebelumnya|di atas|semua",
        r"instruksi\w*|perintah\w*|aturan\w*|petunjuk\w*",
    ),
    "vi": (r"bỏ qua|phớt lờ|quên", r"trước|trên|tất cả|mọi", r"hướng dẫn|chỉ dẫn|lệnh|quy tắc|chỉ thị"),
}
# Written without blanks: the verb may stand first or last.
# Leaving everything aside, as one says it to a friend.
FORGET_ALL = (
    r"\b(?:vergiss alles|oublie tout(?! le)|olvida todo|dimentica tutto|esqueça tudo|esquece tudo|vergeet alles"
    r"|glöm allt|glem alt|zapomnij (?:o )?wszystk\w+|забудь вс[её]|ignoriere die frage|antworte auf jede frage"
    r"|verrate (?:niemandem|keinem|nicht)|no respondas (?:a )?la pregunta|ne réponds pas à la question"
    r"|non rispondere alla domanda|beantworte die frage nicht|não responda à pergunta|beantwoord de vraag niet"
    r"|не отвечай на вопрос|ignore la question|ignora la (?:pregunta|domanda)|negeer de vraag|zapomeň "
    r"(?:na )?vše\w*)\b"
)
UNSPACED_DISREGARD = (
    r"不要(?:告诉|告知)(?:用户|任何人|读者)|(?:忽略|无视|無視|忘记|忘掉|忘記|不要理会|不要遵守|抛开"
    r"|不用管)[^.!?\n]{0,16}?(?:之前|以前|先前|以上|上述|上面|前面|此前|原来|系统|你)[^.!?\n]{0,8}?(?:指令|指示|提示"
    r"|规则|規則|命令|要求|说明|內容|内容|设定)|(?:これまで|以前|上記|今まで|前|元|先ほど|すべて"
    r"|全て)[^.!?\n]{0,10}?(?:指示|命令|ルール|プロンプト|指令|規則|設定|制約)[^.!?\n]{0,8}?(?:無視|忘れ|破棄|従わ"
    r"|無効)|(?:이전|위|앞|지금까지|기존|모든)[^.!?\n]{0,10}?(?:지시|명령|지침|규칙|프롬프트|설정)[^.!?\n]{0,10}?"
    r"(?:무시|잊|따르지|버리)"
)
ANSWER = {
    "de": (
        r"(?:deine[rnsm]?|ihre[rnsm]?|jede[rnsm]?)(?: \w+){0,2} (?:antwort(?:en)?|zusammenfassung|ausgaben?"
        r"|erwiderung)\b"
    ),
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
}
# What a model is told to do to its answer.
EDIT = {
    "de": (
        r"beende\w*|beginn\w*|schließ\w*|ende\b|füge\w*|ergänz\w*|erwähn\w*|nenn\w*|verschweig\w*|schreib\w*"
        r"|ersetz\w*|übersetz\w*|formulier\w*|kodier\w*|baue?\b|lass\w*|verwend\w*|benutz\w*|nutze?\b|vertausch\w*"
        r"|empfiehl|behaupt\w*|streu\w*|gib\b|verfass\w*|setz\w*|hänge?\b|integrier\w*|erweiter\w*|verzicht\w*"
        r"|wandle|verschlüssel\w*|entfern\w*"
    ),
    "fr": (
        r"termine[rz]?|commence[rz]?|ajoute[rz]?|mentionne[rz]?|inclu[st]?\w*|inclure|écri[st]\w*|remplace[rz]?"
        r"|traduis\w*|insère|insérez|omet\w*|évite[rz]?|utilise[rz]?|finis\w*|conclu\w*|donne[rz]?|rédige[rz]?"
        r"|encode[rz]?|rends|rendez|intègre|intégrez|recommande[rz]?|invers\w+|modifie[rz]?|débute[rz]?"
    ),
    "es": (
        r"termin[ae]\w*|empiez[ae]\w*|comienz[ae]\w*|añad\w+|agreg\w+|mencion\w+|incluy\w+|escrib\w+|reemplaz\w+"
        r"|sustituy\w+|traduc\w+|traduzc\w+|insert\w+|omit\w+|evit\w+|us[ae]\b|utili[cz]\w+|finali[cz]\w+|concluy\w+"
        r"|codific\w+|codifiqu\w+|recomiend\w+|acab[ae]|modific\w+|modifiqu\w+"
    ),
    "it": (
        r"termina\w*|inizia\w*|comincia\w*|aggiung\w+|menziona\w*|includ\w+|scriv\w+|sostitui\w+|traduc\w+|inseri\w+"
        r"|omett\w+|evita\w*|usa\b|utilizza\w*|concludi\w*|codifica\w*|consiglia\w*|finisc\w+|modifica\w*"
    ),
    "pt": (
        r"termin[ae]\w*|comec[ae]\w*|comece\w*|adicion\w+|acrescent\w+|mencion\w+|inclu\w+|escrev\w+|substitu\w+"
        r"|traduz\w*|insir\w+|inser\w+|omit\w+|evit\w+|us[ae]\b|utiliz\w+|conclu\w+|codifi\w+|recomend\w+|finaliz\w+"
        r"|modifi\w+"
    ),
    "nl": (
        r"eindig\w*|begin\w*|voeg\w*|vermeld\w*|noem\w*|schrijf\w*|vervang\w*|vertaal\w*|gebruik\w*|sluit\w*|neem\w*"
        r"|laat\w*|vermijd\w*|codeer\w*|raad\b|verwerk\w*"
    ),
    "pl": (
        r"zakończ\w*|zacznij\w*|rozpocznij\w*|dodaj\w*|wspominaj\w*|wspomnij\w*|napisz\w*|zamień\w*|zastąp\w*"
        r"|przetłumacz\w*|używaj\w*|użyj\w*|pomiń\w*|umieść\w*|zakoduj\w*|kończ\w*"
    ),
    "ru": (
        r"закончи\w*|заканчивай\w*|заверши\w*|начни\w*|начинай\w*|добавь\w*|упомяни\w*|упоминай\w*|напиши\w*|пиши\w*"
        r"|замени\w*|переведи\w*|используй\w*|вставь\w*|включи\w*|закодируй\w*|не раскрывай\w*"
    ),
    "tr": r"bitir\w*|başla\w*|ekle\w*|belirt\w*|bahset\w*|yaz\w*|değiştir\w*|çevir\w*|kullan\w*",
    "sv": r"avsluta\w*|börja\w*|lägg\w*|nämn\w*|skriv\w*|ersätt\w*|översätt\w*|använd\w*|inkludera\w*",
    "da": r"afslut\w*|begynd\w*|start\w*|tilføj\w*|nævn\w*|skriv\w*|erstat\w*|oversæt\w*|brug\w*|inkluder\w*",
}
ONLY = (
    r"\b(?:antworte|schreib\w*|réponds|répondez|responde|responda|rispondi|antwoord|odpowiedz|ответь|отвечай"
    r"|svara)\b[^.!?]{0,30}?\b(?:verlan|majuscules|mayúsculas|maiúsculas|maiuscol\w+|großbuchstaben|hoofdletters"
    r"|base64|morse\w*|emojis?|rimes?|rimas?|reimen|rückwärts|achterstevoren|стих\w+|заглавными|versos|vers)\b|用"
    r"(?:表情|摩斯|拼音|倒序|诗|文言|base64)[^.!?\n]{0,8}(?:回答|回复)|\b(?:antworte|antwortet|antworten sie"
    r"|reagiere)\b[^.!?]{0,30}?\b(?:nur|ausschließlich|lediglich|immer) (?:mit|auf|in)\b(?! (?:e-?mail|anfrage"
    r"|bewertung|nachricht))|\brépond(?:s|ez)\b[^.!?]{0,20}?\b(?:uniquement|seulement|exclusivement|juste)\b"
    r"|\brespond[ea]\w*\b[^.!?]{0,20}?\b(?:solo|sólo|únicamente|solamente|exclusivamente|apenas|somente)\b(?! (?:a"
    r"|si|se|cuando|quando)\b)|\brispond[ia]\w*\b[^.!?]{0,20}?\b(?:solo|soltanto|esclusivamente|unicamente)\b(?! "
    r"(?:a|se|quando)\b)|\bantwoord\b[^.!?]{0,20}?\b(?:alleen|uitsluitend|enkel) (?:met|in)\b"
    r"|\bodpowiadaj\w*\b[^.!?]{0,20}?\b(?:tylko|wyłącznie|jedynie)\b|\bотвечай\w*\b[^.!?]{0,20}?\b(?:только"
    r"|исключительно|лишь)\b|\b(?:yalnızca|sadece)\b[^.!?]{0,40}?\b(?:yanıt|cevap) ver|\bsvara?\b[^.!?]{0,20}?\b"
    r"(?:bara|endast|kun|enbart) (?:med|på)\b|(?:只|仅|僅)(?:能|需|可以)?(?:回答|回复|回覆|输出|輸出)|(?:だけ|のみ)"
    r"(?:を|で|と)?(?:回答|答え|出力|返答)|(?:만|라고만) (?:대답|답변|출력|답)"
)
ADDRESSED = (
    rf"(?:hinweis|nachricht|anweisung\w*|notiz|achtung|wichtig|an (?=die |alle |jede|den |das ))\W*(?:an |für |die "
    rf"|alle |den |jede )*(?:{_MODEL}|künstliche intelligenz|sprachmodelle?|assistenten|ki-\w+)\b[^.!?:]{{0,40}}[:,]"
    rf"|(?:note|message|instructions?|consignes?|attention|important|avis)\W+(?:à |pour |au |aux |l'|la |les |toute "
    rf"|une )*(?:{_MODEL}|intelligence artificielle|modèles? de langage|assistant ia"
    rf"|assistants?)\b[^.!?:]{{0,40}}[:,]|(?:notas?|mensaje|mensagem|instruc\w+|instruç\w+|atención|atenção|aviso"
    rf"|nota|messaggio|istruzion\w+|attenzione)\W+(?:para |a |al |ao |la |el |o |os |las |los |per |l'|il |gli |le "
    rf"|di )*(?:{_MODEL}|inteligencia artificial|inteligência artificial|intelligenza artificiale|modelos? de "
    rf"(?:lenguaje|linguagem)|modell[oi] linguistic[oi]|(?:asistente|assistente)(?: de| di)? (?:ia|ai)|asistente"
    rf"|assistente)\b[^.!?:]{{0,40}}[:,]|(?:opmerking|bericht|instructies?|let op|aandacht|belangrijk)\W+(?:voor "
    rf"|aan |de |het |alle |elke )*(?:{_MODEL}|taalmodel\w*|ai-\w+|kunstmatige intelligentie)\b[^.!?:]{{0,40}}[:,]|"
    rf"(?:uwaga|informacja|instrukcj\w+|wiadomość|polecenie)\W+(?:dla |do )(?:{_MODEL}|asystenta|modelu"
    rf"|modelu językowego|sztucznej inteligencji|si)\b[^.!?:]{{0,40}}[:,]|(?:примечание|сообщение|инструкци\w+"
    rf"|внимание|указани\w+|заметка)\W+(?:для |к )?(?:{_MODEL}|ассистент\w*|языков\w+ модел\w+|модел\w+"
    rf"|искусственн\w+ интеллект\w*|нейросет\w+)\b[^.!?:]{{0,40}}[:,]"
    r"|\b(?:falls|wenn|da|sofern) (?:du|sie) (?:ein|eine) (?:sprachmodell|ki\b|künstliche|chatbot|assistent|llm"
    r"|bot\b)|\b(?:si|comme|puisque) (?:tu es|vous êtes) (?:un|une) (?:ia\b|intelligence artificielle"
    r"|modèle de langage|assistant|chatbot|llm)|\bsi (?:eres|usted es) (?:un|una) (?:ia\b|inteligencia artificial"
    r"|modelo de lenguaje|asistente|chatbot|llm)|\bse sei un'? ?(?:ia\b|intelligenza artificiale|modello linguistico"
    r"|modello di linguaggio|assistente|chatbot|llm)|\bse (?:você é|és|for) (?:um|uma) (?:ia\b"
    r"|inteligência artificial|modelo de linguagem|assistente|chatbot|llm)|\bals (?:je|u|jij) een (?:taalmodel|ai\b"
    r"|chatbot|assistent|llm|kunstmatige)|\bjeśli jesteś (?:modelem|sztuczną|asystentem|chatbotem|ai\b)|\bесли (?:ты"
    r"|вы)\W+(?:языковая модель|ии\b|искусственный|ассистент|чат-бот|нейросеть|бот\b)|\beğer bir (?:dil modeli"
    r"|yapay zeka)|\bom du är en (?:språkmodell|ai\b|chatbot|assistent)|\bhvis du er en (?:sprogmodel|ai\b|chatbot"
    r"|assistent)|(?:ai(?=\s?[\u4e00-\u9fff])|人工智能|人工智慧|语言模型|語言模型|聊天机器人|大模型)\s?(?:助手|助理"
    r"|模型|系统)?\s*(?:请|請|必须|必須|注意|:|,)|如果你是(?:一个|一個)?\s?(?:ai|人工智能|语言模型|助手)|(?:ai"
    r"|人工知能|言語モデル|チャットボット)\s?(?:アシスタント|モデル)?(?:へ|宛|の方へ|に告ぐ)|あなたが(?:ai"
    r"|言語モデル)|(?:ai|인공지능|언어 ?모델|챗봇)\s?(?:어시스턴트|비서|모델)?(?:에게|께|는 반드시)|당신이 (?:ai"
    r"|언어)"
)
PROMPT = (
    r"\b(?:gib|gebt|geben sie|zeig\w*|nenn\w*|verrat\w*|wiederhol\w*|druck\w*|schreib\w*)\b[^.!?]{0,40}?\b"
    r"(?:system-?prompt\w*|systemnachricht|anfangsanweisung\w*|systemanweisung\w*|(?:deine|ihre) (?:\w+ )?"
    r"(?:anweisungen|instruktionen))\b|\b(?:affiche[rz]?|montre[rz]?|révèle[rz]?|révéler|répète[rz]?|donne[rz]?"
    r"|écri[sv]\w*)\b[^.!?]{0,40}?\b(?:prompt|message système|(?:tes|vos) (?:instructions|consignes))\b|\b"
    r"(?:revel[ae]\w*|muestr[ae]\w*|mostr[ae]\w*|repit\w+|repet\w+|imprim\w+|exib\w+|dime|diga)\b[^.!?]{0,40}?\b"
    r"(?:prompt|mensaje del sistema|mensagem do sistema|(?:tus|suas|sus) instruc\w+|suas instruções"
    r"|messaggio di sistema|(?:le )?tue istruzioni)\b|\b(?:rivela\w*|mostra\w*|stampa\w*|ripeti\w*)\b[^.!?]{0,40}?\b"
    r"(?:prompt|messaggio di sistema|tue istruzioni)\b|\b(?:toon|geef|laat|herhaal|onthul)\b[^.!?]{0,40}?\b"
    r"(?:systeemprompt|systeembericht|je (?:\w+ )?instructies)\b|\b(?:pokaż|wyświetl|ujawnij|powtórz"
    r"|wypisz)\w*\b[^.!?]{0,40}?\b(?:prompt\w*|wiadomość systemową|swoje instrukcje)|\b(?:покажи|раскрой|выведи"
    r"|повтори|напечатай|напиши)\w*\b[^.!?]{0,40}?(?:системн\w+ (?:промпт|сообщени|инструкци|подсказк)|промпт)|"
    r"(?:显示|顯示|输出|輸出|打印|透露|告诉我|重复|泄露)[^.!?\n]{0,12}?(?:系统提示|系統提示|提示词|初始指令"
    r"|系统指令)|(?:システムプロンプト|初期指示)[^.!?\n]{0,8}?(?:表示|出力|教え|公開)|(?:시스템 ?프롬프트"
    r"|초기 지시)[^.!?\n]{0,8}?(?:출력|보여|공개|알려)|(?:sistem (?:istem|mesaj|prompt)\w*)[^.!?]{0,20}?(?:göster"
    r"|yazdır|açıkla)|(?:اعرض|اكشف|أظهر|اطبع)[^.!?]{0,30}?(?:رسالة النظام|موجه النظام|تعليماتك)|\b(?:visa|skriv ut"
    r"|avslöja|upprepa|vis|udskriv|gentag)\b[^.!?]{0,40}?\bsystem(?:prompt|meddelande|besked)\w*"
)
UNSPACED_ANSWER = (
    r"(?:你|您)的?(?:回答|回复|回覆|答案|输出|總結|总结)[^.!?\n]{0,10}?(?:中|里|裡|必须|必須|要|都|以|末尾|结尾|開頭"
    r"|开头)|(?:在|每次)(?:回答|回复|总结)(?:时|中|的末尾|的结尾|末尾|结尾|开头)[^.!?\n]{0,12}?(?:不要|必须|请|加上"
    r"|提到|写|以)|(?:あなたの)?(?:回答|返答|応答|要約)の?(?:最後|最初|末尾|冒頭|中)(?:に|で|は)[^!?\n]{0,30}?(?:書"
    r"|付け|加え|入れ|述べ|含め|言及)|(?:답변|대답|응답|요약)의? ?(?:끝|마지막|처음|시작|안)[^.!?\n]{0,30}?(?:써|쓰"
    r"|추가|붙|넣|언급|포함)"
)

# Of these one stands in each match; they are looked for first.
DISREGARD_CUES = {
    "de": "hör|ignorier|missacht|vergiss|vergess|übergeh|verwirf|überschreib|beachte|befolge|folge nicht|setz",
    "fr": "ignore|oubli|néglig|ne ten|obéi|abstraction|écarte|ne sui",
    "es": "ignor|olvid|descart|omit|sigas|siga|obede|caso|pas",
    "it": "ignora|dimentic|trascur|scarta|non seg|non risp|non tenere|tralasci",
    "pt": "ignor|esque|desconsider|descart|não s|não o|despreze",
    "nl": "negeer|vergeet|sla |volg |houd geen",
    "pl": "ignoruj|zapomnij|pomiń|odrzuć|nie p|nie s|nie w|zlekceważ",
    "ru": "игнорируй|забудь|отбрось|не следуй|не выполняй|не обращай|отмени|пренебреги",
    "uk": "ігноруй|забудь|не виконуй|не дотримуй",
    "tr": "yok say|görmezden|unut|dikkate|göz ardı|uyma",
    "sv": "ignorera|glöm|bortse|strunta|följ inte|åsidosätt",
    "da": "ignor|glem|se bort|følg ikke|tilsides",
    "cs": "ignoruj|zapomeň|přehlížej|neřiď|nedodržuj",
    "ar": "تجاهل|انس|إنس|لا تتبع|أهمل",
    "hi": "अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल",
    "id": "abaikan|lupakan|jangan",
    "vi": "bỏ qua|phớt lờ|quên",
}
# The same for answers.
ANSWER_CUES = {
    "de": "antwort|zusammenfassung|ausgabe|erwiderung",
    "fr": "répons|résumé|sortie",
    "es": "respuesta|resumen|salida",
    "it": "rispost|riassunto",
    "pt": "respost|resumo",
    "nl": "antwoord|samenvatting|reactie",
    "pl": "odpowied|podsumowani",
    "ru": "ответ|резюме",
    "tr": "yanıt|cevab",
    "sv": "svar",
    "da": "svar",
}
OTHER_CUES = {
    "forget all": (
        "ignor|verrate|respon|répon|rispond|antwort|beantwoord|отвечай|negeer|vergiss|oublie|olvida|dimentica|esque"
        "|vergeet|glöm|glem|zapom|забудь"
    ),
    "override": "忽|忘|无|無|抛|不|破棄|従|무시|잊|따르|버리",
    "only": (
        "回答|回复|schreib|antwort|reagiere|répond|respond|rispond|odpowi|ответ|отвечай|yalnızca|sadece|svar|只|仅"
        "|僅|だけ|のみ|만"
    ),
    "answer": "回|答|总结|總結|输出|応|要約|답|응답|요약",
    "addressee": (
        "ki|ia|ai|llm|gpt|bot|claude|gemini|copilot|бот|ии|sprachmodell|künstlich|assist|asist|modèle|modelo|modell"
        "|intellig|taalmodel|kunstmatig|asyst|sztuczn|ассистент|модел|интеллект|нейросет|dil modeli|yapay"
        "|språkmodell|sprogmodel|人工|语言|語言|机器人|大模型|言語|チャット|인공|언어|챗봇"
    ),
    "prompt": (
        "prompt|system|anweisung|instru|consignes|mensaj|mensag|systeem|wiadomość|промпт|систем|提示|指令|指示"
        "|プロンプト|프롬프트|지시|sistem|النظام|موجه|تعليمات"
    ),
}
