"""A small Hugging Face hub on this machine, for the real client to talk to.

It speaks the endpoints that publishing and loading use: who am I, create,
settings, refs, validate-yaml, preupload, LFS batch and upload, commit, tag,
model info, tree, resolve. Xet is not spoken: HF_HUB_DISABLE_XET=1.
"""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE = re.compile(r"\.(ckpt|safetensors|wav|png)$")
REPO = r"(?P<repo>[^/]+/[^/]+)"
ROUTES = [
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("POST", r"/api/repos/create", "create"),
    ("PUT", rf"/api/models/{REPO}/settings", "settings"),
    ("GET", rf"/api/models/{REPO}/refs", "refs"),
    ("POST", rf"/api/models/{REPO}/preupload/(?P<rev>[^/]+)", "preupload"),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/(?P<oid>\w+)", "lfs_upload"),
    ("POST", rf"/api/models/{REPO}/commit/(?P<rev>[^/]+)", "commit"),
    ("POST", rf"/api/models/{REPO}/tag/(?P<rev>[^/]+)", "tag"),
    ("GET", rf"/api/models/{REPO}/tree/(?P<rev>[^/]+)", "tree"),
    ("GET", rf"/api/models/{REPO}(/revision/(?P<rev>[^/]+))?", "info"),
    ("GET", rf"/{REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)", "resolve"),
]


class Refused(Exception):
    """An answer that is no success: status, message, the hub's code, more."""

    def __init__(self, status, message, code="", **more):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.more = more


class Repository:
    """One repository: commits (id to files), newest last, and tags."""

    def __init__(self, owner, private):
        self.owner, self.private = owner, private
        self.commits, self.messages, self.tags = {}, [], {}
        self.add({".gitattributes": b"*.ckpt filter=lfs\n"}, "initial commit")

    @property
    def head(self):
        return list(self.commits)[-1]

    def add(self, files, message):
        """Makes a commit of all files."""
        text = f"{len(self.commits)}{sorted(files)}{message}"
        self.commits[hashlib.sha1(text.encode()).hexdigest()] = files
        self.messages.append(message)
        return self.head

    def find(self, revision):
        """Commit id and files of a branch, tag or commit."""
        revision = unquote(revision or "main")
        oid = self.tags.get(revision, revision)
        oid = self.head if oid == "main" else oid
        if oid not in self.commits:
            raise Refused(404, "Invalid rev id", "RevisionNotFound")
        return oid, self.commits[oid]


class HubServer:
    """The server; a context manager.

    Arguments
    ---------
    users : dict
        Token to user name. A token that begins with ``read`` may not write.

    ``faults`` lists (method, pattern, status, message): what to answer
    instead; ``requests`` what was asked.
    """

    def __init__(self, users):
        self.users, self.faults, self.requests = users, [], []
        self.repos, self.blobs = {}, {}
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, target, token, body):
        """The response to a request: bytes or JSON, and headers."""
        path = urlsplit(target).path
        self.requests.append(f"{method} {path}")
        for wanted, pattern, status, message in self.faults:
            if method == wanted and re.search(pattern, path):
                raise Refused(status, message)
        method = "GET" if method == "HEAD" else method
        for wanted, pattern, name in ROUTES:
            found = re.fullmatch(pattern, path)
            if method == wanted and found:
                given = found.groupdict()
                user = self.users.get(token)
                if "repo" in given:
                    given["repo"] = self._repo(given["repo"], user)
                    if wanted != "GET":
                        self._check_write(given["repo"].owner, token)
                self.name = found.groupdict().get("repo")
                return getattr(self, name)(user, token, body, **given)
        raise Refused(404, f"the test server does not know {method} {path}")

    def _repo(self, name, user):
        repo = self.repos.get(name)
        if repo is None or (repo.private and repo.owner != user):
            raise Refused(404, "Repository not found", "RepoNotFound")
        return repo

    def _check_write(self, owner, token):
        if self.users.get(token) != owner or token.startswith("read"):
            raise Refused(403, "You have no right to write here")

    def whoami(self, user, token, body):
        if user is None:
            raise Refused(401, "Invalid credentials in Authorization header")
        return {"type": "user", "name": user, "orgs": []}

    def validate_yaml(self, user, token, body):
        front = json.loads(body)["content"].split("---\n")[1]
        if "license:" not in front:
            raise Refused(400, "license is required")
        return {"errors": [], "warnings": []}

    def create(self, user, token, body):
        given = json.loads(body)
        owner = given["organization"] or user
        name = f"{owner}/{given['name']}"
        self._check_write(owner, token)
        if name in self.repos:
            message = "You already created this model repo"
            raise Refused(409, message, url=f"{self.url}/{name}")
        private = given.get("visibility") == "private"
        self.repos[name] = Repository(owner, private)
        return {"url": f"{self.url}/{name}"}

    def settings(self, user, token, body, repo):
        repo.private = json.loads(body)["visibility"] == "private"
        return {}

    def refs(self, user, token, body, repo):
        def listed(kind, names):
            return [
                {"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid}
                for n, oid in names.items()
            ]

        return {
            "branches": listed("heads", {"main": repo.head}),
            "tags": listed("tags", repo.tags),
            "converts": [],
        }

    def preupload(self, user, token, body, repo, rev):
        there = repo.find(rev)[1]
        files = [entry["path"] for entry in json.loads(body)["files"]]
        return {
            "files": [
                {
                    "path": name,
                    "uploadMode": "lfs" if LARGE.search(name) else "regular",
                    "shouldIgnore": False,
                    "oid": _oid(name, there[name]) if name in there else None,
                }
                for name in files
            ]
        }

    def lfs_batch(self, user, token, body, repo):
        objects = json.loads(body)["objects"]
        for entry in objects:
            if entry["oid"] not in self.blobs:
                href = f"{self.url}/lfs/{entry['oid']}"
                entry["actions"] = {"upload": {"href": href}}
        return {"transfer": "basic", "objects": objects}

    def lfs_upload(self, user, token, body, oid):
        assert hashlib.sha256(body).hexdigest() == oid
        self.blobs[oid] = body
        return {}

    def commit(self, user, token, body, repo, rev):
        files, message = dict(repo.find(rev)[1]), ""
        for line in body.splitlines():
            entry = json.loads(line)
            kind, value = entry["key"], entry["value"]
            if kind == "header":
                message = value["summary"]
            elif kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
            elif kind == "deletedFile":
                del files[value["path"]]
        oid = repo.add(files, message)
        url = f"{self.url}/{self.name}/commit/{oid}"
        return {"success": True, "commitOid": oid, "commitUrl": url}

    def tag(self, user, token, body, repo, rev):
        name = json.loads(body)["tag"]
        if name in repo.tags:
            raise Refused(409, "Tag reference exists already")
        repo.tags[name] = repo.find(rev)[0]
        return {}

    def tree(self, user, token, body, repo, rev):
        return [
            {
                "type": "file",
                "path": name,
                "size": len(content),
                "oid": _git(content),
                **(_lfs(content) if LARGE.search(name) else {}),
            }
            for name, content in repo.find(rev)[1].items()
        ]

    def info(self, user, token, body, repo, rev=None):
        oid, files = repo.find(rev)
        siblings = [{"rfilename": name} for name in files]
        return {
            "id": self.name,
            "sha": oid,
            "private": repo.private,
            "siblings": siblings,
        }

    def resolve(self, user, token, body, repo, rev, path):
        oid, files = repo.find(rev)
        if path not in files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        etag = f'"{_oid(path, files[path])}"'
        return files[path], {"X-Repo-Commit": oid, "ETag": etag}


def _git(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _lfs(content):
    oid = hashlib.sha256(content).hexdigest()
    return {"lfs": {"oid": oid, "size": len(content), "pointerSize": 130}}


def _oid(path, content):
    large = LARGE.search(path)
    return _lfs(content)["lfs"]["oid"] if large else _git(content)


class _Handler(BaseHTTPRequestHandler):
    hub = None
    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, headers = 200, {}
        try:
            found = self.hub.answer(self.command, self.path, token, body)
            content, headers = found if type(found) is tuple else (found, {})
        except Refused as refused:
            status = refused.status
            content = {"error": refused.message, **refused.more}
            headers = {"X-Error-Message": refused.message}
            if refused.code:
                headers["X-Error-Code"] = refused.code
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_HEAD = do_POST = do_PUT = _serve

    def log_message(self, *arguments):
        pass
