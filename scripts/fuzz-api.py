#!/usr/bin/env python3
"""fuzz-api.py SERVER [--examples N] [--as session|key|end-user]: fuzzes the API of SERVER from its own OpenAPI document.

Starts the server on an empty SQLite database, makes a tenant over HTTP, and lets schemathesis call every operation three times over: with
a session, with a key, and with a key on behalf of an end-user. Any answer that the document does not know, any 5xx and any invalid input
that is accepted fails. Streams are left out, since they do not end, and so are the operations that would end
the session that the fuzzer calls with.

schemathesis is installed once, outside the checkout, at the version below.
"""

import argparse
import contextlib
import copy
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

VERSION = "4.32.5"
PRINCIPALS = ["session", "key", "end-user"]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "appstrate"
CONFIG = pathlib.Path(__file__).resolve().parent.parent / "openapi" / "schemathesis.toml"
# Large enough that only the limits' own tests meet them.
LIMITS = {name: {"limit": 1_000_000} for name in ("run", "import", "create", "read", "write", "auth", "public")}
# They end what the fuzzer calls with.
ENDS_SESSION = {"signOut", "deleteOrganization", "revokeSession", "changePassword"}


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


@contextlib.contextmanager
def serving(server, folder):
    """A server on an empty database; its base URL."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "APP_URL": base,
        "DATA_DIR": str(folder / "data"),
        "LOG_LEVEL": "warn",
        "RATE_LIMITS": json.dumps(LIMITS),
        "PLATFORM_RUN_LIMITS": json.dumps({"max_concurrent_per_org": 1_000_000, "per_org_global_rate_per_min": 1_000_000}),
        # The API alone: runs are accepted and wait.
        "ROLE": "api",
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


def call(base, path, headers, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {**headers, **({"Content-Type": "application/json"} if data else {})}
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response), response.headers
    except urllib.error.HTTPError as error:
        sys.exit(f"fuzz-api: {request.get_method()} {path} answered {error.code}: {error.read().decode()}")


def seed(base, principal, document):
    """A tenant of the principal's own, since a fuzzer may delete what it reaches: its headers, and the document with ids that exist."""
    slug = principal.replace("-", "")
    account = {"name": "Fuzz", "email": f"{slug}@example.com", "password": "correct horse battery"}
    _, headers = call(base, "/api/auth/sign-up/email", {}, account)
    cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
    org = call(base, "/api/orgs", cookie, {"name": slug, "slug": slug})[0]["id"]
    session = {**cookie, "X-Org-Id": org}
    app = call(base, "/api/applications", session)[0]["data"][0]["id"]
    session["X-App-Id"] = app
    key = call(base, "/api/api-keys", session, {"name": "Fuzz", "scopes": sorted(grantable(document))})[0]
    bearer = {"Authorization": f"Bearer {key['key']}"}
    end_user = call(base, "/api/end-users", bearer, {"name": "Eve", "externalId": "eve"})[0]["id"]
    impersonating = {**bearer, "Appstrate-User": end_user}

    about = {"version": "1.0.0", "schemaVersion": "1.3", "author": "Fuzz"}
    agent = {"manifest": {"name": f"@{slug}/helper", "type": "agent", "displayName": "Helper", **about}, "content": "Be brief."}
    call(base, "/api/packages/agents", session, agent)
    call(base, f"/api/applications/{app}/packages", session, {"packageId": f"@{slug}/helper"})
    credentials = {"schema": {"type": "object", "properties": {"api_key": {"type": "string"}}}, "fieldName": "api_key"}
    definition = {"authMode": "api_key", "credentials": credentials, "credentialHeaderName": "X-Key", "authorizedUris": ["https://shop.example/*"]}
    provider = {"name": f"@{slug}/shop", "type": "provider", "displayName": "Shop", "definition": definition, **about}
    call(base, "/api/packages/providers", session, {"manifest": provider, "content": "# Shop"})
    vendor = {"label": "Vendor", "api": "openai-completions", "baseUrl": "https://api.example.com/v1"}
    model = call(base, "/api/models", session, {**vendor, "modelId": "model-1"})[0]["id"]
    connection = call(base, f"/api/connections/connect/@{slug}/shop/api-key", impersonating, {"apiKey": "shop-secret"})[0]["id"]
    run = call(base, "/api/runs", impersonating, {"agentId": f"@{slug}/helper"})[0]["runId"]
    exist = {
        "/api/orgs/{id}": {"id": org},
        "/api/applications/{id}": {"id": app, "scope": f"@{slug}", "name": "helper"},
        "/api/end-users/{id}": {"id": end_user},
        "/api/models/{id}": {"id": model},
        "/api/connections/{id}": {"id": connection},
        "/api/runs/{id}": {"id": run},
        "/api/agents/{scope}/{name}": {"scope": f"@{slug}", "name": "helper"},
        "/api/packages/agents/{scope}/{name}": {"scope": f"@{slug}", "name": "helper"},
        "/api/packages/providers/{scope}/{name}": {"scope": f"@{slug}", "name": "shop"},
        "/api/connections/connect/{scope}/{name}": {"scope": f"@{slug}", "name": "shop"},
    }
    own = for_principal(copy.deepcopy(document), exist, is_session=principal == "session")
    return {"session": session, "key": bearer, "end-user": impersonating}[principal], own


def for_principal(document, exist, is_session):
    """The document without what says who calls, which is the principal's, and with ids that exist as examples."""
    identity = {f"#/components/parameters/{name}" for name in ("OrgId", "AppId", "AppstrateUser")}
    for path, item in document["paths"].items():
        known = max((prefix for prefix in exist if path.startswith(prefix)), key=len, default=None)
        for operation in item.values():
            operation["parameters"] = [parameter for parameter in operation.get("parameters", []) if parameter.get("$ref") not in identity]
            for parameter in operation["parameters"]:
                if parameter.get("in") == "path" and parameter["name"] in exist.get(known, {}):
                    parameter["example"] = exist[known][parameter["name"]]
            if is_session:
                # The cookie is in every request; a case "without the cookie" would be one with it.
                operation["security"] = []
    return document


def grantable(document):
    """The permissions that a key may hold, as far as operations ask for them."""
    named = {
        operation["x-permission"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and ":" in operation.get("x-permission", "")
    }
    never = ("org:", "members:", "provider-keys:", "api-keys:")
    return {name for name in named if not name.startswith(never)}


def fuzz(library, base, folder, principal, options):
    """Whether schemathesis found nothing."""
    with urllib.request.urlopen(base + "/api/openapi.json") as response:
        headers, document = seed(base, principal, json.load(response))
    path = folder / f"{principal}.json"
    path.write_text(json.dumps(document))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(path), "--url", base]
    command += ["--seed", "1", "--exclude-path-regex", "^/api/realtime/"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(options.examples), "--request-timeout", "20"]
    command += ["--continue-on-failure", "--suppress-health-check", "all", "--output-sanitize", "true"]
    for header, value in headers.items():
        command += ["--header", f"{header}: {value}"]
    for operation in operations(document) & (ENDS_SESSION if principal == "session" else set()):
        command += ["--exclude-operation-id", operation]
    print(f"fuzz-api: as {principal}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(library), "PYTHONHASHSEED": "0"}
    found_nothing = subprocess.run(command, env=environment, cwd=folder).returncode == 0
    # A principal whom everybody refused would have proved nothing.
    call(base, "/api/runs", headers)
    return found_nothing


def operations(document):
    return {operation["operationId"] for item in document["paths"].values() for operation in item.values()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--examples", type=int, default=10, help="cases for each operation in the fuzzing phase")
    parser.add_argument("--as", dest="principals", action="append", choices=PRINCIPALS)
    options = parser.parse_args()
    library = install()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="appstrate-fuzz."))
    try:
        with serving(os.path.abspath(options.server), folder) as base:
            wanted = options.principals or PRINCIPALS
            failed = [principal for principal in wanted if not fuzz(library, base, folder, principal, options)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if failed:
        sys.exit(f"fuzz-api: findings as {', '.join(failed)}")


if __name__ == "__main__":
    main()
