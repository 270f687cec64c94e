"""The slow, obvious twin of `policy`: reads Cedar text with a parser of its own and asks every policy of the set.

It shares no code with `remit` and none with Cedar. It knows what the generated tests use: scopes, when and unless, ==,
!=, <, <=, in, has, like, is, &&, ||, !, if, member access, contains, strings, whole numbers, sets.
"""

import re
from fnmatch import fnmatchcase

TOKEN = re.compile(r'\s*(?://[^\n]*\s*)*("(?:[^"\\]|\\.)*"|\d+|[A-Za-z_]\w*|::|==|!=|<=|&&|\|\||[@(){}\[\].,;<!])')


class EvaluationError(Exception):
    pass


class Reader:
    def __init__(self, text):
        self.tokens, at, text = [], 0, text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                break
            self.tokens.append(match[1])
            at = match.end()
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted):
        token = self.peek()
        if wanted and token not in wanted:
            raise SyntaxError(f"{token!r} where {wanted} belongs")
        self.at += 1
        return token

    def maybe(self, token):
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def policies(self):
        found = []
        while self.peek():
            notes = {}
            while self.maybe("@"):
                name = self.take()
                self.take("(")
                notes[name] = eval(self.take())
                self.take(")")
            effect = self.take("permit", "forbid")
            self.take("(")
            scope = [self.scope()]
            for _ in range(2):
                self.take(",")
                scope.append(self.scope())
            self.take(")")
            clauses = []
            while self.peek() in ("when", "unless"):
                kind = self.take()
                self.take("{")
                clauses.append((kind, self.expression()))
                self.take("}")
            self.take(";")
            found.append((effect, notes, scope, clauses))
        return found

    def scope(self):
        name = self.take("principal", "action", "resource")
        if self.peek() in ("==", "in", "is"):
            op = self.take()
            return (op, ("var", name), self.take() if op == "is" else self.primary())
        return ("lit", True)

    def expression(self):
        if self.maybe("if"):
            test = self.expression()
            self.take("then")
            yes = self.expression()
            self.take("else")
            return ("if", test, yes, self.expression())
        left = self.conjunction()
        while self.maybe("||"):
            left = ("||", left, self.conjunction())
        return left

    def conjunction(self):
        left = self.relation()
        while self.maybe("&&"):
            left = ("&&", left, self.relation())
        return left

    def relation(self):
        left = self.unary()
        op = self.peek()
        if op in ("==", "!=", "<", "<=", "in"):
            self.take()
            return (op, left, self.unary())
        if op in ("has", "is", "like"):
            self.take()
            word = self.take()
            return (op, left, eval(word) if word[0] == '"' else word)
        return left

    def unary(self):
        return ("!", self.unary()) if self.maybe("!") else self.member()

    def member(self):
        value = self.primary()
        while self.peek() in (".", "["):
            if self.take() == "[":
                value = (".", value, eval(self.take()))
                self.take("]")
            else:
                name = self.take()
                if self.maybe("("):
                    value = (name, value, self.expression())
                    self.take(")")
                else:
                    value = (".", value, name)
        return value

    def primary(self):
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token == "[":
            values = []
            while not self.maybe("]"):
                values.append(self.expression())
                self.maybe(",")
            return ("set", values)
        if token in ("true", "false"):
            return ("lit", token == "true")
        if token in ("principal", "action", "resource", "context"):
            return ("var", token)
        if token[0] == '"':
            return ("lit", eval(token))
        if token.isdigit():
            return ("lit", int(token))
        self.take("::")
        return ("lit", (token, eval(self.take())))


def truth(value):
    if not isinstance(value, bool):
        raise EvaluationError("not a boolean")
    return value


def number(value):
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError("not a number")
    return value


def same(left, right):
    return type(left) is type(right) and left == right


def value_of(tree, world):  # noqa: C901 - one arm for each operator of the language, as an evaluator reads best
    op, *rest = tree
    if op == "lit":
        return rest[0]
    if op == "var":
        return world[rest[0]]
    if op == "set":
        return frozenset(value_of(one, world) for one in rest[0])
    if op == "&&":
        return truth(value_of(rest[0], world)) and truth(value_of(rest[1], world))
    if op == "||":
        return truth(value_of(rest[0], world)) or truth(value_of(rest[1], world))
    if op == "if":
        return value_of(rest[1] if truth(value_of(rest[0], world)) else rest[2], world)
    left = value_of(rest[0], world)
    if op == "!":
        return not truth(left)
    if op in (".", "has"):
        held = world["entities"].get(left, ({}, ()))[0] if isinstance(left, tuple) else left
        if not isinstance(held, dict):
            raise EvaluationError("no record")
        if op == ".":
            if rest[1] not in held:
                raise EvaluationError("no such member")
            return held[rest[1]]
        return rest[1] in held
    if op == "is":
        return left[0] == rest[1]
    if op == "like":
        if not isinstance(left, str):
            raise EvaluationError("not a string")
        return fnmatchcase(left, rest[1])
    right = value_of(rest[1], world)
    if op in ("==", "!="):
        return same(left, right) == (op == "==")
    if op in ("<", "<="):
        return number(left) < number(right) or (op == "<=" and left == right)
    if op == "contains":
        if not isinstance(left, frozenset):
            raise EvaluationError("not a set")
        return any(same(one, right) for one in left)
    if op == "in":
        above = {left, *world["entities"].get(left, ({}, ()))[1]}
        return bool(above & (right if isinstance(right, frozenset) else {right}))
    raise SyntaxError(op)


def answer(text, world):
    """The answer of the whole set: allow, deny or ask:GROUPS. Any policy that errors denies."""
    permits, forbids, asks, errors = 0, 0, set(), 0
    for effect, notes, scope, clauses in Reader(text).policies():
        try:
            if not all(value_of(part, world) for part in scope):
                continue
            if not all(truth(value_of(tree, world)) == (kind == "when") for kind, tree in clauses):
                continue
        except EvaluationError:
            errors += 1
            continue
        permits += effect == "permit"
        forbids += effect == "forbid"
        asks |= {notes[name] for name in ("ask", "requireApproval") if name in notes}
    if errors or forbids or not permits:
        return "deny"
    return "ask:" + ",".join(sorted(asks)) if asks else "allow"
