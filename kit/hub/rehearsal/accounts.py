"""Who may do what: accounts, their tokens and scopes, and how the Hub refuses the rest.

registry = Registry(folder / "accounts.json", [Account("ada", orgs=("lab",))])
registry.token("ada")                          # may write everywhere that ada may
registry.token("ada", role="read")             # reads, private repos too
registry.token("ada", scopes=("ada/toy",))     # writes to ada/toy alone; "ada" would be all of hers
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from kit.errors import InputError, did_you_mean
from kit.files import write_atomically

Role = Literal["write", "read"]
BASIC_IS_PAID = (
    "Payment required: hosting Gradio and Docker Spaces on free cpu-basic requires a PRO "
    "subscription"
)


class RefusalError(Exception):
    """An answer other than success.

    ``code`` becomes X-Error-Code, by which the client tells a missing repo from a missing file.
    ``extra`` joins the JSON body: a 409 carries the URL or the slug of what is there.
    """

    def __init__(self, status: int, message: str, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.extra = status, message, code, extra
        self.headers: dict[str, str] = {}


@dataclass(frozen=True)
class Account:
    """A person on the Hub; organizations exist by being named, and their members may write."""

    name: str
    orgs: tuple[str, ...] = ()
    is_pro: bool = False
    can_pay: bool = False


@dataclass(frozen=True)
class Viewer:
    """Who asks: an account through one of its tokens. Nobody has neither."""

    account: Account | None = None
    role: Role = "read"
    scopes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The account's name, empty for nobody."""
        return self.account.name if self.account else ""

    def member(self, namespace: str) -> bool:
        """Whether the namespace is the account's own, or an organization it belongs to."""
        return self.account is not None and namespace in (self.name, *self.account.orgs)

    def reads(self, repo_id: str) -> bool:
        """Whether a private repo is shown."""
        return self.member(repo_id.partition("/")[0]) and self._in_scope(repo_id)

    def writes(self, repo_id: str) -> bool:
        """Whether a repo may be changed, or made."""
        return self.role == "write" and self.reads(repo_id)

    def _in_scope(self, repo_id: str) -> bool:
        return not self.scopes or bool({repo_id, repo_id.partition("/")[0]} & set(self.scopes))


NOBODY = Viewer()


@dataclass
class Registry:
    """Accounts and tokens; kept in a file that its owner alone may read, so tokens last."""

    path: Path
    accounts: list[Account]
    _tokens: dict[str, Viewer] = field(default_factory=dict)
    _lent: dict[str, Viewer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {account.name: account for account in self.accounts}
        for row in json.loads(self.path.read_text()) if self.path.is_file() else []:
            account = known.get(row["name"])
            if account:
                self._tokens[row["token"]] = Viewer(account, row["role"], tuple(row["scopes"]))

    def token(self, name: str, role: Role = "write", scopes: tuple[str, ...] = ()) -> str:
        """Return the account's token of this role and scope, the same one every time.

        Raises:
            InputError: nobody has the name.
        """
        known = {account.name: account for account in self.accounts}
        if name not in known:
            raise InputError(f"no account {name!r} on this Hub; {did_you_mean(name, known)}")
        viewer = Viewer(known[name], role, scopes)
        for token, held in self._tokens.items():
            if held == viewer:
                return token
        token = f"hf_{secrets.token_urlsafe(24)}"
        self._tokens[token] = viewer
        rows = [
            {"token": key, "name": held.name, "role": held.role, "scopes": held.scopes}
            for key, held in self._tokens.items()
        ]
        write_atomically(self.path, json.dumps(rows, indent=1).encode())
        self.path.chmod(0o600)
        return token

    def lend(self, viewer: Viewer) -> str:
        """Return a token that is good until the Hub stops: for the chunk store, or a browser."""
        token = f"lent_{secrets.token_urlsafe(24)}"
        self._lent[token] = viewer
        return token

    def session(self, key: str | None) -> Viewer:
        """Return whose browser it is; nobody's, if the key is of an earlier start."""
        return self._lent.get(key or "", NOBODY)

    def viewer(self, authorization: str | None) -> Viewer:
        """Return who a request comes from.

        Raises:
            RefusalError: 401, a token that nobody holds.
        """
        if not authorization:
            return NOBODY
        token = authorization.removeprefix("Bearer ").strip()
        viewer = self._tokens.get(token) or self._lent.get(token)
        if viewer is None:
            raise RefusalError(401, "Invalid credentials in Authorization header")
        return viewer


def whoami(viewer: Viewer) -> dict[str, Any]:
    """Return whoami-v2's answer: name, plan, organizations, and what the token may do."""
    if viewer.account is None:
        raise RefusalError(401, "Invalid username or password.")
    account = viewer.account
    token: dict[str, Any] = {"displayName": "rehearsal", "role": viewer.role}
    if viewer.scopes:
        permissions = ["repo.content.read", "repo.write"]
        token["role"] = "fineGrained"
        token["fineGrained"] = {
            "scoped": [
                {
                    "entity": {"type": "model" if "/" in scope else "user", "name": scope},
                    "permissions": permissions,
                }
                for scope in viewer.scopes
            ]
        }
    described = asdict(account)
    return {
        "type": "user",
        "id": account.name.encode().hex().ljust(24, "0")[:24],
        "name": account.name,
        "fullname": account.name,
        "isPro": described["is_pro"],
        "canPay": described["can_pay"],
        "orgs": [
            {"type": "org", "name": org, "roleInOrg": "admin", "isEnterprise": False}
            for org in account.orgs
        ],
        "auth": {"type": "access_token", "accessToken": token},
    }
