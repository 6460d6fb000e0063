"""Typed configuration from the environment; refuses values that are unsafe in production."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("development", "test", "production")
ROBOT_HOSTS = "qyapi.weixin.qq.com oapi.dingtalk.com open.feishu.cn"
"""Where the group robots of WeCom, DingTalk and Feishu are."""


class UnsafeConfiguration(RuntimeError):
    """The environment asks for something the system must not run with; ``problems`` lists all of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations; each field is the variable ``FUGONG_`` + its name in capitals.

    Documented one by one in docs/operations.md (a test compares the two).
    """

    env: str
    secret_key: str
    database_url: str
    var_dir: Path
    files_url: str
    keys_dir: Path
    public_url: str
    trusted_hosts: tuple[str, ...]
    proxy_count: int
    demo_mode: bool
    site_name: str
    max_upload_mb: int
    pass_max_days: int
    gate_log_days: int
    lockout_failures: int
    lockout_minutes: int
    rate_limit_storage: str
    queue_url: str
    log_level: str
    mail_url: str
    mail_from: str
    robot_hosts: tuple[str, ...]

    @property
    def is_production(self) -> bool:
        """Whether real people's data is handled here."""
        return self.env == "production"

    def for_flask(self) -> dict[str, object]:
        """The keys that Flask and its extensions read."""
        secure = self.public_url.startswith("https://")
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(self.database_url),
            "SETTINGS": self,
            "TESTING": self.env == "test",
            "TRUSTED_HOSTS": list(self.trusted_hosts) or None,
            "MAX_CONTENT_LENGTH": (self.max_upload_mb * 4 + 1) * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
            "MAX_FORM_PARTS": 2000,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_NAME": "__Host-fugong" if secure else "fugong",
            "PERMANENT_SESSION_LIFETIME": 12 * 3600,  # a cookie older than a working day is nobody's
            "WTF_CSRF_TIME_LIMIT": 12 * 3600,
            "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
            "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "workflow" / "translations"),
            "RATELIMIT_STORAGE_URI": self.rate_limit_storage,
            "RATELIMIT_HEADERS_ENABLED": True,
            "RATELIMIT_ENABLED": self.env != "test",
        }


def _engine_options(url: str) -> dict[str, object]:
    """Options of the engine; errors never carry the values of a statement, which are people's."""
    if url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": 20}}
    return {"hide_parameters": True, "pool_pre_ping": True, "pool_size": 8, "max_overflow": 8}


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


def _flag(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}


def _development_secret(var_dir: Path) -> str:
    """A secret made once for this folder, so that sign-ins survive a restart in development."""
    path = var_dir / "secret_key"
    if not path.exists():
        var_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _mail_problems(settings: Settings) -> list[str]:
    if not settings.mail_url:
        return []
    problems = []
    try:
        parts = urlsplit(settings.mail_url)
        right = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.path.strip("/") or parts.query or parts.fragment:
        problems.append("FUGONG_MAIL_URL must be smtp://user:password@host:port or smtps://…")
    address = parseaddr(settings.mail_from)[1]
    if not address.isascii() or address.count("@") != 1 or "\n" in settings.mail_from:
        problems.append("FUGONG_MAIL_FROM must be the sender's address when FUGONG_MAIL_URL is set")
    return problems


def _problems(settings: Settings) -> list[str]:
    problems = []
    if settings.env not in ENVIRONMENTS:
        problems.append(f"FUGONG_ENV must be one of {', '.join(ENVIRONMENTS)}")
    if urlsplit(settings.public_url).scheme not in {"http", "https"} or not urlsplit(settings.public_url).hostname:
        problems.append("FUGONG_PUBLIC_URL must be an http(s) address")
    if not 1 <= settings.max_upload_mb <= 100:
        problems.append("FUGONG_MAX_UPLOAD_MB must be from 1 to 100")
    if not 1 <= settings.pass_max_days <= 90:
        problems.append("FUGONG_PASS_MAX_DAYS must be from 1 to 90")
    if not 1 <= settings.gate_log_days <= 3650:
        problems.append("FUGONG_GATE_LOG_DAYS must be from 1 to 3650")
    problems += _mail_problems(settings)
    if settings.is_production:
        if any("/" in host for host in settings.robot_hosts):
            problems.append("FUGONG_ROBOT_HOSTS takes host names alone in production: robots are spoken to by https")
        if len(settings.secret_key) < 32 or len(set(settings.secret_key)) < 10:
            problems.append("FUGONG_SECRET_KEY must be set to at least 32 random characters in production")
        if settings.demo_mode:
            problems.append("FUGONG_DEMO_MODE can't be on in production: it shows logins to everybody")
        if not settings.trusted_hosts:
            problems.append("FUGONG_TRUSTED_HOSTS must name the hosts served in production")
        if not settings.public_url.startswith("https://"):
            problems.append("FUGONG_PUBLIC_URL must be https in production")
        if _flag(os.environ.get("FLASK_DEBUG", "")):
            problems.append("FLASK_DEBUG can't be on in production")
    return problems


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name, "")
    if (value and not value.isascii()) or (value and not value.isdigit()):
        raise UnsafeConfiguration([f"{name} must be a whole number"])
    return int(value) if value else default


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from ``environ`` (the process's by default); raises :class:`UnsafeConfiguration`."""
    env = os.environ if environ is None else environ
    name = env.get("FUGONG_ENV", "development")
    var_dir = Path(env.get("FUGONG_VAR_DIR", str(ROOT / "var"))).resolve()
    production = name == "production"
    secret = env.get("FUGONG_SECRET_KEY", "")
    if not secret and not production:
        secret = _development_secret(var_dir)
    port = env.get("PORT", "8000")
    settings = Settings(
        env=name,
        secret_key=secret,
        database_url=env.get("FUGONG_DATABASE_URL", f"sqlite:///{var_dir / 'fugong.sqlite3'}"),
        var_dir=var_dir,
        files_url=env.get("FUGONG_FILES_URL", (var_dir / "files").as_uri()),
        keys_dir=Path(env.get("FUGONG_KEYS_DIR", str(var_dir / "keys"))),
        public_url=env.get("FUGONG_PUBLIC_URL", f"http://localhost:{port}").rstrip("/"),
        trusted_hosts=_words(env.get("FUGONG_TRUSTED_HOSTS", "")),
        proxy_count=_number(env, "FUGONG_PROXY_COUNT", 0),
        demo_mode=_flag(env.get("FUGONG_DEMO_MODE", "0" if production else "1")),
        site_name=env.get("FUGONG_SITE_NAME", "宁波市企业复工审核平台"),
        max_upload_mb=_number(env, "FUGONG_MAX_UPLOAD_MB", 20),
        pass_max_days=_number(env, "FUGONG_PASS_MAX_DAYS", 14),
        gate_log_days=_number(env, "FUGONG_GATE_LOG_DAYS", 60),
        lockout_failures=_number(env, "FUGONG_LOCKOUT_FAILURES", 8),
        lockout_minutes=_number(env, "FUGONG_LOCKOUT_MINUTES", 15),
        rate_limit_storage=env.get("FUGONG_RATE_LIMIT_STORAGE", "memory://"),
        queue_url=env.get("FUGONG_QUEUE_URL", f"sqlite:///{var_dir / 'queue.sqlite3'}"),
        log_level=env.get("FUGONG_LOG_LEVEL", "INFO").upper(),
        mail_url=env.get("FUGONG_MAIL_URL", ""),
        mail_from=env.get("FUGONG_MAIL_FROM", ""),
        robot_hosts=_words(env.get("FUGONG_ROBOT_HOSTS", ROBOT_HOSTS)),
    )
    problems = _problems(settings)
    if problems:
        raise UnsafeConfiguration(problems)
    return settings
