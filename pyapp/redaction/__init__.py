"""Secrets in sessions: found in every string of a record or an event, and masked.

A mask is `[secret: github token 1]`: what it was, and a number. The same secret has the same number wherever it stands
in one export, so that the transcript stays readable; its length is not to be seen. What was masked is not masked again.

    findings.py     what was found
    strings.py      the strings of a row, and what each is called
    pieces.py       the pieces of messages, which are searched together
    masks.py        texts with masks instead of secrets
    redactor.py     all of it, for one export

`secret_patterns.py` knows what secrets look like.
"""

from .findings import MOST_FINDINGS, Finding, Findings
from .redactor import Redactor, RowKind, masked

__all__ = ["MOST_FINDINGS", "Finding", "Findings", "Redactor", "RowKind", "masked"]
