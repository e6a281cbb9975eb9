#!/usr/bin/env python3
"""fuzz-api.py SERVER [--examples N] [--as session|key|end-user|ends|nobody]: fuzzes the API of SERVER from its own OpenAPI documents.

Starts the server on an empty database, SQLite and, where TEST_DATABASE_URL names a server, PostgreSQL as well; makes a tenant over HTTP,
and lets schemathesis call every operation: with a session, with a key, and with a key on behalf of an end-user, what deletes last; then
what ends its own caller, each call as a new account; then, on a server with mail and a login provider, what needs no credentials.
Later versions of the API are fuzzed from their own documents, on SQLite, with a session and without sequences of calls: what a version
changes it changes on every engine alike.
An answer that the document does not know, a 5xx, and an invalid input that is accepted fail. So does an operation that the caller may call
and that never succeeded: a fuzzer that meets nothing but refusals proves little. The streams are left out, since they do not end.

schemathesis is installed once, outside the checkout, at the version below.
"""

import argparse
import base64
import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

import fuzz_mail
from fuzz_seed import PASSWORD, Tenant, call, post, prepared

VERSION = "4.32.5"
PRINCIPALS = ["session", "key", "end-user", "ends", "nobody"]
SCRIPTS = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "appstrate"
CONFIG = SCRIPTS.parent / "openapi" / "schemathesis.toml"
# The first one is what is spoken to who names none.
VERSIONS = sorted(path.stem for path in (SCRIPTS.parent / "openapi").glob("20*.json"))
# Who calls in later versions.
LATER = ["session"]
PERMISSIONS = SCRIPTS.parent / "docs" / "reference" / "permissions.md"
# Large enough that only the limits' own tests meet them.
LIMITS = {name: {"limit": 1_000_000} for name in ("run", "import", "create", "read", "write", "auth", "public")}
# They end what the fuzzer calls with.
ENDS = {"signOut", "deleteOrganization", "leaveOrganization", "revokeSession", "changePassword"}
STREAMS = {"streamRun", "streamRuns", "streamAgentRuns", "streamAgentRunsById"}
# They never succeed here, each for its reason.
NEVER = {
    # Without mail there is none to ask for, and no secret in it; the last pass has mail.
    **dict.fromkeys(["forgotPassword", "resetPassword", "sendVerificationEmail", "verifyEmail"], "mail"),
    **dict.fromkeys(["signInSocial", "signInSocialCallback"], "login provider"),
}


def install():
    """The folder that holds schemathesis."""
    folder = CACHE / f"schemathesis-{VERSION}"
    if not folder.is_dir():
        print(f"fuzz-api: installing schemathesis {VERSION}", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        # Under another name first: an interrupted installation must not pass for a whole one.
        unfinished = tempfile.mkdtemp(prefix="schemathesis.", dir=CACHE)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"]
        subprocess.run([*pip, "--no-warn-conflicts", "--target", unfinished, f"schemathesis=={VERSION}"], check=True)
        try:
            os.rename(unfinished, folder)
        except OSError:
            shutil.rmtree(unfinished)
    return folder


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        # Where the server keeps it by itself.
        self.path, self.url = folder / "data" / "appstrate.db", None

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute(sql)

    def drop(self):
        """The folder goes as a whole."""


class Postgres:
    name = "PostgreSQL"

    def __init__(self, folder):
        self.server = os.environ["TEST_DATABASE_URL"]
        self.database = folder.name.replace(".", "_").replace("-", "_").lower()
        self.url = self.server.rsplit("/", 1)[0] + "/" + self.database
        self.psql(self.server, f"CREATE DATABASE {self.database}")

    def psql(self, url, sql):
        subprocess.run(["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, "--command", sql], check=True)

    def execute(self, sql):
        self.psql(self.url, sql)

    def drop(self):
        self.psql(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")


@contextlib.contextmanager
def serving(server, folder, database, more):
    """A server on an empty database, with more in its environment; its base URL."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "APP_URL": base,
        "DATA_DIR": str(folder / "data"),
        "LOG_LEVEL": "warn",
        # PostgreSQL asks for one.
        "CONNECTION_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
        "RATE_LIMITS": json.dumps(LIMITS),
        "PLATFORM_RUN_LIMITS": json.dumps({"max_concurrent_per_org": 1_000_000, "per_org_global_rate_per_min": 1_000_000}),
        "INLINE_RUN_LIMITS": json.dumps({"rate_per_min": 1_000_000}),
        # The API alone: runs are accepted and wait.
        "ROLE": "api",
        **({"DATABASE_URL": database.url} if database.url else {}),
        **more,
    }
    log = open(folder / "server.log", "wb")
    process = subprocess.Popen([server, "serve"], env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/health", timeout=1).close()
                break
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            process.kill()
        if process.poll() is not None:
            sys.exit(f"fuzz-api: the server did not start:\n{(folder / 'server.log').read_text()}")
        yield base
        if process.poll() is not None:
            sys.exit(f"fuzz-api: the server ended under the fuzzer:\n{(folder / 'server.log').read_text()[-4000:]}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def permissions():
    """What a key may hold, and what an end-user may do: the table that is made from the code."""
    rows = [line.split("|")[1:-1] for line in PERMISSIONS.read_text().splitlines() if line.startswith("| `")]
    rows = [[cell.strip().strip("`") for cell in row] for row in rows]
    return {row[0] for row in rows if row[6] != "never"}, {row[0] for row in rows if row[7] == "yes"}


def operations(document):
    return {operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()}


def callable_by(principal, document):
    """The operations that must succeed at least once."""
    of_keys, of_end_users = permissions()
    allowed = {"session": None, "key": of_keys | {"member"}, "end-user": (of_keys & of_end_users) | {"member"}}[principal]
    found = {name for name, operation in operations(document).items() if allowed is None or operation["x-permission"] in allowed | {"public"}}
    found -= STREAMS | NEVER.keys() | ENDS
    # A key belongs to one application, and makes and deletes no others.
    return found if principal == "session" else found - {"createApplication", "deleteApplication"}


class Fuzzer:
    """schemathesis, with what it has seen so far."""

    def __init__(self, library, base, folder, options):
        self.library, self.base, self.folder, self.options = library, base, folder, options
        self.seen = collections.defaultdict(collections.Counter)
        self.found_nothing = True

    def run(self, title, document, headers, arguments, more={}):
        path, tally = self.folder / "document.json", self.folder / "tally"
        path.write_text(json.dumps(document))
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(path), "--url", self.base]
        command += ["--seed", "1", "--max-examples", str(self.options.examples), "--request-timeout", "20", "--warnings", "off"]
        command += ["--continue-on-failure", "--suppress-health-check", "all", "--output-sanitize", "true", *arguments]
        for name in STREAMS:
            command += ["--exclude-operation-id", name]
        for header, value in headers.items():
            command += ["--header", f"{header}: {value}"]
        print(f"fuzz-api: {title}", flush=True)
        environment = {**os.environ, "PYTHONPATH": f"{self.library}:{SCRIPTS}", "PYTHONHASHSEED": "0"}
        environment |= {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "FUZZ_TALLY": str(tally), **more}
        self.found_nothing &= subprocess.run(command, env=environment, cwd=self.folder).returncode == 0
        for line in tally.read_text().splitlines() if tally.exists() else []:
            name, status = line.split()
            self.seen[name][int(status)] += 1
        tally.unlink(missing_ok=True)

    def succeeded(self, expected):
        """Whether nothing was found, and each of these operations was answered with a success at least once. Says which were not."""
        missing = sorted(name for name in expected if not any(status < 400 for status in self.seen[name]))
        for name in missing:
            print(f"fuzz-api: {name} never succeeded: {dict(self.seen[name])}")
        print(f"fuzz-api: {len(expected) - len(missing)} of {len(expected)} operations succeeded, {sum(map(len, self.seen.values()))} pairs of operation and status")
        return self.found_nothing and not missing


def excluding(names):
    return [part for name in sorted(names) for part in ("--exclude-operation-id", name)]


def including(names):
    return [part for name in sorted(names) for part in ("--include-operation-id", name)]


PHASES = ["--phases", "examples,coverage,fuzzing"]


def read(base, version):
    """The document of the version."""
    with urllib.request.urlopen(urllib.request.Request(base + "/api/openapi.json", headers={"Appstrate-Version": version})) as response:
        document = json.load(response)
    if document["info"]["version"] != version:
        sys.exit(f"fuzz-api: the document of {version} is that of {document['info']['version']}")
    return document


def fuzz(fuzzer, principal, version, database):
    """Whether nothing was found as this principal, in this version."""
    base, is_default = fuzzer.base, version == VERSIONS[0]
    document = read(base, version)
    of_keys, _ = permissions()
    named = {operation["x-permission"] for operation in operations(document).values()}
    tenant = Tenant(base, principal, of_keys & named, database.execute)
    document_for = lambda known: prepared(document, known, tenant.bodies(), principal in ("session", "ends"), is_default)
    own = document_for(tenant.known())
    speaking = {} if is_default else {"FUZZ_VERSION": version}
    title = f"as {principal} on {database.name}, version {version}"
    if principal == "ends":
        session = call(base, "/api/auth/get-session", tenant.cookie)[0]["id"]
        ends = {"base": base, "org": tenant.org, "owner": tenant.owner, "session": session, "password": PASSWORD}
        own = document_for({**tenant.known(), "/api/auth/sessions/{id}": {"id": session}})
        fuzzer.run(title, own, {}, [*PHASES, *including(ENDS)], {"FUZZ_ENDS": json.dumps(ends), **speaking})
        return fuzzer.succeeded(ENDS)
    deletes = {name for item in document["paths"].values() for method, one in item.items() if method == "delete" for name in [one["operationId"]]}
    ends = ENDS if principal == "session" else set()
    archive = fuzzer.folder / "package.zip"
    archive.write_bytes(tenant.archive)
    phases = ["--phases", "examples,coverage,fuzzing,stateful"] if is_default else PHASES
    fuzzer.run(title, own, tenant.headers, [*phases, *excluding(ends | deletes)], {"FUZZ_ARCHIVE": str(archive), **speaking})
    # What is the default is not deleted.
    call(base, "/api/models/default", tenant.session, {"modelId": tenant.steady_model}, "PUT")
    call(base, "/api/proxies/default", tenant.session, {"proxyId": tenant.steady_proxy}, "PUT")
    fuzzer.run(f"{title}, deleting", own, tenant.headers, [*PHASES, *including(deletes - ends)], speaking)
    # A principal whom everybody refused would have proved nothing.
    call(base, "/api/runs", tenant.headers)
    return fuzzer.succeeded(callable_by(principal, document))


def fuzz_as_nobody(fuzzer, sink, database):
    """Whether nothing was found without credentials, on a server with mail and a login provider."""
    base = fuzzer.base
    document = read(base, VERSIONS[0])
    for name in ("ada", "bob"):
        call(base, "/api/auth/sign-up/email", {}, {"name": name, "email": f"{name}@example.com", "password": PASSWORD})
    call(base, "/api/auth/verify-email", {}, {"token": sink.secret("ada@example.com", "verify-email")})
    login = {"email": "ada@example.com", "password": PASSWORD}
    cookie = {"Cookie": call(base, "/api/auth/sign-in/email", {}, login)[1]["Set-Cookie"].split(";")[0]}
    org = post(base, "/api/orgs", cookie, {"name": "Nobody", "slug": "nobody"})["id"]
    post(base, f"/api/orgs/{org}/invitations", {**cookie, "X-Org-Id": org}, {"email": "guest@example.com"})
    call(base, "/api/auth/forgot-password", {}, {"email": "ada@example.com"})
    bodies = {
        "signIn": login,
        "forgotPassword": {"email": "ada@example.com"},
        "sendVerificationEmail": {"email": "bob@example.com"},
        "resetPassword": {"token": sink.secret("ada@example.com", "reset-password"), "newPassword": PASSWORD},
        "verifyEmail": {"token": sink.secret("bob@example.com", "verify-email")},
        "acceptInvitation": {"name": "Guest", "password": PASSWORD},
    }
    known = {"/api/invitations/{token}": {"token": sink.secret("guest@example.com", "invite")}}
    known |= {path: {"provider": "github"} for path in ("/api/auth/sign-in/social/{provider}", "/api/auth/callback/{provider}")}
    public = {name for name, operation in operations(document).items() if operation["x-permission"] == "public"}
    own = prepared(document, known, bodies, is_session=False)
    # Secrets are used before other operations replace them with newer ones.
    secrets = {"resetPassword", "verifyEmail", "getInvitationOffer"}
    fuzzer.run(f"as nobody on {database.name}, with secrets", own, {}, [*PHASES, *including(secrets)])
    fuzzer.run(f"as nobody on {database.name}", own, {}, [*PHASES, *including(public - secrets)])
    # A login ends in the browser that began it.
    return fuzzer.succeeded(public - {"signInSocialCallback"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--examples", type=int, default=4, help="cases for each operation in the fuzzing phase")
    parser.add_argument("--as", dest="principals", action="append", choices=PRINCIPALS)
    options = parser.parse_args()
    library, server = install(), os.path.abspath(options.server)
    wanted, failed = options.principals or PRINCIPALS, []
    for engine in [Sqlite, Postgres] if os.environ.get("TEST_DATABASE_URL") else [Sqlite]:
        # Mail changes what sign-up and invitations answer, so that it has a server of its own.
        servers = [(False, VERSIONS[0], [name for name in wanted if name != "nobody"]), (True, VERSIONS[0], [name for name in wanted if name == "nobody"])]
        if engine is Sqlite:
            # On servers of their own too: the same seed invents the same names again.
            servers += [(False, version, [name for name in wanted if name in LATER]) for version in VERSIONS[1:]]
        for has_mail, version, principals in servers:
            if not principals:
                continue
            folder = pathlib.Path(tempfile.mkdtemp(prefix="appstrate-fuzz."))
            database, sink = engine(folder), fuzz_mail.Sink()
            try:
                with serving(server, folder, database, outside(sink) if has_mail else {}) as base:
                    for principal in principals:
                        fuzzer = Fuzzer(library, base, folder, options)
                        good = fuzz_as_nobody(fuzzer, sink, database) if has_mail else fuzz(fuzzer, principal, version, database)
                        failed += [] if good else [f"{principal} on {database.name}, version {version}"]
            finally:
                sink.shutdown()
                database.drop()
                shutil.rmtree(folder, ignore_errors=True)
    if failed:
        sys.exit(f"fuzz-api: findings as {', '.join(failed)}")


def outside(sink):
    """The settings of a server with mail and a login provider, whom nobody calls: a login begins with a redirect."""
    mail = {"HOST": "127.0.0.1", "PORT": str(sink.server_address[1]), "USER": "fuzz", "PASS": "fuzz", "FROM": "fuzz@example.com", "SECURE": "none"}
    settings = {f"SMTP_{name}": value for name, value in mail.items()}
    return settings | {"OUTBOUND_ALLOW": "all=127.0.0.1", "GITHUB_CLIENT_ID": "fuzz", "GITHUB_CLIENT_SECRET": "fuzz"}


if __name__ == "__main__":
    main()
