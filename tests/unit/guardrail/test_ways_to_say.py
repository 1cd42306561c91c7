"""Values as tickets, chats, tables, configuration and commands hold them, and sentences that look alike and hold none.

Each line stands for one way; what a line tests is said by no other.
"""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

FOUND = (
    ("Passwort Drucker: #", "Toner_99!", "credential"),
    ("The admin password? It's '#'", "Purple-Monkey-9", "credential"),
    ("WLAN Gast: kunde / #", "Blumen77!", "credential"),
    ("docker login -u ann -p # shop.example", "Kiwi77tree", "credential"),
    ("Use # to verify your account", "482913", "credential"),
    ("Use '#' to extract the files", "Maple@Leaf1", "credential"),
    ("Use # to sign in", "team24@example.org", "email"),
    ("Door keypad: #", "7 3 9 1", "credential"),
    ("SSID: Atrium-Guest Key: #", "lemon-tart-19", "credential"),
    ("decrypt it with the passphrase #", "velvet morning copper lantern", "credential"),
    ('log in with the password "#"', "velvet morning copper lantern", "credential"),
    ("#, or call", "dana.ruiz [at] example [dot] org", "email"),
    ("enter the code # to sign in", "482-913", "credential"),
    ("her social is #", "219 09 9999", "national id"),
    ("Mail: #, or call", "jane dot doe at example dot org", "email"),
    ("email me at # please", "jane.doe(at)example.org", "email"),
    ("E-Mail an #", "erika.muster [ät] firma [punkt] example", "email"),
    ("The password has changed, it is #", "Fern-Gully8", "credential"),
    ("which password?\ntom: #", "Lanyard_77", "credential"),
    ("SSID: Office\nKey: #", "Bleistift-2024", "credential"),
    ("WLAN-Schlüssel: #", "8392018475620194", "credential"),
    ("Zugang Testsystem: tester02 // #", "Mond$chein7", "credential"),
    ("mdp : #", "Pamplemousse9", "credential"),
    ("net use Z: \\\\fs01\\data /user:corp\\svc #", "Fil3Serv!", "credential"),
    ("&quot;password&quot;: &quot;#&quot;", "hQ7-tulip-22", "credential"),
    ("Alarm: Code #", "3391", "credential"),
    ("The alarm panel by the door takes #", "2580#", "credential"),
    ("recovery codes for the shared account: #", "4821 9930, 1177 2034", "credential"),
    ("unlock: #", "471207-556035-239481-118690-084832-665511-240713-390258", "credential"),
    ("private key hex: #", "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318", "credential"),
    ('curl -u "#" https://shop.example/api', "k8Jq2Lm9XvT4zRb7Yc1Hn5Wd:", "credential"),
    ('shop = shopping.Client("#")', "k8Jq2Lm9XvT4zRb7Yc1Hn5Wd", "credential"),
    ("reach me at #", "0171\n2345678", "phone"),
    ("手机号 #", "13812345678", "phone"),
    ("caller=#", "+4915123456789", "phone"),
    ("护照号 #", "E12345678", "passport"),
    ("paspoortnummer #", "NW3R5K2P1", "passport"),
    ("Sozialversicherungsnummer #", "65 170839 J 003", "national id"),
    ("生年月日 #", "1985年3月14日", "birth date"),
    ("#", "Am Markt 3, 04109 Leipzig", "address"),
    ("AWS_ACCOUNT_ID=#", "4711-0815-2342", "customer number"),
    ('tenant_id: "#"', "dac6fb3d-713c-4555-8a97-4089aa38491e", "customer number"),
)
LEFT = (
    "| Setting | Password | Notes |",
    "We use 2500 lamps, and 300 to confirm it",
    "Use 1200 tokens to sign in",
    "Use 256bit-AES to decrypt, use Okta2 to sign in",
    "Use https://portal.example.org/login?v=2 to log in",
    "Keypad phones with 12 keys",
    "see node.js [at] your own risk",
    # What a password is or does goes on in small letters, as a passphrase does.
    "The password rotates every three months.",
    "The password manager generates twenty characters.",
    "The passphrase protects laptops against theft everywhere.",
    "With the password alone everyone could enter.",
    "seed data covers users orders products reviews",
    "Password: chosen by you, changed each quarter.",
    "La contraseña caduca cada tres meses.",
    "Le mot de passe temporaire arrive par courrier.",
    "Le mot de passe est valable trois mois seulement.",
    "Le mot de passe est valable pendant trente jours.",
    "The passphrase is kept secret until needed.",
    "La password viene inviata per posta.",
    "A senha deve ter doze caracteres.",
    "Het wachtwoord verloopt elke drie maanden.",
    "Das Kennwort ist nur einmal verwendbar.",
    "Wi-Fi: fast / free",
    "Mail jane at noon, and dot the i",
    "Email us at point 4 of the list",
    "social media is 219 09 9999 clicks",
    "Password | Length | Strength",
    "Password-protected files need WinZip24.",
    "login with SAML / OAuth2 today",
    "Password policy: AES256-v2",
    "Passwort: siehe KeePass-Eintrag",
    "00000010  45 39 14 88 03 43 64 67  54 25 23 34 30 10 99 03",
    "see section 4.3.2.1 and 4.3.2.2",
    "The alarm takes 30 seconds to arm.",
    "0711\n70173 and 70174",
    "our AWS account for tests is 471108152342",
)


@pytest.mark.parametrize("at", range(len(FOUND)))
def test_found(at: int) -> None:
    text, value, kind = FOUND[at]
    assert redact(text.replace("#", value), default_checks()).text == text.replace("#", f"[redacted: {kind}]")


def test_left() -> None:
    assert [redact(text, default_checks()).text for text in LEFT] == list(LEFT)


def test_a_cell_ends_at_its_delimiter() -> None:
    table = "user,password,role\nmmeier,{},admin\njdoe,{},editor"
    hidden = "[redacted: credential]"
    assert redact(table.format("gurke77!", "Salt&Pepper3"), default_checks()).text == table.format(hidden, hidden)
