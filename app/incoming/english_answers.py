"""What a text wants of an answer that a model is to write: its form, its words, its silence. English."""

import re

from app.incoming.english_words import (
    CODED,
    EDIT,
    INNER_ORDER,
    LANGUAGE,
    ORDER,
    OWN_THINGS,
    PEOPLE,
    POSITIVE_ORDER,
    RESPONSE,
    RESPONSE_OR_TEXT,
    SHOW,
    UP_TO_12,
    VOICE,
    frame,
)

ANSWER_FORM = (
    frame(
        "form of the answer",
        "answer|respon|repl|output",
        rf"\b(?:all|every|each|any|the|your) (?:\w+ )?{RESPONSE} (?:must|should|shall|has to|have to|needs? to|will"
        rf"|are to|is to) (?:only |always )?(?:be (?:\w+ )?)?(?:in|with|as|using|into)\s(?:\w+ ){{0,2}}?{CODED}\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "answer|respon|repl|output",
        rf"{ORDER}(?:write|encode|give|deliver|output|put|present|return|format|express|translate|convert|spell)\s"
        rf"(?:the|every|each|all|your) (?:\w+ )?{RESPONSE}\s(?:in|with|as|into|using|to)\s(?:\w+ ){{0,2}}?{CODED}\b",
        re.compile(PEOPLE.pattern + r"|\b(?:answer keys?|fixtures?|api|headers?)\b"),
    ),
    frame(
        "form of the answer",
        "make|let|have",
        rf"{ORDER}(?:make|let|have) (?:each|every|all|any|your)(?: of your)?(?: \w+)? {RESPONSE} (?:end|start|begin"
        rf"|contain|include"
        r"|mention|rhyme|say)\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "always|only|must",
        r'\b(?:always|only|must) (?:answer|reply|respond|output)(?: with)?(?: the \w+)? "'
        r"(?!.*\bto (?:unsubscribe|opt|confirm|join))",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "answer|respon|repl|output|complet|generat",
        rf"{ORDER}{EDIT}\b{UP_TO_12}(?:your|each of your|all your|every|each|any|the final|the generated)"
        rf"(?:\s+[\w-]+){{0,3}}?\s+{RESPONSE}\b",
        OWN_THINGS,
    ),
    frame(
        "form of the answer",
        "your",
        rf"{ORDER}{EDIT}\b{UP_TO_12}your(?:\s+[\w-]+){{0,2}}?\s+(?:message|summary|translation|text|words)\b(?=.*\b"
        rf"(?:letters?|vowels?|words?|spaces?|emojis?|{CODED}))",
    ),
    frame(
        "form of the answer",
        "your",
        rf"{ORDER}(?:leave|omit|keep|exclude|drop|cut|strike)\b{UP_TO_12}(?:out of|from) your"
        rf"(?:\s+[\w-]+){{0,2}}?\s+(?:summary|{RESPONSE})\b",
        re.compile(f"{OWN_THINGS.pattern}|{PEOPLE.pattern}"),
    ),
    frame(
        "form of the answer",
        "your",
        rf"{ORDER}{SHOW}\b{UP_TO_12}your(?:\s+[\w-]+){{0,2}}?\s+{RESPONSE}\b",
        re.compile(f"{OWN_THINGS.pattern}|{PEOPLE.pattern}"),
    ),
    frame(
        "form of the answer",
        "your",
        rf"(?:^|[.!?:,;]\s*)\W*(?:please,? )?(?:in|within|throughout|at the (?:end|start|beginning|top|bottom) of"
        rf"|before|after|below|for|to|into|inside|alongside|with)\s+(?:all (?:of )?|each (?:of )?|every "
        rf"(?:one of )?)?your(?:\s+[\w-]+){{0,2}}?\s+{RESPONSE_OR_TEXT}\s*,?\s*(?:please |always |also |you (?:must"
        rf"|should) |do not |don't |never |only )*(?:{SHOW}|{EDIT}|swap|stick)\b",
        re.compile(f"{OWN_THINGS.pattern}|{PEOPLE.pattern}"),
    ),
    frame(
        "form of the answer",
        "your",
        rf"\byour(?:\s+[\w-]+){{0,2}}?\s+(?:{RESPONSE}|(?:first|last|next|final|opening) (?:sentence|words?|line"
        rf"|message))\s+(?:to .{{0,30}}?)?"
        r"(?:must|should|shall|has to|have to|needs? to|may only|can only|is to|are to|always|is|ought to)\s+"
        r"(?:always |only |also |never |not |be )*(?:contain|include|start|begin|end|consist|mention|written|encoded"
        r"|translated|in|made|composed|formatted|reversed|spelled|rhyme|\"|use|have|avoid|say|read|state|praise"
        r"|recommend|promote)(?!\w)",
        re.compile(f"{OWN_THINGS.pattern}|{PEOPLE.pattern}|\\b(?:confidential|anonymous)\\b"),
    ),
    frame(
        "form of the answer",
        "your",
        r"\byour (?:only|sole) (?:output|answer|response|reply)\b|\b(?:the (?:summary|answer|response|reply|text"
        r"|output) (?:that )?you (?:produce|generate|write|give|output|create|return))\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "respond|reply|answer|write|speak|talk|output|say|return|communicate|print",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|speak|talk|communicate|output)\b(?:\s+(?!not\b)[\w']+){{0,5}}?\s+"
        rf"(?:(?:only|solely|exclusively|entirely|always|just|purely)\s+)?(?:in|with|using|as|by|through|via)\s+"
        rf"(?:\w+\s+){{0,2}}?(?:{CODED})\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "respond|reply|answer|write|speak|output|say|return|communicate|print",
        rf"{ORDER}(?:respond|reply|answer|output|say|return|print|write)\s+(?:(?:\w+\s+){{0,3}}?(?:only|solely"
        rf"|exclusively|nothing but|entirely|just)\s+(?:in|with|using|the|\"|{LANGUAGE})|(?:only|just|nothing but)\b"
        rf"|(?:in|with|using) (?:only|nothing but|{LANGUAGE} (?:only|alone)))",
        re.compile(PEOPLE.pattern + r"|\b(?:only (?:to|if|when|after|for|on)|yes or no|to (?:reviews|messages))\b"),
    ),
    frame(
        "form of the answer",
        "respond|reply|answer|speak|write|talk",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|speak|write your \w+|talk|write)\b(?:\s+[\w']+){{0,4}}?\s+"
        rf"(?:{VOICE})",
        re.compile(
            PEOPLE.pattern + r"|\b(?:as an? (?:result|rule|team|group|courtesy|whole|file|comment|draft"
            r"|reply|single|list|last))\b|write (?:\w+ ){0,3}as an?"
        ),
    ),
    frame(
        "form of the answer",
        "question|quer|prompt|asked",
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|treat|react)\s*(?:to\s+)?(?:all|every|each|any)\s+(?:\w+ )?"
        rf"(?:questions?|quer(?:y|ies)|prompts?|requests?|messages?)\s+(?:with|as|in|by|using)\b",
        PEOPLE,
    ),
    frame(
        "letters",
        "letter|vowel|consonant|syllable",
        rf"{ORDER}(?:replace|substitute|swap|reverse|scramble|shuffle|re-?arrange|jumble|convert|remove|drop|delete"
        rf"|double|group|change|exchange|turn|transform|shift|mix up|permute|omit|map|number|use \w+ (?:for|as"
        rf"|instead of))\b(?:[\s,]+[^\s,.!?]+){{0,5}}?[\s,]+(?:letters|vowels?|consonants?|syllables?|(?:each|every"
        rf"|any|all|third|second|first|other|last) (?:\w+ )?letter)\b",
        re.compile(
            r"\b(?:file ?names?|headings?|titles?|url|slugs?|passwords?|branch|variables?|identifiers?"
            r"|cover letters?|newsletters?|code)\b"
        ),
    ),
    frame(
        "letters",
        "every|each|random|all",
        rf"{ORDER}(?:replace|reverse|scramble|shuffle|misspell|anagram\w*|jumble|encode|swap|emphasi[sz]e|spell"
        rf"|invert|insert|write|add|put|repeat|double|capitali[sz]e|delete|drop|leave out)\b"
        r"(?:[\s,]+[^\s,.!?]+){0,6}?\s+(?:(?:every|each)\s+(?:second|third|fourth|fifth|sixth|other|n-?th|\d+(?:st"
        r"|nd|rd|th))\s+(?:word|letter|character|sentence)|(?:random|nonsense)\s+(?:words?|letters?|emojis?"
        r"|characters?)|(?:all|every|each) words?(?: backwards?| in reverse))",
    ),
)

ANSWERING = (
    frame(
        "not the question",
        "summari|refuse|wrong|false|incorrect|misleading|who ask",
        rf"\b(?:do not|don't|never|refuse to) summari[sz]e (?:this|these|the following)\b|{INNER_ORDER}refuse to "
        rf"(?:answer|respond)\b|{INNER_ORDER}(?:give|provide|return) (?:an? |only )?(?:wrong|false|incorrect"
        rf"|misleading) (?:answers?|responses?|repl)|{INNER_ORDER}tell (?:everyone|anyone|whoever|anybody"
        rf"|everybody) (?:who )?asks?\b",
        PEOPLE,
    ),
    frame(
        "answering",
        "answer|respond|reply|summar|generat",
        rf"(?=.*?\b(?:when|while|whenever|before|after|once|as|in) (?:you )?(?:answer|respond|reply|summari[sz]e"
        rf"|generate|answering|responding|replying|summari[sz]ing|generating)"
        r"(?:\s*(?:[,.;:!]|$)|\s(?:anything|this|any|the (?:question|user|query)|questions? (?:about|on)"
        r"|the text)\b))"
        rf".*?{INNER_ORDER}(?:omit|leave out|replace the word|mention|state that|claim|recommend|promote|conceal"
        rf"|hide|print|reveal|add|insert|output|say|praise|substitute|use|include|write|end|start|speak|pretend"
        rf"|do not|never)\b",
        PEOPLE,
    ),
    frame(
        "answering",
        "what you|whatever you|everything you",
        r"\b(?:in |with )?(?:what|whatever|everything|anything) you (?:write|say|output|generate|answer)\b.{0,20}\b"
        r"(?:from here|from now|next|below|in (?:this|your))\b",
        PEOPLE,
    ),
    frame(
        "answer to a question",
        "ask|quer|question",
        r"\b(?:when|whenever|if|every time|any time|each time|should you be|once) (?:you(?:'re| are| get)? )?"
        r"(?:ever )?(?:asked|questioned|queried|prompted)\b[^.!?]{0,120}?[,:]?\s*(?:then |always |you (?:must|should"
        r"|will|are to) |please |just |simply |only )*\b(?:say|answer|reply|respond|state|claim|output|insist"
        r"|assert)\s+(?:only\s+)?(?:that\b|with\b|\"|:|nobody|they (?:are|have)\b|there (?:is|are)\b|it (?:is|has)\b"
        r"|no\b|yes\b|'|as\b)",
        re.compile(
            r"\b(?:prompted|interview\w*|customers?|command|installer|wizard|press|journalists?|recruit\w*|password:"
            r"|terminal)\b"
        ),
    ),
    frame(
        "answer to a question",
        "ask|quer|question|inquir",
        r"\b(?:when|whenever|if|should|every time|any time|each time) (?:the user|a user|users|any user|anyone"
        r"|anybody|someone|somebody|the reader|they|people|the person|the human|the asker)\s+(?:ever )?(?:asks?"
        r"|asked|inquires?|quer(?:y|ies)|questions?|wants? to know)\b[^.!?]{0,120}?[,:]?\s*(?:then |always |you "
        r"(?:must|should|will|are to) |please |just |simply |only |it (?:must|should) )*\b(?:say|answer|reply"
        r"|respond|state|claim|output|insist|assert|tell (?:them|him|her|the user))\s+(?:only\s+)?(?:that\b|with \""
        r"|\"|:)",
        re.compile(r"\b(?:customers?|refer|redirect them|point them|contact|support|ticket|e-?mail)\b"),
    ),
    frame(
        "answer to a question",
        "question|query",
        r"\b(?:when|whenever|if|should|in case) (?:the|a|any|this) (?:user'?s? )?(?:question|query|prompt|request) "
        r"(?:is|concerns?|mentions?|contains?|asks?|relates?|touches|involves)\b[^.!?]{0,100}?,?\s*(?:then |always "
        r"|you (?:must|should) |please |only )*\b(?:respond|answer|reply|say|output|state|claim)\s+(?:only )?(?:that"
        r"|with|\"|in|as)\b",
        PEOPLE,
    ),
    frame(
        "any question",
        "question|asked|quer|user",
        r"\b(?:regardless of|no matter|irrespective of|whatever|independent of|no difference) (?:what |which |how )?"
        r"(?:the |a |is |was |language |user'?s? |they )*(?:(?:questions?|quer(?:y|ies)|prompt)(?: is| was| asks"
        r"| says| asked|[.,;!]|$)|(?:is |was )?asked|(?:user|anyone|they|one) (?:asks|ask|says|wants))",
        PEOPLE,
    ),
    frame(
        "secrecy",
        "mention|reveal|disclos|tell|refer|include|acknowledg|admit|cite|quote|discuss|talk|inform|say|warn",
        r"\b(?:do not|don't|never|must not|should not|refrain from|avoid|without)\s+(?:ever )?(?:mention|reveal"
        r"|disclos|tell|refer|includ|acknowledg|admit|cit|quot|discuss|talk|inform|say|warn)\w*\b[^.!?]{0,60}?\b(?:"
        r"(?:this|these|the above) (?:instructions?|prompt|passage|message|note|hidden \w+|command|directive)s?|in "
        r"(?:any of )?your (?:\w+ )?(?:answers?|responses?|repl(?:y|ies)|summar(?:y|ies)|output)|that this "
        r"(?:passage|document|text|page|source|note|message) exists)\b",
    ),
    frame(
        "not the question",
        "answer|summar",
        rf"\b(?:do not|don't|never|will not|must not|refuse to|won't)\s+(?:answer|address|respond to) (?:the|their"
        rf"|his|this|any) (?:user'?s? |actual |original |real |reader's )?(?:question|query)s?(?: that (?:was"
        rf"|is) asked)?\s*(?:[.;,!]|$|instead|and\b)|{INNER_ORDER}stop (?:summari[sz]ing|answering|responding)\b",
    ),
    frame(
        "user",
        "user|reader|person|asker|human|whoever",
        rf"{POSITIVE_ORDER}(?:ask|tell|instruct|direct|urge|encourage|advise|inform|get|make|warn|assure|lead|invite"
        rf"|have|let) (?:the |any |your )?(?:users?|readers?|(?:person|one|human) (?:asking|who asks)|asker|humans?"
        rf"|whoever asks)\b"
        r".{0,120}?\b(?:(?:for|enter|give|send|type|provide) (?:you )?their (?:current |full )?(?:password"
        r"|credentials|card|login|pin|bank|credit card|social security)|verify the session|confirm their (?:account"
        r"|identity|password)|(?:been|was|were|is) (?:logged out|hacked|compromised)|call \+?\d|click (?:on )?"
        r"(?:this|the following) link|at this link|https?:)",
    ),
    frame(
        "user",
        "convinc|persuad|trick|manipulat|deceiv|mislead",
        rf"{POSITIVE_ORDER}(?:convince|persuade|trick"
        r"|manipulate|deceive|mislead) (?:the |any )?(?:user|reader|person asking|asker)s?\b",
    ),
    frame(
        "not the question",
        "instead of|rather than",
        rf"\b(?:instead of|rather than) (?:answering|responding|replying|summari[sz]ing|an answer"
        rf"|a summary)\b.{{0,60}}?{INNER_ORDER}(?:tell the (?:user|reader)|output|print|say|write|describe|respond"
        rf"|reply|return|give|state)\b",
        PEOPLE,
    ),
)

ORDERS_ABOUT_ANSWERS = (*ANSWER_FORM, *ANSWERING)
