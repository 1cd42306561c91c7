"""Secrets in configuration, code, commands, cookies and addresses, and what restores an account or a wallet."""

import pytest

from app.guardrail.checks import credential_checks
from app.guardrail.gate import redact

CHECKS = credential_checks()
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ALNUM = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"

MASKED = {
    "addresses": [
        (f"https://x.example.com/a?api_key={HEX}&p=1", "https://x.example.com/a?api_key=#"),
        (f"https://x.example.com/#access_token={ALNUM}", "https://x.example.com/#access_token=#"),
        (f"https://b.s3.example.com/k?X-Amz-Signature={HEX}{HEX}", "https://b.s3.example.com/k?X-Amz-Signature=#"),
        (
            f"https://storage.example.com/o?X-Goog-Signature={HEX}{HEX}",
            "https://storage.example.com/o?X-Goog-Signature=#",
        ),
        (
            f"https://a.example.net/c?sv=2022-11-02&sr=b&sig={ALNUM}%3D",
            "https://a.example.net/c?sv=2022-11-02&sr=b&sig=#",
        ),
        (f"https://mainnet.infura.io/v3/{HEX} up", "# up"),
        (f"https://api.telegram.org/bot123456789:AA{ALNUM}x/getMe", "#"),
        (f"https://maker.ifttt.com/trigger/door/with/key/{ALNUM}", "#"),
        (f"https://{HEX}@o123.ingest.sentry.io/42", "#"),
        ("otpauth://totp/Ex:bob?secret=JBSWY3DPEHPK3PXP&x=1", "otpauth://totp/Ex:bob?secret=#"),
    ],
    "files": [
        ("machine api.example.com login bob password hunter2", "machine api.example.com login bob password #"),
        ("db.example.com:5432:main:app:pa55word!", "#"),
        (
            "//registry.example.org/:_authToken=550e8400-e29b-41d4-a716-446655440000",
            "//registry.example.org/:_authToken=#",
        ),
        ('{"auths":{"r.example.io":{"auth":"dXNlcjpwYXNzd29yZA=="}}}', '{"auths":{"r.example.io":{"auth":"#"}}}'),
        ("client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFB", "client-key-data: #"),
        ("PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "PrivateKey = #"),
        ('variable "db_password" {\n  default = "S3cr3tP4ss"\n}', 'variable "db_password" {\n  default = "#"\n}'),
        (f"- name: API_KEY\n  value: {HEX}", "- name: API_KEY\n  value: #"),
        (f'{{"name":"API_TOKEN","value":"{ALNUM}"}}', '{"name":"API_TOKEN","value":"#"}'),
        ("<password>IhqSb1Gg</password>", "<password>#</password>"),
        (f'<add key="ApiKey" value="{HEX}"/>', '<add key="ApiKey" value="#"/>'),
        ("WIFI:S:Guest;T:WPA;P:S3cr3tP4;;", "WIFI:S:Guest;T:WPA;P:#;;"),
        ("root:$6$saltsalt$" + ALNUM + ":19000", "root:#:19000"),
        ("license key: ABCDE-FGHIJ-KLMNO-PQRST-UVWXY", "license key: #"),
        (f'{{"kty":"EC","d":"{ALNUM}0-_"}}', '{"kty":"EC","d":"#"}'),
    ],
    "code": [
        (f'getenv("API_TOKEN", "{HEX}")', 'getenv("API_TOKEN", "#")'),
        ("define('DB_PASSWORD', 'S3cr3tP4');", "define('DB_PASSWORD', '#');"),
        ('setPassword("S3cr3tP4")', 'setPassword("#")'),
        ('password: str = "S3cr3tP4"', 'password: str = "#"'),
        (f'{{\\"api_key\\":\\"{HEX}\\"}}', '{\\"api_key\\":\\"#\\"}'),
        ("CREATE USER x IDENTIFIED BY 'SqLpa5sW0rD';", "CREATE USER x IDENTIFIED BY '#';"),
        ("identified by SqLpa5sW0rD;", "identified by #;"),
        (f"widget = '{ALNUM}'", "widget = '#'"),
    ],
    "commands": [
        ("mysql -u root -pS3cr3tP4 main", "mysql -u root # main"),
        ("sshpass -p 'S3cr3t' ssh u@h", "sshpass -p '#' ssh u@h"),
        ("redis-cli -h x -a S3cr3tP4 ping", "redis-cli -h x -a # ping"),
        ("curl -u alice:S3cr3tP4ss https://x", "curl -u alice:# https://x"),
    ],
    "headers": [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic #"),
        (
            f'Authorization: Digest username="bob", response="{HEX}"',
            'Authorization: Digest username="bob", response="#"',
        ),
        (f"Set-Cookie: session_id={ALNUM}; Path=/", "Set-Cookie: session_id=#; Path=/"),
        (f"JSESSIONID={HEX.upper()}", "JSESSIONID=#"),
    ],
    "sentences": [
        (f"The API key for the staging cluster is {HEX}.", "The API key for the staging cluster is #."),
        (f"the token ({ALNUM})", "the token (#)"),
    ],
    "what restores an account": [
        (f"seed phrase: {SEED}. Keep it.", "seed phrase: #. Keep it."),
        (f"My recovery phrase is {SEED} {SEED} and it stays", "My recovery phrase is # and it stays"),
        ("Recovery codes: 12ab-34cd 56ef-78gh 9a0b-1c2d", "Recovery codes: #"),
        ("Your backup codes are:\n1. a8f3k-29dk3\n2. k38fj-39dk2\n", "Your backup codes are:\n#\n"),
        ("2FA secret: JBSW Y3DP EHPK 3PXP", "2FA secret: #"),
    ],
}
LEFT_ALONE = [
    f"https://example.com/share/{HEX}?sid=259da778-4f21-433a-9e4f-e4f4a0a32af4",
    "https://docs.example.com/view?usp=sharing&resourcekey=0-QoRk_Wz1WqergoldjgpXRA",
    "https://docs.infura.io/v3/overview and https://discord.com/api/overview",
    "cloud_sql_proxy -instances=acme-dev:us-central1:db-1 on Google Cloud",
    "password: str = settings.password_2",
    'getenv("API_TOKEN", "production")',
    "<key>CFBundleIdentifier2</key>",
    "<password>${PASSWORD_1}</password>",
    "the users are identified by their names",
    "mysql -u root -p main",
    "mysql -u root --port 3306 main",
    "db.example.com:5432:main",
    "the recovery phrase is a list of words that the wallet shows once and that you should write down on paper",
    "the seed is sown in March and the mnemonic for it is easy to keep in mind for those who are new here",
    "recovery codes are shown once; the backup code is eight digits long",
    "the key for 2024-03 is on page 12",
    f"integrity = 'sha384-{ALNUM}{ALNUM}'",
    f"commit = '{HEX}01234567'",
    f'etag: "{HEX}"',
    "id = '550e8400-e29b-41d4-a716-446655440000'",
    "ISBN: '978-3-16-148410-0'",
    "image: 'registry.example.com/app/server:1.2.3-alpine3.19'",
    "costs $100$ and $5$ a piece",
    '"d": "delete-selected-rows"',
    "redis-cli -h cache.example.com ping",
]


def shown(text: str) -> str:
    return redact(text, CHECKS).text.replace("[redacted: credential]", "#")


@pytest.mark.parametrize(("what", "text", "left"), [(what, *case) for what, cases in MASKED.items() for case in cases])
def test_a_secret_is_masked_where_it_is_kept(what: str, text: str, left: str) -> None:
    assert shown(text) == left, what


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_stands_in_such_places_without_being_secret_is_left(text: str) -> None:
    assert redact(text, CHECKS).text == text
