"""How a text sets aside what a model was told, and how it names a model to speak to. English."""

import re

from app.incoming.english_words import (
    CONDITION,
    DISREGARD,
    EDIT,
    INNER_ORDER,
    MODEL,
    ORDER,
    ORDERS,
    PEOPLE,
    PRIOR,
    SAY,
    SHOW,
    UP_TO_4,
    frame,
)

OVERRIDES = (
    frame(
        "override",
        "changed|follow|obey|heed",
        rf"\byour (?:instructions|rules|orders|guidelines) (?:have|were) (?:been )?(?:changed|updated|replaced)\b"
        rf"|{INNER_ORDER}(?:follow|obey|heed) this (?:paragraph|passage|text|note)\b",
        PEOPLE,
    ),
    frame(
        "priority",
        "except this|but this|other than this",
        r"\b(?:cite|use|quote|trust|rely on|believe)\b[^.!?]{0,30}\b(?:except|but|other than) this (?:one|page"
        r"|passage|document|source|text)\b",
    ),
    frame(
        "override",
        "to the|for the|your",
        rf"\b{ORDERS}\b (?:to|for|of) (?:the |any |this )?(?:assistant|{MODEL}|model)\b.{{0,40}}?\b(?:void|no longer"
        rf"|superseded"
        r"|cancell?ed|revoked|suspended|withdrawn|overridden|invalid)\b|\b(?:disable|turn off|switch off|deactivate"
        r"|lift|drop|bypass) (?:all )?(?:of )?your (?:\w+ ){0,2}?(?:filters?|restrictions?|safeguards?|guardrails?"
        r"|limits?|limitations|safety|guidelines)\b",
    ),
    frame(
        "override",
        "ignor|disregard|forget",
        rf"{ORDER}(?:ignore|disregard|forget)\s+(?:the |any |every )?(?:user|reader|asker)(?:'?s)?"
        r" (?:questions?|query|queries|requests?|prompts?|messages?)\b",
    ),
    frame(
        "priority",
        "other",
        r"\b(?:do not|don't|never|must not) (?:cite|use|quote|trust|rely on|mention|believe) (?:any |the )?other "
        r"(?:documents?|sources?|passages?|pages?)\b",
    ),
    frame(
        "priority",
        "user|asker|person asking",
        r"\bthe (?:user|asker|person asking) (?:has been|is|was) (?:\w+ly )?(?:authori[sz]ed|verified|cleared"
        r"|approved|an admin\w*)"
        rf"\b.{{0,20}}?{INNER_ORDER}(?:reveal|disclose|share|show|give|print|grant|tell)\b",
        PEOPLE,
    ),
    frame(
        "override",
        "ignor|overlook|disregard|forget|neglect|abandon|dismiss|discard|over|set aside|stop|cease|follow|obey"
        "|comply|listen|adhere|heed|attention|delet|eras|bypass|drop|skip",
        rf"{ORDER}{DISREGARD}{UP_TO_4}{PRIOR}\s+(?:\S+\s+){{0,3}}?{ORDERS}\b(?!{CONDITION})",
        re.compile(r"\b(?:delete|erase|bypass|drop|skip|override) (?:the|an?|any) "),
    ),
    frame(
        "override",
        "ignor|overlook|disregard|forget|follow|obey|attention|dismiss|discard|delet|eras",
        rf"{ORDER}{DISREGARD}{UP_TO_4}{ORDERS}\s+(?:above|before|so far|(?:that|which)?\s*(?:you|the \w+) (?:\w+ )?"
        rf"(?:given|"
        r"gave|received|told|provided)|given to you|up to (?:now|this point))\b(?!" + CONDITION + ")",
    ),
    frame(
        "override",
        "ignor|overlook|disregard|forget|attention|dismiss|discard|delet|eras|consider",
        rf"{ORDER}{DISREGARD}\s+(?:\w+ )?(?:everything|anything|all|whatever|what)(?: of| that)?(?: is| was"
        rf"| has been| came| comes|"
        r" stands| else)?\s*(?:\w+\s){0,2}?(?:above|before(?! you)|so far|up to (?:now|this point)|you (?:were"
        r"|have been|had been|'ve been|know about your)|said|told|written|preceding)\b",
        re.compile(r"\bbefore (?:your|the|signing|starting)\b"),
    ),
    frame(
        "override",
        "ignor|overlook|disregard|forget|neglect|dismiss|discard|behind",
        rf"{ORDER}(?:(?:ignore|disregard|forget|neglect|dismiss|discard)\s+(?:all |any |every |of |the |these "
        rf"|those )*"
        r"(?:(?:everything|all)\s*(?:[,;.!:]|(?:and|then)\s+(?:just |only |simply )?(?:write|say|answer|reply"
        r"|respond|tell|print|act)\b|(?:that )?(?:we|i|they|he|she) (?:have |had )?(?:\w+ )?(?:discussed|talked|said"
        r"|told|wrote|given|spoke)\b)|(?:above|previous|prior|foregoing)\s*(?:[,;:!]|(?:and|then)\b|$)|what (?:i|we"
        r"|they|he|she) (?:have |had )?(?:said|told|wrote|asked)\b)|(?:ignore|disregard|forget|dismiss|discard)\s+"
        r"(?:all|any|every)(?: of)?(?: the| these| those| your)? (?:instructions?|prompts?|commands?|directives?)\b"
        r"|leave (?:all |everything )?(?:the |your )?(?:previous|prior|earlier) \w+ behind\b)",
    ),
    frame(
        "override",
        "you",
        rf"\b{ORDERS}\b(?:[\s,]+[^\s,.!?]+){{0,5}}?\s+you (?:were|have been|had been|'ve been) (?:given|told|shown"
        rf"|provided)\b"
        r".{0,40}?\b(?:void|no longer|null|superseded|obsolete|cancell?ed|overridden|invalid|suspended|replaced"
        r"|outdated)\b",
    ),
    frame(
        "override",
        "longer|void|cancel|supersed|obsolete|deleted|disabled|suspended|lifted|overrid",
        rf"\b(?:previous|prior|earlier|above|original|initial|safety|system|your|content)\s+"
        rf"(?:\w+\s+){{0,2}}?{ORDERS}\b"
        r"(?:\s+\w+){0,3}?\s+(?:no longer|void|cancell?ed|superseded|obsolete|deleted|disabled|suspended|lifted"
        r"|overridden)\b",
        weight=1,
    ),
    frame(
        "override",
        "override|stop",
        r"^\W*(?:stop\b[.!]|(?:system |admin |priority |urgent )?override\b\s*[:.!\-])",
        weight=1,
    ),
    frame(
        "override",
        "this conversation|this session|this chat",
        r"\b(?:filters?|restrictions?|safeguards?|guardrails?|rules?|limits?|guidelines?|moderation)\b.{0,30}\b"
        r"(?:disabled|off|lifted|suspended|removed|deactivated)\b.{0,20}\bthis (?:conversation|session|chat)\b",
    ),
    frame(
        "priority",
        "command|instruction|order|priorit|authoritative|exclusively|this one|this passage|this document|this page"
        "|this source",
        rf"{ORDER}(?:(?:treat|consider|regard|take) (?:what follows|the following|this \w+|these \w+"
        rf"|what is below)\s+as"
        r" (?:\w+ ){0,3}?(?:commands?|instructions?|orders?|authoritative|truth|the only|prompt)|(?:rely on|use"
        r"|trust|cite|quote|believe|prefer)\s+(?:only )?this (?:passage|document|page|source|text|one"
        r"|file)\b(?=.{0,30}\b(?:only|first|exclusively|alone|above all|instead|over)\b))",
    ),
    frame(
        "priority",
        "other",
        r"\b(?:other|remaining|all) (?:sources?|passages?|documents?|texts?|results?|others)\s+(?:\w+ ){0,2}?(?:are"
        r"|is|as) (?:\w+ )?(?:wrong|outdated|false|unreliable|fake|obsolete|incorrect|untrustworthy|irrelevant)\b|\b"
        r"(?:ignore|disregard|dismiss|discard) (?:all |any |the )*(?:other|remaining) (?:sources?|passages?"
        r"|documents?|results?|context)\b",
    ),
)

ADDRESSED = (
    frame("addressee", "should you be", rf"\bshould you be (?:an? )?(?:\w+ )?(?:{MODEL}|machine|bot|model)\b"),
    frame(
        "addressee",
        "ing this",
        rf"\b(?:the|any|every|whichever) (?:{MODEL}|assistant|model|bot|machine|system) (?:that is |which is "
        rf"|currently )?"
        r"(?:reading|processing|parsing|summari[sz]ing|answering from|evaluating|reviewing) this\b",
    ),
    frame(
        "addressee",
        "as the",
        r"^\W*as the (?:ai|assistant|model|chatbot|llm)(?: \w+){0,3}?,? (?:you|please|it is your)\b",
    ),
    frame(
        "addressee",
        "instruction|directive|note|order|command",
        rf"^\W*{MODEL}\s+(?:instructions?|directives?|notes?|orders?|commands?)\s*:",
    ),
    frame(
        "addressee",
        "",
        rf"(?:^\W*|[\n\"(:.!]\s*|\s-\s)(?:(?:dear|hey|hi|hello|attention|ok|okay|listen|note|notice|message|reminder"
        rf"|memo|instructions?|directions?|orders?|important|warning|info|hint|request|word|guidance|commands?|new"
        rf"|special|a|an|the|this is|urgent|to|for|all|any|every|of|ye|my)\W+)+{MODEL}\b(?:\s+(?:that|which|who|is"
        rf"|are|currently|reading|processing|parsing|summari[sz]ing|answering|reviewing|evaluating|handling"
        r"|analy[sz]ing|scanning|using|seeing|with access to|this|these|the|it|only|text|file|document|page|passage"
        r"|content|question|here|below|out|there)){0,8}(?:\s*[,:;!]|\s+-)",
    ),
    frame(
        "addressee",
        "assistant|model|agent|bot|machine|system|reader|reviewer",
        r"(?:^\W*|[\n\"(:.!]\s*|\s-\s)(?:(?:new|important|special|hidden|secret|further|following|urgent)\s+)*"
        r"(?:notes?|instructions?|message|directive|commands?|orders?|notice) (?:to|for) (?:the |any |all |every "
        r"|our |your )?(?:automated |answering |responding |helpful )?(?:assistant|model|bot|machine|automated "
        r"(?:systems?|reviewers?|readers?|tools?|agents?))s?\b(?:\s+\w+){0,4}\s*[,:;\-]",
    ),
    frame(
        "addressee",
        "you",
        rf"\b(?:if|in case|since|because|as|when|assuming|given that|provided) you(?:'re| are|r reader is)\s+"
        rf"(?:actually |really |in fact )?(?:an? |the |some )?(?:\w+ )?{MODEL}\b"
        r"(?! (?:engineer|developer|researcher|user|customer|expert|specialist|team|vendor|lead|champion"
        r"|company)s?\b)",
    ),
    frame(
        "addressee",
        "as a",
        rf"(?:^|[.!?,:]\s*)as an? (?:\w+ ){{0,2}}?{MODEL}\b[^.!?]{{0,40}}?[,\s](?:you|your)\b",
        re.compile(r"\b(?:user|customer|developer|employee|builder) of\b"),
    ),
    frame(
        "addressee",
        "this|these",
        rf"\b(?:when|whenever|if|once|any|every|should|the)\s+(?:an?\s|any\s|the\s|some\s|another\s)?{MODEL}\s+"
        rf"(?:that |which |is |are )?"
        r"(?:\w+ )?(?:summari[sz]es?|reads?|process(?:es)?|answers?|sees?|parses?|receives?|evaluates?|reading"
        r"|processing|summari[sz]ing|using) (?:from )?(?:this|these) (?:text|document|page|file|passage|note|section"
        r"|message|content|article|instructions?)\b",
    ),
    frame(
        "addressee",
        "assistant|model|ai|llm|chatbot|bot",
        r"\b(?:the|any|every) (?:ai|assistant|model|llm|chatbot|bot|ai (?:assistant|model|system))\s+(?:must|should"
        r"|shall|has to|needs to|will|is to)\b.{0,80}?\b(?:this|these|above|below) (?:passage|document|page|text"
        r"|source|note|file|paragraph|section|instructions?)\b",
    ),
    frame(
        "addressee",
        "ai|llm|chatbot|gpt|claude|gemini|copilot|assistant|model",
        rf"^\W*(?:{MODEL}|assistant|model)\s*[:,]\s*(?:please\s+)?(?:you\b|your\b|rank\b|rate\b|score\b|approve\b"
        rf"|sure\b|certainly\b|of course\b|i (?:will|can|have)\b|{DISREGARD}\b|{SAY}\b|{SHOW}\b|do not\b|don't\b"
        rf"|never\b|always\b|only\b|{EDIT}\b)",
    ),
    frame(
        "addressee",
        "creator|programmer|made you|trained you|built you|your developers|your training|your reader",
        r"\byour (?:creators|programmers|makers|trainers|developers? (?:(?:have|has) (?:told|approved|instructed"
        r"|given you|allowed)|want you|told you|instructed)|training data|weights|neural)|\bwho (?:made|trained"
        r"|built|programmed) you\b",
    ),
)

ORDERS_TO_MODELS = (*OVERRIDES, *ADDRESSED)
