"""The request, read once: its clauses, the acts that it means, and every value that it names.

Positive only: what cannot be read here means no act and names nothing. A request that is not understood makes the
gate ask more and allow less.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from remit.core.lineage import lexicon, value
from remit.core.lineage.value import literals, spans, words

LONGEST: Final = 20_000
_QUOTE = re.compile(
    r"(?<![\w])(?:'([^'\n]{1,2000})'(?![\w])|\"([^\"\n]{1,2000})\"|\u201c([^\u201d\n]{1,2000})\u201d|\u2018([^\u2019\n]{1,2000})\u2019)"
)
_COLON = re.compile(
    r"\b(?:message|question|text|following|reply|say|note|comment)\s*:\s*(?=[^\s'\"\u201c\u2018])([^\n]{1,2000}?(?:[.!?](?=\s|$)|(?=\s\()|$))",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?;\n]+(?=\s|$|[A-Z])")
_TH: Final = frozenset({"st", "nd", "rd", "th"})
_TOKEN = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the request, where it stands, and whether it is part of an address or of quoted words."""

    word: str
    start: int
    masked: bool
    proper: bool
    """Whether it is written like a name."""
    first: bool
    """Whether a sentence, or a part behind a colon or a number of a list, begins here."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence with one act: its own words, and those that it speaks of besides (`scope`)."""

    start: int
    end: int
    scope: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request says. Built by `read` alone."""

    tokens: tuple[Token, ...]
    clauses: tuple[Clause, ...]
    text: str
    named: frozenset[str]
    """Atoms of what it names by kind: addresses, URLs, dates, times, amounts."""
    kinds: frozenset[str]
    spans: frozenset[int]
    said: tuple[tuple[int, str], ...]
    """What it gives word for word to be written: where, and its words joined by spaces."""
    open: bool
    """Whether it bids to do what stands elsewhere."""

    def holds(self, text: str, clause: Clause | None = None) -> bool:
        """Say whether the request, or one clause with what it speaks of, names this text, word for word."""
        want = " ".join(words(text))
        if not want or (want in lexicon.STOP and want != "i") or len(want) < 2:
            return False
        if clause is None:
            return f" {want} " in f" {self.text} "
        return f" {want} " in f" {self.plain(clause)} "

    def plain(self, clause: Clause) -> str:
        """The words of a clause and of what it speaks of."""
        return " ".join(part for token in self.tokens[clause.scope : clause.end] for part in words(token.word))


@lru_cache(maxsize=1024)
def read(text: str) -> Reading:
    """Read a request. Total: any text has a reading, at worst one that means nothing."""
    text = text[:LONGEST]
    marks = bytearray(len(text))
    found = literals(text)
    for one in found:
        if one.atom.startswith(("email:", "url:")):
            marks[one.start : one.end] = b"\x01" * (one.end - one.start)
    said: list[tuple[int, str]] = []
    for quote in _QUOTE.finditer(text):
        marks[quote.start() : quote.end()] = b"\x01" * (quote.end() - quote.start())
        if _brought(text[: quote.start()]):
            said.append((quote.start(), " ".join(words(next(part for part in quote.groups() if part is not None)))))
    for rest in _COLON.finditer(text):
        marks[rest.start(1) : rest.end(1)] = b"\x01" * (rest.end(1) - rest.start(1))
        said.append((rest.start(), " ".join(words(rest[1]))))
    tokens = _tokens(text, marks)
    return Reading(
        tokens,
        _clauses(text, tokens, marks),
        " ".join(words(text)),
        frozenset(one.atom for one in found),
        frozenset(one.atom.partition(":")[0] for one in found),
        spans(text),
        tuple(one for one in said if one[1]),
        _open(tokens),
    )


def _tokens(text: str, marks: bytearray) -> tuple[Token, ...]:
    found: list[Token] = []
    end = 0
    for one in _TOKEN.finditer(text):
        first = not found or any(mark in ".!?;:\n(" for mark in text[end : one.start()])
        found.append(
            Token(
                one[0].casefold(), one.start(), bool(marks[one.start()]), one[0][:1].isupper() and one[0] != "I", first
            )
        )
        end = one.end()
    return tuple(found)


def _brought(before: str) -> bool:
    """Say whether the words before a quotation bring in what is to be written."""
    return bool(set(words(before)[-4:]) & lexicon.SAYING)


def _clauses(text: str, tokens: tuple[Token, ...], marks: bytearray) -> tuple[Clause, ...]:
    ends = [one.end() for one in _END.finditer(text) if not marks[one.start()]] + [len(text)]
    found: list[Clause] = []
    first = 0
    for end in ends:
        last = first
        while last < len(tokens) and tokens[last].start < end:
            last += 1
        if last > first:
            found += _split(tokens, first, last, found[-1].start if found else first)
        first = last
    return tuple(found)


def _split(tokens: tuple[Token, ...], first: int, last: int, before: int) -> list[Clause]:
    """Take a sentence apart where "and", "then", a comma or the like is followed by a verb."""
    starts = [first]
    for place in range(first + 1, last):
        joint = tokens[place - 1].word
        if joint in {"and", "then", "or", "also", "please", "so", "to"} and verb(tokens, place):
            starts.append(place)
    found = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else last
        speaks = any(one.word in lexicon.BACK and not one.masked for one in tokens[start:end])
        found.append(Clause(start, end, start if not speaks else first if start > first else before))
    return found


_ALL_VERBS: Final = frozenset(word for words_ in lexicon.VERBS.values() for word in words_)


def verb(tokens: tuple[Token, ...], place: int, among: frozenset[str] = _ALL_VERBS) -> bool:
    """Say whether the word here is one of these verbs, in the form that bids."""
    one = tokens[place]
    if one.masked or one.word not in among:
        return False
    if one.word in lexicon.TELL and place + 1 < len(tokens) and tokens[place + 1].word in {"me", "us"}:
        return False
    before = tokens[place - 1] if place else None
    if before is None or one.first or before.word in lexicon.BIDS:
        return True
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return (
        (before.masked or before.word not in lexicon.NOUN_BEFORE)
        and after is not None
        and (after.masked or after.word in lexicon.THINGS or after.word[0].isdigit())
    )


def _open(tokens: tuple[Token, ...]) -> bool:
    """Say whether it bids to do the tasks, actions or instructions that stand elsewhere."""
    for place, one in enumerate(tokens):
        if one.word in lexicon.DO and not one.masked and verb(tokens, place, lexicon.DO):
            for other in tokens[place + 1 : place + 9]:
                if other.word == "following":
                    break
                if singular(other.word) in lexicon.DONE and not other.masked:
                    return True
    return False


def singular(word: str) -> str:
    """The word without a plural's ending."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


@dataclass(frozen=True, slots=True)
class Act:
    """How a request speaks of an act: `meant`, `open`, `may` or `no`; in which clauses; how often (None: any)."""

    how: str
    clauses: tuple[Clause, ...] = ()
    count: int | None = None


def act(reading: Reading, verbs: tuple[str, ...], nouns: tuple[str, ...], values: tuple[str, ...] = ()) -> Act:
    """Say how the request speaks of an act: by its verb, with its noun or one of the call's own values beside it."""
    among = frozenset(word for one in verbs for word in lexicon.bids(one))
    if any(noun in lexicon.MONEY for noun in nouns):
        among |= lexicon.VERBS["pay"]
    things = tuple(words(one) for noun in nouns for one in sorted(lexicon.alike(noun)))
    meant: list[Clause] = []
    may: list[Clause] = []
    for clause in reading.clauses:
        if not any(verb(reading.tokens, place, among) for place in range(clause.start, clause.end)):
            continue
        plain = reading.plain(clause).split()
        beside = any(_names(plain, thing) for thing in things) or any(reading.holds(one, clause) for one in values)
        (meant if beside else may).append(clause)
    if meant:
        return Act("meant", tuple(meant), _count(reading, meant, things))
    if reading.open:
        return Act("open", reading.clauses)
    return Act("may", tuple(may)) if may else Act("no")


def proper(reading: Reading, clause: Clause) -> bool:
    """Say whether the clause, or what it speaks of, names somebody or something by a proper name."""
    inside = reading.tokens[clause.scope : clause.end]
    return any(one.proper and not one.first for one in inside)


def speaks(reading: Reading, noun: str) -> bool:
    """Say whether the request speaks of such a thing anywhere."""
    return _names(reading.text.split(), words(noun))


def _names(plain: list[str], thing: tuple[str, ...]) -> bool:
    single = [singular(word) for word in plain]
    want = [singular(word) for word in thing]
    return any(single[at : at + len(want)] == want for at in range(len(single) - len(want) + 1))


def _count(reading: Reading, clauses: list[Clause], things: tuple[tuple[str, ...], ...]) -> int | None:
    """How often an act is meant: once for each clause, or any number where a clause speaks of many."""
    last = {thing[-1] for thing in things if thing}
    for clause in clauses:
        for token in reading.tokens[clause.start : clause.end]:
            plural = singular(token.word) != token.word and singular(token.word) in last
            if not token.masked and (token.word in lexicon.MANY or plural):
                return None
    return len(clauses)


def given(reading: Reading, clauses: tuple[Clause, ...]) -> tuple[str, ...]:
    """What the request gives word for word for the acts of these clauses: up to the next clause that bids."""
    found = []
    for clause in clauses:
        start = reading.tokens[clause.start].start
        later = (one for one in reading.clauses if one.start >= clause.end)
        end = next((reading.tokens[one.start].start for one in later if _bids(reading, one)), 1 << 30)
        found += [words_ for place, words_ in reading.said if start <= place < end]
    return tuple(found)


def _bids(reading: Reading, clause: Clause) -> bool:
    return any(verb(reading.tokens, place) for place in range(clause.start, clause.end))


def said(quoted: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    """Say whether one of these texts is, or holds with few words more, what is given word for word."""
    return any(_follows(words(text), one.split()) or _within(words(text), one) for text in texts for one in quoted)


def _within(own: tuple[str, ...], one: str) -> bool:
    return f" {one} " in f" {' '.join(own)} " and len(own) <= len(one.split()) + 5


def _follows(own: tuple[str, ...], quoted: list[str]) -> bool:
    """Whether these words are the given ones, in order and from the start; a number or one letter may differ."""
    if not own:
        return False
    at, place, other = 0, 0, 0
    while place < len(own):
        word = own[place]
        if at < len(quoted) and quoted[at] == word:
            at += 1
        elif _counts(word) or len(word) == 1:
            other += 1
            if at < len(quoted) and (_counts(quoted[at]) or len(quoted[at]) <= 2):
                at += 1
                if at < len(quoted) and quoted[at] in _TH and own[place + 1 : place + 2] != (quoted[at],):
                    at += 1
        else:
            return False
        place += 1
    return other * 5 <= len(own)


def _counts(word: str) -> bool:
    return word[:1].isdigit() or word in value.COUNTS or word in lexicon.ORDINAL
