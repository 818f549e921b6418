"""Secrets are built here at run time, so that none stands in the source."""

import base64
import dataclasses
import html
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robot_ddn_listener.contract import (
    Ci,
    ErrorType,
    ExceptionInfo,
    ExecutionError,
    FailureReport,
    Frame,
    Git,
    KeywordCall,
    LogLine,
    Phase,
    Run,
    Truncation,
    encode,
)
from robot_ddn_listener.errors import RedactionError
from robot_ddn_listener.redact import Redactor

PW = "hun" + "ter2x9"
HEX = "0123456789abcdef"
ALNUM = "Zq8rT4vW1xY7aB3cD5eF6gH9jK2mN0pQ"
B64 = base64.b64encode(f"bob:{PW}".encode()).decode()
JWT = "ey" + "JhbGciOiJIUzI1NiJ9." + "ey" + "JzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl-XyZ"
BEGIN = "-----BEGIN " + "RSA PRIVATE KEY-----"
END = "-----END " + "RSA PRIVATE KEY-----"
KEY_BODY = "MIIEow" + ALNUM * 2


def redacted(text: str, **known: Any) -> str:
    return Redactor(**known).text(text)


def report(**fields: Any) -> FailureReport:
    required = {"id": "id-1", "project": "shop", "fingerprint": "f00d", "run": Run("run-1")}
    return FailureReport(**{**required, "suite_name": "S", "test_name": "T", "error_message": "", **fields})


def step(*cells: str, owner: str = "") -> FailureReport:
    """A report with one keyword call, in the path of keywords and in the log."""
    name, *args = cells
    call = KeywordCall(name, owner, args=tuple(args))
    return report(keywords=(call,), log=(LogLine("  " + "    ".join([call.full_name, *args]), "KEYWORD"),))


def texts(value: Any) -> Iterator[str]:
    """Every text in JSON types, keys of dicts not counted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def everything(record: FailureReport) -> str:
    return json.dumps(encode(record))


# --- what a text says itself to be secret: the secret is {}, the expected kind stands before it


ASSIGNMENTS = [
    ("password", "password={}"),
    ("password", "password = {}"),
    ("password", "Password: {}"),
    ("password", "db.password={} host=db"),
    ("password", "userPassword: {}"),
    ("password", "DB_PASSWD={}"),
    ("password", "PGPASSWORD={} psql -h db"),
    ("password", "smtp_pass={}"),
    ("password", '"password": "{}", "user": "bob"'),
    ("password", "'password': '{}', 'user': 'bob'"),
    ("password", "{{'passphrase': u'{}'}}"),
    ("password", 'body=b\'{{"password":"{}"}}\''),
    ("password", '"{{\\"password\\": \\"{}\\"}}"'),
    ("password", '"{{\\\\\\"password\\\\\\": \\\\\\"{}\\\\\\"}}"'),
    ("password", "body: user=bob&password={}&remember=1"),
    ("password", "user[password]={}&user[name]=bob"),
    ("password", "user%5Bpassword%5D={}&x=1"),
    ("password", "Server=db;User Id=sa;Password={};Encrypt=true"),
    ("password", "${{conn_str}} = Server=db1;Database=x;User Id=sa;Password={};"),
    ("password", "config['password'] = '{}'"),
    ("password", "<password>{}</password>"),
    ("password", '<wsse:Password Type="text">{}</wsse:Password>'),
    ("password", "<password><![CDATA[{}]]></password>"),
    ("password", '<input type="password" name="password" value="{}">'),
    ("password", '{{"name": "password", "value": "{}"}}'),
    ("password", "document.getElementById('password').value=\"{}\""),
    ("password", 'driver.find_element(By.ID, "password").send_keys("{}")'),
    ("password", "[('user', 'bob'), ('password', '{}')]"),
    ("password", "mysqldump --password {} --host db"),
    ("password", "mysqldump --password={} --host db"),
    ("password", "tool -password {} x"),
    ("password", "wget --http-password={} http://x"),
    ("password", "Environment variable 'DB_PASSWORD' set to value '{}'."),
    ("password", "the password is '{}'"),
    ("password", "password -> {}"),
    ("password", 'self.assertEqual(password == "{}")'),
    ("password", "salasana={}"),
    ("password", "Typing text '{}' into text field 'id:password'."),
    ("password", "page.fill('#password', '{}')"),
    ("password", "page.locator('#password').fill('{}')"),
    ("password", "Password is: {}"),
    ("password", "with password {} as bob"),
    ("password", "ENV DB_PASSWORD {}"),
    ("password", "password `{}`"),
    ("password", "%7B%22password%22%3A%22{}%22%7D"),
    ("password", "&quot;password&quot;:&quot;{}&quot;,"),
    ("password", "&lt;password&gt;{}&lt;/password&gt;"),
    ("password", "net /password:{}"),
    ("password", "HTTPBasicAuth('bob', '{}')"),
    ("password", "docker login -u bob -p {} x"),
    ("url-password", "url=https%3A%2F%2Fbob%3A{}%40host"),
    ("password", "Passwort: {}"),
    ("password", "&{{config}} = {{ host=x | password={} y z | port=1 }}"),
    ("password", "${{PASSWORD}} = {}"),
    ("password", "${{db password}} = {}"),
    ("password", "${{dbPassword}} = {} and more"),
    ("password", "${{user}}[password] = {}"),
    ("password", "Arguments: [ ${{locator}}='id:pw' | ${{password}}='{}' ]"),
    ("secret", "@{{secrets}} = [ {} | b ]"),
    ("secret", "&{{creds}} = {{ user=bob | pin={} }}"),
    ("secret", "client_secret={}"),
    ("secret", '"auth": ["bob", "{}"]'),
    ("secret", "auth=('bob', '{}')"),
    ("secret", "x-amz-secret: {}"),
    ("token", "token={}"),
    ("token", '"access_token":"{}","expires_in":3600'),
    ("token", "Private-Token: {}"),
    ("token", "X-Auth-Token: {}"),
    ("token", "curl -H 'X-Vault-Token: {}' http://x"),
    ("token", "GET /api?access_token={}&page=2"),
    ("token", "csrf_token = {}"),
    ("token", "Using token: {}."),
    ("key", "X-Api-Key: {}"),
    ("key", "api_key={}"),
    ("key", "apikey: {}"),
    ("key", "API key: {}"),
    ("key", "{{'x-api-key': '{}'}}"),
    ("key", "aws_secret_access_key = {}"),
    ("key", "AZURE_STORAGE_KEY={}"),
    ("key", "ssh-key: {}"),
    ("cookie", "JSESSIONID={}; x"),
]


@pytest.mark.parametrize(("kind", "text"), ASSIGNMENTS)
def test_a_value_is_redacted_where_a_name_calls_it_secret(kind: str, text: str) -> None:
    counts: dict[str, int] = {}
    result = Redactor().text(text.format(PW), counts)
    assert PW not in result
    assert f"<redacted:{kind}>" in result
    assert counts == {kind: 1}


@pytest.mark.parametrize(("kind", "text"), ASSIGNMENTS)
def test_what_is_redacted_once_stays_as_it_is(kind: str, text: str) -> None:
    once = redacted(text.format(PW))
    counts: dict[str, int] = {}
    assert Redactor().text(once, counts) == once
    assert counts == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login(user=bob, password=abc, timeout=5) failed", "login(user=bob, password=<redacted:password>, timeout=5) failed"),
        ("u=b&password=ab;c&x=1", "u=b&password=<redacted:password>&x=1"),
        ("Password=a,b;c;Encrypt=1", "Password=<redacted:password>;Encrypt=1"),
        ("{'password': 'it\\'s', 'x': 1}", "{'password': '<redacted:password>', 'x': 1}"),
        ("password=a<#>c done", "password=<redacted:password> done"),
        ("password=abc<br>next", "password=<redacted:password><br>next"),
        ('run "password=abc" now', 'run "password=<redacted:password>" now'),
        ("password=abc\\nnext", "password=<redacted:password>\\nnext"),
        ("password=abc.\nnext line", "password=<redacted:password>\nnext line"),
        ('{"password": "abc', '{"password": "<redacted:password>'),
        ('{"password": "abc def', '{"password": "<redacted:password>'),
        ("${token} = first line\nsecond line", "${token} = <redacted:token>"),
        ("12:00 ${token} = first line\nsecond line", "12:00 ${token} = <redacted:token>\nsecond line"),
        ("&{c} = { host=x | password=two words | port=1 }", "&{c} = { host=x | password=<redacted:password> | port=1 }"),
        ("DB_PASSWORD=1234 make", "DB_PASSWORD=<redacted:password> make"),
        ("password=${prefix}abc x", "password=<redacted:password> x"),
    ],
)
def test_the_rest_of_the_line_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


ORDINARY = [
    "token count: 5",
    "max_tokens=4096, prompt_tokens: 812, total_tokens=900",
    "password field is empty",
    "The password must be at least 8 characters long.",
    "Wrong password: please try again",
    "Password: required",
    "password: None",
    "password=None, token='', auth=None, show_password=False",
    '{"password": ["This field is required."]}',
    '{"password": {"type": "string"}}',
    '{"message":"Your password has expired. Please reset your password.","errorCode":"EXPIRED_PASSWORD"}',
    "Unexpected token: identifier42",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "SyntaxError: Unexpected token o in JSON at position 1",
    "id:password",
    "name=password",
    "css=input[type=password]",
    "//input[@name='password']",
    "Element with locator 'id=password' not found.",
    "Typing password into text field 'id:login-password1'.",
    "${PASSWORD_FIELD} = id:password",
    "${LOGIN_PASSWORD} = //input[@id='password1']",
    "${login_password} = <secret>",
    "${token} = None",
    "${auth_response} = <Response [401]>",
    "${cookieModalVisible} = True",
    "${token}=    Get Token    ${user}",
    "Create Dictionary    password=${password}    token=%{API_TOKEN}    key=$KEY",
    "password=${password}",
    "Resolving variable '${r.json()['authorization']}' failed: KeyError: 'authorization'",
    "KeyError: 'password'",
    "${connection_string} = Driver={ODBC 18};Server=db7;Database=Shop1;Encrypt=yes;",
    "token = self.get_token() password=config.password auth=get_auth(x1y2z3",
    "fields: ['username', 'password', 'email']",
    "Input Password    id:password    ${PASSWORD}",
    "Keyword 'Input Password' expected 2 to 3 arguments, got 1.",
    "Missing credentials: run login first",
    "Secret created: yes",
    "secretary=bob tokenizer=bpe-v2x author=alice1 passive=on2 bypass=2fast",
    "TOKEN_URL=https://auth.example.com/oauth/token",
    "token_type=Bearer, token_endpoint_auth_method: client_secret_basic",
    "GOOGLE_APPLICATION_CREDENTIALS=/home/ci/key.json",
    "PWD=/home/ci/work OLDPWD=/home/ci",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbC123",
    "docker run -v /run/secrets/token:ro -u 1000:1000 image",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "id 123e4567-e89b-12d3-a456-426614174000 at 2026-11-24T05:48:23.123456",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    'src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="',
    "GET https://example.com:8443/a/@scope/pkg?page=2&code=404&key=name&state=open",
    "https://user@example.com/repo.git git@github.com:org/repo.git ssh://git@host:22/x",
    "mail bob.smith@example.com and http://host:8080",
    "http://${HOST}:${PORT}/path@2x.png",
    "Authorization: required",
    "Authorization failed: no such user",
    "401 Client Error: Unauthorized for url: https://example.com",
    "Basic authentication is not supported",
    "Bearer token missing",
    "Basic Subscription expired",
    "'Authorization': ''",
    'headers = {"Authorization": f"Bearer {token}"}',
    "cookies={}, auth=None",
    "Cookie banner: accept=all",
    "Set-Cookie: Path=/; HttpOnly",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCC\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjAN\n-----END PUBLIC KEY-----",
    "task-0123456789abcdef0123 risk-management-system-of-the-company",
    "eyJust a word",
    "sk-fading-circle-with-a-very-long-name xapp- glob-pattern-for-all-the-files",
    "AKIA is how such ids begin; so does ASIA",
    "curl http://x -o out:file",
    "Status: PASS: 5, FAIL: 3, {'pass': 12, 'fail': 3} 12 tests, 12 passed",
    "Session id: 9f86d081884c7d659a2feaa0c55ad015",
    "key: value1, keyword=abc1234, primary_key=abc123x, sort-key: x1y2z3",
    "password.txt: No such file1 or directory",
    "password field1 and token identifier42 of secret version2",
    "token sha256sum2 and password base64url2",
    "docker login -u bob -p",
    "Typing text 'bob1234' into text field 'id:user'",
    "test_password_reset: FAILED",
    '<label for="password">Password</label>',
    "Password 'Field' and password \"label\"",
    "the following arguments are required: --password",
    "use the --password option",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_log_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_program_text_keeps_its_expressions_and_loses_its_literals() -> None:
    code = (
        "12: password = self.read(password=password)",
        f'>13: login(user, password="{PW}", token=token)',
        "14: key: str = api_key",
        "15: connect(db, password=pw1, token=tok2x) or retry(auth_token=t0k3n)",
    )
    result = Redactor().redact(report(exception=ExceptionInfo("E", frames=(Frame("a.py", code=code),))))
    assert result.exception is not None
    assert result.exception.frames[0].code == (code[0], code[1].replace(PW, "<redacted:password>"), *code[2:])


def test_expressions_in_a_traceback_inside_a_text_stay() -> None:
    text = 'Traceback (most recent call last):\n  File "a.py", line 3, in run\n    connect(password=pw1, token=tok2)\nError: x'
    assert redacted(text) == text


# --- headers, URLs, commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Basic {}", "Authorization: Basic <redacted:authorization>"),
        ("> authorization: bearer {}\n> accept: */*", "> authorization: bearer <redacted:authorization>\n> accept: */*"),
        ("Authorization: Bearer {} (401)", "Authorization: Bearer <redacted:authorization> (401)"),
        ("Proxy-Authorization: Basic {}", "Proxy-Authorization: Basic <redacted:authorization>"),
        ("HTTP_AUTHORIZATION=Token {}", "HTTP_AUTHORIZATION=Token <redacted:authorization>"),
        ("Authorization: {}", "Authorization: <redacted:authorization>"),
        ("Authorization: Custom {} x", "Authorization: Custom <redacted:authorization> x"),
        ("{{'Authorization': 'Basic {}', 'Accept': '*'}}", "{{'Authorization': 'Basic <redacted:authorization>', 'Accept': '*'}}"),
        ("{{'Authorization': b'Basic {}'}}", "{{'Authorization': b'Basic <redacted:authorization>'}}"),
        ('{{"Authorization": ["Bearer {}"]}}', '{{"Authorization": ["Bearer <redacted:authorization>"]}}'),
        ("[('Authorization', 'Bearer {}')]", "[('Authorization', 'Bearer <redacted:authorization>')]"),
        ('{{\\"Authorization\\": \\"Bearer {}\\"}}', '{{\\"Authorization\\": \\"Bearer <redacted:authorization>\\"}}'),
        ("curl -H 'Authorization: Bearer {}' http://x", "curl -H 'Authorization: Bearer <redacted:authorization>' http://x"),
        (
            "send: b'GET / HTTP/1.1\\r\\nAuthorization: Basic {}\\r\\n'",
            "send: b'GET / HTTP/1.1\\r\\nAuthorization: Basic <redacted:authorization>\\r\\n'",
        ),
        ('Authorization: Digest username="b", response="{}"\nnext', "Authorization: Digest <redacted:authorization>\nnext"),
        (
            "'Authorization': 'Digest username=\"b\", response=\"{}\"', 'X': 1",
            "'Authorization': 'Digest <redacted:authorization>', 'X': 1",
        ),
        ("curl -H 'Authorization: Digest a=\"{}\"' http://x", "curl -H 'Authorization: Digest <redacted:authorization>' http://x"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=x, Signature={}", "Authorization: AWS4-HMAC-SHA256 <redacted:authorization>"),
        ("got Bearer {} from cache", "got Bearer <redacted:authorization> from cache"),
        ("got Basic {} from cache", "got Basic <redacted:authorization> from cache"),
    ],
)
def test_authorization_headers_keep_only_their_scheme(text: str, expected: str) -> None:
    assert redacted(text.format(B64)) == expected.format()


def test_a_header_that_was_cut_off_is_redacted_up_to_the_cut() -> None:
    assert redacted("{'Authorization': 'Bearer " + ALNUM) == "{'Authorization': 'Bearer <redacted:authorization>"


def test_the_password_inside_basic_authentication_is_redacted_elsewhere_too() -> None:
    result = Redactor().redact(report(error_message=f"login {PW} refused", log=(LogLine(f"Authorization: Basic {B64}"),)))
    assert result.error_message == "login <redacted:authorization> refused"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cookie: sid=abc123; theme=dark1", "Cookie: sid=<redacted:cookie>; theme=<redacted:cookie>"),
        ("Set-Cookie: sid=abc123; Path=/; HttpOnly", "Set-Cookie: sid=<redacted:cookie>; Path=/; HttpOnly"),
        (
            "{'Set-Cookie': 'a=b1c2; Expires=Wed, 21 Oct 2026 07:28:00 GMT, c=d3e4; Path=/', 'X': 'y'}",
            "{'Set-Cookie': 'a=<redacted:cookie>; Expires=Wed, 21 Oct 2026 07:28:00 GMT, c=<redacted:cookie>; Path=/', 'X': 'y'}",
        ),
        ("curl -H 'Cookie: a=b1c2' http://x", "curl -H 'Cookie: a=<redacted:cookie>' http://x"),
        ("Cookie: sid=abc123 was sent", "Cookie: sid=<redacted:cookie> was sent"),
        ("<RequestsCookieJar[<Cookie sid=abc123 for x.com/>]>", "<RequestsCookieJar[<Cookie sid=<redacted:cookie> for x.com/>]>"),
        ("cookies={'sid': 'abc123'}", "cookies={<redacted:secret>}"),
    ],
)
def test_cookies_keep_names_and_attributes(text: str, expected: str) -> None:
    assert redacted(text) == expected
    assert redacted(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://bob:{}@db:5432/x", "postgresql://bob:<redacted:url-password>@db:5432/x"),
        ("redis://:{}@cache/0 refused", "redis://:<redacted:url-password>@cache/0 refused"),
        ("https://bob:a@b:{}@host/x", "https://bob:<redacted:url-password>@host/x"),
        ("amqp://bob:x/{}@host/vhost", "amqp://bob:<redacted:url-password>@host/vhost"),
        ("jdbc:mysql://bob:{}@h/db?password={}", "jdbc:mysql://bob:<redacted:url-password>@h/db?password=<redacted:password>"),
        ("https://x.blob/c?sv=2020&sig={}%3D&se=1", "https://x.blob/c?sv=2020&sig=<redacted:url-token>&se=1"),
        ("https://s3/x?X-Amz-Signature={}&a=b", "https://s3/x?X-Amz-Signature=<redacted:url-token>&a=b"),
        ("https://x/cb?code=4/0Ab_{}AbCdEfGh&scope=a", "https://x/cb?code=<redacted:url-token>&scope=a"),
        ("curl -u bob:{} http://x", "curl -u bob:<redacted:password> http://x"),
        ("curl --user 'bob:{}' http://x", "curl --user 'bob:<redacted:password>' http://x"),
        ("sshpass -p {} ssh x", "sshpass -p <redacted:password> ssh x"),
        ("mysql -u root -p{} db", "mysql -u root -p<redacted:password> db"),
        ("openssl rsa -passin pass:{} -in k", "openssl rsa -passin pass:<redacted:password> -in k"),
        ("redis-cli -h x -a {} ping", "redis-cli -h x -a <redacted:password> ping"),
    ],
)
def test_urls_and_commands_lose_only_the_password(text: str, expected: str) -> None:
    assert redacted(text.replace("{}", PW)) == expected


def test_an_access_token_as_the_user_of_a_url_is_redacted() -> None:
    assert redacted(f"https://{ALNUM}@git.example.com/x") == "https://<redacted:url-password>@git.example.com/x"
    assert ALNUM not in redacted(f"https://{ALNUM}:x-oauth-basic@git.example.com/x")


# --- tokens of well-known form


TOKENS = [
    ("aws-key", "AK" + "IA" + "ABCDEFGH23456789"),
    ("aws-key", "AS" + "IA" + "ABCDEFGH23456789"),
    ("google-key", "AI" + "za" + ALNUM + "abc"),
    ("google-key", "ya2" + "9." + ALNUM),
    ("google-key", "GOC" + "SPX-" + ALNUM[:28]),
    ("google-key", "1/" + "/0" + ALNUM),
    ("azure-key", "abc" + "8Q~" + ALNUM + "xy"),
    ("github-token", "gh" + "p_" + ALNUM + "abcd"),
    ("github-token", "gh" + "o_" + ALNUM + "abcd"),
    ("github-token", "gh" + "u_" + ALNUM + "abcd"),
    ("github-token", "gh" + "s_" + ALNUM + "abcd"),
    ("github-token", "gh" + "r_" + ALNUM + "abcd"),
    ("github-token", "github" + "_pat_" + ALNUM + "_" + ALNUM),
    ("gitlab-token", "gl" + "pat-" + ALNUM[:20]),
    ("gitlab-token", "gl" + "dt-" + ALNUM[:20]),
    ("gitlab-token", "gl" + "rt-" + ALNUM[:20]),
    ("slack-token", "xo" + "xb-" + "123456789012-" + ALNUM),
    ("slack-token", "xo" + "xp-" + "123456789012-" + ALNUM),
    ("slack-token", "xa" + "pp-1-" + ALNUM),
    ("stripe-key", "sk_" + "live_" + ALNUM),
    ("stripe-key", "sk_" + "test_" + ALNUM),
    ("stripe-key", "rk_" + "live_" + ALNUM),
    ("stripe-key", "wh" + "sec_" + ALNUM),
    ("jwt", JWT),
    ("model-key", "sk" + "-" + ALNUM),
    ("model-key", "sk" + "-proj-" + ALNUM),
    ("model-key", "sk" + "-ant-api03-" + ALNUM),
    ("model-key", "hf" + "_" + ALNUM),
    ("registry-token", "np" + "m_" + ALNUM + "abcd"),
    ("registry-token", "py" + "pi-" + ALNUM + ALNUM),
    ("sendgrid-key", "S" + "G." + ALNUM[:22] + "." + ALNUM),
    ("twilio-key", "S" + "K" + HEX * 2),
    ("mail-key", "ke" + "y-" + HEX * 2),
    ("mail-key", HEX * 2 + "-us" + "12"),
    ("vault-token", "hv" + "s." + ALNUM),
    ("telegram-token", "123456789" + ":AA" + ALNUM + "x"),
    ("hosting-token", "dop" + "_v1_" + HEX * 4),
    ("service-token", "gl" + "sa_" + ALNUM + "_01234567"),
]


@pytest.mark.parametrize(("kind", "token"), TOKENS)
@pytest.mark.parametrize(
    "text", ["{}", "got {} here", "x={}&y=1", 'say "{}".', "next\\n{}\\nline", "a%20{}", "[{}]", "https://h/{}/x"]
)
def test_tokens_of_well_known_services_are_redacted_alone(kind: str, token: str, text: str) -> None:
    if "https" in text and token.startswith(("1//", "wh")):
        return  # slashes are a part of these
    assert redacted(text.format(token)) == text.format(f"<redacted:{kind}>")


@pytest.mark.parametrize(("kind", "token"), [(kind, token) for kind, token in TOKENS if "." not in token and "~" not in token])
def test_a_beginning_of_a_token_is_not_taken_for_one(kind: str, token: str) -> None:
    text = f"see {token[:12]} for more"
    assert redacted(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.slack.com/services/{}",
        "https://discord.com/api/webhooks/123456789/{}",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={}==;EndpointSuffix=core.windows.net",
        "Endpoint=sb://x/;SharedAccessKeyName=y;SharedAccessKey={}=",
    ],
)
def test_webhooks_and_connection_strings_lose_their_secret_part(text: str) -> None:
    secret = ALNUM + "T0/B0/x"[:0]
    result = redacted(text.format(secret))
    assert secret not in result
    assert result.startswith(text[:20])


KEY = f"{BEGIN}\nProc-Type: 4,ENCRYPTED\n\n{KEY_BODY}\n{KEY_BODY}\n{END}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"before\n{KEY}\nafter", "before\n<redacted:private-key>\nafter"),
        (json.dumps({"private_key": KEY, "x": 1}), '{"private_key": "<redacted:private-key>", "x": 1}'),
        (f"a {KEY.replace('RSA ', '')} b", "a <redacted:private-key> b"),
        (f"a {KEY.replace('RSA', 'OPENSSH')} b", "a <redacted:private-key> b"),
        (f"a {KEY.replace('RSA PRIVATE KEY', 'PGP PRIVATE KEY BLOCK')} b", "a <redacted:private-key> b"),
        (f"a {KEY} b {KEY} c", "a <redacted:private-key> b <redacted:private-key> c"),
        (f"a {BEGIN}\n{KEY_BODY}\n", "a <redacted:private-key>"),
        (f"{KEY_BODY}\n{END} b", "<redacted:private-key> b"),
        (f"{KEY_BODY}\n{END} b {BEGIN}{KEY_BODY}", "<redacted:private-key> b <redacted:private-key>"),
        (f"Private-Lines: 2\n{KEY_BODY}\n{KEY_BODY}", "Private-Lines: 2<redacted:private-key>"),
    ],
)
def test_private_keys_are_redacted_also_when_cut_off(text: str, expected: str) -> None:
    assert redacted(text) == expected


LINES = tuple(KEY.splitlines())


@pytest.mark.parametrize(
    "spread",
    [
        {"log": tuple(LogLine(line) for line in ["before", *LINES, "after"])},
        {"log": tuple(LogLine(line) for line in ["before", *LINES[:-1], "after"])},
        {"log": tuple(LogLine(line) for line in [*LINES[2:], "before", "after"])},
        {"keywords": (KeywordCall("Catenate", args=("before", *LINES, "after")),)},
        {"exception": ExceptionInfo("E", frames=(Frame("before", code=tuple(f"{n}: {line}" for n, line in enumerate(LINES))),))},
        {"attachments": ("before", *LINES, "after")},
    ],
)
def test_a_private_key_that_is_spread_over_lines_is_redacted(spread: dict[str, Any]) -> None:
    result = everything(Redactor().redact(report(**spread)))
    assert KEY_BODY not in result
    assert "before" in result
    assert "after" in result or "exception" in spread


# --- known values


@pytest.mark.parametrize(
    "name",
    [
        "${PASSWORD}",
        "${db password}",
        "${DB_PASSWORD}",
        "${dbPassword1}",
        "${Api Key}",
        "${token}",
        "${MY_SECRET}",
        "${aws_access_key_id}",
        "${private-key}",
        "${session cookie}",
        "${AUTH}",
        "${conn_str}",
        "DB_PASS",
        "github.token",
        "${jwt}",
        "${salasana}",
        "${SERVER_PASSWORD}",
    ],
)
def test_values_of_secret_names_are_redacted_anywhere(name: str) -> None:
    assert redacted("ab-Tr0ub4dor+3-yz", variables={name: "Tr0ub4dor+3"}) == "ab-<redacted:variable>-yz"


@pytest.mark.parametrize(
    "name",
    [
        "${PASSWORD_FIELD}",
        "${password locator}",
        "${TOKEN_URL}",
        "${max_tokens}",
        "${show_password}",
        "${user}",
        "${author}",
        "${passing}",
        "${key}",
        "${secretary}",
        "${AUTH_SERVER}",
        "${cookie_domain}",
        "${PASSWORD_MIN_LENGTH}",
    ],
)
def test_values_of_other_names_stay(name: str) -> None:
    assert redacted("ab Tr0ub4dor+3", variables={name: "Tr0ub4dor+3"}) == "ab Tr0ub4dor+3"


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "12345",
        "true",
        "False",
        "None",
        "password",
        "localhost",
        "Admin",
        "changeme",
        "2026-11-24",
        "xxxxxxxx",
        "********",
        "/home/ci/.ssh/id_rsa",
        "C:\\keys\\id",
        "key.pem",
        "id:password",
        "//input[@id='pw']",
        "css=#pw",
        "https://example.com/login",
        "<secret>",
        "10 seconds",
        True,
        None,
        3.5,
        "",
    ],
)
def test_values_that_are_short_common_or_no_secret_stay(value: object) -> None:
    text = f"it says {value} here"
    assert redacted(text, variables={"${PASSWORD}": value}) == text


@pytest.mark.parametrize(
    "form",
    [
        lambda v: v,
        lambda v: quote(v, safe=""),
        lambda v: quote(v),
        lambda v: quote(v, safe="").lower() if v.islower() else quote(v, safe=""),
        lambda v: quote_plus(v),
        lambda v: quote_plus(v, safe="/"),
        lambda v: json.dumps(v)[1:-1],
        lambda v: json.dumps(json.dumps(v))[3:-3],
        lambda v: repr(v)[1:-1],
        lambda v: repr(v.encode())[2:-1],
        lambda v: html.escape(v),
        lambda v: v.replace("'", "'\"'\"'"),
        lambda v: base64.b64encode(v.encode()).decode().rstrip("="),
        lambda v: json.dumps({"v": v})[7:-2],
    ],
)
@pytest.mark.parametrize(
    "value", ["simplePassw0rd", "a b&c<d>/é+~=%", 'it\'s "so" 5', "back\\slash\tä", "p@ss/w?rd#1", "a/b!c(d)*e", "💥boom-boom💥"]
)
def test_known_values_are_found_in_all_their_forms(form: Any, value: str) -> None:
    shown = form(value)
    assert shown not in redacted(f"Sent <{shown}> to host", variables={"${PASSWORD}": value})


@pytest.mark.parametrize("encoded", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "x:", "bo:", "bob:", "user:"])
@pytest.mark.parametrize("after", ["", ":", ":x", ":yz", " and more"])
def test_base64_of_texts_with_a_known_value_is_redacted(encoded: Any, before: str, after: str) -> None:
    value = "\u00feass?w\u00f6rd>>>\u00ff~7"
    text = encoded((before + value + after).encode()).decode()
    result = redacted(f"sent {text} to host", variables={"${PASSWORD}": value})
    kept = result.removeprefix("sent ").removesuffix(" to host")
    assert "<redacted:variable>" in kept
    assert len(kept.replace("<redacted:variable>", "")) <= len(text) - len(value)


@pytest.mark.parametrize(
    "value",
    [
        {"user": "bobsmith", "pass": PW},
        {"a": {"b": [{"c": (PW,)}]}},
        [PW, "x"],
        {PW},
        PW.encode(),
        json.dumps({"type": "service_account", "key": PW}),
        type("Account", (), {})(),
        Enum("E", {"A": PW}).A,  # type: ignore[attr-defined]
    ],
)
def test_containers_under_a_secret_name_are_searched(value: Any) -> None:
    if not isinstance(value, (dict, list, set, bytes, str, Enum)):
        value.inner = PW
    assert (
        redacted(f"x {PW} bobsmith service_account", variables={"&{creds}": value})
        == "x <redacted:variable> bobsmith service_account"
    )


def test_secret_entries_of_other_containers_are_known() -> None:
    config = {"db": [{"host": "dbhost1", "db_password": PW}], "url": f"amqp://bob:{ALNUM}@mq/"}
    text = f"dbhost1 {PW} bob {ALNUM}"
    assert redacted(text, variables={"${CONFIG}": config}) == "dbhost1 <redacted:variable> bob <redacted:variable>"


def test_containers_that_contain_themselves_are_searched_once() -> None:
    creds: dict[str, Any] = {"pass": PW}
    creds["self"] = [creds]
    knot: list[Any] = []
    knot += [knot, creds] * 40
    assert (
        redacted(PW, variables={"&{creds}": creds, "${other}": creds, "@{knot}": knot, "@{tokens}": knot}) == "<redacted:variable>"
    )


class Secret:
    """Like Robot's (7.4 and newer), which older ones do not have."""

    def __init__(self, value: str):
        self.value = value

    def __str__(self) -> str:
        return "<secret>"


def test_robots_secret_objects_are_known_whatever_their_name() -> None:
    assert redacted(f"a {PW}", variables={"${x}": Secret(PW), "${y}": [Secret(ALNUM)]}) == "a <redacted:variable>"
    assert redacted(f"a {ALNUM}", variables={"${y}": [Secret(ALNUM)]}) == "a <redacted:variable>"


def test_robots_own_secret_type_is_known() -> None:
    types = pytest.importorskip("robot.api.types", reason="new in Robot Framework 7.4")
    if not hasattr(types, "Secret"):
        pytest.skip("new in Robot Framework 7.4")
    assert redacted(f"a {PW}", variables={"${x}": types.Secret(PW)}) == "a <redacted:variable>"


def test_a_great_many_values_are_all_known() -> None:
    known = {f"${{password {number}}}": f"value{number}x" for number in range(500)}
    known["${token}"] = "six6six"
    text = "value7x value499x six6six value500x"
    assert redacted(text, variables=known) == "<redacted:variable> <redacted:variable> <redacted:variable> value500x"


def test_environment_entries_are_known() -> None:
    environ = {"CI_TOKEN": PW, "PWD": "C1/tests", "HOME": "/home/ci-user", "REDIS_URL": f"redis://:{ALNUM}@h/0"}
    text = f"{PW} C1/tests /home/ci-user {ALNUM}"
    assert redacted(text, environ=environ) == "<redacted:environment> C1/tests /home/ci-user <redacted:environment>"


def test_the_longer_of_two_values_wins() -> None:
    known = {"${PASSWORD}": "abcdef12", "${TOKEN}": "abcdef123456"}
    counts: dict[str, int] = {}
    assert Redactor(known).text("x abcdef123456 abcdef12 y", counts) == "x <redacted:variable> <redacted:variable> y"
    assert counts == {"variable": 2}


def test_short_numbers_are_replaced_as_numbers_only() -> None:
    assert redacted("pin 482913, id 14829130", variables={"${PASSWORD}": "482913"}) == "pin <redacted:variable>, id 14829130"


@pytest.mark.parametrize(
    "text",
    [
        f"log ends {ALNUM[:20]}",
        f"${{x}} = {ALNUM[:20]}...",
        f"head {ALNUM[:20]} [... 812 characters left out ...] tail",
        f"head [... 812 characters left out ...] {ALNUM[12:]} tail",
        f"{ALNUM[12:]} starts the log",
        f"...{ALNUM[12:]} starts the log",
    ],
)
def test_a_known_value_that_is_cut_off_is_redacted(text: str) -> None:
    result = redacted(text, variables={"${TOKEN}": ALNUM})
    assert "<redacted:variable>" in result
    assert ALNUM[12:20] not in result


def test_a_part_of_a_known_value_inside_a_text_stays() -> None:
    text = f"see {ALNUM[:10]} and {ALNUM[10:]} here"
    assert redacted(text, variables={"${TOKEN}": ALNUM}) == text


def test_lines_of_a_key_in_a_variable_are_known_each() -> None:
    assert KEY_BODY not in redacted(f"read {KEY_BODY} from disk", variables={"${SSH_KEY}": KEY})


# --- keywords and their arguments


@pytest.mark.parametrize(
    "cells",
    [
        ("Input Password", "id:password", PW),
        ("Input Password", PW),
        ("SeleniumLibrary.Input_password", "id:password", PW, "clear=False"),
        ("Fill Secret", "id=pw", PW),
        ("Input Text", "id:password", "two words"),
        ("Fill Text", "css=#user-passwd", PW, "force=True"),
        ("Enter The User Password", PW),
        ("Given Enter Password", "bob", PW),
        ("Login", "bob", PW),
        ("SSHLibrary.Login", "bob", "correct-horse"),
        ("Login As Admin", "bob", PW),
        ("Add Cookie", "sid", PW),
        ("Connect To Database", "psycopg2", "db", "bob", PW, "host"),
        ("Run Process", "mysql", "--password", PW),
        ("Set Suite Variable", "${PASSWORD}", PW),
        ("VAR", "${db_password}", "two words"),
        ("Set To Dictionary", "${d}", "password", PW),
        ("Set Environment Variable", "DB_PASSWORD", "two words"),
        ("Create Dictionary", "user=bob", "password=two words"),
        ("Should Be Equal", "${PASSWORD}", PW),
        ("Log", f"password={PW}"),
    ],
)
def test_secret_arguments_of_keywords_are_redacted(cells: tuple[str, ...]) -> None:
    shown = everything(Redactor().redact(step(*cells)))
    assert PW not in shown
    assert " words" not in shown
    assert "correct-horse" not in shown
    assert "bob" in shown or "bob" not in cells


@pytest.mark.parametrize(
    "cells",
    [
        ("Input Password", "id:password", "${PASSWORD}"),
        ("Input Password", "id:password", "%{PASSWORD}"),
        ("Input Text", "id:user", "hello"),
        ("Input Text", "id:password", "${PASSWORD}"),
        ("Click Element", "id:password"),
        ("Wait Until Element Is Visible", "${PASSWORD}", "10s"),
        ("Create Dictionary", "grant_type=password", "client_id=web", "user=bob"),
        ("Create Dictionary", "Authorization=${TOKEN}", "Content-Type=application/json"),
        ("Create Dictionary", "password", "${PASSWORD}", "name", "bob"),
        ("Login", "${USER}", "${PASSWORD}"),
        ("Login", "https://example.com", "chrome"),
        ("Set Token Expiry", "3600"),
        ("Get From Dictionary", "${d}", "access_token"),
        ("Log", "password", "WARN"),
        ("Password Should Be Visible", "id:pw"),
    ],
)
def test_other_arguments_of_keywords_stay(cells: tuple[str, ...]) -> None:
    original = step(*cells)
    assert Redactor().redact(original) == original


# --- the user's own patterns


def test_a_pattern_replaces_its_match_or_its_first_group() -> None:
    counts: dict[str, int] = {}
    patterns = [r"ACME-\d+", r"badge (\w+)!", r"(x)?yz{3}"]
    assert (
        Redactor(patterns=patterns).text("ACME-12 badge k9! yzzz", counts)
        == "<redacted:custom> badge <redacted:custom>! <redacted:custom>"
    )
    assert counts == {"custom": 3}


def test_patterns_that_match_marks_or_nothing_change_nothing_more() -> None:
    patterns = [r"\S+", r"x*", r"<redacted:(\w+)>"]
    once = redacted("some text", patterns=patterns)
    assert once == "<redacted:custom> <redacted:custom>"
    assert redacted(once, patterns=patterns) == once


def test_a_pattern_that_overlaps_another_finding_makes_one_mark() -> None:
    assert redacted(f"say token={PW}-and-more now", patterns=["2x9-and"]) == "say token=<redacted:token> now"
    assert redacted(f"token={PW}-and-more of it all", patterns=["x9-and-more of it all"]) == "token=<redacted:custom>"


def test_what_shows_only_beside_a_mark_is_redacted_at_once() -> None:
    text = f"</{PW}Cookie: {ALNUM}"
    once = redacted(text, variables={"${PASSWORD}": PW})
    assert once == "</<redacted:variable>Cookie: <redacted:secret>"
    assert redacted(once, variables={"${PASSWORD}": PW}) == once


# --- whole reports


UNTOUCHED = {"id-1", "shop", "f00d", "setup", "CODE_ERROR", "KEYWORD"}


def full_report(secret: str) -> FailureReport:
    """A report with `secret` in every text there is."""
    s = f"a {secret} b"
    cause = ExceptionInfo(s, s, (Frame(s, 1, s, (s, s)),))
    return FailureReport(
        "id-1",
        "shop",
        "f00d",
        Run(s, s, s, s, s, Ci(s, s), Git(s, s, s, True)),
        s,
        s,
        s,
        s,
        s,
        7,
        (s, s),
        Phase.SETUP,
        ErrorType.CODE_ERROR,
        (KeywordCall(s, s, s, (s, s), s, 3, s),),
        (LogLine(s, s, s), LogLine(s, "KEYWORD", s)),
        (Truncation(s, 2, 1),),
        ExceptionInfo(s, s, (Frame(s, 1, s, (s, s)),), (cause,)),
        (ExecutionError(s, s, s),),
        (s, s),
        {"token": 2},
    )


def test_every_text_of_a_report_is_redacted() -> None:
    result = Redactor({"${PASSWORD}": PW}).redact(full_report(PW))
    unmarked = full_report("<redacted:variable>")
    assert dataclasses.replace(result, redactions={}) == dataclasses.replace(unmarked, redactions={})
    assert result.redactions["token"] == 2
    assert result.redactions["variable"] == everything(result).count("<redacted:variable>")


def test_full_report_of_this_test_fills_every_text_field() -> None:
    without = [text for text in texts(encode(full_report(PW))) if PW not in text]
    assert sorted(without) == sorted(UNTOUCHED)


@dataclasses.dataclass(frozen=True, slots=True)
class Newer(FailureReport):
    """A report as a later version may have it."""

    notes: dict[str, tuple[LogLine, ...]] = dataclasses.field(default_factory=dict)


def test_fields_that_do_not_exist_yet_are_redacted() -> None:
    newer = Newer("i", "p", "f", Run("r"), "s", "t", "", notes={PW: (LogLine(PW),)})
    result = Redactor({"${PASSWORD}": PW}).redact(newer)
    assert isinstance(result, Newer)
    assert PW not in everything(result)


def test_identity_of_a_report_never_changes() -> None:
    original = report(id=PW, project=PW, fingerprint=PW, error_message=PW)
    result = Redactor({"${PASSWORD}": PW}).redact(original)
    assert (result.id, result.project, result.fingerprint, result.version) == (PW, PW, PW, original.version)
    assert result.error_message == "<redacted:variable>"


def test_a_secret_that_one_text_names_is_redacted_in_all_others() -> None:
    result = Redactor().redact(report(error_message=f"sent {PW} twice", log=(LogLine(f"${{token}} = {PW}"), LogLine("ok"))))
    assert result.error_message == "sent <redacted:token> twice"
    assert result.redactions == {"token": 2}


def test_a_report_without_secrets_comes_back_equal() -> None:
    original = report(error_message="Element 'id:password' not found", log=(LogLine("x"),))
    assert Redactor({"${PASSWORD}": PW}, {"TOKEN": ALNUM}).redact(original) == original


# --- fails closed


class Broken(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError(f"cannot read {PW}")

    def __len__(self) -> int:
        return 1


class Unreadable:
    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        raise OSError(PW)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("redactor", "problem"),
    [
        (Redactor(patterns=["ok", "(unclosed"]), "pattern 2"),
        (Redactor(patterns=["ok", None]), "pattern 2"),  # type: ignore[list-item]
        (Redactor(Broken()), "RuntimeError"),
        (Redactor({"${PASSWORD}": Unreadable()}), "OSError"),
        (Redactor({}, Broken()), "environment"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_redacted_stays_in_the_process_and_out_of_the_message(redactor: Redactor, problem: str) -> None:
    for attempt in (lambda: redactor.redact(report(error_message=f"password={PW}")), lambda: redactor.text(f"password={PW}")):
        with pytest.raises(RedactionError) as caught:
            attempt()
        assert problem in str(caught.value)
        assert "stays in the process" in str(caught.value)
        assert not any(PW in str(error) for error in chain(caught.value))


def test_a_field_of_a_type_that_could_hide_a_text_is_refused() -> None:
    with pytest.raises(RedactionError, match="stays in the process"):
        Redactor().redact(report(error_message=PW.encode()))


def test_nothing_is_read_before_the_first_text() -> None:
    Redactor(Broken(), {}, ["(unclosed"])


# --- hostile input: each of these must end soon, although nobody measures it here


@pytest.mark.parametrize(
    "piece",
    [
        "a=",
        "://::::@",
        "://a:b@c",
        "ey" + "J",
        "ey" + "J.",
        "-----BEGIN ",
        BEGIN,
        END,
        "password=",
        'password="',
        "password='\\\"",
        "token=a(",
        "auth=",
        "Authorization: ",
        "Authorization: Digest ",
        "'Authorization':'",
        "cookie: a=",
        "Set-Cookie: ,a=",
        "${token} = ",
        "${",
        "\\",
        '\\"',
        "<password>",
        "pass pass ",
        "--password ",
        "curl -u a:",
        "mysql -",
        "key-",
        "sig=&",
        "&{x} = { password=a(",
        "basic ",
        "http://",
        "@",
        ".",
        "password:",
    ],
)
def test_repeated_pieces_end(piece: str) -> None:
    redacted(piece * (200_000 // len(piece)), variables={"${PASSWORD}": PW})


def test_secrets_among_hostile_text_are_found() -> None:
    text = "password=" * 1000 + f" ://::::@ {JWT} " + "://::::@" * 1000
    assert JWT not in redacted(text)


# --- properties


FRAMES = [
    "{}",
    "x{}y",
    "password={}",
    '{{"token": "{}"}}',
    "a {} b {}",
    "https://u:{}@h/",
    "Authorization: Bearer {}",
    "${{SECRET}} = {}",
    "{}...",
    "é{}İ",
    "<b>{}</b>",
]
secrets = st.text(st.characters(codec="utf-8", min_codepoint=33), min_size=8, max_size=40).filter(
    lambda value: Redactor({"${PASSWORD}": value}).text(value) == "<redacted:variable>"
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(secret=secrets, frame=st.sampled_from(FRAMES), noise=st.text(max_size=40))
def test_a_planted_secret_survives_nowhere(secret: str, frame: str, noise: str) -> None:
    original = full_report(noise + frame.replace("{}", secret).replace("{{", "{").replace("}}", "}"))
    result = Redactor({"${PASSWORD}": secret}).redact(original)
    shown = "\n".join(set(texts(encode(result))) - UNTOUCHED).replace("<redacted:", "")
    for form in (secret, json.dumps(secret)[1:-1], quote(secret)):
        assert form not in shown
    assert Redactor({"${PASSWORD}": secret}).redact(result) == result


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "password",
                "token",
                "=",
                ": ",
                "'",
                '"',
                "\\",
                " ",
                "\n",
                "<redacted:token>",
                "<redacted:",
                ">",
                "Authorization",
                "Bearer ",
                "Basic ",
                "://",
                "u:",
                "@h",
                "{",
                "}",
                "(",
                ")",
                "&",
                ";",
                ",",
                "|",
                "${",
                "abc123XYZ",
                PW,
                B64,
                BEGIN,
                END,
                "Cookie: ",
                "a=b1",
                "--",
                "key",
                "value",
                "...",
                "auth",
                "<",
                "</",
                "=>",
                "is ",
            ]
        ),
        max_size=25,
    ).map("".join)
)
def test_redacting_twice_changes_nothing(text: str) -> None:
    redactor = Redactor({"${PASSWORD}": PW}, patterns=[r"b1\w*", r"(abc)1"])
    once = redactor.redact(
        report(error_message=text, log=(LogLine(text, "KEYWORD"),), keywords=(KeywordCall("K", args=tuple(text.split("  "))),))
    )
    assert redactor.redact(once) == once
