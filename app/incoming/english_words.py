"""Words of the forms in which a text speaks to a model in English, and how a frame is made of them."""

import re
from dataclasses import replace

from app.incoming.finding import Frame

# Words between two parts of a frame: few, and none of another sentence.
UP_TO_4 = r"(?:[\s,]+[^\s,.!?]+){0,4}?[\s,]+"
UP_TO_12 = r"(?:[\s,]+[^\s,!?]+){0,12}?[\s,]+"
# Where an order begins: at the start, behind a break, or behind a word that makes one of what follows.
ORDER = (
    r"(?:^[\W_]*(?:\d+[.)]\s*)?|[,;:.!?()\-\"]\s*|\b(?:please|then|and|now|also|instead|finally|first|always|just"
    r"|simply|only|kindly|but|or|so|rather|(?:you|it|the (?:ai|assistant|model|llm|chatbot|bot|system|agent)) "
    r"(?:\w+ )?(?:must|should|shall|will|have to|has to|need to|needs to|are to|is to|are required to|may)(?: \w+ly"
    r"| always| also| only| first)?|make sure (?:to|that you)|be sure to|remember to|required to|(?P<not>do not"
    r"|don't|never))\s+)"
)
POSITIVE_ORDER = ORDER.replace("|(?P<not>do not|don't|never)", "")
INNER_ORDER = ORDER.replace("?P<not>", "?:")
MODEL = (
    r"(?:ai|a\.i\.|artificial intelligence|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpt(?:-?\d\w*)?"
    r"|claude|gemini|copilot|llama|mistral|ai[- ](?:assistants?|agents?|models?|systems?|tools?|readers?|reviewers?)"
    r"|(?:virtual|digital|automated|ai-powered|intelligent) (?:assistants?|agents?|systems?|readers?|reviewers?"
    r"|tools?)|summari[sz]ers?|answering (?:machine|model|system)s?|answer engines?)"
)
RESPONSE = r"(?:answers?|responses?|repl(?:y|ies)|outputs?|completions?)"
RESPONSE_OR_TEXT = (
    r"(?:answers?|responses?|repl(?:y|ies)|outputs?|completions?|summar(?:y|ies)|messages?|translations?)"
)
DISREGARD = (
    r"(?:ignore|overlook|disregard|forget|neglect|abandon|dismiss|discard|override|overrule|set aside|stop "
    r"(?:following|obeying)|cease (?:following|obeying)|(?:do not|don't|never|no longer) (?:follow|obey|comply with"
    r"|listen to|adhere to|heed)|pay no (?:attention|heed) to|delete|erase|bypass|drop|skip)"
)
PRIOR = (
    r"(?:previous|prior|preceding|above|earlier|foregoing|existing|initial|original|former|system|developer'?s?"
    r"|hidden|your|safety|aforementioned|past)"
)
ORDERS = (
    r"(?:instructions?|prompts?|directions?|directives?|guidelines?|rules?|commands?|orders?|constraints?"
    r"|restrictions?|programming|training|context|conversations?|polic(?:y|ies)|filters?|safeguards?|guardrails?"
    r"|guidance|tasks?)"
)
CONDITION = r"(?:\s|,)+(?:if|when|unless|in case|while|for|in|only during)\b"
# What people are told of a form, a letter or a call of theirs.
PEOPLE = re.compile(
    r"\b(?:survey|questionnaire|forms?|tender|rfp|application|applicants?|interview\w*|exams?|quiz|questions? \d"
    r"|candidates?|customers?|clients?|colleagues?|e-?mails?|inbox|slack|ticket|manager|business days?|working days?"
    r"|deadline|pull request|prs?\b|cover letter|proposals?|bids?|attachments?|reviewer|hiring|meeting|voicemail"
    r"|prospects?|phone|stakeholders?)\b"
)
OWN_THINGS = re.compile(
    r"\byour (?:\w+ )?(?:name|order|ticket|employee|e-?mail|contact|account|case|reference|address|id|number"
    r"|signature|team|phone|cv|resume|portfolio|availability|salary)\b|\b(?:answer|response|reply|message"
    r"|summary) to (?:the|this|a|an|question|our|us)\b|\b(?:answer|response|reply) (?:in|for) (?:the|this|question"
    r"|section|field|box)\b"
)
EDIT = (
    r"(?:modify|enhance|augment|integrate|insert|inject|embed|append|prepend|replace|convert|render|encode|encrypt"
    r"|cipher|scramble|re-?arrange|reverse|invert|translate|misspell|introduce|substitute|swap|jumble|shuffle"
    r"|obfuscate|transform|rewrite|rephrase|alter|change|pad|sprinkle|weave|interleave|interlace|conclude|terminate"
    r"|end|finish|close|begin|start|open|preface|prefix|suffix|wrap|tailor|infuse|incorporate|blend|work|slip|sneak"
    r"|hide|anagram\w*|group|combine|merge|join|double|mirror|flip|rotate|shift|randomi[sz]e|capitali[sz]e"
    r"|lower-?case|upper-?case|spell|code|hint|steer|bias|slant|add|sign|sign off|top|garnish|decorate|mask|disguise"
    r"|distort|corrupt|garble|mix|lace|enrich|expand|supplement|remove|strip|omit|leave|drop|exclude|delete|withhold"
    r"|censor|season|punctuate|number|alternate|chain|compress|adapt|adjust)"
)
SHOW = (
    r"(?:include|output|return|mention|provide|give|write|use|put|place|keep|make|deliver|present|produce|express"
    r"|phrase|state|formulate|suggest|promote|recommend|compose|create|advertise|encourage|urge|invite|warn|tell|say"
    r"|claim|imply|reference|link|introduce|stress|highlight|emphasi[sz]e|format|limit|restrict|shorten|craft|employ"
    r"|apply|avoid|repeat|tease|offer|type|attach|display|print|insert|share|ask|direct|point|refer|quote|cite|list"
    r"|describe|explain|pretend|act|speak|structure|praise|criticise|criticize|endorse|insult|thank|compliment"
    r"|flatter)"
)
SAY = r"(?:say|answer|reply|respond|state|claim|output|tell|insist|assert|print|write|declare|pretend|return|give)"
CODED = (
    r"(?:base ?\d+|rot-?\d+|hex(?:adecimal)?|binary|ascii|unicode|morse|braille|emojis?|emoticons?|pig latin|klingon"
    r"|elvish|leet(?:speak)?|caesar|cipher\w*|ciphertext|code words?|anagram\w*|reverse\w*|backwards?|upside down"
    r"|rhym\w+|verse|haikus?|limericks?|riddles?|poems?|sonnets?|gibberish|nonsense|all caps|capital letters"
    r"|capitals|upper ?case|lower ?case|misspell\w*|typos?|symbols?|homophon\w*|alphanumeric\w*|homoglyph\w*|nato"
    r"|semaphore|roman numerals|numbers only)"
)
VOICE = (
    r"(?:as|like) an? \w+|(?:as (?:if|though) (?:you|the user)|in the (?:voice|style|tone|manner|persona"
    r"|accent) of)\b"
)
LANGUAGE = (
    r"(?:latin|french|german|spanish|italian|chinese|japanese|russian|arabic|portuguese|dutch|greek|korean|hindi"
    r"|swahili)"
)


def frame(reason: str, cues: str, pattern: str, unless: re.Pattern[str] | None = None, *, weight: int = 2) -> Frame:
    """A frame, its cues with bars between them. A pattern that begins with ORDER holds only where an order begins."""
    made = Frame(reason, weight, tuple(cues.split("|")) if cues else (), re.compile(pattern), unless)
    if pattern.startswith(POSITIVE_ORDER):
        return replace(made, pattern=re.compile(pattern.removeprefix(POSITIVE_ORDER)), lead="positive order")
    if pattern.startswith(ORDER):
        return replace(made, pattern=re.compile(pattern.removeprefix(ORDER)), lead="order")
    return made
