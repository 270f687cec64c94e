"""What MariaDB and MySQL say differently: names, passwords, where users stand, and how a late mint is refused there.

MySQL takes no name of more than 32 characters: a lease's user there is its task's id, its path and five characters of
its own. `remit.lease` holds both.
"""

import hashlib
import re
from base64 import b32encode, b64encode
from collections.abc import Callable
from typing import Final, Protocol, final

from pymysql.connections import Connection

from remit.core.errors import RemitError
from remit.custody.sources.maria_sql import PLACE, rows

LATE: Final = "remit: this mint is late"
LENGTH: Final = 40
"""Characters of a password that MySQL draws."""
_NAME: Final = re.compile(r"remit_[a-z0-9_]{1,74}", re.ASCII)
_OURS: Final = re.compile(r"remit_tsk_([a-z0-9]{26})_(own|del)_([a-z0-9]{3})([a-z0-9]{5})", re.ASCII)
_LET_IN: Final = (
    "CREATE PROCEDURE IF NOT EXISTS remit.let_in(who VARCHAR(32), late DECIMAL(20,3)) SQL SECURITY INVOKER"
    " MODIFIES SQL DATA BEGIN IF NOW(3) >= FROM_UNIXTIME(late) THEN"
    f" SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{LATE}'; END IF;"
    " SET @remit = CONCAT('ALTER USER ', QUOTE(who), '@''%'' ACCOUNT UNLOCK'); PREPARE remit FROM @remit;"
    " EXECUTE remit; DEALLOCATE PREPARE remit; END"
)


class Dialect(Protocol):
    """One of the two."""

    @property
    def kind(self) -> str:
        """The kind of source."""
        ...

    @property
    def place(self) -> tuple[str, ...]:
        """The statements that make what is ours there."""
        ...

    @property
    def users(self) -> str:
        """The table of all users, by `User`."""
        ...

    @property
    def statements(self) -> bool:
        """Whether a user's statements can be held to a time."""
        ...

    def is_of(self, version: str) -> bool:
        """Say whether a server that calls itself this speaks it."""
        ...

    def user(self, name: str) -> str:
        """The user of a lease's name. Refuses what was not made here (`lease_invalid`)."""
        ...

    def make(self, conn: Connection, user: str, held: str, random: Callable[[int], bytes]) -> bytes:
        """Make the user, locked, held to what `held` says; return its password, which stands in no statement."""
        ...

    def let_in(self, conn: Connection, user: str, limit: int) -> None:
        """Unlock the user, unless the server's own clock is past the limit (milliseconds)."""
        ...


@final
class Maria:
    """MariaDB: long names, a verifier as password, and blocks outside of routines."""

    kind, place, users, statements = "mariadb", PLACE, "mysql.global_priv", True

    def is_of(self, version: str) -> bool:
        """Say whether this is MariaDB."""
        return "MariaDB" in version

    def user(self, name: str) -> str:
        """The name itself."""
        if not _NAME.fullmatch(name):
            raise _foreign()
        return name

    def make(self, conn: Connection, user: str, held: str, random: Callable[[int], bytes]) -> bytes:
        """Draw the password here and say its verifier."""
        password = b64encode(random(32))
        verifier = hashlib.sha1(hashlib.sha1(password).digest()).hexdigest().upper()  # noqa: S324 - as MariaDB keeps it
        rows(conn, f"CREATE USER {account(user)} IDENTIFIED BY PASSWORD '*{verifier}' {held}")
        return password

    def let_in(self, conn: Connection, user: str, limit: int) -> None:
        """One block, sent as one statement."""
        rows(
            conn,
            f"BEGIN NOT ATOMIC IF NOW(3) >= FROM_UNIXTIME({limit / 1000}) THEN"
            f" SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{LATE}'; END IF;"
            f" ALTER USER {account(user)} ACCOUNT UNLOCK; END",
        )


@final
class MySQL:
    """MySQL 8 and later: short names, a password that the server draws, and a procedure of ours that lets in."""

    kind, place, users, statements = "mysql", (*PLACE, _LET_IN), "mysql.user", False

    def is_of(self, version: str) -> bool:
        """Say whether this is MySQL."""
        return "MariaDB" not in version

    def user(self, name: str) -> str:
        """Task, path, and the end of the lease's own part; of any other name of ours a digest."""
        if not _NAME.fullmatch(name):
            raise _foreign()
        match = _OURS.fullmatch(name)
        if match is None:
            return "remit_" + b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:26]
        return f"{match[1]}{match[2][0]}{match[4]}"

    def make(self, conn: Connection, user: str, held: str, random: Callable[[int], bytes]) -> bytes:
        """Let the server draw the password. Refuses one that gives every user roles: a plan's rights were no bound."""
        del random
        if rows(conn, "SELECT @@mandatory_roles") not in ([("",)], [(None,)]):
            raise RemitError(
                "target_declined", "This server gives roles to every user (mandatory_roles).", "Take them away there."
            )
        rows(conn, f"SET SESSION generated_random_password_length = {LENGTH}")
        said = f"CREATE USER {account(user)} IDENTIFIED WITH caching_sha2_password BY RANDOM PASSWORD {held}"
        ((_, _, password, _),) = rows(conn, said)
        return str(password).encode()

    def let_in(self, conn: Connection, user: str, limit: int) -> None:
        """Call the procedure."""
        rows(conn, "CALL remit.let_in(%s, %s)", (user, limit / 1000))


DIALECTS: Final[dict[str, Dialect]] = {"mariadb": Maria(), "mysql": MySQL()}


def account(user: str) -> str:
    """A user of ours, from any host, quoted."""
    if not user.replace("_", "").isalnum() or not user.isascii():
        raise _foreign()
    return f"'{user}'@'%'"


def _foreign() -> RemitError:
    return RemitError("lease_invalid", "This name was not made by Remit.", "Look at the target.")
