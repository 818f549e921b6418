"""One secret of every kind that redaction names, in a text that shows it; made at run time, so that none stands in a file.

`core` is a part of the secret that nothing else contains: what must be found nowhere, however it was encoded on its way.
"""

import base64
import json
import random
import string
from dataclasses import dataclass
from functools import cache

_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + "234567"
_MIXED = string.ascii_letters + "23456789"
CORE_CHARACTERS = 12


@dataclass(frozen=True)
class Planted:
    """`text` holds `secret`; `mark` stands before it and must survive, or nothing was tested."""

    name: str
    text: str
    secret: str
    core: str

    @property
    def mark(self) -> str:
        return f"about {self.name.replace('_', '-')}:"

    @property
    def shown(self) -> str:
        return f"{self.mark} {self.text}"


def made(name: str, length: int, alphabet: str = _MIXED) -> str:
    """Return characters that are the same in each process, among them a digit and a letter, as far as `alphabet` has them."""
    chosen = random.Random(f"planted {name}").choices(alphabet, k=length)
    digits = [one for one in alphabet if one.isdigit()]
    if digits and len(digits) < len(alphabet) and length > 3:
        chosen[1], chosen[2] = digits[0], next(one for one in alphabet if one.isalpha())
    return "".join(chosen)


# Name: how the token begins, how many characters of which alphabet follow, what follows behind them.
_TOKENS: dict[str, tuple[str, int, str, str]] = {
    "aws_access": ("AKIA", 16, _UPPER, ""),
    "aws_session": ("ASIA", 16, _UPPER, ""),
    "aws_bedrock": ("ABSK", 64, _MIXED, ""),
    "google_key": ("AIza", 35, _MIXED, ""),
    "google_access": ("ya29.", 40, _MIXED, ""),
    "google_client": ("GOCSPX-", 28, _MIXED, ""),
    "google_refresh": ("1//0", 40, _MIXED, ""),
    "github_personal": ("ghp_", 36, _MIXED, ""),
    "github_oauth": ("gho_", 36, _MIXED, ""),
    "github_user": ("ghu_", 36, _MIXED, ""),
    "github_server": ("ghs_", 36, _MIXED, ""),
    "github_refresh": ("ghr_", 36, _MIXED, ""),
    "github_fine": ("github_pat_", 60, _MIXED, ""),
    "gitlab": ("glpat-", 20, _MIXED, ""),
    "gitlab_runner": ("GR1348941", 20, _MIXED, ""),
    "slack_bot": ("xoxb-", 30, _MIXED, ""),
    "slack_app": ("xapp-", 30, _MIXED, ""),
    "stripe_live": ("sk_live_", 24, _MIXED, ""),
    "stripe_test": ("sk_test_", 24, _MIXED, ""),
    "stripe_restricted": ("rk_live_", 24, _MIXED, ""),
    "stripe_restricted_test": ("rk_test_", 24, _MIXED, ""),
    "stripe_webhook": ("whsec_", 32, _MIXED, ""),
    "anthropic": ("sk-ant-", 40, _MIXED, ""),
    "openai": ("sk-", 48, _MIXED, ""),
    "huggingface": ("hf_", 34, _MIXED, ""),
    "groq": ("gsk_", 52, _MIXED, ""),
    "perplexity": ("pplx-", 48, _MIXED, ""),
    "xai": ("xai-", 80, _MIXED, ""),
    "replicate": ("r8_", 37, _MIXED, ""),
    "pinecone": ("pcsk_", 60, _MIXED, ""),
    "npm": ("npm_", 36, _MIXED, ""),
    "pypi": ("pypi-", 60, _MIXED, ""),
    "rubygems": ("rubygems_", 48, _HEX, ""),
    "docker": ("dckr_pat_", 27, _MIXED, ""),
    "artifactory": ("AKCp", 69, _MIXED, ""),
    "sendgrid": ("SG." + "abcdefghij" * 2 + ".", 43, _MIXED, ""),
    "twilio": ("SK", 32, _HEX, ""),
    "mailgun": ("key-", 32, _HEX, ""),
    "brevo": ("xkeysib-", 64, _HEX, ""),
    "vault": ("hvs.", 24, _MIXED, ""),
    "vault_batch": ("hvb.", 24, _MIXED, ""),
    "vault_recovery": ("hvr.", 24, _MIXED, ""),
    "digitalocean": ("dop_v1_", 64, _HEX, ""),
    "digitalocean_oauth": ("doo_v1_", 64, _HEX, ""),
    "shopify": ("shpat_", 32, _HEX, ""),
    "databricks": ("dapi", 32, _HEX, ""),
    "netlify": ("nfp_", 40, _MIXED, ""),
    "square": ("sq0atp-", 22, _MIXED, ""),
    "heroku": ("HRKU-", 36, _MIXED, ""),
    "atlassian": ("ATATT3", 40, _MIXED, ""),
    "atlassian_connect": ("ATCTT3", 40, _MIXED, ""),
    "bitbucket": ("ATBB", 32, _MIXED, ""),
    "grafana": ("glsa_", 32, _MIXED, "_0a1b2c3d"),
    "grafana_cloud": ("glc_", 40, _MIXED, ""),
    "linear": ("lin_api_", 40, _MIXED, ""),
    "notion": ("ntn_", 46, _MIXED, ""),
    "notion_old": ("secret_", 43, _MIXED, ""),
    "doppler": ("dp.pt.", 43, _MIXED, ""),
    "newrelic": ("NRAK-", 27, _UPPER, ""),
    "postman": ("PMAK-" + "0123456789ab" * 2 + "-", 34, _HEX, ""),
    "pulumi": ("pul-", 40, _HEX, ""),
    "sentry": ("sntryu_", 64, _HEX, ""),
    "age": ("AGE-SECRET-KEY-1", 58, _UPPER, ""),
    "circleci": ("CCIPAT_", 40, _MIXED, ""),
    "figma": ("figd_", 40, _MIXED, ""),
    "sonar": ("sqp_", 40, _HEX, ""),
    "azure_client": ("abc8Q~", 34, _MIXED, ""),
    "telegram": ("123456789:AA", 33, _MIXED, ""),
    "terraform": ("abcdefghij4k5l.atlasv1.", 60, _MIXED, ""),
    "mailchimp": ("", 32, _HEX, "-us12"),
}

# Name: the text, with {} where the secret stands, and how long it is.
_TEXTS: dict[str, tuple[str, int]] = {
    "azure_storage": ("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={}==;EndpointSuffix=core", 40),
    "azure_bus": ("Endpoint=sb://shop.example/;SharedAccessKeyName=root;SharedAccessKey={}=", 43),
    "azure_signature": ("SharedAccessSignature {}", 40),
    "slack_hook": ("https://hooks.slack.com/services/T00000000/B00000000/{}", 24),
    "discord_hook": ("https://discord.com/api/webhooks/123456789012/{}", 60),
    "office_hook": ("https://shop.webhook.office.com/webhookb2/{}", 40),
    "url_password": ("postgresql://alice:{}@db.example:5432/shop", 14),
    "url_user_token": ("https://{}@git.example/shop.git", 30),
    "url_encoded": ("next=https%3A%2F%2Falice%3A{}%40shop.example", 14),
    "url_signature": ("https://store.example/a?X-Amz-Signature={}&x=1", 64),
    "url_code": ("https://shop.example/back?code={}&x=1", 40),
    "bearer_header": ("Authorization: Bearer {}", 40),
    "custom_scheme_header": ("'Authorization': 'Token {}'", 40),
    "proxy_header": ("Proxy-Authorization: Negotiate {}", 60),
    "bare_bearer": ("sent Bearer {} along", 40),
    "cookie": ("Cookie: theme=dark; session={}; lang=en", 32),
    "set_cookie": ("Set-Cookie: sid={}; Path=/; HttpOnly", 32),
    "cookie_jar": ("<Cookie session={} for shop.example/>", 32),
    "password_assigned": ("db.password={} host=db", 14),
    "password_json": ('{{"user": "alice", "password": "{}"}}', 14),
    "password_escaped_json": ('"{{\\"password\\": \\"{}\\"}}"', 14),
    "password_yaml": ("password: {}", 14),
    "password_xml": ("<password>{}</password>", 14),
    "password_form": ("user=alice&password={}&remember=1", 14),
    "password_connection": ("Server=db;User Id=sa;Password={};Encrypt=true", 14),
    "password_pair": ("[('user', 'alice'), ('password', '{}')]", 14),
    "password_option": ("mysqldump --password {} --host db", 14),
    "password_typed": ("Typing text '{}' into text field 'id:password'.", 14),
    "password_fill": ("page.fill('#password', '{}')", 14),
    "password_robot": ("${{DB PASSWORD}} = {}", 14),
    "password_item": ("&{{config}} = {{ host=x | password={} | port=1 }}", 14),
    "token_query": ("GET /api?access_token={}&page=2", 32),
    "token_header": ("X-Auth-Token: {}", 32),
    "api_key": ("X-Api-Key: {}", 32),
    "client_secret": ("client_secret={}", 32),
    "curl_user": ("curl -s -u alice:{} https://shop.example", 14),
    "sshpass": ("sshpass -p {} ssh shop", 14),
    "mysql": ("mysql -u root -p{} shop", 14),
    "openssl": ("openssl rsa -passin pass:{} -in key.pem", 14),
    "redis_cli": ("redis-cli -h db -a {} ping", 14),
    "docker_login": ("docker login -u alice -p {} shop.example", 14),
    "python_login": ("HTTPBasicAuth('alice', '{}')", 14),
}


@cache
def planted() -> tuple[Planted, ...]:
    """Return one of each kind. None has a line feed in it, but for the private key."""
    tokens = (_token(name, *form) for name, form in _TOKENS.items())
    texts = (_text(name, text, made(name, length)) for name, (text, length) in _TEXTS.items())
    return (
        *tokens,
        *texts,
        _web_token(),
        _basic("basic_header", "Authorization: Basic {}"),
        _basic("basic_alone", "sent Basic {} along"),
        _private_key(),
    )


# Raw values: what only the name of a variable, an entry of the environment, or the user's own pattern tells.
BY_VARIABLE = made("a variable", 22)
BY_ENVIRONMENT = made("the environment", 22)
BY_PATTERN = "CUST-" + made("a pattern", 12, "0123456789")
OF_THE_WORKER = made("the worker's environment", 22)
RAW = (BY_VARIABLE, BY_ENVIRONMENT, BY_PATTERN.removeprefix("CUST-"), OF_THE_WORKER)


def cores() -> dict[str, str]:
    """Return what must be found nowhere, by what it is."""
    raw = dict(zip(("variable", "environment", "pattern", "worker"), RAW, strict=True))
    return {one.name: one.core for one in planted()} | raw


def _token(name: str, begin: str, length: int, alphabet: str, end: str) -> Planted:
    rest = made(name, length, alphabet)
    return Planted(name, f"got {begin}{rest}{end} back", f"{begin}{rest}{end}", rest[:CORE_CHARACTERS])


def _text(name: str, text: str, secret: str) -> Planted:
    return Planted(name, text.format(secret), secret, secret[:CORE_CHARACTERS])


def _web_token() -> Planted:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": made("web token", 12)})]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    secret = ".".join([*encoded, made("web token's end", 43)])
    return Planted("web_token", f"got {secret} back", secret, made("web token's end", 43)[:CORE_CHARACTERS])


def _basic(name: str, text: str) -> Planted:
    secret = base64.b64encode(f"alice:{made(name, 16)}".encode()).decode()
    return Planted(name, text.format(secret), secret, secret[9 : 9 + CORE_CHARACTERS])


def _private_key() -> Planted:
    dashes = "-" * 5
    body = "\n".join(made(f"key {line}", 64) for line in range(4))
    text = f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{body}\n{dashes}END RSA PRIVATE KEY{dashes}"
    return Planted("private_key", text, text, body[70 : 70 + CORE_CHARACTERS])
