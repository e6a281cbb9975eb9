"""What schemathesis does for scripts/fuzz-api.py around every call: it counts the answers, and calls what ends its caller as somebody new.

FUZZ_TALLY names the file of the counts, and FUZZ_ARCHIVE that of a package, which no example in a document can hold. FUZZ_VERSION, where it is
set, is the version of the API that every call names. FUZZ_ENDS, where it is set, holds the base URL and an organization as JSON: then each call
is made by an account of its own.
"""

import itertools
import json
import os
import urllib.request

import schemathesis

TALLY = open(os.environ["FUZZ_TALLY"], "a", buffering=1)
ARCHIVE = os.environ.get("FUZZ_ARCHIVE")
VERSION = os.environ.get("FUZZ_VERSION")
ENDS = json.loads(os.environ.get("FUZZ_ENDS", "null"))
NUMBER = itertools.count()


@schemathesis.hook
def after_call(context, case, response):
    TALLY.write(f"{operation_id(case)} {response.status_code}\n")


@schemathesis.hook
def before_call(context, case, kwargs):
    if VERSION:
        case.headers["Appstrate-Version"] = VERSION
    if ENDS:
        call_as_somebody_new(case)
    elif ARCHIVE and operation_id(case) == "importPackage" and case.meta.generation.mode.is_positive and next(NUMBER) % 2 == 0:
        with open(ARCHIVE, "rb") as archive:
            case.body = {"file": archive.read()}


def operation_id(case):
    return case.operation.definition.raw["operationId"]


def post(path, headers, body):
    request = urllib.request.Request(ENDS["base"] + path, json.dumps(body).encode(), {**headers, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response), response.headers["Set-Cookie"].split(";")[0] if response.headers["Set-Cookie"] else None


def call_as_somebody_new(case):
    """Signs up, joins the organization where that is what may end, and calls with the new session."""
    email = f"ends{os.getpid()}-{next(NUMBER)}@example.com"
    account = {"name": "Ends", "password": ENDS["password"]}
    operation = operation_id(case)
    if operation == "leaveOrganization":
        invited, _ = post(f"/api/orgs/{ENDS['org']}/invitations", ENDS["owner"], {"email": email})
        token = invited["link"].rsplit("/", 1)[1]
        _, cookie = post(f"/api/invitations/{token}/accept", {}, account)
    else:
        _, cookie = post("/api/auth/sign-up/email", {}, {**account, "email": email})
    headers = {"Cookie": cookie}
    if operation == "deleteOrganization":
        org = post("/api/orgs", headers, {"name": email})[0]["id"]
        if (case.path_parameters or {}).get("id") == ENDS["org"]:
            case.path_parameters["id"] = org
        headers["X-Org-Id"] = org
    if operation == "leaveOrganization":
        headers["X-Org-Id"] = ENDS["org"]
    if operation == "revokeSession" and (case.path_parameters or {}).get("id") == ENDS["session"]:
        case.path_parameters["id"] = session(headers)
    case.headers.update(headers)


def session(headers):
    with urllib.request.urlopen(urllib.request.Request(ENDS["base"] + "/api/auth/get-session", headers=headers)) as response:
        return json.load(response)["id"]
