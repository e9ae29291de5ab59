"""Python's jsonschema as an independent judge of (schema, instance) texts.

jsonschema differs from the specification where Python does: floats are binary, `re` is not ECMA-262,
True == 1. The judge keeps its keyword logic and replaces what it borrows from the language:

  numbers   read as int and decimal.Decimal, so multipleOf and bounds are exact
  integer   in draft-06 and later a number without fraction, whatever its spelling
  patterns  translated from ECMA-262 to Python's syntax (\\d and \\w are ASCII, \\s is ECMA's, $ is the
            very end, [^] is any character)
  equality  of enum, const and uniqueItems tells 1 from true and 1.0 equals 1
  formats   those of 2020-12, checked in every dialect; `regex` by the translator

The dialect is the root's `$schema` (hyper-schema URIs included), by default 2020-12.
"""

import decimal
import json
import re
import sys
import warnings

import jsonschema
from jsonschema import validators

sys.setrecursionlimit(20000)
warnings.filterwarnings("ignore", category=FutureWarning)  # "Possible set difference" of re
warnings.filterwarnings("ignore", category=DeprecationWarning)
decimal.setcontext(
    decimal.Context(prec=5000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, rounding=decimal.ROUND_HALF_EVEN)
)

ECMA_SPACE = "\\t\\n\\x0b\\x0c\\r \\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
ECMA_NOT_SPACE = (
    "\\x00-\\x08\\x0e-\\x1f\\x21-\\x9f\\xa1-\\u167f\\u1681-\\u1fff\\u200b-\\u2027\\u202a-\\u202e"
    "\\u2030-\\u205e\\u2060-\\u2fff\\u3001-\\ufefe\\uff00-\\U0010ffff"
)


class JudgeError(Exception):
    """The judge cannot decide; the message says why."""


def _escape_sequence(pattern, i, in_class):
    """Translates the escape at pattern[i] == '\\'; returns (text, next index)."""
    if i + 1 == len(pattern):
        raise JudgeError("pattern ends in a backslash")
    c = pattern[i + 1]
    if c in "sS":
        members = ECMA_SPACE if c == "s" else ECMA_NOT_SPACE
        return (members if in_class else f"[{members}]"), i + 2
    if c in "dDwWbBtnrfv":
        return "\\" + c, i + 2
    if c == "x" and re.match(r"[0-9a-fA-F]{2}", pattern[i + 2 :]):
        return pattern[i : i + 4], i + 4
    if c == "u":
        match = re.match(r"\{([0-9a-fA-F]+)\}", pattern[i + 2 :])
        if match:
            return "\\U%08x" % int(match.group(1), 16), i + 2 + match.end()
        pair = re.match(r"([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})", pattern[i + 2 :])
        if pair:
            high, low = (int(group, 16) for group in pair.groups())
            return "\\U%08x" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), i + 2 + pair.end()
        if re.match(r"[0-9a-fA-F]{4}", pattern[i + 2 :]):
            return pattern[i : i + 6], i + 6
    if c == "c" and re.match(r"[A-Za-z]", pattern[i + 2 :]):
        return "\\x%02x" % (ord(pattern[i + 2]) & 31), i + 3
    if c == "0":
        return "\\x00", i + 2
    if c in "123456789" and not in_class:
        end = i + 2
        while end < len(pattern) and pattern[end].isdigit():
            end += 1
        return f"(?:\\{pattern[i + 1:end]})", end
    if c == "k" and not in_class:
        match = re.match(r"<(\w+)>", pattern[i + 2 :])
        if match:
            return f"(?P={match.group(1)})", i + 2 + match.end()
    if c in "pP" and pattern[i + 2 : i + 3] == "{":
        raise JudgeError("\\p{...} has no equivalent in Python's re")
    return re.escape(c), i + 2


def ecma_to_python(pattern):
    """An ECMA-262 pattern in the syntax of Python's re (to be compiled with re.ASCII)."""
    out = []
    i = 0
    in_class = False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            text, i = _escape_sequence(pattern, i, in_class)
            out.append(text)
            continue
        if in_class:
            if c == "]":
                in_class = False
            out.append("\\" + c if c in "[&~|" else c)
        elif pattern.startswith("[^]", i):
            out.append("(?s:.)")
            i += 2
        elif pattern.startswith("[]", i):
            out.append("(?!)")
            i += 1
        elif c == "[":
            in_class = True
            out.append("[")
            if pattern[i + 1 : i + 2] == "^":
                out.append("^")
                i += 1
        elif c == "$":
            out.append("\\Z")
        elif c == ".":
            out.append("[^\\n\\r\\u2028\\u2029]")
        elif c == "{" and not re.match(r"\{[0-9]+(,[0-9]*)?\}", pattern[i:]):
            out.append("\\{")
        elif pattern.startswith("(?<", i) and pattern[i + 3 : i + 4] not in ("=", "!"):
            out.append("(?P<")
            i += 2
        else:
            out.append(c)
        i += 1
    return "".join(out)


class EcmaRe:
    """Stands in for the module `re` inside jsonschema: patterns are ECMA-262."""

    error = re.error
    _cache = {}

    @classmethod
    def compile(cls, pattern):
        if pattern not in cls._cache:
            try:
                cls._cache[pattern] = re.compile(ecma_to_python(pattern), re.ASCII)
            except re.error as error:
                raise JudgeError(f"pattern {pattern!r}: {error}") from error
        return cls._cache[pattern]

    @classmethod
    def search(cls, pattern, text):
        return cls.compile(pattern).search(text)

    def __getattr__(self, name):
        return getattr(re, name)


def _canonical(value):
    if isinstance(value, bool) or value is None:
        return ("literal", value)
    if isinstance(value, (int, decimal.Decimal)):
        return ("number", value)
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, list):
        return ("array", tuple(_canonical(item) for item in value))
    return ("object", frozenset((key, _canonical(item)) for key, item in value.items()))


def _enum(validator, values, instance, schema):
    if _canonical(instance) not in {_canonical(value) for value in values}:
        yield jsonschema.ValidationError(f"{instance!r} is not one of the enum")


def _const(validator, value, instance, schema):
    if _canonical(instance) != _canonical(value):
        yield jsonschema.ValidationError(f"{instance!r} is not the constant {value!r}")


def _unique_items(validator, unique, instance, schema):
    if unique and validator.is_type(instance, "array"):
        if len({_canonical(item) for item in instance}) != len(instance):
            yield jsonschema.ValidationError(f"{instance!r} has equal items")


def _is_integer(checker, value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (
        isinstance(value, decimal.Decimal) and value == value.to_integral_value()
    )


def _patch_patterns():
    for name in ("_keywords", "_validators", "_legacy_keywords", "_legacy_validators", "_utils"):
        module = sys.modules.get("jsonschema." + name)
        if module is not None and hasattr(module, "re"):
            module.re = EcmaRe()


def _format_checker():
    checker = jsonschema.FormatChecker(formats=())
    standard = getattr(jsonschema.Draft202012Validator, "FORMAT_CHECKER", None)
    if standard is None:
        standard = jsonschema.draft202012_format_checker
    checker.checkers = dict(standard.checkers)

    def is_regex(value):
        if isinstance(value, str):
            EcmaRe.compile(value)
        return True

    checker.checkers["regex"] = (is_regex, JudgeError)
    return checker


def _extend(base, exact_integers):
    keywords = {"enum": _enum, "const": _const, "uniqueItems": _unique_items}
    keywords = {name: check for name, check in keywords.items() if name in base.VALIDATORS}
    checker = base.TYPE_CHECKER
    if exact_integers:
        checker = checker.redefine("integer", _is_integer)
    return validators.extend(base, validators=keywords, type_checker=checker)


_patch_patterns()
FORMATS = _format_checker()
DIALECTS = {
    "draft-04": _extend(jsonschema.Draft4Validator, False),
    "draft-06": _extend(jsonschema.Draft6Validator, True),
    "draft-07": _extend(jsonschema.Draft7Validator, True),
    "2019-09": _extend(jsonschema.Draft201909Validator, True),
    "2020-12": _extend(jsonschema.Draft202012Validator, True),
}


def _dialect(schema):
    uri = schema.get("$schema") if isinstance(schema, dict) else None
    if isinstance(uri, str):
        match = re.search(r"draft-0[467](?=/)|2019-09|2020-12", uri)
        if match:
            return DIALECTS[match.group(0)]
    return DIALECTS["2020-12"]


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def _unique_members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has a key twice")
    return members


def read_json(text, unique_keys=False):
    return json.loads(
        text,
        parse_float=decimal.Decimal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_unique_members if unique_keys else None,
    )


class Judge:
    """Judges instances of one schema (a value from read_json)."""

    def __init__(self, schema):
        dialect = _dialect(schema)
        # Where a reference leads to a `$schema`, jsonschema takes its own dialect instead of this one.
        if isinstance(schema, dict):
            schema = {keyword: value for keyword, value in schema.items() if keyword != "$schema"}
        self._validator = dialect(schema, format_checker=FORMATS)

    def complaint(self, instance):
        """None when valid, else a sentence. JudgeError when the judge cannot tell."""
        try:
            error = next(self._validator.iter_errors(instance), None)
        except JudgeError:
            raise
        except RecursionError as fault:
            raise JudgeError("recursion limit") from fault
        except Exception as fault:  # whatever a schema provokes in the judge is the judge's fault
            raise JudgeError(f"{type(fault).__name__}: {fault}") from fault
        if error is None:
            return None
        place = "/".join(str(part) for part in error.absolute_path)
        return f"at /{place}: {error.validator or ''}: {error.message[:300]}"
