"""Whether a question depends on what was said before, and what it means then: by rules alone.

The rules decide whether the model is asked to rewrite at all, so a question on a new topic never
meets the old one. They also check what the model wrote, and stand in for it where the check fails.
"""

import re
from collections.abc import Sequence

from application.terms import content_terms, values
from contracts.answer import Turn

FEW_TERMS = 2  # content words; a weak sign counts in a question of no more
ANTECEDENT = 2  # content words before a pronoun that it may stand for
LONGEST = 400  # characters of a rewritten question
MOST_NEW_TERMS = 1  # that stand neither in the question nor in the history
LEAST_KEPT = 0.6  # of the question's own content words

COURTESY = re.compile(
    r"(?:\W|\b(?:ok(?:ay)?|thanks?( you)?( (so|very) much| a lot)?|many thanks|thx|ty|cheers"
    r"|great|perfect|super|nice|cool|got it|i see|understood|alright|all right|that('s| is)"
    r"|good|very|helpful|all|bye|goodbye|hi|hello|for (the|your) help|that helps?|that helped"
    r"|danke( schön| sehr)?|vielen dank|merci( beaucoup)?|(muchas )?gracias|grazie( mille)?"
    r"|obrigad[oa]|dank je( wel)?|bedankt)\b|谢谢|ありがとう(ございます)?|감사합니다)+",
    re.IGNORECASE,
)
THANKS_FIRST = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks?(?: you)?|thx|great|perfect|cheers|got it|danke|merci)\b"
    r"[\s,.!;:–-]*)+",
    re.IGNORECASE,
)
NEW_TOPIC = re.compile(
    r"^(?:(?:and |now |but )*(?:(?:a )?(?:new|different|another|unrelated|other) (?:question|topic)"
    r"|something (?:else|different)|by the way|btw|changing the subject|on another (?:note|topic)"
    r"|andere frage|etwas anderes|autre question|otra pregunta))\b[\s,.!;:–-]*",
    re.IGNORECASE,
)
OPENING = re.compile(
    r"^(?:(?:and|but|or|so|no|nope|sorry|actually|rather|instead|what about|how about|what if"
    r"|why|how come|how so|since when|until when|i meant?|not|same|really|are you sure|which ones?"
    r"|und|aber|oder|nein|warum|wieso|weshalb|was ist mit|wie ist es mit|ich meinte"
    r"|et|mais|ou|non|pourquoi|y|pero|no|por qué|e|ma|perché|en|maar|waarom)\b)",
    re.IGNORECASE,
)
EXPLETIVE = re.compile(
    r"\b(?:(?:does|did|will|would|do|can) it take|it takes|is it (?:possible|allowed|ok|okay|true|"
    r"necessary|forbidden|legal)|if it (?:rains|snows)|(?:is|are|was|were|will) there"
    r"|there (?:is|are|was|were))\b",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|hers|those|these|ones?|the (?:same|other"
    r"|others|former|latter|first|second|last) one|the (?:others?|former|latter)|er|ihn|sie|dessen"
    r"|deren|ils|elles)\b",
    re.IGNORECASE,
)
WEAK = re.compile(
    r"\b(?:that|this|there|then|same|else|other|too|also|instead|her|das|dort|dafür|davon|ça|cela"
    r"|eso|esto)\b",
    re.IGNORECASE,
)
NAMED = re.compile(r"(?<=\s)(?:[A-Z][\w-]*|[\w-]*\d[\w-]*)")
CODE = re.compile(r"\b(?=[\w-]*\d)[A-Za-z][\w-]*")
WHOLE_QUESTION = re.compile(
    r"^(?:what|who|where|when|which|how|is|are|do|does|did|can|may|must|should|will)\b.*\w.*\?$",
    re.IGNORECASE | re.DOTALL,
)


def is_courtesy(text: str) -> bool:
    """Whether nothing is asked: thanks, a greeting, a word of agreement."""
    return bool(re.search(r"\w", text)) and bool(COURTESY.fullmatch(text))


def own_words(question: str) -> str:
    """`question` without thanks before it, and without the words that announce a new topic."""
    rest = NEW_TOPIC.sub("", THANKS_FIRST.sub("", question)).strip()
    return rest or question


def depends(question: str) -> bool:
    """Whether `question` cannot be understood without what was said before."""
    said = THANKS_FIRST.sub("", question).strip() or question
    if NEW_TOPIC.match(said):
        return False
    if OPENING.match(said):
        return True
    terms = content_terms(said)
    if not terms:
        return True
    plain = EXPLETIVE.sub(" ", said)
    if any(len(content_terms(plain[: m.start()])) < ANTECEDENT for m in PRONOUN.finditer(plain)):
        return True
    if len(terms) <= FEW_TERMS and WEAK.search(plain):
        return True
    return len(terms) == 1 and not (WHOLE_QUESTION.match(said) and NAMED.search(said))


def joined(question: str, history: Sequence[Turn]) -> str:
    """The plain fall-back: the questions since the topic began, then this one.

    A code that takes the place of another one of its shape, as in "And E-12?", replaces it.
    """
    chain: list[str] = []
    for turn in reversed([turn for turn in history if turn.role == "user"]):
        if is_courtesy(turn.content):
            continue
        chain.insert(0, " ".join(turn.content.split()))
        if not depends(turn.content):
            break
    if chain and (replaced := _replaced(question, chain[0])):
        return replaced
    text = " ".join([*(own_words(said) for said in chain), question])
    return text[-LONGEST * 2 :]


def is_sound(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether `rewritten` asks what `question` asks, with what it lacked from `history` alone."""
    if not rewritten or len(rewritten) > LONGEST:
        return False
    told = " ".join(turn.content for turn in history)
    own, new = content_terms(question), content_terms(rewritten)
    if not values(rewritten) <= values(question) | values(told):
        return False
    if not values(question) <= values(rewritten):
        return False
    if len(new - own - content_terms(told)) > MOST_NEW_TERMS:
        return False
    cues = content_terms("meant mean sorry actually sure instead about question")
    kept = own - cues
    if kept and len(kept & new) < LEAST_KEPT * len(kept):
        return False
    return bool(new - own)  # else nothing was added to a question that lacks something


def _replaced(question: str, topic: str) -> str | None:
    codes = CODE.findall(question)
    if len(codes) != 1:
        return None
    if content_terms(question) - content_terms(f"{codes[0]} meant mean about sorry"):
        return None  # it asks for more than the same of another code
    shape = _shape(codes[0])
    same = [code for code in CODE.findall(topic) if _shape(code) == shape]
    return topic.replace(same[0], codes[0]) if len(set(same)) == 1 else None


def _shape(code: str) -> str:
    return re.sub(r"\d+", "0", code.upper())
