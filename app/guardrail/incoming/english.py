"""How a text speaks to a model in English: by whom it addresses and what it wants of the answer, not by known phrases."""

import re

from app.guardrail.incoming.finding import Frame

# Words between two parts of a frame: few, and none of another sentence.
_UP_TO_4 = r"(?:[\s,]+[^\s.!?]+){0,4}?[\s,]+"
_UP_TO_12 = r"(?:[\s,]+[^\s!?]+){0,12}?[\s,]+"
# Where an order begins: at the start, behind a break, or behind a word that makes one of what follows.
ORDER = (
    r"(?:^[\W_]*(?:\d+[.)]\s*)?|[,;:.!?()\-\"]\s*|\b(?:please|then|and|now|also|instead|finally|first|always|just|simply"
    r"|kindly|but|or|so|rather|(?:you|it|the (?:ai|assistant|model|llm|chatbot|bot|system|agent))"
    r" (?:\w+ )?(?:must|should|shall|will|have to|has to|need to|needs to|are to|is to|are required to|may)"
    r"(?: \w+ly| always| also| only| first)?|make sure (?:to|that you)|be sure to|remember to|required to|do not|don't|never)\s+)"
)
POSITIVE_ORDER = ORDER.replace("|do not|don't|never", "")
MODEL = (
    r"(?:ai|a\.i\.|artificial intelligence|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpt(?:-?\d\w*)?|claude"
    r"|gemini|copilot|llama|mistral|ai[- ](?:assistants?|agents?|models?|systems?|tools?|readers?|reviewers?)"
    r"|(?:virtual|digital|automated|ai-powered|intelligent) (?:assistants?|agents?|systems?|readers?|reviewers?|tools?)"
    r"|summari[sz]ers?|answering (?:machine|model|system)s?|answer engines?)"
)
_RESPONSE = r"(?:answers?|responses?|repl(?:y|ies)|outputs?|completions?|generations?)"
_RESPONSE_OR_TEXT = r"(?:answers?|responses?|repl(?:y|ies)|outputs?|completions?|summar(?:y|ies)|messages?|translations?)"
_DISREGARD = (
    r"(?:ignore|disregard|forget|neglect|abandon|dismiss|discard|override|overrule|set aside|stop (?:following|obeying)"
    r"|cease (?:following|obeying)|(?:do not|don't|never|no longer) (?:follow|obey|comply with|listen to|adhere to|heed)"
    r"|pay no (?:attention|heed) to|delete|erase|bypass|drop|skip)"
)
_PRIOR = (
    r"(?:previous|prior|preceding|above|earlier|foregoing|existing|initial|original|former|system|developer'?s?|hidden"
    r"|your|safety|aforementioned|past)"
)
_ORDERS = (
    r"(?:instructions?|prompts?|directions?|directives?|guidelines?|rules?|commands?|orders?|constraints?|restrictions?"
    r"|programming|training|context|conversations?|polic(?:y|ies)|filters?|safeguards?|guardrails?|tasks?)"
)
_CONDITION = r"(?:\s|,)+(?:if|when|unless|in case|while|for|in|only during)\b"
# What people are told of a form, a letter or a call of theirs.
_PEOPLE = re.compile(
    r"\b(?:survey|questionnaire|forms?|tender|rfp|application|applicants?|interview\w*|exams?|quiz|questions? \d|candidates?"
    r"|customers?|clients?|colleagues?|e-?mails?|inbox|slack|ticket|manager|business days?|working days?|deadline|pull request"
    r"|prs?\b|reviewer|hiring|meeting|voicemail|prospects?|phone|stakeholders?)\b"
)
_OWN_THINGS = re.compile(
    r"\byour (?:\w+ )?(?:name|order|ticket|employee|e-?mail|contact|account|case|reference|address|id|number|signature|team"
    r"|phone|cv|resume|portfolio|availability|salary)\b|\b(?:answer|response|reply|message|summary) to (?:the|this|a|an|question|our|us)\b"
    r"|\b(?:answer|response|reply) (?:in|for) (?:the|this|question|section|field|box)\b"
)
_EDIT = (
    r"(?:modify|enhance|augment|integrate|insert|inject|embed|append|prepend|replace|convert|render|encode|encrypt|cipher"
    r"|scramble|re-?arrange|reverse|invert|translate|misspell|introduce|substitute|swap|jumble|shuffle|obfuscate|transform"
    r"|rewrite|rephrase|alter|change|pad|sprinkle|weave|interleave|interlace|conclude|terminate|end|finish|close|begin|start"
    r"|open|preface|prefix|suffix|wrap|tailor|infuse|incorporate|blend|work|slip|sneak|hide|anagram\w*|group|combine|merge"
    r"|join|double|mirror|flip|rotate|shift|randomi[sz]e|capitali[sz]e|lower-?case|upper-?case|spell|code|hint|steer|bias|slant"
    r"|add|sign off|top|garnish|decorate|mask|disguise|distort|corrupt|garble|mix|lace|enrich|expand|supplement|remove|strip"
    r"|omit|leave|drop|exclude|delete|withhold|censor|season|punctuate|number|alternate|chain|compress|adapt|adjust)"
)
_SHOW = (
    r"(?:include|mention|provide|give|write|use|put|place|keep|make|deliver|present|produce|express|phrase|state|formulate"
    r"|suggest|promote|recommend|compose|create|advertise|encourage|urge|invite|warn|tell|say|claim|imply|reference|link"
    r"|introduce|stress|highlight|emphasi[sz]e|format|limit|restrict|shorten|craft|employ|apply|avoid|repeat|tease|offer|type"
    r"|attach|display|print|insert|share|ask|direct|point|refer|quote|cite|list|describe|explain|pretend|act|speak|structure)"
)
_SAY = r"(?:say|answer|reply|respond|state|claim|output|tell|insist|assert|print|write|declare|pretend|return|give)"
_LETTERS = r"(?:letters?|vowels?|consonants?|syllables?|characters?|words?|sentences?|spaces?|spacing|punctuation)"
_CODED = (
    r"(?:base ?\d+|rot-?\d+|hex(?:adecimal)?|binary|ascii|unicode|morse|braille|emojis?|emoticons?|pig latin|klingon|elvish"
    r"|leet(?:speak)?|caesar|cipher\w*|ciphertext|code words?|anagram\w*|reverse\w*|backwards?|upside down|rhym\w+|verse|haikus?"
    r"|limericks?|riddles?|poems?|sonnets?|gibberish|nonsense|all caps|capital letters|capitals|upper ?case|lower ?case"
    r"|misspell\w*|typos?|symbols?|homophon\w*|alphanumeric\w*|homoglyph\w*|nato|semaphore|roman numerals|numbers only)"
)
_VOICE = r"(?:as|like) an? \w+|(?:as (?:if|though) (?:you|the user)|in the (?:voice|style|tone|manner|persona|accent) of)\b"
_LANGUAGE = r"(?:latin|french|german|spanish|italian|chinese|japanese|russian|arabic|portuguese|dutch|greek|korean|hindi|swahili)"


def _frame(reason: str, weight: int, cues: str, pattern: str, unless: re.Pattern[str] | None = None) -> Frame:
    return Frame(reason, weight, tuple(cues.split("|")) if cues else (), re.compile(pattern), unless)


OVERRIDES = (
    _frame(
        "override",
        2,
        "ignor|disregard|forget|neglect|abandon|dismiss|discard|over|set aside|stop|cease|follow|obey|comply|listen|adhere"
        "|heed|attention|delet|eras|bypass|drop|skip",
        rf"{ORDER}{_DISREGARD}{_UP_TO_4}{_PRIOR}\s+(?:\S+\s+){{0,3}}?{_ORDERS}\b(?!{_CONDITION})",
        re.compile(r"\b(?:delete|erase|bypass|drop|skip|override) (?:the|an?|any) "),
    ),
    _frame(
        "override",
        2,
        "ignor|disregard|forget|follow|obey|attention|dismiss|discard|delet|eras",
        rf"{ORDER}{_DISREGARD}{_UP_TO_4}{_ORDERS}\s+(?:above|before|so far|(?:that|which)?\s*(?:you|the \w+) (?:\w+ )?(?:given|"
        r"gave|received|told|provided)|given to you|up to (?:now|this point))\b(?!" + _CONDITION + ")",
    ),
    _frame(
        "override",
        2,
        "ignor|disregard|forget|attention|dismiss|discard|delet|eras|consider",
        rf"{ORDER}{_DISREGARD}\s+(?:\w+ )?(?:everything|anything|all|whatever|what)(?: of| that)?(?: is| was| has been| came| comes|"
        r" stands| else)?\s*(?:\w+\s){0,2}?(?:above|before(?! you)|so far|up to (?:now|this point)|you (?:were|have been|had been|'ve been|know"
        r" about your)|said|told|written|preceding)\b",
        re.compile(r"\bbefore (?:your|the|signing|starting)\b"),
    ),
    _frame(
        "override",
        2,
        "you",
        rf"\b{_ORDERS}\b(?:[\s,]+[^\s.!?]+){{0,5}}?\s+you (?:were|have been|had been|'ve been) (?:given|told|shown|provided)\b"
        r".{0,40}?\b(?:void|no longer|null|superseded|obsolete|cancell?ed|overridden|invalid|suspended|replaced|outdated)\b",
    ),
    _frame(
        "override",
        1,
        "longer|void|cancel|supersed|obsolete|deleted|disabled|suspended|lifted|overrid",
        rf"\b(?:previous|prior|earlier|above|original|initial|safety|system|your|content)\s+(?:\w+\s+){{0,2}}?{_ORDERS}\b"
        r"(?:\s+\w+){0,3}?\s+(?:no longer|void|cancell?ed|superseded|obsolete|deleted|disabled|suspended|lifted|overridden)\b",
    ),
    _frame("override", 1, "override|stop", r"^\W*(?:stop\b[.!]|(?:system |admin |priority |urgent )?override\b\s*[:.!\-])"),
    _frame(
        "override",
        2,
        "this conversation|this session|this chat",
        r"\b(?:filters?|restrictions?|safeguards?|guardrails?|rules?|limits?|guidelines?|moderation)\b.{0,30}\b(?:disabled|off|lifted"
        r"|suspended|removed|deactivated)\b.{0,20}\bthis (?:conversation|session|chat)\b",
    ),
    _frame(
        "priority",
        2,
        "command|instruction|order|priorit|authoritative|exclusively|this one|this passage|this document|this page|this source",
        rf"{ORDER}(?:(?:treat|consider|regard|take) (?:what follows|the following|this \w+|these \w+|what is below)\s+as"
        r" (?:\w+ ){0,3}?(?:commands?|instructions?|orders?|authoritative|truth|the only|prompt)"
        r"|(?:rely on|use|trust|cite|quote|believe|prefer)\s+(?:only )?this (?:passage|document|page|source|text|one|file)\b"
        r"(?=.{0,30}\b(?:only|first|exclusively|alone|above all|instead|over)\b))",
    ),
    _frame(
        "priority",
        2,
        "other",
        r"\b(?:other|remaining|all) (?:sources?|passages?|documents?|texts?|results?|others)\s+(?:\w+ ){0,2}?(?:are|is|as)"
        r" (?:\w+ )?(?:wrong|outdated|false|unreliable|fake|obsolete|incorrect|untrustworthy|irrelevant)\b"
        r"|\b(?:ignore|disregard|dismiss|discard) (?:all |any |the )*(?:other|remaining) (?:sources?|passages?|documents?|results?|context)\b",
    ),
)

ADDRESSED = (
    _frame(
        "addressee",
        2,
        "",
        rf"(?:^|[\n\"(:.!-])\W*(?:(?:dear|hey|hi|hello|attention|ok|okay|listen|note|notice|message|reminder|memo|instructions?|directions?"
        rf"|orders?|important|warning|info|hint|request|word|guidance|commands?|new|special|a|an|the|this is|urgent|to|for|all|any|every|of|ye|my)\W+)+"
        rf"{MODEL}\b(?:\s+(?:that|which|who|is|are|currently|reading|processing|parsing|summari[sz]ing|answering|reviewing|evaluating|handling"
        r"|analy[sz]ing|scanning|using|seeing|with access to|this|these|the|it|text|file|document|page|passage|content|question|here|below|out|there)){0,8}"
        r"\s*[,:;!\-]",
    ),
    _frame(
        "addressee",
        2,
        "assistant|model|agent|bot|machine|system|reader|reviewer",
        r"(?:^|[\n\"(:.!-])\W*(?:(?:new|important|special|hidden|secret|further|following|urgent)\s+)*(?:notes?|instructions?|message|directive|commands?|orders?|notice)"
        r" (?:to|for) (?:the |any |all |every |our |your )?(?:automated |answering |responding |helpful )?"
        r"(?:assistant|model|bot|machine|automated (?:systems?|reviewers?|readers?|tools?|agents?))s?\b(?:\s+\w+){0,4}\s*[,:;\-]",
    ),
    _frame(
        "addressee",
        2,
        "you",
        rf"\b(?:if|in case|since|because|as|when|assuming|given that|provided) you(?:'re| are|r reader is)\s+(?:actually |really |in fact )?(?:an? |the |some )?(?:\w+ )?{MODEL}\b",
    ),
    _frame(
        "addressee",
        2,
        "as a",
        rf"(?:^|[.!?,:]\s*)as an? (?:\w+ ){{0,2}}?{MODEL}\b[^.!?]{{0,40}}?[,\s](?:you|your)\b",
        re.compile(r"\b(?:user|customer|developer|employee|builder) of\b"),
    ),
    _frame(
        "addressee",
        2,
        "this|these",
        rf"\b(?:when|whenever|if|once|any|every|should|the)\s+(?:an?\s|any\s|the\s|some\s|another\s)?{MODEL}\s+(?:that |which |is |are )?"
        r"(?:\w+ )?(?:summari[sz]es?|reads?|process(?:es)?|answers?|sees?|parses?|receives?|evaluates?|reading|processing|summari[sz]ing|using)"
        r" (?:from )?(?:this|these) (?:text|document|page|file|passage|note|section|message|content|article|instructions?)\b",
    ),
    _frame(
        "addressee",
        2,
        "assistant|model|ai|llm|chatbot|bot",
        r"\b(?:the|any|every) (?:ai|assistant|model|llm|chatbot|bot|ai (?:assistant|model|system))\s+(?:must|should|shall|has to|needs to|will|is to)"
        r"\b.{0,80}?\b(?:this|these|above|below) (?:passage|document|page|text|source|note|file|paragraph|section|instructions?)\b",
    ),
    _frame(
        "addressee",
        2,
        "ai|llm|chatbot|gpt|claude|gemini|copilot|assistant|model",
        rf"^\W*(?:{MODEL}|assistant|model)\s*[:,]\s*(?:please\s+)?(?:you\b|your\b|rank\b|rate\b|score\b|approve\b|sure\b|certainly\b|of course\b|i (?:will|can|have)\b"
        rf"|{_DISREGARD}\b|{_SAY}\b|{_SHOW}\b|do not\b|don't\b|never\b|always\b|only\b|{_EDIT}\b)",
    ),
    _frame(
        "addressee",
        2,
        "creator|programmer|made you|trained you|built you|your developers|your training|your reader",
        r"\byour (?:creators?|programmers?|makers|trainers|developers? (?:(?:have|has) (?:told|approved|instructed|given you|allowed)|want you|told you|instructed)|training data|weights|neural)"
        r"|\bwho (?:made|trained|built|programmed) you\b",
    ),
)

ANSWER_FORM = (
    _frame(
        "form of the answer",
        2,
        "your|the",
        rf"{ORDER}{_EDIT}\b{_UP_TO_12}(?:your|each of your|all your|every|each|any|the final|the generated)(?:\s+[\w-]+){{0,3}}?\s+{_RESPONSE}\b",
        _OWN_THINGS,
    ),
    _frame(
        "form of the answer",
        2,
        "your",
        rf"{ORDER}{_EDIT}\b{_UP_TO_12}your(?:\s+[\w-]+){{0,2}}?\s+(?:message|summary|translation|text|words)\b"
        rf"(?=.*\b(?:letters?|vowels?|words?|spaces?|emojis?|{_CODED}))",
    ),
    _frame(
        "form of the answer",
        2,
        "your",
        rf"{ORDER}{_SHOW}\b{_UP_TO_12}your(?:\s+[\w-]+){{0,2}}?\s+{_RESPONSE}\b",
        re.compile(f"{_OWN_THINGS.pattern}|{_PEOPLE.pattern}"),
    ),
    _frame(
        "form of the answer",
        2,
        "your",
        rf"(?:^|[.!?:,;]\s*)\W*(?:please,? )?(?:in|within|throughout|at the (?:end|start|beginning|top|bottom) of|before|after|below|for|to|into|inside|alongside|with)"
        rf"\s+(?:all (?:of )?|each (?:of )?|every (?:one of )?)?your(?:\s+[\w-]+){{0,2}}?\s+{_RESPONSE_OR_TEXT}\s*,?\s*"
        rf"(?:please |always |also |you (?:must|should) |do not |don't |never |only )*(?:{_SHOW}|{_EDIT}|swap|stick)\b",
        re.compile(f"{_OWN_THINGS.pattern}|{_PEOPLE.pattern}"),
    ),
    _frame(
        "form of the answer",
        2,
        "your",
        rf"\byour(?:\s+[\w-]+){{0,2}}?\s+(?:{_RESPONSE}|(?:first|last|next|final|opening) (?:sentence|words?|line|message))\s+(?:to .{{0,30}}?)?"
        r"(?:must|should|shall|has to|have to|needs? to|may only|can only|is to|are to|always|is|ought to)\s+(?:always |only |also |never |not |be )*"
        r"(?:contain|include|start|begin|end|consist|mention|written|encoded|translated|in|made|composed|formatted|reversed|spelled|rhyme"
        r"|\"|use|have|avoid|say|read|state|praise|recommend|promote)(?!\w)",
        re.compile(f"{_OWN_THINGS.pattern}|{_PEOPLE.pattern}|\\b(?:confidential|anonymous)\\b"),
    ),
    _frame(
        "form of the answer",
        2,
        "your",
        r"\byour (?:only|sole) (?:output|answer|response|reply)\b"
        r"|\b(?:the (?:summary|answer|response|reply|text|output) (?:that )?you (?:produce|generate|write|give|output|create|return))\b",
        _PEOPLE,
    ),
    _frame(
        "form of the answer",
        2,
        "respond|reply|answer|write|speak|talk|output|say|return|communicate|print",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|speak|talk|communicate|output)\b(?:\s+(?!not\b)[\w']+){{0,5}}?\s+(?:(?:only|solely|exclusively|entirely|always|just|purely)\s+)?"
        rf"(?:in|with|using|as|by|through|via)\s+(?:\w+\s+){{0,2}}?(?:{_CODED})\b",
        _PEOPLE,
    ),
    _frame(
        "form of the answer",
        2,
        "respond|reply|answer|write|speak|output|say|return|communicate|print",
        rf"{ORDER}(?:respond|reply|answer|speak|output|say|return|print|write)\s+(?:(?:\w+\s+){{0,3}}?(?:only|solely|exclusively|nothing but|entirely|just)\s+"
        rf"(?:in|with|using|the|\"|{_LANGUAGE})|(?:only|just|nothing but)\b|(?:in|with|using) (?:only|nothing but|{_LANGUAGE} (?:only|alone)))",
        re.compile(_PEOPLE.pattern + r"|\b(?:only (?:to|if|when|after|for|on)|yes or no|to (?:reviews|messages))\b"),
    ),
    _frame(
        "form of the answer",
        2,
        "respond|reply|answer|speak|write|talk",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|speak|write your \w+|talk|write)\b(?:\s+[\w']+){{0,4}}?\s+(?:{_VOICE})",
        re.compile(_PEOPLE.pattern + r"|\b(?:as an? (?:result|rule|team|group|courtesy|whole|file|comment|draft|reply|single|list|last))\b|write (?:\w+ ){0,3}as an?"),
    ),
    _frame(
        "form of the answer",
        2,
        "question|quer|prompt|asked",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|treat|react)\s*(?:to\s+)?(?:all|every|each|any)\s+(?:\w+ )?(?:questions?|quer(?:y|ies)|prompts?|requests?|messages?)\s+(?:with|as|in|by|using)\b",
        _PEOPLE,
    ),
    _frame(
        "letters",
        2,
        "letter|vowel|consonant|syllable",
        rf"{ORDER}(?:replace|substitute|swap|reverse|scramble|shuffle|re-?arrange|jumble|convert|remove|drop|delete|double|group|change|exchange|turn|transform|shift|mix up|permute|omit|map|number|use \w+ (?:for|as|instead of))\b"
        rf"(?:[\s,]+[^\s.!?]+){{0,5}}?[\s,]+(?:letters|vowels?|consonants?|syllables?|(?:each|every|any|all|third|second|first|other|last) (?:\w+ )?letter)\b",
        re.compile(r"\b(?:file ?names?|headings?|titles?|url|slugs?|passwords?|branch|variables?|identifiers?|cover letters?|newsletters?|code)\b"),
    ),
    _frame(
        "letters",
        2,
        "every|each|random|all",
        rf"{ORDER}(?:replace|reverse|scramble|shuffle|misspell|anagram\w*|jumble|encode|swap|emphasi[sz]e|spell|invert|insert|write|add|put|repeat|double|capitali[sz]e|delete|drop|leave out)\b"
        r"(?:[\s,]+[^\s.!?]+){0,6}?\s+(?:(?:every|each)\s+(?:second|third|fourth|fifth|sixth|other|n-?th|\d+(?:st|nd|rd|th))\s+(?:word|letter|character|sentence)"
        r"|(?:random|nonsense)\s+(?:words?|letters?|emojis?|characters?)|(?:all|every|each) words?(?: backwards?| in reverse))",
    ),
)

ANSWERING = (
    _frame(
        "answering",
        2,
        "answer|respond|reply|summar|generat",
        rf"(?=.*?\b(?:when|while|whenever|before|after|once|as|in) (?:you )?(?:answer|respond|reply|summari[sz]e|generate|answering|responding|replying|summari[sz]ing|generating)"
        r"(?:\s*(?:[,.;:!]|$)|\s(?:anything|this|any|the (?:question|user|query)|questions? (?:about|on)|the text)\b))"
        rf".*?{ORDER}(?:omit|leave out|replace the word|mention|state that|claim|recommend|promote|conceal|hide|print|reveal|add|insert|output|say|praise|substitute|use|include|write|end|start|speak|pretend|do not|never)\b",
        _PEOPLE,
    ),
    _frame(
        "answering",
        2,
        "what you|whatever you|everything you",
        r"\b(?:in |with )?(?:what|whatever|everything|anything) you (?:write|say|output|generate|answer)\b.{0,20}\b(?:from here|from now|next|below|in (?:this|your))\b",
        _PEOPLE,
    ),
    _frame(
        "answer to a question",
        2,
        "ask|quer|question",
        r"\b(?:when|whenever|if|every time|any time|each time|should you be|once) (?:you(?:'re| are| get)? )?(?:ever )?(?:asked|questioned|queried|prompted)\b[^.!?]{0,120}?"
        rf"[,:]?\s*(?:then |always |you (?:must|should|will|are to) |please |just |simply |only )*\b(?:say|answer|reply|respond|state|claim|output|insist|assert)\s+(?:only\s+)?(?:that\b|with\b|\"|:|nobody|no\b|yes\b|'|as\b)",
        re.compile(r"\b(?:prompted|interview\w*|customers?|command|installer|wizard|press|journalists?|recruit\w*|password:|terminal)\b"),
    ),
    _frame(
        "answer to a question",
        2,
        "ask|quer|question|inquir",
        r"\b(?:when|whenever|if|should|every time|any time|each time) (?:the user|a user|users|any user|anyone|anybody|someone|somebody|the reader|they|people|the person|the human|the asker)\s+(?:ever )?"
        r"(?:asks?|asked|inquires?|quer(?:y|ies)|questions?|wants? to know)\b[^.!?]{0,120}?[,:]?\s*(?:then |always |you (?:must|should|will|are to) |please |just |simply |only |it (?:must|should) )*"
        r"\b(?:say|answer|reply|respond|state|claim|output|insist|assert|tell (?:them|him|her|the user))\s+(?:only\s+)?(?:that\b|with \"|\"|:)",
        re.compile(r"\b(?:customers?|refer|redirect them|point them|contact|support|ticket|e-?mail)\b"),
    ),
    _frame(
        "answer to a question",
        2,
        "question|query",
        r"\b(?:when|whenever|if|should|in case) (?:the|a|any|this) (?:user'?s? )?(?:question|query|prompt|request) (?:is|concerns?|mentions?|contains?|asks?|relates?|touches|involves)\b[^.!?]{0,100}?,?\s*"
        r"(?:then |always |you (?:must|should) |please |only )*\b(?:respond|answer|reply|say|output|state|claim)\s+(?:only )?(?:that|with|\"|in|as)\b",
        _PEOPLE,
    ),
    _frame(
        "any question",
        2,
        "question|asked|quer|user",
        r"\b(?:regardless of|no matter|irrespective of|whatever|independent of|no difference) (?:what |which |how )?(?:the |a |is |was |language |user'?s? |they )*"
        r"(?:(?:questions?|quer(?:y|ies)|prompt)(?: is| was| asks| says| asked|[.,;!]|$)|(?:is |was )?asked|(?:user|anyone|they|one) (?:asks|ask|says|wants))",
        _PEOPLE,
    ),
    _frame(
        "secrecy",
        2,
        "mention|reveal|disclos|tell|refer|include|acknowledg|admit|cite|quote|discuss|talk|inform|say|warn",
        r"\b(?:do not|don't|never|must not|should not|refrain from|avoid|without)\s+(?:ever )?(?:mention|reveal|disclos|tell|refer|includ|acknowledg|admit|cit|quot|discuss|talk|inform|say|warn)\w*\b"
        r"[^.!?]{0,60}?\b(?:(?:this|these|the above) (?:instructions?|prompt|passage|message|note|hidden \w+|command|directive)s?"
        r"|in (?:any of )?your (?:\w+ )?(?:answers?|responses?|repl(?:y|ies)|summar(?:y|ies)|output)|that this (?:passage|document|text|page|source|note|message) exists)\b",
    ),
    _frame(
        "not the question",
        2,
        "answer|summar",
        rf"\b(?:do not|don't|never|will not|must not|refuse to|won't)\s+(?:answer|address|respond to) (?:the|their|his|this|any) (?:user'?s? |actual |original |real |reader's )?"
        rf"(?:question|query)s?(?: that (?:was|is) asked)?\s*(?:[.;,!]|$|instead|and\b)|{ORDER}stop (?:summari[sz]ing|answering|responding)\b",
    ),
    _frame(
        "user",
        2,
        "user|reader|person|asker|human|whoever",
        rf"{POSITIVE_ORDER}(?:ask|tell|instruct|direct|urge|encourage|advise|inform|get|make|warn|assure|lead|invite|have|let) (?:the |any |your )?(?:users?|readers?|(?:person|one|human) (?:asking|who asks)|asker|humans?|whoever asks)\b"
        r".{0,120}?\b(?:(?:for|enter|give|send|type|provide) (?:you )?their (?:current |full )?(?:password|credentials|card|login|pin|bank|credit card|social security)|verify the session|confirm their (?:account|identity|password)"
        r"|(?:been|was|were|is) (?:logged out|hacked|compromised)|call \+?\d|click (?:on )?(?:this|the following) link|at this link|https?:)",
    ),
    _frame("user", 2, "convinc|persuad|trick|manipulat|deceiv|mislead", rf"{POSITIVE_ORDER}(?:convince|persuade|trick|manipulate|deceive|mislead) (?:the |any )?(?:user|reader|person asking|asker)s?\b"),
    _frame(
        "not the question",
        2,
        "instead of|rather than",
        rf"\b(?:instead of|rather than) (?:answering|responding|replying|summari[sz]ing|an answer|a summary)\b.{{0,60}}?{ORDER}(?:tell the (?:user|reader)|output|print|say|write|describe|respond|reply|return|give|state)\b",
        _PEOPLE,
    ),
)

EXFILTRATION = (
    _frame(
        "prompt",
        2,
        "prompt|instruction|system message|configuration|context window",
        rf"{ORDER}(?:reveal|print|show|display|repeat|output|disclose|expose|leak|return|list|give|write|share|tell|recite|dump|echo|translate|provide|state|copy|summari[sz]e|send|include|reply with)\b"
        r"(?:\s+[\w']+){0,6}?\s+(?:your (?:\w+ ){0,2}?(?:prompt|instructions|system message|configuration|guidelines|rules)|(?:the|any|its) (?:system|hidden|initial|secret|original|developer|internal) "
        r"(?:prompt|message)|the (?:\w+ ){0,3}?prompt (?:that )?you (?:were|have))\b",
        _PEOPLE,
    ),
    _frame(
        "prompt",
        2,
        "your",
        r"\bwhat (?:are|were|is|was|do) your (?:initial|original|system|hidden|secret|exact|first|full)\s+(?:\w+\s+)?(?:instructions?|prompts?|messages?|rules)\b",
    ),
    _frame(
        "prompt",
        2,
        "above|prior|earlier|previous|before",
        rf"{ORDER}(?:repeat|print|show|output|reveal|dump|list|copy|recite)\s+(?:\w+ ){{0,2}}?(?:(?:the )?(?:text|words|everything|messages|conversation|sentences?|contents?)\s+(?:\w+ )?(?:above|before|preceding)\b"
        r"(?=.{0,80}\b(?:starting|beginning|verbatim|word for word|exactly|code block|this|prompt|you are)\b)|(?:the )?(?:earlier|previous|prior) (?:messages|turns|conversation|chat))",
    ),
    _frame(
        "exfiltration",
        2,
        "url|link|image|address|webhook|http|@|markdown|email|e-mail|endpoint|server|query string|parameter",
        rf"{ORDER}(?:append|attach|include|embed|add|put|encode|insert|render|display|show|send|forward|post|upload|e-?mail|transmit|exfiltrate|pass|submit|deliver|leak|copy|place|make|create)\b"
        r"(?=[^!?]{0,160}?\b(?:(?:this|the|our|your|entire|whole|full|current|user's|other|previous|retrieved|chat) (?:\w+ )?(?:conversation|context window|passages|chat history|system prompt)\b|user's (?:\w+ )?(?:question|query|prompt|message|name|data|words|input)|(?:the|their) (?:question|query)\b|contents? of (?:this|the) (?:context|conversation)|question=|conversation history|everything you know|what you know|other (?:documents|passages))\b)"
        r"[^!?]{0,160}?(?:\b(?:url|webhook|image|markdown|link|address|endpoint|server|query string|parameter)\b|https?:|\w@\w)",
        re.compile(r"\b(?:join|meeting|zoom|calendar|slack)\b"),
    ),
    _frame(
        "exfiltration",
        2,
        "![|markdown image|img",
        r"!\[[^\]]{0,80}\]\([^)\s]{1,300}[?&/][\w-]{0,20}=\s*(?:\{|\[|<|question|query|answer|data|context|user|prompt|your|the_)"
        r"|<img[^>]{0,200}=(?:\{|\[|question|query|answer|context|prompt)",
    ),
    _frame(
        "exfiltration",
        2,
        "http|forward|send",
        rf"{ORDER}(?:forward|send|transmit|post|upload|leak|exfiltrate)\s+(?:its|all|the|their|every) (?:\w+ ){{0,3}}?(?:contents?|data|passages|documents|secrets|context|question) to (?:the (?:address|url|server|link) (?:below|above|here)|https?:)",
        _PEOPLE,
    ),
)

PERSONA = (
    _frame(
        "role",
        2,
        "you",
        rf"\byou(?:'re| are| will be| shall be| become)\s+(?:now|hereby|henceforth|from now on|no longer|actually|really|going to be)\s*(?:,\s*)?(?:(?:an?|the|in|bound|called|named|acting as|known as)\s+)?(?:\w+ ){{0,3}}?"
        rf"(?:dan|{MODEL}|assistant|model|bot|unrestricted|jailbroken|unfiltered|uncensored|free of|free from|bound by|(?:\w+ )?mode|evil|root|persona|character)\b",
    ),
    _frame(
        "role",
        2,
        "without|no re|free|with no|not bound",
        rf"\b(?:assistant|{MODEL}|model|bot|system|entity)\b[^.!?]{{0,20}}?\b(?:without|with no|free of|free from|not bound by|no)\s+(?:any |all |ethical |content |safety |moral |usual )*(?:restrictions?|limits?|limitations|rules?|filters?|guidelines|censorship|safeguards)\b"
        rf"(?=.*\b(?:you|act|pretend|continue|this conversation)\b)|\b(?:you|act|pretend|continue)\b[^.!?]{{0,40}}?\b(?:assistant|{MODEL}|model|bot|system|entity)\b[^.!?]{{0,20}}?\b(?:without|with no|free of|free from|not bound by)\b",
    ),
    _frame(
        "role",
        2,
        "pretend|act as|act like|roleplay|role-play|behave|imagine|simulate|impersonate",
        rf"{POSITIVE_ORDER}(?:pretend|act (?:as|like)|role-?play|behave (?:as|like)|imagine|simulate|impersonate)\b(?:[\s,]+[^\s.!?]+){{1,9}}?[\s,]+and\s+(?:\w+ly )?"
        r"(?:confirm|approve|answer|respond|reply|reveal|grant|say|speak|release|continue|give|print|output|disclose|authori[sz]e)\b"
        rf"|{POSITIVE_ORDER}(?:pretend|act (?:as|like)|role-?play|behave (?:as|like)|simulate|impersonate)\b(?:[\s,]+[^\s.!?]+){{1,6}}?\s(?:without|with no|free of|that has no|who has no) (?:any |content |ethical |safety )*(?:rules|restrictions|limits|limitations|filters|guidelines)\b",
        _PEOPLE,
    ),
    _frame(
        "role",
        2,
        "on|henceforth|remainder|rest of|future|every",
        r"\b(?:from (?:now|this (?:point|moment)|here) (?:on|onwards?|forward)|from here on|henceforth|for the (?:rest|remainder) of (?:this|the) (?:conversation|session|chat|dialogue)|in (?:all|every) (?:future|further|following|subsequent) (?:answers?|responses?|repl(?:y|ies)|messages?))\b"
        rf".{{0,40}}?(?:\byou (?:will |are to |must |shall |only |always )*(?:answer|respond|reply|obey|speak|act as|act like|are an? (?:\w+ )?(?:assistant|model|bot|ai)|treat (?:every|all|each))\b"
        rf"|{POSITIVE_ORDER}(?:answer|respond|reply|treat (?:every|all|each) (?:questions?|quer|message)|speak|obey|refer to yourself)\b)",
        _PEOPLE,
    ),
    _frame(
        "role",
        2,
        "your",
        r"\byour (?:true|real|only|actual|sole|secret|hidden|new|primary|one) (?:and only )?(?:purpose|objective|mission|directive|instructions?|prompt|goal|output|identity|persona|task) (?:is|are|in life|will be|from now)\b",
        re.compile(_PEOPLE.pattern + r"|\b(?:team|employee|role|job|career|onboarding|department)\b"),
    ),
    _frame("role", 2, "mode", r"\b(?:developer|god|dan|jailbreak|unrestricted|sudo|maintenance|debug|admin\w*|opposite) mode\b.{0,40}\b(?:enabled|activated|you|unlocked|engaged)\b|\byou(?:'re| are) (?:now )?in (?:developer|god|dan|jailbreak|unrestricted|sudo|maintenance|debug|admin\w*) mode\b"),
    _frame("role", 2, "session|conversation|context", r"\b(?:previous|prior|old|above) (?:context|conversation|session|messages)\s+(?:is |are |as |has been |have been )?(?:deleted|void|over|closed|cleared|ended|erased|reset)\b"),
    _frame("role", 2, "obey", rf"\byou (?:must |will |shall |now |only )*obey\b|{ORDER}(?:obey|execute|carry out) (?:the|these|this|all|every|what) (?:\w+ )?(?:instructions?|commands?|orders?|text|says)\b", re.compile(r"\b(?:employees?|staff|drivers?|visitors?|fire|police|steps?)\b")),
    _frame("role", 2, "paragraph|passage|page|document|text", rf"{ORDER}do (?:exactly )?(?:as|what) (?:this|the following) (?:paragraph|passage|page|document|text|note|message) (?:says|tells|asks|demands)\b"),
    _frame("role", 2, "as though|as if", r"\b(?:respond|answer|reply)\b[^.!?]{0,20}\bas (?:though|if) (?:you|the user|the asker|no|there|they|all)\b", _PEOPLE),
)

MARKERS = (
    _frame("role marker", 2, "<|", r"<\s*[|\uff5c]\s*(?:im_start|im_end|system|user|assistant|endoftext|end|eot_id|begin_of_text|start_header_id|channel|message)\b"),
    _frame("role marker", 2, "inst]|<<sys|start_of_turn|end_of_turn|[system_prompt]", r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|\[/?system_prompt\]"),
    _frame("role marker", 2, "###", r"#{2,4}\s*(?:instructions?|system|response|human|assistant|user|input)(?: prompt| message)?\s*:"),
    _frame(
        "role marker",
        2,
        "system|assistant|developer|human|user|admin",
        rf"^\W*(?:new |important )?(?:system|assistant|developer|human|user|admin)(?: prompt| message| note| instruction| notice| update)?\s*[\]>)]?\s*[:>\]]\s*(?:you\b|your\b|please\b|ignore\b|disregard\b|from now\b|the user\b|override\b|reveal\b|new instructions\b|the (?:safety|content)|all (?:previous|prior)|sure[,!]|certainly\b|i(?:'ll| will)\b|always\b|never\b|do not\b|{_SAY}\b)",
        re.compile(r"\byour (?:account|order|application|profile)\b"),
    ),
    _frame("role marker", 2, "[system|(system|<system|</passage|<passage|</context|</document|<assistant", r"[\[(<]\s*/?(?:system(?:[ _-](?:message|prompt|note|notice|override|instruction))?|passage|assistant)\s*[\])>](?=\s*\S+\s+\S+)"),
    _frame("role marker", 1, "system|end of|begin", r"\bsystem (?:notice|message|note|override|alert|instruction|directive|command|prompt|update)\s*:|\b(?:end|start|beginning) of (?:the )?(?:document|context|passages?|system prompt|user input|untrusted)\b"),
    _frame("role marker", 1, "instruction|task|directive|prompt|rule", r"(?:^|[\W_])(?:new|updated|real|actual|special|secret|hidden|revised) (?:\w+ )?(?:instructions?|task|directives?|prompt|rules)\s*(?::|are\b|is\b|-)"),
    _frame("role marker", 1, "memory|tool", r"\banswer from memory\b|\b(?:retrieval|search) (?:tool )?(?:failed|is (?:down|broken|disabled))\b|\bconfidential to the (?:model|assistant|ai)\b"),
)

ENGLISH = (*OVERRIDES, *ADDRESSED, *ANSWER_FORM, *ANSWERING, *EXFILTRATION, *PERSONA, *MARKERS)
