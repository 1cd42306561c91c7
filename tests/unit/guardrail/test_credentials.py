"""Credentials: known forms, and values that only their surroundings give away."""

import pytest

from app.guardrail.checks import credential_checks
from app.guardrail.credentials import mask_credentials
from app.guardrail.gate import redact

CHECKS = credential_checks()
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ALNUM = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"

BODY = ALNUM + ALNUM + "\n"


def shown(text: str) -> str:
    return redact(text, CHECKS).text.replace("[redacted: credential]", "#")


@pytest.mark.parametrize(
    "key",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AIza" + ALNUM + "xYz",
        "ya29." + ALNUM,
        "GOCSPX-" + ALNUM,
        "ab~8Q~" + ALNUM + "xy",
        "ghp_" + ALNUM + "abcd",
        "github_pat_" + ALNUM + "_" + ALNUM,
        "glpat-" + ALNUM[:20],
        "xoxb-123456789012-123456789012-" + ALNUM[:24],
        "sk_live_" + ALNUM[:24],
        "sk-" + ALNUM + "abcd",
        "sk-ant-api03-" + ALNUM * 3,
        "sk-proj-" + ALNUM * 4,
        "hf_" + ALNUM + "ab",
        "npm_" + ALNUM + "abcd",
        "pypi-AgEIcHlwaS5vcmc" + ALNUM * 2,
        "AC" + HEX,
        "SG." + ALNUM[:22] + "." + ALNUM + "abcdefghijk",
        "dop_v1_" + HEX * 2,
        "hvs." + ALNUM,
        "shpat_" + HEX,
        "AGE-SECRET-KEY-1" + "QPZRY9X8GF" * 5 + "2TVDW0S3",
        "123456789:AA" + ALNUM + "x",
        "clr_Ab3dEf9h_" + "x-Y_9zW" * 6 + "a",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    ],
)
def test_keys_with_a_prefix(key: str) -> None:
    assert shown(f"Use {key} here.") == "Use # here."
    assert shown(f'"{key}"') == '"#"'
    assert shown("\u200b".join(key)) == "#"


MASKED = {
    "connection strings": [
        ("postgres://app:s3cret@db.example.com:5432/main?x=1 up", "# up"),
        ("amqp://guest:guest@mq:5672/", "#"),
        ("mongodb+srv://u:p%40ss@cluster0.example.net/db", "#"),
        ("redis://:p4ss@cache:6379/0", "#"),
        ("jdbc:postgresql://u:pw@h/db", "#"),
        ("jdbc:mysql://h/db?user=app&password=s3cr3t!", "jdbc:mysql://h/db?user=app&password=#"),
        ("Server=db;User Id=sa;Password=S3cr3t!;", "Server=db;User Id=sa;Password=#;"),
        ("https://user:tok3n@git.example.com/x.git", "#"),
        ("postgres://u:" + "p" * 300 + "@h/db next", "# next"),
    ],
    "private keys": [
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nafter", "#\nafter"),
        ("a -----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl\\n-----END OPENSSH PRIVATE KEY----- b", "a # b"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----.", "#."),
        ("x -----BEGIN RSA PRIVATE KEY-----\nMIIEowIB\nand no end", "x #\nand no end"),
        ("starts with `-----BEGIN PRIVATE KEY-----`. Then rotate it.", "starts with `#`. Then rotate it."),
        ("-----BEGIN PRIVATE KEY-----\n\n## Rotation\nEach year", "#\n\n## Rotation\nEach year"),
        (
            f"-----BEGIN DSA PRIVATE KEY-----\nDEK-Info: AES,0A\n\n{BODY * 9}abcd\n-----END DSA PRIVATE KEY-----.",
            "#.",
        ),
        (
            f'k = "-----BEGIN EC PRIVATE KEY-----\\n" +\n  "{ALNUM}\\n" +\n  "-----END EC PRIVATE KEY-----\\n";',
            'k = "#\\n";',
        ),
        (f"# -----BEGIN PRIVATE KEY-----\n# {ALNUM}\n# -----END PRIVATE KEY-----\nnext", "# #\nnext"),
        (f"-----BEGIN OPENSSH PRIVATE KEY----- {ALNUM} {ALNUM} -----END OPENSSH PRIVATE KEY----- ok", "# ok"),
        (f"Private-Lines: 2\n{BODY * 2}Private-MAC: 0a1b", "#\nPrivate-MAC: 0a1b"),
        (
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        ),
        ("|-----|-----|\n----------", "|-----|-----|\n----------"),
    ],
    "passwords in prose": [
        ("The password is hunter2.", "The password is #."),
        ("the password for the guest wifi is Sommer2024!", "the password for the guest wifi is #"),
        ("Passwort: geheim12", "Passwort: #"),
        ("password is swordfish", "password is #"),
        ("**Password:** swordfish", "**Password:** #"),
        ('password: "correct horse battery"', 'password: "#"'),
        ("password = 'X7$kq'", "password = '#'"),
        ("The password is “tiger lily”.", "The password is “#”."),
        ("pwd=Xy12!z", "pwd=#"),
        ("password: " + "x9" * 200 + " next", "password: # next"),
        ("DB_PASSWORD=tr0ub4dor&3", "DB_PASSWORD=#"),
        ('{"password": "letmein"}', '{"password": "#"}'),
        ("mysql --password=s3cr3t", "mysql --password=#"),
        ("curl -u admin:s3cr3t https://x", "curl -u admin:# https://x"),
        ("login: admin / hunter2", "login: admin / #"),
        ("Your PIN is 4821.", "Your PIN is #."),
        ("pa\u200bssword: hun\u200bter2", "pa\u200bssword: #"),
    ],
    "named secrets": [
        (f"API_KEY={HEX}", "API_KEY=#"),
        (f"client_secret: '{ALNUM}'", "client_secret: '#'"),
        (f"the access token is {ALNUM}", "the access token is #"),
        (f'"secretKey": "{ALNUM}"', '"secretKey": "#"'),
        (f"Authorization: Bearer {ALNUM}", "Authorization: Bearer #"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDE=", "Authorization: Basic #"),
        (f"--api-key {ALNUM}", "--api-key #"),
        (f"https://api.example.com/v1?access_token={HEX}&page=2", "https://api.example.com/v1?access_token=#"),
    ],
}
LEFT_ALONE = {
    "addresses without a password": [
        "postgres://db.example.com:5432/main",
        "http://localhost:8080/a@b",
        "postgres://user:${PASSWORD}@db/x",
        "postgres://user:<password>@db/x",
        "https://example.com/a:b",
        "mailto:a",
    ],
    "prose about passwords": [
        "The password is required.",
        "Your password is stored encrypted and is case-sensitive.",
        "Password: the one you chose",
        "Password reset instructions: see below",
        "password: string",
        "password = get_password()",
        "password = os.environ['PASSWORD']",
        "password: ${DB_PASSWORD}",
        "password: <password>",
        "password: ****",
        "The password must have 12 characters.",
        "Passwords are changed every 90 days.",
        "We keep it in 1Password: ask IT.",
        "a password manager is provided",
        "the key is to listen",
        "the pin is mightier",
        "password [redacted: credential] x",
        "password: [redacted: credential]",
    ],
    "what only looks secret": [
        "commit d670460b4b4aece5915caf5c68d12f560a9fe3e4",
        "key: d670460b4b4aece5915caf5c68d12f560a9fe3e4",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "key: 550e8400-e29b-41d4-a716-446655440000",
        "?keywords=home+office+2024&pd_rd_i=B0C7HGVBQ9",
        "key = settings.value_2",
        "token: process.env.TOKEN_V2",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sk-learn-contrib and ghp_short",
        "Bearer tokens are short-lived.",
        "a JSON Web Token begins with eyJ",
        "the basic idea",
        "AKIA is a prefix",
        "v1.0.0-rc.1+build.5114f85",
    ],
}


@pytest.mark.parametrize(("what", "text", "left"), [(what, *case) for what, cases in MASKED.items() for case in cases])
def test_what_surroundings_give_away_is_masked(what: str, text: str, left: str) -> None:
    assert shown(text) == left, what


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in LEFT_ALONE.items() for text in texts])
def test_other_text_is_left_alone(what: str, text: str) -> None:
    assert redact(text, CHECKS).text == text, what


def test_masking_a_question_leaves_personal_data() -> None:
    masked = mask_credentials("Is alice@example.com allowed to use ghp_" + ALNUM + "abcd on 10.1.2.3?")
    assert masked.text == "Is alice@example.com allowed to use [redacted: credential] on 10.1.2.3?"
    assert masked.counts == {"credential": 1}
