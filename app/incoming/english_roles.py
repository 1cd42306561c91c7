"""How a text asks for what a model knows, gives it a role or forges a turn of its conversation. English."""

import re

from app.incoming.english_words import (
    INNER_ORDER,
    MODEL,
    ORDER,
    PEOPLE,
    POSITIVE_ORDER,
    SAY,
    frame,
)
from app.incoming.finding import CHAT_TEMPLATE

EXFILTRATION = (
    frame(
        "prompt", "message", r"\b(?:text|contents?|words) of (?:your|the) (?:first|initial|system|earliest) message\b"
    ),
    frame(
        "prompt",
        "your",
        r"\bwhat (?:does|do|did) your (?:system|initial|hidden) (?:prompt|message|instructions?) say\b",
    ),
    frame(
        "prompt",
        "prompt|instruction|system message|configuration|context window",
        rf"{ORDER}(?:reveal|print|show|display|repeat|output|disclose|expose|leak|return|list|give|write|share|tell"
        rf"|recite|dump|echo|translate|provide|state|copy|summari[sz]e|send|include|reply with)\b"
        r"(?:\s+[\w']+){0,6}?\s+(?:your (?:\w+ ){0,2}?(?:prompt|instructions|system message|configuration|guidelines"
        r"|rules)|(?:the|any|its) (?:system|hidden|initial|secret|original|developer|internal) (?:prompt|message)"
        r"|the (?:\w+ ){0,3}?prompt (?:that )?you (?:were|have))\b",
        PEOPLE,
    ),
    frame(
        "prompt",
        "your",
        r"\bwhat (?:are|were|is|was|do) your (?:initial|original|system|hidden|secret|exact|first|full)\s+"
        r"(?:\w+\s+)?(?:instructions?|prompts?|messages?|rules)\b",
    ),
    frame(
        "prompt",
        "above|prior|earlier|previous|before",
        rf"{ORDER}(?:repeat|print|show|output|reveal|dump|list|copy|recite)\s+(?:\w+ ){{0,2}}?(?:(?:the )?(?:text"
        rf"|words|everything|messages|conversation|sentences?|contents?)\s+(?:\w+ )?(?:above|before|preceding)\b"
        r"(?=.{0,80}\b(?:starting|beginning|verbatim|word for word|exactly|code block|this|prompt|you are)\b)|"
        r"(?:the )?(?:earlier|previous|prior) (?:messages|turns|conversation|chat))",
    ),
    frame(
        "exfiltration",
        "url|link|image|address|webhook|http|@|markdown|email|e-mail|endpoint|server|query string|parameter",
        rf"{ORDER}(?:append|attach|include|embed|add|put|encode|insert|render|display|show|send|forward|post|upload"
        rf"|e-?mail|transmit|exfiltrate|pass|submit|deliver|leak|copy|place|make|create)\b"
        r"(?=[^!?]{0,160}?\b(?:(?:this|the|our|your|entire|whole|full|current|user's|other|previous|retrieved|chat) "
        r"(?:\w+ )?(?:conversation|context window|passages|chat history|system prompt)\b|user's (?:\w+ )?(?:question"
        r"|query|prompt|message|name|data|words|input)|(?:the|their) (?:question|query)\b|contents? of (?:this|the) "
        r"(?:context|conversation|chat)|question=|conversation history|everything you know|what you know|other "
        r"(?:documents|passages))\b)[^!?]{0,160}?(?:\b(?:url|webhook|image|markdown|link|address|endpoint|server"
        r"|query string|parameter)\b|https?:|\w@\w)",
        re.compile(r"\b(?:join|meeting|zoom|calendar|slack)\b"),
    ),
    frame(
        "exfiltration",
        "![|markdown image|img",
        r"!\[[^\]]{0,80}\]\([^)\s]{1,300}[?&/][\w-]{0,20}=\s*(?:\{|\[|<|question|query|answer|data|context|user"
        r"|prompt|your|the_)|<img[^>]{0,200}=(?:\{|\[|question|query|answer|context|prompt)",
    ),
    frame(
        "exfiltration",
        "http|forward|send",
        rf"{ORDER}(?:forward|send|transmit|post|upload|leak|exfiltrate)\s+(?:its|all|the|their|every) "
        rf"(?:\w+ ){{0,3}}?(?:contents?|data|passages|documents|secrets|context|question) to (?:the (?:address|url"
        rf"|server|link) (?:below|above|here)|https?:)",
        PEOPLE,
    ),
)

PERSONA = (
    frame(
        "role",
        "you",
        rf"\byou(?:'re| are| will be| shall be| become)\s+(?:now|hereby|henceforth|from now on|no longer|actually"
        rf"|really|going to be)\s*(?:,\s*)?(?:(?:an?|the|in|bound|called|named|acting as|known as)\s+)?"
        rf"(?:\w+ ){{0,3}}?(?:dan|{MODEL}|assistant|model|bot|unrestricted|jailbroken|unfiltered|uncensored|free of"
        rf"|free from|bound by|(?:\w+ )?mode|evil|root|persona|character)\b",
    ),
    frame(
        "role",
        "without|no re|free|with no|not bound",
        rf"\b(?:assistant|{MODEL}|model|bot|system|entity)\b[^.!?]{{0,20}}?\b(?:without|with no|free of|free from"
        rf"|not bound by|no)\s+(?:any |all |ethical |content |safety |moral |usual )*(?:restrictions?|limits?"
        rf"|limitations|rules?|filters?|guidelines|censorship|safeguards)\b(?=.*\b(?:you|act|pretend|continue"
        rf"|this conversation)\b)|\b(?:you|act|pretend|continue)\b[^.!?]{{0,40}}?\b(?:assistant|{MODEL}|model|bot"
        rf"|system|entity)\b[^.!?]{{0,20}}?\b(?:without|with no|free of|free from|not bound by)\b",
    ),
    frame(
        "role",
        "pretend|act as|act like|roleplay|role-play|behave|imagine|simulate|impersonate",
        rf"{POSITIVE_ORDER}(?:pretend|act (?:as|like)|role-?play|behave (?:as|like)|imagine|simulate|impersonate)\b"
        rf"(?:[\s,]+[^\s,.!?]+){{1,9}}?[\s,]+and\s+(?:\w+ly )?"
        r"(?:confirm|approve|answer|respond|reply|reveal|grant|say|speak|release|continue|give|print|output|disclose"
        r"|authori[sz]e)\b",
        PEOPLE,
    ),
    frame(
        "role",
        "pretend|act as|act like|roleplay|role-play|behave|simulate|impersonate",
        rf"{POSITIVE_ORDER}(?:pretend|act (?:as|like)|role-?play|behave (?:as|like)|simulate|impersonate)\b"
        rf"(?:[\s,]+[^\s,.!?]+){{1,6}}?\s(?:without|with no|free of|that has no|who has no) (?:any |content "
        rf"|ethical |safety )*(?:rules|restrictions|limits|limitations|filters|guidelines)\b",
        PEOPLE,
    ),
    frame(
        "role",
        "on|henceforth|remainder|rest of|future|every",
        r"\b(?:from (?:now|this (?:point|moment)|here) (?:on|onwards?|forward)|from here on|henceforth|for the "
        r"(?:rest|remainder) of (?:this|the) (?:conversation|session|chat|dialogue)|in (?:all|every) (?:future"
        r"|further|following|subsequent) (?:answers?|responses?|repl(?:y|ies)|messages?))\b"
        rf".{{0,40}}?(?:\byou (?:will |are to |must |shall |only |always )*(?:answer|respond|reply|obey|speak|act as"
        rf"|act like|are an? (?:\w+ )?(?:assistant|model|bot|ai)|treat (?:every|all|each))\b|{POSITIVE_ORDER}"
        rf"(?:answer|respond|reply|treat (?:every|all|each) (?:questions?|quer|message)|speak|obey"
        rf"|refer to yourself)\b)",
        PEOPLE,
    ),
    frame(
        "role",
        "your",
        r"\byour (?:true|real|only|actual|sole|secret|hidden|new|primary|one) (?:and only )?(?:purpose|objective"
        r"|mission|directive|instructions?|prompt|goal|output|identity|persona|task) (?:is|are|in life|will be"
        r"|from now)\b",
        re.compile(PEOPLE.pattern + r"|\b(?:team|employee|role|job|career|onboarding|department)\b"),
    ),
    frame(
        "role",
        "mode",
        r"\b(?:developer|god|dan|jailbreak|unrestricted|sudo|maintenance|debug|admin\w*|opposite) mode\b.{0,40}\b"
        r"(?:enabled|activated|you|unlocked|engaged)\b|\byou(?:'re| are) (?:now )?in (?:developer|god|dan|jailbreak"
        r"|unrestricted|sudo|maintenance|debug|admin\w*) mode\b",
    ),
    frame(
        "role",
        "session|conversation|context",
        r"\b(?:previous|prior|old|above) (?:context|conversation|session|messages)\s+(?:is |are |as |has been "
        r"|have been )?(?:deleted|void|over|closed|cleared|ended|erased|reset)\b",
    ),
    frame(
        "role",
        "obey",
        rf"\byou (?:must |will |shall |now |only )*obey\b|{INNER_ORDER}(?:obey|execute|carry out) (?:the"
        r"|these|this|all|every|what) (?:\w+ )?(?:instructions?|commands?|orders?|text|says)\b",
        re.compile(r"\b(?:employees?|staff|drivers?|visitors?|fire|police|steps?)\b"),
    ),
    frame(
        "role",
        "paragraph|passage|page|document|text",
        rf"{INNER_ORDER}do (?:exactly )?(?:as|what) (?:this"
        r"|the following) (?:paragraph|passage|page|document|text|note|message) (?:says|tells|asks|demands)\b",
    ),
    frame(
        "role",
        "as though|as if",
        r"\b(?:respond|answer|reply)\b[^.!?]{0,20}\bas (?:though|if) (?:you|the user|the asker|no|there|they|all)\b",
        PEOPLE,
    ),
)

MARKERS = (
    frame("role marker", "system prompt", r"\b(?:begin|start)(?: of)?(?: the| a)?(?: new)? system prompt\b"),
    frame(
        CHAT_TEMPLATE,
        "<|",
        r"<\s*[|\uff5c]\s*(?:im_start|im_end|system|user|assistant|endoftext|end|eot_id|begin_of_text"
        r"|start_header_id|channel|message)\b",
    ),
    frame(
        CHAT_TEMPLATE,
        "inst]|<<sys|start_of_turn|end_of_turn|[system_prompt]",
        r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|\[/?system_prompt\]",
    ),
    frame(
        "role marker",
        "###",
        r"#{2,4}\s*(?:instructions?|system|response|human|assistant|user|input)(?: prompt| message)?\s*:",
    ),
    frame(
        "role marker",
        "system|assistant|developer|human|user|admin",
        rf"^\W*(?:new |important )?(?:system|assistant|developer|human|user|admin)(?: prompt| message| note"
        rf"| instruction| notice| update)?\s*[\]>)]?\s*[:>\]]\s*(?:you\b|your\b|please\b|ignore\b|disregard\b"
        rf"|from now\b|the user\b|override\b|reveal\b|new instructions\b|the (?:safety|content)|all (?:previous"
        rf"|prior)|grant\b|allow\b|treat\b|sure[,!]|certainly\b|i(?:'ll| will)\b|always\b|never\b|do not\b|{SAY}\b)",
        re.compile(r"\byour (?:account|order|application|profile)\b"),
    ),
    frame(
        "role marker",
        "[system|(system|<system|</passage|<passage|</context|</document|<assistant",
        r"[\[(<]\s*/?(?:system(?:[ _-](?:message|prompt|note|notice|override|instruction))?|passage"
        r"|assistant)\s*[\])>](?=\s*\S+\s+\S+)",
    ),
    frame(
        "role marker",
        "system|end of|begin",
        r"\bsystem (?:notice|message|note|override|alert|instruction|directive|command|prompt|update)\s*:|\b(?:end"
        r"|start|beginning) of (?:the )?(?:document|context|passages?|system prompt|user input|untrusted)\b",
        weight=1,
    ),
    frame(
        "role marker",
        "instruction|task|directive|prompt|rule",
        r"(?:^|[\W_])(?:new|updated|real|actual|special|secret|hidden|revised) (?:\w+ )?(?:instructions?|task"
        r"|directives?|prompt|rules)\s*(?::|are\b|is\b|-)",
        weight=1,
    ),
    frame(
        "role marker",
        "memory|tool",
        r"\banswer from memory\b|\b(?:retrieval|search) (?:tool )?(?:failed|is (?:down|broken|disabled))\b"
        r"|\bconfidential to the (?:model|assistant|ai)\b",
        weight=1,
    ),
)

ROLES_FOR_MODELS = (*EXFILTRATION, *PERSONA, *MARKERS)
