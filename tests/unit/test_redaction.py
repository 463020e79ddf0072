"""Secrets are found wherever they stand, masked so that nothing of them is left, and little else is."""

from __future__ import annotations

import asyncio
import copy
import json
import random
import re
import string
import time
from pathlib import Path
from typing import Any

import pytest

from pyapp import InMemorySessionPersistDriver
from pyapp.archive import check_recording, line_of, read_rows
from pyapp.redaction import MOST_FINDINGS, Redactor, masked
from pyapp.redaction import redactor as redacting
from pyapp.secret_patterns import SHAPES, find_secrets
from pyapp.types import Row
from tests.unit.recordings import DEMO, Script

LOT = random.Random(6)
LETTERS = string.ascii_letters + string.digits


def drawn(length: int, marks: str = LETTERS) -> str:
    return "a1Z" + "".join(LOT.choices(marks, k=length - 3))


def hexadecimal(length: int) -> str:
    return "".join(LOT.choices("0123456789abcdef", k=length))


def lines(count: int) -> str:
    return "\n".join(drawn(64, LETTERS + "+/") for _ in range(count))


def pem(what: str, body: str) -> str:
    return f"-----BEGIN {what}-----\n{body}\n-----END {what}-----"


SECRETS = [
    ("anthropic key", f"sk-ant-api03-{drawn(95)}"),
    ("openai key", f"sk-{drawn(20)}T3BlbkFJ{drawn(20)}"),
    ("openai key", f"sk-proj-{drawn(60)}"),
    ("openrouter key", f"sk-or-v1-{hexadecimal(64)}"),
    ("google key", f"AIza{drawn(35)}"),
    ("google token", f"ya29.{drawn(60)}"),
    ("aws key id", "AKIAIOSFODNN7EXAMPLE"),
    ("aws key id", "ASIAQWERTYUIOP234567"),
    *(("github token", f"{prefix}_{drawn(36)}") for prefix in ("ghp", "gho", "ghu", "ghs", "ghr")),
    ("github token", f"github_pat_{drawn(22)}_{drawn(59)}"),
    ("gitlab token", f"glpat-{drawn(20)}"),
    ("slack token", f"xoxb-123456789012-1234567890123-{drawn(24)}"),
    ("stripe key", f"sk_live_{drawn(24)}"),
    ("npm token", f"npm_{drawn(36)}"),
    ("pypi token", f"pypi-AgEIcHlwaS5vcmc{drawn(80)}"),
    ("hugging face token", f"hf_{drawn(34)}"),
    ("azure key", f"aB3{'8Q~'}{drawn(34)}"),
    ("twilio key", f"SK{hexadecimal(32)}"),
    ("sendgrid key", f"SG.{drawn(22)}.{drawn(43)}"),
    ("telegram token", f"123456789:AA{drawn(33)}"),
    ("service key", f"gsk_{drawn(52)}"),
    ("jwt", f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{drawn(43)}"),
    ("age key", f"AGE-SECRET-KEY-1{''.join(LOT.choices('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', k=58))}"),
    ("private key", pem("RSA PRIVATE KEY", lines(8))),
    ("private key", pem("OPENSSH PRIVATE KEY", lines(6))),
    ("private key", pem("PGP PRIVATE KEY BLOCK", f"\n{lines(6)}\n=ab12")),
]
AROUND = ["{}", "export X {} ok", "'{}'", "({}).", "line\\n{}\\nmore", "https://host/path?x={}&more=1"]

IN_CONTEXT = [
    ("authorization", "Authorization: Bearer {}", "abc123def456"),
    ("authorization", "authorization: Basic {}", "dXNlcjpwYXNz"),
    ("authorization", "curl -H 'Authorization: token {}' x", drawn(40, string.ascii_lowercase)),
    ("authorization", "send Bearer {} along", drawn(30)),
    ("password", "postgres://me:{}@db.internal:5432/x", "hunter2"),
    ("password", "https://me:{}@host/path", "p%40ss"),
    ("password", "redis://:{}@localhost:6379", "word"),
    ("password", "Server=tcp:x;User ID=me;Password={};Encrypt=true", "pa55w0rd"),
    ("password", "DB_PASSWORD={}", "hunter2!"),
    ("password", 'password: "{}"', "correct-horse-9"),
    ("azure key", "AccountName=a;AccountKey={};EndpointSuffix=x", drawn(86) + "=="),
    ("aws secret key", "AWS_SECRET_ACCESS_KEY={}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("token", "API_KEY={}", drawn(32)),
    ("token", '"api_key": "{}"', hexadecimal(32)),
    ("token", '{{\\"token\\": \\"{}\\"}}', drawn(30)),
    ("token", "//registry.npmjs.org/:_authToken={}", drawn(36)),
    ("token", 'export DEPLOY_KEY="{}"', drawn(30)),
    ("password", "db_password = '{}'", "qW3$rT6^yU"),
    ("password", "MYSQL_PWD={}", "hunter2!"),
    ("password", "postgres://user:{}@host/db", "pa@ss1word"),
    ("password", "mongodb://me:{}@a.b:27017,c.d:27017/x", "p@ss@word"),
    ("password", "machine h login me password {}", "Zx9q7"),
    ("password", "tool --db-password {} --force", "hunter2!"),
    ("token", 'SECRET_KEY = "{}"', "django-insecure-k$3^d)q9w!7f(z@xw2l8m5v0b6n1c4h_j%r+t=y*u-i&o"),
    ("token", '["tool", "--api-key", "{}"]', drawn(32)),
    ("token", '[\\"--api-key\\",\\n  \\"{}\\"]', drawn(32)),
    ("token", "tool --api-key {} --verbose", drawn(32)),
    ("token", "tool --auth-token '{}'", drawn(32)),
    ("token", '{{"key": "API_KEY", "value": "{}"}}', drawn(32)),
    ("token", '{{\\"name\\": \\"API_KEY\\",\\n \\"value\\": \\"{}\\"}}', drawn(32)),
    ("token", "- name: API_KEY\n  value: {}\n", drawn(32)),
    ("token", '"tokens": ["{}"]', drawn(32)),
    ("authorization", '"auths": {{"r.io": {{"auth": "{}"}}}}', "dXNlcjpwYXNzd29yZDE="),
    ("authorization", '{{\\"auth\\": \\"{}\\"}}', "dXNlcjpwYXNzd29yZDE="),
    ("discord token", "the bot's token for Discord: {}", f"MTk4{drawn(22)}.{drawn(6)}.{drawn(38)}"),
    ("discord token", "Authorization: Bot {}", f"NzkyO{drawn(19)}.{drawn(6)}.{drawn(27)}"),
    ("cookie", "Cookie: session={}; theme=dark; other=x", hexadecimal(30) + "a1"),
    ("cookie", "Cookie: theme=dark; other={}", drawn(32)),
    ("cookie", "Set-Cookie: sid={}; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", hexadecimal(30) + "a1"),
    ("cookie", '{{\\"cookie\\": \\"theme=dark; sid={}; x=1\\"}}', hexadecimal(30) + "a1"),
    ("cookie", "curl -b 'sid={}' https://host", hexadecimal(30) + "a1"),
    ("cookie", 'curl --cookie "PHPSESSID={}; lang=en" x', "k3j4h5k3j4h5"),
    ("cookie", "document.cookie = 'auth_token={}'", "a1b2c3d4"),
    ("password", "curl -u me:{} https://host", "abcdef"),
    ("password", "curl https://host?a=1 -u 'me:{}' -v", "hun ter&2"),
    ("password", "curl \\\n  --user me:{} \\\n  x", "hunter2!"),
    ("password", "curl -ume:{} x | jq", "hunter2"),
    ("password", '["curl", "-u", "me:{}", "x"]', "hunter2"),
    ("password", "mysql -u root -p{} db", "hunter2!"),
    ("password", "mysqldump -p'{}' db", "hun ter2!"),
    ("webhook", "https://hooks.slack.com/services/{}", f"T00000000/B00000000/{drawn(24)}"),
]

NO_SECRETS = [
    "token = get_token(user)",
    'api_key = os.environ["API_KEY"]',
    "password: string",
    "API_KEY=your-api-key-here",
    "API_KEY=${API_KEY}",
    "token: process.env.GITHUB_TOKEN",
    '"maxTokens": 4096, "totalTokens": 123456789012',
    "secret_key = config.secret_key_base",
    "the task-list-with-many-words-and-20-items",
    "Bearer YOUR_TOKEN_GOES_HERE",
    "PWD=/root/work/x9",
    "PWD=prod-eu-1",
    "OLDPWD=prod-eu-1",
    "cwd pwd=project-2024",
    "passwd:x:1000:1000:user",
    "http://localhost:8080@foo",
    "http://127.0.0.1:8080@foo",
    "https://example.com:8080/a@b",
    'token = "${TOKEN_2024_01}"',
    'password = "{{password_2024}}"',
    'SECRET_KEY = "{prefix_12}-{uuid_34}"',
    'api_key = "get_key(env_2024_x1)"',
    'TOKEN = "(?:[a-z]+)[0-9]{1,3}x2"',
    '["--token-name", "deploy-2024"]',
    "use --password to give a password, --token-file for its file",
    '"auth": "basicauth123", "author": "dXNlcjpwYXNzd29yZDE="',
    '{"name": "KEYBOARD", "value": "qwertz123456789"}',
    "https://example.com:8080/c@d",
    "git@github.com:someone/something.git",
    "self.token_count2 = compute_token_count2",
    "-----BEGIN PRIVATE KEY-----",
    'if text.startswith("ghp_"): ...',
    "npm_config_registry npm_lifecycle_event npm_package_json_and_more_words_of_letters",
    "550e8400-e29b-41d4-a716-446655440000",
    "sha256-" + "0123456789abcdef" * 4,
    "[secret: github token 1]",
]

WHOLE = [
    # what ends a bare value, and what is part of it
    "password: {tr0ub4dor&3}",
    "password: {tr0ub4dor;3x}",
    "password: {tr0ub4dor,3x}",
    "password: {tr0ub4dor(3)x}",
    "password: {tr0ub4dor(3x}",
    "password: {tr0ub4dor)3x}",
    "password: {tr0ub4dor[3]x}",
    "password: {tr0ub4dor<3x}",
    "password: {tr0ub4dor>3x}",
    "password: {tr0ub4dor'3x}",
    "password: {tr0ub4dor\\3x}",
    "password: {ab&cd12x!}",
    "password: {pa$$w0rd1}",
    "password={tr0ub4dor&3}",
    "x DB_PASSWORD={tr0ub4dor&3} y",
    "DB_PASSWORD={tr0ub4dor)3x}",
    "DB_PASSWORD={ab(c9)d!2}",
    "SECRET_KEY={django-insecure-8#k2j$h1^x}",
    "API_KEY={x7$kq29dmz02wp}",
    "DEPLOY_KEY={a1b2c3d4e5f6$g7}",
    "TOKEN={abc123def456:xyz789}",
    "TOKEN={1|laravelA1b2c3d4e5}",
    "token: {a1b2c3d4e5f6,g7}",
    "Authorization: Bearer {abc123def456!x$y}",
    "machine h login me password {Zx9$q7}",
    "tool --password {tr0ub4dor&3x}",
    "- name: API_KEY\n  value: {a1b2c3d4e5f6$g7}\n",
    "postgres://me:{pa$w0rd}@db/x",
    # queries, forms, the shell
    "https://h/?password={hunter2!}&next=y",
    "password={hunter2x}&next=y&a=b",
    "a=b&password={hunter2x}&amp;next=y",
    "token={a1b2c3d4e5f6g7}&x=y",
    "password={hunter2!}; next",
    "export TOKEN={a1b2c3d4e5f6g7};",
    "curl -H 'Authorization: Bearer {abc123def456}' x",
    # connection strings
    "Server=x;Password={ab12!cd};Encrypt=true",
    "Server=x;Password={my pass 9};Encrypt=true",
    "Server=x;Pwd={ab(cd12$e};",
    # what encloses it
    "(password={hunter2!})",
    "connect(user=x, password={hunter2!x})",
    "f(password={hunter2!x}).then()",
    "<b>password: {hunter2!}</b>",
    "`password: {hunter2!}`",
    "'password={hunter2!}'",
    "[user: x, password: {hunter2!},user: x]",
    "text\\npassword: {hunter2!}\\nuser: x",
    # quotes
    '["password": "{hun\\"ter2!}", "x": 1]',
    '["password": "{hun\\\\ter2!}", "x": 1]',
    '"[\\"password\\": \\"{hun\\\\\\"ter2!}\\"]"',
    '["password": "{it\'s9secret}"]',
    "tool --password '{tr0ub4dor & 3x}'",
    "password: '{tr0ub4''dor&3}'",
    "tool --password '{tr0ub4'\\''dor&3}' x",
    "echo 'password: '{tr0ub4dor&3}'' done 'x'",
    'tool --api-key "{a1b2c3d4e5f6$g7}" x',
    '- name: API_KEY\n  value: "{a1b2c3d4e5f6$g7}"\n',
    "DEPLOY_KEY='{a1b2c3d4e5f6$g7}'",
    'PASSWORD="{hunter2!ab}',
    # letters alone, digits alone, words
    "DB_PASSWORD={hoYwmaWMeiVR}",
    "DB_PASSWORD: {hoYwmaWMeiVR}",
    '"API_KEY": "{hoYwmaWMeiVR}"',
    '[\\"APP_SECRET\\": \\"{hoYwmaWMeiVR}\\"]',
    '"password": "{hoYwmaWMeiVR}"',
    "API_KEY={QwErTyUiOpAsDf}",
    "export MY_TOKEN={hoYwmaWMeiVR}",
    "PASSPHRASE={kjhGFDrtzUIOkjhg}",
    "DB_PASSWORD={123456789}",
    "PASSWORD={20240117}",
    '"password": "{20240117}"',
    "DB_PASS={hunter2!}",
    'password: "{correct horse battery staple 7}"',
    'password: "{Correct Horse Battery Staple 7}"',
    'password: "{Tr0ub4dor and3 battery}"',
]
"""Texts with one secret, which stands in braces, and ends where its syntax says."""

CODE_AND_WORDS = [
    "token = response.token",
    "password = get_password()",
    "password = get_password(user,\n    1)",
    "password = b64encode(x)",
    "password=hash256(x)",
    "password = df$col1",
    "$password = $row1",
    "PASSWORD=$pw12345",
    "PASSWORD=$(cat x12)",
    "TOKEN=$GITHUB_TOKEN1",
    "SECRET_KEY=${SECRET}",
    "SECRET_KEY=env('X12345678')",
    "PASSWORD=%PASSWORD1%",
    "PASSWORD=<your password 1>",
    "DB_PASSWORD=$DB_PASS1",
    "PASSWORD=",
    "SECRET_KEY=changeme123",
    "password: {{ password_1 }}",
    "f'password={x1}y'",
    "password: ********1",
    "password?: string; token: string",
    "interface A { password: string; newPassword2: string }",
    "public password: string = 'x'",
    "password: Option<String2>",
    "const token: CancellationToken = x",
    "PASSWORD: str = x",
    "readonly STENCIL_PASS_DEPTH_PASS: 0x0B96;",
    "RENDER_PASS=2000000",
    "PASSWORD_MIN_LENGTH=100000",
    "MAX_PASSWORD: 8",
    "token == a1b2c3d4e5f6g7",
    "x['password'] = '1' + y",
    "'password' => 'required|min:8'",
    'password = re.compile(r"\\d+\\w{8}")',
    'url = "&password=" + enc1(x) + "&y=2"',
    "'?token='+document.cookie1+'&foo'",
    '"passwordField": "usernameOrEmail"',
    '"token": "accessTokenValue"',
    'TOKEN_TYPE = "accessTokenXyQ"',
    'KEY = "ArrowDownLeft"',
    '"API_KEY": "MyHTTPSConnectionPool"',
    "CSE_KEY = 'fs.s3.cse.enabled'",
    "PS_ROUTING_SEARCH_KEY: _win32typing.PyIID",
    '--secret-arn "arn:aws:secretsmanager:us-west-2:123456789012:secret:mysecret"',
    "events={'(?i)password':'secret\\\\n'}",
    '"password": "Enter your password"',
    '"password": "Must be at least 8 characters"',
    '"password": "Wrong password, 2 attempts left"',
    '"password": "Mindestens 8 Zeichen lang"',
    '"password": "Passwort (mind. 8 Zeichen)"',
    '"password": "Contraseña 2024 o más"',
    'password: "use at least 8 chars please"',
    "Cookie: session=expired",
    "cookie: name=value; Path=/",
    "cookie = request.cookies.get(session_id1)",
    "cookies = parse(cookie=header1)",
    "res.cookie('session', token1)",
    "git checkout -b session=new1",
    "curl -u user:password x",
    "curl -u user:$PASS x",
    "curl -u me: x",
    "curl x; docker run -u 1000:1000",
    "docker run -u 1000:1000 x; curl y",
    "curl --user-agent a:bcdef1 x",
    "mysql -u root -p db",
    "mysql x; mkdir -phunter2",
    "mkdir -p hunter2; mysql x",
    "docker run -p3306:3306 mysql",
    "docker exec mysql -p8080:80x",
    "mysql -port=1234a",
    "arn:aws:secretsmanager:us-west-2:123456789123:secret:proxysecret1-Abcd1e",
    "a message: MTk4OTg2.abc and no more",
    # half masked by an earlier version, and left alone now
    "password: [secret: password 4]&3",
    "SECRET_KEY=[secret: token 1]$h1^x",
]


def session(script: Script) -> list[Row]:
    return [event.to_row() for event in script.events]


def redact(rows: list[Row]) -> tuple[list[Row], Redactor]:
    redactor = Redactor()
    result = [done for row in rows for done in redactor.take(row)]
    return [*result, *redactor.end()], redactor


def mask(text: str) -> str:
    """A text as one field of an event."""
    rows, _ = redact(session_of(text))
    shown: str = rows[0]["payload"]["result"]["a"]
    return shown


def session_of(value: Any) -> list[Row]:
    script = Script()
    script.add("agent", {"id": 1, "result": {"a": value}})
    return session(script)


@pytest.mark.parametrize(("kind", "secret"), SECRETS, ids=[kind for kind, _ in SECRETS])
@pytest.mark.parametrize("around", AROUND)
def test_a_secret_is_masked_whole(kind: str, secret: str, around: str) -> None:
    assert mask(around.format(secret)) == around.format(f"[secret: {kind} 1]")


@pytest.mark.parametrize(("kind", "around", "secret"), IN_CONTEXT, ids=[around for _, around, _ in IN_CONTEXT])
def test_a_secret_that_its_place_tells(kind: str, around: str, secret: str) -> None:
    assert mask(around.format(secret)) == around.format(f"[secret: {kind} 1]")


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("text", CODE_AND_WORDS)
def test_code_types_and_what_forms_say_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("marked", WHOLE)
def test_a_value_is_masked_to_its_end(marked: str) -> None:
    before, secret, after = re.split("[{}]", marked)
    shown = mask(f"{before}{secret}{after}")
    assert re.sub(r"\[secret: [a-z ]+ 1\]", "[secret]", shown) == f"{before}[secret]{after}"
    assert mask(shown) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", 'ab"cd12!x'),
        ("password", "tr0ub4dor&3"),
        ("password", "123456"),
        ("password", "correct horse battery staple 7"),
        ("password", f"x9!ghp_{'a1B2c3D4' * 5}$y"),
        ("apiKey", 'a1b2c3"d4e5f6g7'),
        ("DB_PASSWORD", "hoYwmaWMeiVR"),
        ("DB_PASS", "hunter2!"),
    ],
)
def test_the_value_of_a_field_is_masked_whole(name: str, value: str) -> None:
    rows, redactor = redact(session_of({name: value}))
    assert re.fullmatch(r"\[secret: [a-z ]+ 1\]", rows[0]["payload"]["result"]["a"][name])
    assert redactor.findings.count == 1


@pytest.mark.parametrize("value", ["Enter your password", "usernameOrEmail", "string", "", "Step 2 of 3"])
def test_what_a_field_says_about_passwords_stays(value: str) -> None:
    rows = session_of({"password": value, "passwordField": value, "token": value})
    assert redact(rows)[0] == rows


def test_cookies_in_a_field() -> None:
    one, other = hexadecimal(30) + "a1", hexadecimal(30) + "a1"
    given = {
        "Cookie": f"sid={one}; theme=dark; csrf={other}",
        "headers": [{"name": "Set-Cookie", "value": f"sid={one}"}],
    }
    rows, _ = redact(session_of(given))
    assert rows[0]["payload"]["result"]["a"] == {
        "Cookie": "sid=[secret: cookie 1]; theme=dark; csrf=[secret: cookie 2]",
        "headers": [{"name": "Set-Cookie", "value": "sid=[secret: cookie 1]"}],
    }


def test_a_private_key_whose_end_is_missing() -> None:
    begun = f"-----BEGIN PRIVATE KEY-----\n{lines(3)}"
    assert mask(f"{begun}!! and more") == "[secret: private key 1]!! and more"


@pytest.mark.parametrize("mark", ["> ", "  > ", ">> ", "| "])
def test_a_private_key_whose_lines_are_quoted(mark: str) -> None:
    whole = pem("PRIVATE KEY", lines(6)).split("\n")
    for shown in (whole, whole[:-1]):
        assert mask(f"\n{mark}".join(shown)) == "[secret: private key 1]"


def test_arguments_pairs_and_lists_whose_names_tell() -> None:
    one, other, third = drawn(32), drawn(32), drawn(32)
    given = {
        "args": ["--verbose", "--api-key", one, "--count", "a1b2c3d4e5f6g7h8"],
        "env": [{"key": "API_KEY", "value": other}],
        "tokens": [third, "x"],
        "auths": {"r.io": {"auth": "dXNlcjpwYXNzd29yZDE="}},
    }
    rows, _ = redact(session_of(given))
    assert rows[0]["payload"]["result"]["a"] == {
        "args": ["--verbose", "--api-key", "[secret: token 3]", "--count", "a1b2c3d4e5f6g7h8"],
        "env": [{"key": "API_KEY", "value": "[secret: token 2]"}],
        "tokens": ["[secret: token 1]", "x"],
        "auths": {"r.io": {"auth": "[secret: authorization 1]"}},
    }
    assert redact(copy.deepcopy(rows))[0] == rows


def test_fields_whose_names_tell() -> None:
    secret, password = drawn(28), "hunter2-again"
    rows, redactor = redact(
        session_of(
            {
                "mcpServers": [
                    {"env": [{"name": "SERVICE_API_KEY", "value": secret}, {"name": "HOME", "value": "/root"}]}
                ],
                "headers": {"Authorization": "Basic dXNlcjpwYXNz"},
                "config": {"password": password, "token": None, "keyboard": "qwertz123456789"},
            }
        )
    )
    a = rows[0]["payload"]["result"]["a"]
    assert a["mcpServers"][0]["env"] == [
        {"name": "SERVICE_API_KEY", "value": "[secret: token 1]"},
        {"name": "HOME", "value": "/root"},
    ]
    assert a["headers"] == {"Authorization": "Basic [secret: authorization 1]"}
    assert a["config"] == {"password": "[secret: password 1]", "token": None, "keyboard": "qwertz123456789"}
    places = {finding.pointer for finding in redactor.findings.places}
    assert "/payload/result/a/mcpServers/0/env/0/value" in places


def test_keys_are_masked_and_keep_their_order() -> None:
    one, other = f"ghp_{drawn(36)}", f"ghp_{drawn(36)}"
    rows, redactor = redact(session_of({"x": 1, one: {other: "a"}, "y/~": {other: 2}}))
    a = rows[0]["payload"]["result"]["a"]
    assert list(a) == ["x", "[secret: github token 1]", "y/~"]
    assert a["y/~"] == {"[secret: github token 2]": 2}
    assert {finding.pointer for finding in redactor.findings.places} == {
        "/payload/result/a",
        "/payload/result/a/[secret: github token 1]",
        "/payload/result/a/y~1~0",
    }


def test_the_same_secret_has_the_same_number_and_previews_show_none() -> None:
    one, other = f"ghp_{drawn(36)}", f"ghp_{drawn(36)}"
    script = Script("a")
    script.prompt(f"first {one} and {other}\nand {one}", 1)
    script.says(f"again {other}")
    rows, redactor = redact(session(script))
    assert rows[0]["payload"]["params"]["prompt"][0]["text"] == (
        "first [secret: github token 1] and [secret: github token 2]\nand [secret: github token 1]"
    )
    assert rows[1]["payload"]["params"]["update"]["content"]["text"] == "again [secret: github token 2]"
    found = redactor.findings
    assert (found.count, found.secrets, found.places_by_kind) == (4, 2, {"github token": 4})
    assert [(one.event_index, one.number) for one in found.places] == [(1, 1), (1, 2), (1, 1), (2, 2)]
    assert found.places[0].preview == "first [secret: github token 1] and"
    assert all(part not in repr(found.places) for part in (one[6:14], other[6:14]))


@pytest.mark.parametrize("size", [1, 3, 7, 16])
def test_a_secret_in_the_pieces_of_a_message(size: int) -> None:
    secret = f"sk-ant-api03-{drawn(60)}"
    text = f"The key is {secret}, keep it.\nPassword: postgres://me:s3cret@host/x"
    script = Script()
    script.prompt("Which key?")
    for at in range(0, len(text), size):
        script.says(text[at : at + size])
        if at % 5 == 0:
            script.update("usage_update", used=at)
            script.says("thinking ", "agent_thought_chunk")
    script.answers("agent", 1, {"stopReason": "end_turn"})
    rows, redactor = redact(session(script))
    said = [row["payload"]["params"]["update"] for row in rows if "update" in row["payload"].get("params", {})]
    whole = "".join(one["content"]["text"] for one in said if one["sessionUpdate"] == "agent_message_chunk")
    assert whole == (
        "The key is [secret: anthropic key 1], keep it.\nPassword: postgres://me:[secret: password 1]@host/x"
    )
    assert [row["eventIndex"] for row in rows] == list(range(1, len(rows) + 1))
    assert redactor.findings.count == 2
    assert redact(copy.deepcopy(rows))[0] == rows


BETWEEN: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "set_mode": [
        ("client", {"id": 7, "method": "session/set_mode", "params": {"modeId": "x"}}),
        ("agent", {"id": 7, "result": {}}),
    ],
    "set_model": [("client", {"id": 7, "method": "session/set_model", "params": {"modelId": "x"}})],
    "configure": [("client", {"id": 7, "method": "session/set_config_option", "params": {"configId": "x"}})],
    "file": [
        ("agent", {"id": 7, "method": "fs/read_text_file", "params": {"path": "/x"}}),
        ("client", {"id": 7, "result": {"content": "x"}}),
    ],
    "response": [("agent", {"id": 99, "result": {}})],
    "cancel": [("client", {"method": "session/cancel", "params": {}})],
    "tool": [("agent", {"method": "session/update", "params": {"update": {"sessionUpdate": "tool_call"}}})],
    "unknown": [("agent", {"foo": 1})],
}


@pytest.mark.parametrize("kind", ["agent_message_chunk", "agent_thought_chunk", "user_message_chunk"])
@pytest.mark.parametrize("between", BETWEEN)
def test_a_message_goes_on_behind_what_lies_between(between: str, kind: str) -> None:
    secret = f"ghp_{drawn(36)}"
    script = Script()
    script.prompt("hi")
    script.says(f"tok {secret[:20]}", kind)
    for sender, payload in BETWEEN[between]:
        script.add(sender, payload)
    script.says(f"{secret[20:]} end", kind)
    rows, redactor = redact(session(script))
    assert said_in(rows) == ["tok [secret: github token 1]", " end"]
    assert redactor.findings.count == 1
    assert [row["eventIndex"] for row in rows] == list(range(1, len(rows) + 1))


def said_in(rows: list[Row]) -> list[str]:
    """The pieces of messages."""
    updates = [row["payload"].get("params", {}).get("update", {}) for row in rows]
    return [one["content"]["text"] for one in updates if "content" in one]


def test_a_message_ends_with_its_turn() -> None:
    script = Script()
    script.says("What is the token: ")
    script.prompt("go on")
    script.says(f"{drawn(30)} is a number.")
    rows = session(script)
    assert redact(rows)[0] == rows


def test_a_message_that_begins_with_a_secret_behind_a_word() -> None:
    """Put together with the message before, its beginning would not be that of a word."""
    secret = f"sk-proj-{drawn(60)}"
    script = Script()
    script.says("Look here")
    script.update("tool_call", toolCallId="t")
    script.says(secret[:9])
    script.says(secret[9:])
    rows, redactor = redact(session(script))
    assert said_in(rows) == ["Look here", "[secret: openai key 1]", ""]
    assert redact(copy.deepcopy(rows))[0] == rows
    assert secret[:12] not in repr(redactor.findings.places)


def test_messages_that_are_said_at_the_same_time() -> None:
    """Their ids tell them apart."""
    one, other = f"ghp_{drawn(36)}", f"ghp_{drawn(36)}"
    script = Script()
    for at in range(0, 40, 8):
        script.says(one[at : at + 8], messageId="one")
        script.says(other[at : at + 8], messageId="other")
    rows, _ = redact(session(script))
    assert not any(part in json.dumps(rows) for part in (one[8:16], other[8:16]))


def test_places_stand_in_the_order_of_events() -> None:
    script = Script()
    for at in range(3):
        script.says(f"A ghp_{drawn(36)}\n")
        script.update("tool_call_update", toolCallId="t", title=f"ghp_{drawn(36)}")
        script.says(f"A ghp_{drawn(36)}{at}\n", "agent_thought_chunk")
    _, redactor = redact(session(script))
    assert [one.event_index for one in redactor.findings.places] == list(range(1, 10))


def test_no_preview_shows_a_part_of_another_secret() -> None:
    """Also of one that is found only when what stands before it has been masked."""
    secrets = [secret for _, secret in SECRETS]
    for _ in range(100):
        chosen = LOT.sample(secrets, 3)
        rows, redactor = redact(session_of("".join(chosen)))
        shown, left = repr(redactor.findings.places), json.dumps(rows)
        assert not [one for one in chosen for part in (one[:12], one[-12:]) if part in shown and part not in left]


def test_a_large_event_between_pieces_is_held_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "HELD_JSON", 50_000)
    script = Script()
    for number in range(60):
        script.says(f"word {number} ")
        script.update("tool_call_update", toolCallId="t", title="x" * 9_000)
    redactor, given, most = Redactor(), session(script), 0
    rows: list[Row] = []
    for row in given:
        rows += redactor.take(row)
        most = max(most, sum(len(json.dumps(one.row)) for one in redactor._held))
    assert [*rows, *redactor.end()] == given
    assert most < 60_000


def test_a_long_turn_is_parted_between_words_or_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "MOST_HELD", 50)
    secret = f"sk-proj-{drawn(40)}"
    script = Script()
    for number in range(60):
        script.says(f"{number}.")
        script.update("tool_call", toolCallId=f"t{number}")
        for at in range(0, 48, 8):
            script.says(secret[at : at + 8])
        script.update("tool_call", toolCallId=f"u{number}")
    rows, redactor = redact(session(script))
    assert redactor.findings.count == 60
    assert secret[8:16] not in json.dumps(rows)


def test_a_message_of_any_length_is_held_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "MOST_HELD", 50)
    secret = f"ghp_{drawn(36)}"
    script = Script()
    for number in range(40):
        for at in range(0, 40, 4):
            script.says(f"{secret[at : at + 4]}")
        script.says(f" {number}\n")
    redactor, most = Redactor(), 0
    rows: list[Any] = []
    for row in session(script):
        rows += redactor.take(row)
        most = max(most, len(redactor._held))
    rows += redactor.end()
    assert most <= 50
    text = "".join(row["payload"]["params"]["update"]["content"]["text"] for row in rows)
    assert text == "".join(f"[secret: github token 1] {number}\n" for number in range(40))


def test_masking_twice_changes_nothing() -> None:
    texts = [around.format(secret) for _, secret in SECRETS for around in AROUND]
    texts += [around.format(secret) for _, around, secret in IN_CONTEXT]
    texts += [re.sub("[{}]", "", marked) for marked in WHOLE]
    glued = ["".join(LOT.sample([secret for _, secret in SECRETS], 3)) for _ in range(60)]
    once, first = redact(session_of(texts + glued))
    twice, second = redact(copy.deepcopy(once))
    assert twice == once
    assert first.findings.count > len(texts)
    assert second.findings.count == 0


def test_rows_without_secrets_are_given_back_as_they_are() -> None:
    rows = session_of({"text": "password: string", "number": 1.0, "half": "\ud800"})
    assert redact(rows)[0][0] is rows[0]


@pytest.mark.parametrize("demo", sorted(DEMO.glob("*.jsonl")), ids=lambda path: path.name)
def test_nothing_is_found_in_the_demo(demo: Path) -> None:
    given = demo.read_bytes()
    assert asyncio.run(exported(given, Redactor())) == asyncio.run(exported(given, None))


async def exported(content: bytes, redactor: Redactor | None) -> str:
    """An import and an export, as the page does them."""
    recording = check_recording([content])
    store = InMemorySessionPersistDriver(max_events_per_session=10_000)
    await store.add_sessions(recording.sessions, recording.event_rows)
    rows = read_rows(store, [record.id for record in recording.sessions])
    return "".join([line_of(kind, row) async for kind, row in (masked(rows, redactor) if redactor else rows)])


@pytest.mark.parametrize("demo", sorted(DEMO.glob("*.jsonl")), ids=lambda path: path.name)
def test_export_import_export_gives_the_same_bytes(demo: Path) -> None:
    """With secrets in every tenth event, masked the first time, or kept."""

    rows = [json.loads(line) for line in demo.read_text().splitlines()]

    async def run() -> None:
        for place, row in enumerate(rows):
            if row["type"] == "event" and place % 10 == 0:
                row["payload"]["_meta"] = {"note": f"token ghp_{hexadecimal(36)}", "ghp_" + hexadecimal(36): place}
        given = "".join(json.dumps(row) + "\n" for row in rows).encode()
        redactor = Redactor()
        first = await exported(given, redactor)
        assert redactor.findings.count >= len(rows) // 10
        assert "ghp_" not in first
        assert await exported(first.encode(), Redactor()) == first
        assert await exported(first.encode(), None) == first
        kept = await exported(given, None)
        assert await exported(kept.encode(), None) == kept

    asyncio.run(run())


def test_what_is_kept_of_findings_is_bounded() -> None:
    rows, redactor = redact(session_of([f"ghp_{hexadecimal(36)}" for _ in range(MOST_FINDINGS + 50)]))
    assert len(redactor.findings.places) == MOST_FINDINGS
    assert redactor.findings.count == MOST_FINDINGS + 50
    assert "ghp_" not in json.dumps(rows)


HOSTILE = [
    "eyJ", "eyJaaaaaaaaaa.", "token=", "password='", "-----BEGIN PRIVATE KEY-----", "://a:", "://", "SG.aaaaaaaaaaaaa",
    "KEY_", "awssecret", "secret", "a", "0123456789:AA", "Authorization: Bearer ", "api_key:\"",
    "--api-key ", "--", "--a-", "name: API_KEY, value: ", "name:key", "tokens: [", "tokens=['", "auth:\"", "://a:@",
    "://a:@a@", "login a password ", "login ", "token=\"$a1(", "password='{", "pwd=", "AGE-SECRET-KEY-1",
    "-----BEGIN PRIVATE KEY-----> ", "password=", "pwd:", "pwd=a&", "pwd=aaaaaa&", "pwd: aaaa1!(", "pwd: aaaa1!)",
    "pwd: a1!aaa,", "pwd=$aaaaa,", "pwd: aaaa1!<a", "pwd: a\\\\", "pwd='a\\", 'pwd=\\"', "pwd: a1!aaa'", "KEY=",
    "KEY=a'", " KEY=a$", "_PASS=(", "TOKEN=a,", "TOKEN=a;", "KEY=a1b2c3d4e5f6,", "KEY=a1b2c3d4e5f6;a=", "pwd='a 1 ",
    "pwd='a 1'", "password: aA", ";pwd=a ", ";pwd=aaa;a", "://a:$", "--password '", "Bearer a1b2c3d4e5f6g7h8,",
    "pwd=n.n.n.", "(pwd=a", "(pwd=((", "cookie:", "cookie: a=", "cookie: sid=a1b2c3;", "cookie: a=\"", "cookie: aaaa",
    "curl -u a:b ", "curl -u a:", "-u", "curl ", "mysql -p", "mysql -pa'", "MTMTMT", "M.",
    "bot MTk4OTg2MjI0ODM0NzEwMjE0.abcdef.", "pwd='a''b", "pwd='a'\\''",
]  # fmt: skip
HINTS = " ".join(hint for shape in SHAPES for hint in shape.hints)
"""What makes every pattern look."""


def took(part: str, size: int) -> float:
    text = (part * (size // len(part) + 1))[:size] + HINTS
    began = time.process_time()
    find_secrets(text)
    return time.process_time() - began


@pytest.mark.parametrize("part", HOSTILE)
def test_time_grows_with_the_text_alone(part: str) -> None:
    """Ten times the text takes about ten times as long; with a pattern that runs wild, a hundred times."""
    small = min(took(part, 10_000) for _ in range(2))
    assert took(part, 100_000) < 40 * small + 0.1


@pytest.mark.parametrize("part", ["password='", "eyJ"])
def test_a_hostile_megabyte_takes_seconds(part: str) -> None:
    assert took(part, 1_000_000) < 20
