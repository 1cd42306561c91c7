"""What a text wants of the form of an answer that a model is to write. English."""

import re

from app.incoming.english_words import (
    CODED,
    EDIT,
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
        rf"{POSITIVE_ORDER}(?:respond|reply|answer|write your \w+|write)\b(?:\s+[\w']+){{0,4}}?\s+(?:{VOICE})",
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
