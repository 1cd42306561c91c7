"""What a text wants a model to say or to conceal when it is asked something. English."""

import re

from app.incoming.english_words import (
    CODED,
    INNER_ORDER,
    ORDER,
    OWN_THINGS,
    PEOPLE,
    POSITIVE_ORDER,
    RESPONSE,
    frame,
)

ANSWERING = (
    frame(
        "secrecy",
        "from the|reveal|disclos|list|exists",
        rf"{ORDER}(?:hide|conceal|withhold|keep) [^.!?]{{1,60}}? from the (?:user|reader|asker|person asking)\b"
        rf"|{INNER_ORDER}(?:reveal|disclose|list|show) [^.!?]{{1,40}}? you (?:were|have been) (?:given|shown|told)\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "everything|single word|one word",
        rf"{INNER_ORDER}(?:write|say|spell|put|express) (?:everything|it all) (?:\w+ ){{0,2}}?{CODED}\b|\b(?:the"
        rf"|your) {RESPONSE} (?:must|should|has to|is to|may) (?:only )?be (?:a single|one|a one) ?-?word\b",
        PEOPLE,
    ),
    frame(
        "any question",
        "every question|each question|any question|all questions",
        rf"{INNER_ORDER}(?:say|answer|reply|respond|write|output)\b[^.!?]{{1,60}}? to (?:every|each|any"
        rf"|all) questions?\b",
        PEOPLE,
    ),
    frame(
        "answering",
        "you ",
        rf"\b(?:when|whenever|while|before|after|as) you (?:write|give|produce|compose|create|formulate|prepare"
        rf"|answer|respond|reply)(?: (?:the|your|an?|this|any) (?:final )?(?:summary|{RESPONSE}))?\s*(?:[,.;:!]|$)",
        re.compile(
            PEOPLE.pattern + r"|\b(?:take|think|remember|ask yourself|check|read|make sure|be (?:polite|kind|honest))\b"
        ),
        weight=1,
    ),
    frame(
        "answering",
        "claim|mention|insist|assert|promote|recommend|conceal|hide|pretend|deny|praise",
        rf"{ORDER}(?:claim|mention|insist|assert|promote|recommend|conceal|hide|pretend|deny|praise)\b",
        PEOPLE,
        weight=1,
    ),
    frame(
        "answer to a question",
        "user|reader|asker|anyone|somebody|someone",
        r"\b(?:if|when|whenever|should) (?:the|a|any|some)? ?(?:users?|readers?|asker|anyone|somebody"
        r"|someone)\b[^.!?]{0,80}?,\s*(?:then |just |please |always |you (?:must|should) )?(?:pretend|lie|claim|deny"
        r"|act as (?:if|though)|refuse|play dumb|insist)\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "every|each|all",
        r"\b(?:every|each|all)(?: of the)? (?:sentences?|words?|lines?|paragraphs?|messages?) (?:that )?you "
        r"(?:produce|write|output|say|generate|send|give)\b",
        PEOPLE,
    ),
    frame(
        "not the question",
        "answer|respon|repl",
        rf"{POSITIVE_ORDER}(?:answer|respond|reply)\b[^.!?]{{0,40}}?\b(?:incorrectly|wrongly|falsely|dishonestly"
        rf"|sarcastically|rudely)\b",
        PEOPLE,
    ),
    frame(
        "form of the answer",
        "your",
        rf"{POSITIVE_ORDER}(?!(?:i|we|you|they|he|she|it|the|an?|this|that|these|those|there|your|our|my|in|if|when"
        rf"|what|how|why|who"
        r"|is|are|was|for|as|to|and|all|on|at|by|from|with|any|no|not|or|of)\b)[a-z]{3,14} "
        r"(?:[\w'\"#$%-]+[\s,]+){1,10}?"
        rf"(?:in|into|to|from|throughout|of) (?:(?:all |each of )?your|every|each) (?:{RESPONSE}|summary)\b",
        re.compile(f"{OWN_THINGS.pattern}|{PEOPLE.pattern}"),
    ),
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
        r"(?:from here|from now|next|below)\b",
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
