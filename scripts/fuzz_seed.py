"""Rows of every kind for scripts/fuzz-api.py, made over HTTP, and the document with their ids in it.

A fuzzer that knows no id meets nothing but 404.
"""

import copy
import io
import json
import sys
import urllib.error
import urllib.request
import zipfile

PASSWORD = "correct horse battery"
VENDOR = {"label": "Vendor", "api": "openai-completions", "baseUrl": "https://api.example.com/v1"}
ABOUT = {"version": "1.0.0", "schemaVersion": "1.3", "author": "Fuzz"}
# Visible ASCII, bare or as a structured-field string.
IDEMPOTENCY_KEY = r'^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$'
# Memories have no way in but a run, and no worker runs here.
MEMORY = "INSERT INTO memories (id, org_id, app_id, end_user_id, agent, content, run_id, created_at) VALUES ('{id}', '{org}', '{app}', {end_user}, '{agent}', 'Likes tea.', '{run}', 1790000000000)"


def call(base, path, headers, body=None, method=None, form=None):
    data = form if body is None else json.dumps(body).encode()
    headers = {**headers, **({"Content-Type": "application/json"} if body is not None else {})}
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read()
            return json.loads(text) if text else None, response.headers
    except urllib.error.HTTPError as error:
        sys.exit(f"fuzz-api: {request.get_method()} {path} answered {error.code}: {error.read().decode()}")


def post(base, path, headers, body):
    return call(base, path, headers, body)[0]


def archived(files):
    """The bytes of an archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, text in files.items():
            writer.writestr(name, text)
    return archive.getvalue()


def imported(base, headers, archive):
    """Imports the archive; the package's name."""
    head = b'--fuzz\r\nContent-Disposition: form-data; name="file"; filename="package.zip"\r\nContent-Type: application/zip\r\n\r\n'
    form = head + archive + b"\r\n--fuzz--\r\n"
    return call(base, "/api/packages/import", {**headers, "Content-Type": "multipart/form-data; boundary=fuzz"}, form=form)[0]["id"]


class Tenant:
    """A tenant of a principal's own, since a fuzzer may delete what it reaches."""

    def __init__(self, base, principal, scopes, execute):
        self.base, self.slug = base, principal.replace("-", "")
        slug = self.slug
        _, headers = call(base, "/api/auth/sign-up/email", {}, {"name": "Fuzz", "email": f"{slug}@example.com", "password": PASSWORD})
        self.cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        self.org = post(base, "/api/orgs", self.cookie, {"name": slug, "slug": slug})["id"]
        self.owner = {**self.cookie, "X-Org-Id": self.org}
        self.app = call(base, "/api/applications", self.owner)[0]["data"][0]["id"]
        self.session = session = {**self.owner, "X-App-Id": self.app}
        key = post(base, "/api/api-keys", session, {"name": "Fuzz", "scopes": sorted(scopes)})
        self.key = {"Authorization": f"Bearer {key['key']}"}
        self.end_user = post(base, "/api/end-users", self.key, {"name": "Eve", "externalId": "eve"})["id"]
        self.impersonating = {**self.key, "Appstrate-User": self.end_user}
        self.headers = {"session": session, "ends": session, "key": self.key, "end-user": self.impersonating}[principal]
        self.is_end_user = principal == "end-user"
        self.packages()
        self.rows(execute)

    def packages(self):
        base, slug, session = self.base, self.slug, self.session
        for name in ("helper", "spare"):
            agent = {"manifest": {"name": f"@{slug}/{name}", "type": "agent", "displayName": name, **ABOUT}, "content": "Be brief."}
            post(base, "/api/packages/agents", session, agent)
            post(base, f"/api/applications/{self.app}/packages", session, {"packageId": f"@{slug}/{name}"})
        agent["manifest"]["name"] = f"@{slug}/free"
        post(base, "/api/packages/agents", session, agent)
        credentials = {"schema": {"type": "object", "properties": {"api_key": {"type": "string"}}}, "fieldName": "api_key"}
        definition = {"authMode": "api_key", "credentials": credentials, "credentialHeaderName": "X-Key", "authorizedUris": ["https://shop.example/*"]}
        provider = {"name": f"@{slug}/shop", "type": "provider", "displayName": "Shop", "definition": definition, **ABOUT}
        post(base, "/api/packages/providers", session, {"manifest": provider, "content": "# Shop"})
        about = {"name": f"@{slug}/adder", "type": "tool", "displayName": "Adder", "entrypoint": "index.ts", **ABOUT}
        tool = {**about, "tool": {"name": "add", "description": "Adds.", "inputSchema": {"type": "object"}}}
        source = 'export default { name: "add" };'
        imported(base, session, archived({"manifest.json": json.dumps(tool), "index.ts": source}))
        imported(base, session, archived({"SKILL.md": "---\nname: manners\ndescription: How to be polite.\n---\n\nBe kind.\n"}))
        tool["name"] = f"@{slug}/imported"
        self.archive = archived({"manifest.json": json.dumps(tool), "index.ts": source})

    def rows(self, execute):
        base, slug, session, app = self.base, self.slug, self.session, self.app
        # As the principal that is fuzzed, which may not see what others hold.
        holder = self.impersonating if self.is_end_user else self.headers
        self.model = post(base, "/api/models", session, {**VENDOR, "modelId": "model-1"})["id"]
        self.provider_key = post(base, "/api/provider-keys", session, {**VENDOR, "apiKey": "vendor-secret"})["id"]
        self.proxy = post(base, "/api/proxies", session, {"label": "Exit", "url": "http://proxy.example.com:8080"})["id"]
        self.steady_proxy = post(base, "/api/proxies", session, {"label": "Steady", "url": "http://proxy.example.com:8080"})["id"]
        self.connection = post(base, f"/api/connections/connect/@{slug}/shop/api-key", holder, {"apiKey": "shop-secret"})["id"]
        self.run = post(base, "/api/runs", holder, {"agentId": f"@{slug}/helper"})["runId"]
        self.spare_app = post(base, "/api/applications", self.owner, {"name": "Spare"})["id"]
        self.spare_key = post(base, "/api/api-keys", session, {"name": "Spare", "scopes": ["runs:read"]})["id"]
        invite = lambda name: post(base, f"/api/orgs/{self.org}/invitations", self.owner, {"email": f"{name}@{slug}.example.com"})
        # What runs are made with stays as it is, whatever happens to the other one.
        self.steady_model = post(base, "/api/models", session, {**VENDOR, "label": "Steady", "modelId": "model-0"})["id"]
        call(base, "/api/models/default", session, {"modelId": self.steady_model}, "PUT")
        self.invitation = invite("guest")["id"]
        joined = call(base, f"/api/invitations/{invite('member')['link'].rsplit('/', 1)[1]}/accept", {}, {"name": "M", "password": PASSWORD})
        member = {"Cookie": joined[1]["Set-Cookie"].split(";")[0]}
        self.member = call(base, "/api/profile", member)[0]["id"]
        self.offer, self.accept = (invite(name)["link"].rsplit("/", 1)[1] for name in ("offer", "accept"))
        login = {"email": f"{slug}@example.com", "password": PASSWORD}
        self.other_session = post(base, "/api/auth/sign-in/email", {}, login)["id"]
        self.memory = "mem_" + self.run.split("_")[1]
        end_user = f"'{self.end_user}'" if self.is_end_user else "NULL"
        execute(MEMORY.format(id=self.memory, org=self.org, app=app, end_user=end_user, agent=f"@{slug}/helper", run=self.run))

    def known(self):
        """What the parameters of a path may name, by the longest beginning of the path."""
        scope = f"@{self.slug}"
        package = lambda name: {"scope": scope, "name": name}
        return {
            "/api/orgs/{id}": {"id": self.org, "userId": self.member, "invitationId": self.invitation},
            "/api/invitations/{token}": {"token": self.offer},
            "/api/invitations/{token}/accept": {"token": self.accept},
            # To be changed and deleted, which the default one is not.
            "/api/applications/{id}": {"id": self.spare_app},
            "/api/applications/{id}/packages": {"id": self.app, **package("spare")},
            "/api/end-users/{id}": {"id": self.end_user},
            "/api/api-keys/{id}": {"id": self.spare_key},
            "/api/agents/{scope}/{name}": {**package("helper"), "id": self.memory},
            "/api/packages/agents/{scope}/{name}": package("helper"),
            "/api/packages/providers/{scope}/{name}": package("shop"),
            "/api/packages/tools/{scope}/{name}": package("adder"),
            "/api/packages/skills/{scope}/{name}": package("manners"),
            "/api/runs/{id}": {"id": self.run},
            "/api/notifications/read/{id}": {"id": self.run},
            "/api/models/{id}": {"id": self.model},
            "/api/provider-keys/{id}": {"id": self.provider_key},
            "/api/proxies/{id}": {"id": self.proxy},
            "/api/connections/{id}": {"id": self.connection},
            "/api/connections/connect/{scope}/{name}": package("shop"),
            "/api/auth/sessions/{id}": {"id": self.other_session},
        }

    def bodies(self):
        """Bodies with which an operation works, where the document's own example names what is not here."""
        slug = self.slug
        agent = {"name": f"@{slug}/another", "type": "agent", "displayName": "Another", **ABOUT}
        definition = {
            "authMode": "api_key",
            "credentials": {"schema": {"type": "object", "properties": {"api_key": {"type": "string"}}}, "fieldName": "api_key"},
            "credentialHeaderName": "X-Key",
            "authorizedUris": ["https://shop.example/*"],
        }
        provider = {"name": f"@{slug}/other", "type": "provider", "displayName": "Other", "definition": definition, **ABOUT}
        # Not the defaults, which the fuzzer changes.
        choice = {"modelId": self.steady_model, "proxyId": "none"}
        return {
            "createRun": {"agentId": f"@{slug}/helper", **choice},
            "runAgent": choice,
            "createInlineRun": {"manifest": agent, "prompt": "Be brief.", **choice},
            "createAgent": {"manifest": agent, "content": "Be brief."},
            "createProvider": {"manifest": provider, "content": "# Other"},
            "installPackage": {"packageId": f"@{slug}/free"},
            "configurePackage": {"enabled": True, "modelId": None, "proxyId": "none"},
            "setDefaultModel": {"modelId": self.steady_model},
            "updateModel": {"label": "Other"},
            "signUp": {"name": "Ada", "email": f"ada@{slug}.example.com", "password": PASSWORD},
            "acceptInvitation": {"name": "Ada", "password": PASSWORD},
            "setDefaultProxy": {"proxyId": self.steady_proxy},
            "createModel": {**VENDOR, "modelId": "model-2"},
            "connectApiKey": {"apiKey": "shop-secret"},
            "connectCredentials": {"credentials": {"api_key": "shop-secret"}},
            "signIn": {"email": f"{slug}@example.com", "password": PASSWORD},
            "changePassword": {"currentPassword": PASSWORD, "newPassword": PASSWORD},
            "createApiKey": {"name": "Another", "scopes": ["runs:read"]},
        }


def prepared(document, known, bodies, is_session, is_default=True):
    """The document without what says who calls, which is the principal's, and with ids and bodies that work."""
    document = copy.deepcopy(document)
    # Two headers of whose values the document says less than their descriptions. Another version would have another document. One that is
    # not the default is put into every call, whatever the fuzzer has chosen, so that no choice is wrong.
    parameters = document["components"]["parameters"]
    parameters["AppstrateVersion"]["schema"] = {"type": "string", **({"enum": [document["info"]["version"]]} if is_default else {})}
    parameters["IdempotencyKey"]["schema"] = {"type": "string", "pattern": IDEMPOTENCY_KEY}
    identity = {f"#/components/parameters/{name}" for name in ("OrgId", "AppId", "AppstrateUser")}
    for path, item in document["paths"].items():
        prefix = max((prefix for prefix in known if path.startswith(prefix)), key=len, default=None)
        for operation in item.values():
            operation["parameters"] = [parameter for parameter in operation.get("parameters", []) if parameter.get("$ref") not in identity]
            for parameter in operation["parameters"]:
                value = known.get(prefix, {}).get(parameter.get("name"))
                if parameter.get("in") == "query" and {"$ref", "pattern", "format"} & parameter["schema"].keys():
                    # An empty filter is as good as none.
                    parameter["schema"] = {"anyOf": [parameter["schema"], {"type": "string", "const": ""}]}
                if parameter.get("in") == "path" and value is not None:
                    parameter["example"] = value
                    # Half of the cases name what is there, the others what the document allows.
                    parameter["schema"] = {"anyOf": [{"enum": [value]}, parameter["schema"]]}
            if (body := bodies.get(operation["operationId"])) is not None:
                operation["requestBody"]["content"]["application/json"]["example"] = body
            if is_session:
                # The cookie is in every request; a case "without the cookie" would be one with it.
                operation["security"] = []
    return document
