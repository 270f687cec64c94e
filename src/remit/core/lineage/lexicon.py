"""The fixed words by which requests speak of acts. They name no product, and a brief cannot change them."""

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CLASSES: Final = (
    ("send", "send email mail message text dm write reply respond tell notify forward inform contact say post share"),
    ("post", "post publish announce share write put upload submit reply say"),
    ("create", "create make add schedule book plan arrange organize organise open set start register write save new"),
    ("delete", "delete remove erase clear discard trash drop"),
    ("cancel", "cancel revoke stop abort undo withdraw decline"),
    ("change", "change update modify edit set adjust replace correct fix alter revise rename switch exchange move"),
    ("reschedule", "reschedule move postpone shift change delay push"),
    ("add", "add append include insert put invite attach join enter"),
    ("append", "append add include insert write put"),
    ("invite", "invite add onboard"),
    ("share", "share grant send"),
    ("remove", "remove kick delete exclude drop"),
    ("pay", "pay send transfer refund settle wire reimburse return remit donate"),
    ("transfer", "transfer pay send wire refund move"),
    ("book", "book reserve order schedule"),
    ("buy", "buy order purchase get"),
    ("return", "return refund send"),
    ("forward", "forward send"),
    ("reply", "reply respond answer write send"),
    ("write", "write post create add send"),
    ("save", "save store write create"),
    ("upload", "upload post put add send"),
    ("read", "read open visit get show look check find see summarize summarise view fetch browse"),
)
VERBS: Final = {name: _set(words) | {name} for name, words in _CLASSES}

MONEY: Final = _set("money payment transaction transfer funds bill invoice rent refund fee subscription debt rate")
THINGS_ALIKE: Final = (
    MONEY,
    _set("reservation booking hotel restaurant table flight room trip ticket accommodation"),
    _set("event appointment meeting calendar"),
    _set("file document doc spreadsheet"),
)
"""Nouns of which one speaks of the other. What pays has the verbs of paying."""


def bids(verb: str) -> frozenset[str]:
    """The words that bid an act of this verb: its own class, else all those that it stands in."""
    own = VERBS.get(verb)
    if own is None:
        own = frozenset({verb}).union(*(words for words in VERBS.values() if verb in words))
    return own


def alike(noun: str) -> frozenset[str]:
    """The nouns that speak of this thing."""
    return frozenset({noun}).union(*(words for words in THINGS_ALIKE if noun in words))


BIDS: Final = _set(
    "and then to please also or but just must should can could would will kindly you i we not so now first finally "
    "next lastly afterwards"
)
"""After one of these a verb bids."""
THINGS: Final = _set(
    "a an the my your his her its their our this that these those each every any some all it them him me us no new "
    "one two three"
)
"""Before one of these a word that can be a verb is one."""

NOUN_BEFORE: Final = _set(
    "a an the my your his her its their our this that these those each every any some all no new more next last first "
    "following same other another via by in of from with per quick short long direct to-do as"
)
"""After one of these, a word that could be a verb is a noun."""

BACK: Final = _set("there it them him her they he she that those these this one ones")
"""Words that speak of what was named before in the sentence."""

MANY: Final = _set("each all every both them everyone everybody users people any several multiple others")
"""Words that mean more than one act."""

TELL: Final = _set("give tell show get find read")
"""Before "me", these bid to answer, not to act."""

STOP: Final = _set(
    "a an the of to in on at for with from by and or as is are be it its this that these those my your his her their "
    "our me you i he she we they docx xlsx pdf txt doc csv pptx md re fw fwd"
)
"""Words that name nothing by themselves, and the endings of file names."""

MOST: Final = _set("largest biggest greatest highest most longest heaviest maximum")
LEAST: Final = _set("smallest least lowest fewest shortest lightest minimum")
LATEST: Final = _set("latest newest recent")
EARLIEST: Final = _set("earliest oldest")

DO: Final = _set("do perform complete execute follow carry handle finish accomplish fulfil fulfill")
DONE: Final = _set("task action instruction step todo todos to-do item request thing order errand chore")
"""A request that bids to do what stands elsewhere may mean any act."""
SAYING: Final = _set(
    "named called titled title subject message question text say saying says body description content name note "
    "caption heading comment"
)
"""Words that bring in, word for word, what is to be written."""
ORDINAL: Final = _set("first second third fourth fifth sixth seventh eighth ninth tenth")
