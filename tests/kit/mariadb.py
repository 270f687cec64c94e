"""A real MariaDB or MySQL server, unpacked from Debian's packages, for the length of a module. End it with `close`."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql

from tests.kit import peers
from tests.kit.ports import free

PATIENCE_S = 60
PASSWORD = "admin-password-of-the-test"
SET_UP = f"""
CREATE DATABASE crm;
CREATE DATABASE hr;
CREATE USER 'remit'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO 'remit'@'%' WITH GRANT OPTION;
"""


class MariaDB:
    """One server on a free port of 127.0.0.1."""

    kind = "mariadb"

    def __init__(self, *settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="maria-", dir="/tmp"))
        self._programs, self._settings = self._unpacked(), settings
        self._user = "nobody" if os.getuid() == 0 else None
        self._data = self.folder / "data"
        self._data.mkdir(mode=0o700)
        if self._user:
            self.folder.chmod(0o755)
            shutil.chown(self._data, self._user)
        self.port = free()
        self._boot()
        self._process = self._start()

    def url(self, database: str = "crm") -> str:
        """Where a database of this server is, with the administrator's log-in."""
        return f"mysql://remit:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def connect(self, user: str = "remit", password: str = PASSWORD, database: str | None = "crm"):
        """A connection of this driver, not of the source."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, database=database, autocommit=True
        )

    def close(self) -> None:
        """End it and remove its folder."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _unpacked(self) -> Path:
        return peers.debian("mariadb")

    def _boot(self) -> None:
        """Make the system tables, two databases and the administrator."""
        share = self._programs / "usr/share/mysql"
        made = ["CREATE DATABASE mysql;", "USE mysql;"]
        files = ("mysql_system_tables.sql", "mysql_system_tables_data.sql", "mysql_performance_tables.sql")
        made += [(share / one).read_text(encoding="utf-8") for one in files]
        made += ["FLUSH PRIVILEGES;", SET_UP]
        self._run(["--bootstrap"], "\n".join(made).replace("@auth_root_socket", "NULL"))

    def _words(self) -> list[str]:
        share = self._programs / "usr/share/mysql"
        return [
            str(self._programs / "usr/sbin/mariadbd"), "--no-defaults", f"--datadir={self._data}",
            f"--lc-messages-dir={share}", f"--character-sets-dir={share}/charsets", "--innodb-buffer-pool-size=32M",
            "--loose-innodb-flush-method=fsync",
            f"--plugin-dir={self._programs}/usr/lib/mysql/plugin", *self._settings,
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(self._programs / "usr/lib/x86_64-linux-gnu"), "PATH": "/usr/bin:/bin"}

    def _run(self, words: list[str], said: str) -> None:
        ran = subprocess.run(
            [*self._words(), *words], input=said.encode(), env=self._environment(), user=self._user, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout.decode(errors="replace")[-800:]

    def _start(self) -> subprocess.Popen[bytes]:
        words = [*self._words(), f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self._data}/s"]
        words += [f"--pid-file={self._data}/pid", f"--log-error={self._data}/log", "--max-connections=300"]
        process = subprocess.Popen(
            words, env=self._environment(), user=self._user, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                assert process.poll() is None, (self._data / "log").read_text(encoding="utf-8")[-800:]
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return process


class MySQL(MariaDB):
    """The same of MySQL, whose packages come with a C library and a dynamic linker of their own."""

    kind = "mysql"

    def _unpacked(self) -> Path:
        return peers.unstable("mysql")

    def _boot(self) -> None:
        file = self.folder / "boot.sql"
        # One statement on a line, as its bootstrap reads them.
        file.write_text(SET_UP.lstrip(), encoding="utf-8")
        file.chmod(0o644)
        self._run(["--initialize-insecure", f"--init-file={file}"], "")

    def _words(self) -> list[str]:
        place = self._programs
        libraries = place / "usr/lib/x86_64-linux-gnu"
        share = place / "usr/share/mysql"
        return [
            str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries), str(place / "usr/sbin/mysqld"),
            "--no-defaults", f"--basedir={place / 'usr'}", f"--datadir={self._data}", f"--lc-messages-dir={share}",
            f"--character-sets-dir={share}/charsets", f"--plugin-dir={place}/usr/lib/mysql/plugin",
            "--innodb-buffer-pool-size=32M", "--secure-file-priv=", "--mysqlx=OFF",
            "--log-bin-trust-function-creators=ON", *self._settings,
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin"}


SERVERS = {"mariadb": MariaDB, "mysql": MySQL}
