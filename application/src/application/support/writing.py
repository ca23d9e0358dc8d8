# ruff: noqa: E501 - a pattern that is broken over lines is harder to read
"""How things are written: words that shape a sentence, and several ways to write one thing."""

import re

CONTRACTIONS = [
    (re.compile(r"\bcan(?:['’]t|not)\b", re.I), "can not"),
    (re.compile(r"\bwon['’]t\b", re.I), "will not"),
    (re.compile(r"n['’]t\b", re.I), " not"),
    (re.compile(r"\b(non-?)(?=[a-z]{5,})", re.I), "not "),
    (re.compile(r"(?<=\w)['’](?:re|ve|ll|d|m|s)\b", re.I), ""),
]
REWRITES = [  # ways to say one thing, as one word
    (re.compile(r"\b(every|all|any|each|no) (\w+) but\b(?! (?:is|are|not|it|they))", re.I),
     r"\1 \2 except"),
    (re.compile(r"\b(?:(?:entirely |completely )?free of charge|(?:at|for|with) no (?:extra |additional )?(?:costs?|charge)"
                r"|without (?:a |any |extra |additional )?(?:charges?|costs?|payment)|for free|for nothing"
                r"|(?:there is |there are |has |have )?no (?:extra |additional )?(?:charges?|costs?|fees?)(?! \w+ed\b)"
                r"|costs? nothing|(?:does|do|will|is|are|did) not cost anything|is not charged)\b", re.I),
     "is gratis"),
    (re.compile(r"\b(?:turned|switched|powered) ((?:\w+ ){0,2}?)on\b(?! the)", re.I), r"enabled \1"),
    (re.compile(r"\b(?:turned|switched|powered) ((?:\w+ ){0,2}?)off\b", re.I), r"disabled \1"),
    (re.compile(r"\b(?:turn|switch|power|put)(?:e?s|ing)? ((?:\w+ ){0,3}?)on\b(?! the)", re.I), r"enable \1"),
    (re.compile(r"\b(?:turned|switched|powered) ((?:\w+ ){0,2}?)on\b(?! the)", re.I), r"enabled \1"),
    (re.compile(r"\b(?:turned|switched|powered) ((?:\w+ ){0,2}?)off\b", re.I), r"disabled \1"),
    (re.compile(r"\b(?:turn|switch|power|put)(?:e?s|ing)? ((?:\w+ ){0,3}?)off\b", re.I), r"disable \1"),
    (re.compile(r"\b(is|are|be|stays?|remains?) on(?=\s*(?:[.,;!?)]|$|by|while|until|if|when))", re.I), r"\1 enabled"),
    (re.compile(r"\b(is|are|be|stays?|remains?) off(?=\s*(?:[.,;!?)]|$|by|while|until|if|when))", re.I), r"\1 disabled"),
]  # fmt: skip
AUX = r"(?:is|are|was|were|do|does|can|may|must|has|have|will)"
ELLIPSIS = re.compile(  # "interest is not taxed, but dividends are"
    rf"^(?P<first>.+? {AUX}(?: not)? (?P<said>[^,;]+?))(?:[,;] (?:but |and |while |whereas )?| (?:but|and|while|whereas) )"
    rf"(?P<other>(?:[\w-]+ ){{1,4}}?{AUX}(?: not)?)\s*\.?$",
    re.IGNORECASE,
)
CJK_UNITS = {
    "个月|個月|か月|ヶ月|箇月|カ月|개월|เดือน": "months", "天|日間|일|วัน": "days", "周|週間|週|주": "weeks",
    "年間|年|년|ปี": "years", "小时|小時|時間|시간|ชั่วโมง": "hours", "分钟|分鐘|分間|분|นาที": "minutes",
    "欧元|歐元|ユーロ|유로": "euros", "美元|ドル|달러": "dollars", "円|日元": "yen", "公斤|千克": "kg",
}  # fmt: skip
MEANINGFUL = frozenset("take tell give given get use used using say says".split())  # noqa: SIM905
THOUSANDS = re.compile(r"(?<![\w.,:-])(?<!\d )[1-9]\d{0,2}(?: \d{3})+(?![\w.,:-]|\s\d)")
ELISION = re.compile(r"\b([cdjlmnst]|qu)['’](?=\w)", re.I)
AUXILIARIES = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "will",
        "would",
        "may",
        "might",
        "can",
        "could",
        "must",
        "shall",
        "should",
        "ist",
        "sind",
        "war",
        "wird",
        "werden",
        "hat",
        "haben",
        "est",
        "sont",
        "sera",
        "es",
        "son",
        "está",
    ]
)
PRONOUNS = frozenset("i you he she it we they there this these that nobody everyone one".split())  # noqa: SIM905
OPENERS = frozenset(  # a new clause begins at such a word
    [
        "but",
        "while",
        "whereas",
        "although",
        "though",
        "because",
        "if",
        "when",
        "unless",
        "until",
        "till",
        "so",
        "where",
        "otherwise",
        "aber",
        "während",
        "weil",
        "wenn",
        "falls",
        "sofern",
        "sondern",
        "obwohl",
        "bevor",
        "nachdem",
        "mais",
        "tandis",
        "parce",
        "quand",
        "lorsque",
        "si",
        "qui",
        "pero",
        "mientras",
        "porque",
        "cuando",
        "aunque",
    ]
)
CONTRASTS = frozenset({"but", "whereas", "aber", "mais", "pero", "ma", "mas", "maar"})
NOUN_ENDINGS = ("ion", "ions", "ment", "ments", "ance", "ence", "ness", "er", "ers", "or", "ors")
RELATIVES = frozenset({"which", "who", "whom", "whose"})
DETERMINERS = frozenset(["the", "a", "an", "this", "that", "these", "those", "its", "their", "your", "our", "his", "her", "my", "no", "any", "every", "each", "some", "of", "for", "in", "on", "with", "by", "to", "from", "at", "into", "as", "all"])  # fmt: skip
SPLITS = frozenset({",", ";", "|", "and", "or", "but", "while", "whereas", "und", "oder", "et",
                    "ou", "y", "o", "(", ")", "."})  # fmt: skip
ENDS = frozenset({";", ".", "!", "?", "|", "(", ")", "—", "…"})
NEGATES = frozenset({"neg", "forbidden", "without", "except", "unless", "unable"})
MODALS = frozenset({"may", "can", "must", "need", "should", "optional", "forbidden", "unable"})
NEITHER = re.compile(
    r"不|没|沒|未|无|無|别|勿|禁止|ない|なし|ません|ませ|않|못|없|아니|아닙|금지|ไม่|ห้าม|नहीं|не\b|нет|нельзя|без"
    r"|لا |ليس|لم |لن |לא|אין",
    re.I,
)
HAN = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"两": 2, "兩": 2, "零": 0}
HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000, "億": 10**8, "亿": 10**8}
HAN_NUMBER = re.compile(
    f"[{''.join(HAN)}{''.join(HAN_SCALES)}]+(?=[个個か箇ヶ年月日天周週小時时分秒元円歳岁人名次回倍号台件本枚%％公升米克千毫])"
)
WIDE = str.maketrans("０１２３４５６７８９％．，", "0123456789%.,")


def digits_of(text: str) -> str:
    """Chinese numerals before a counter as digits, with a space behind."""
    return HAN_NUMBER.sub(lambda m: f" {_han(m[0])} ", text.translate(WIDE))


def _han(written: str) -> int:
    if not any(c in HAN_SCALES for c in written):
        return int("".join(str(HAN[c]) for c in written))
    total = section = digit = 0
    for c in written:
        if c in HAN:
            digit = HAN[c]
        elif HAN_SCALES[c] >= 10_000:
            total, section, digit = total + (section + digit) * HAN_SCALES[c], 0, 0
        else:
            section, digit = section + (digit or 1) * HAN_SCALES[c], 0
    return total + section + digit
