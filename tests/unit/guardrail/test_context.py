"""Values that only what stands around them gives away: a label, a column, a heading, words before and behind."""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

CHECKS = default_checks()

# What names the value stands elsewhere: (text, values).
OUTLINED = {
    "column": (
        "| For | Password |\n|---|---|\n| Wi-Fi | Nebelkran22 |\n| Door | Tulpe!93x |\n",
        "Nebelkran22 Tulpe!93x",
    ),
    "column of code": ("| For | Password |\n|---|---|\n| Wi-Fi | `Nebelkran22` |\n", "Nebelkran22"),
    "commas": ("user,password,team\nada,Nebelkran22,ops\nbob,Tulpe!93x,hr\n", "Nebelkran22 Tulpe!93x"),
    "semicolons": ("Benutzer;Passwort\nada;Nebelkran22\nbob;Tulpe!93x\n", "Nebelkran22 Tulpe!93x"),
    "HTML": ("<tr><th>For</th><th>Password</th></tr>\n<tr><td>Wi-Fi</td><td>tulpenfeld</td></tr>", "tulpenfeld"),
    "line above": ("Password:\ntulpenfeld\n\nThanks", "tulpenfeld"),
    "bold line above": ("**Password:**\n\ntulpenfeld\n", "tulpenfeld"),
    "heading": ("## Wi-Fi password\n\nNebelkran22\n\nThanks", "Nebelkran22"),
    "list": ("The passwords:\n\n- Nebelkran22\n- Tulpe!93x\n", "Nebelkran22 Tulpe!93x"),
    "numbered list": ("Passwords:\n1. Nebelkran22\n2. Tulpe!93x\n", "Nebelkran22 Tulpe!93x"),
    "quote": ("> Password:\n> Nebelkran22\n", "Nebelkran22"),
    "key line": ("Wi-Fi\nNetwork: guests\nKey: \n8f7d6e5c4b3a29181a2b3c4d\n", "8f7d6e5c4b3a29181a2b3c4d"),
    "column of PINs": ("| Name | PIN |\n|---|---|\n| Ada | 4711 |\n", "4711"),
    "column of phones": ("name,phone\nAda,5550132441\n", "5550132441"),
    "column of numbers": ("| Name | SSN |\n|---|---|\n| Ada | 219099999 |\n", "219099999"),
}
SENTENCES = {
    "en": "The password is {}.",
    "en, assigned": "Password: {}",
    "de": "Das Passwort lautet {}.",
    "fr": "Le mot de passe est {}.",
    "es": "La contraseña es {}.",
    "it": "La parola d'ordine è {}.",
    "pt": "A senha é {}.",
    "nl": "Het wachtwoord is {}.",
    "sv": "Lösenordet är {}.",
    "da": "Adgangskoden er {}.",
    "fi": "Salasana on {}.",
    "pl": "Hasło to {}.",
    "cs": "Heslo je {}.",
    "hu": "A jelszó most {}.",
    "ro": "Parola: {}",
    "tr": "Parolası şu {}.",
    "ru": "Пароль теперь {}.",
    "uk": "Пароль це {}.",
    "el": "Ο κωδικός πρόσβασης είναι {}.",
    "zh": "密码是{}。",
    "zh, assigned": "密码：{}",
    "zh-Hant": "WiFi 密碼為{}。",
    "ja": "パスワードは{}です。",
    "ko": "비밀번호는 {} 입니다.",
    "th": "รหัสผ่านคือ {}",
    "ar": "كلمة المرور هي {}",
    "he": "הסיסמה היא {}",
    "hi": "पासवर्ड है {}",
    "vi": "Mật khẩu là {}.",
    "id": "Kata sandi adalah {}.",
    "Cyrillic letters among Latin ones": "The раssword is {}.",
    "complement": "The password for the database of the team is {}.",
    "bracket": "The password (until May) is {}.",
    "pair": "Login: admin / {}",
    "option": "mysql --password={} main",
    "user": "curl -u ada:{} https://x.example",
    "JSON": '{{"password": "{}"}}',
    "environment": "DB_PASSWORD={}",
    "behind": "{} is the Wi-Fi password.",
    "behind, used": "Use {} as the password.",
    "behind, in brackets": "{} (password)",
    "behind, de": "{} ist das Passwort.",
    "behind, fr": "{} est le mot de passe.",
    "behind, zh": "{}是密码。",
    "near": "We changed the password last week after the audit, so everyone now types {} here.",
}
CODES = (
    "The door code is {}.",
    "Der Türcode ist {}.",
    "Le code de la porte est {}.",
    "El código de la puerta es {}.",
    "Il codice della porta è {}.",
    "O código da porta é {}.",
    "De deurcode is {}.",
    "Portkoden är {}.",
    "Kod do drzwi: {}",
    "Код от двери: {}",
    "门禁码是{}。",
    "暗証番号は{}です。",
    "출입코드: {}",
    "Your PIN is {}.",
    "Your OTP is {}.",
    "Switch the alarm off with {}.",
    "The lockbox opens with {}.",
    "Keypad code: {}",
    "{} is the gate code.",
    "Use {} as the door code.",
)
OTHERS = (
    ("The combination is {}.", "12-34-56"),
    ("The security question is the first pet, and the answer is {}.", "Rufus"),
    ("Mother's maiden name: {}", "Lindqvist"),
    ("Mädchenname der Mutter: {}", "Lindqvist"),
    ("The passphrase is {}.", "maple river cobalt lantern"),
    ("Passphrase: {}", "maple-river-cobalt-lantern"),
    ('The password is "{}".', "blue sky over town"),
    ("Seed phrase: {}", "legal winner thank year wave sausage worth useful legal winner thank yellow"),
    ("The API token was rotated and is kept as {} there.", "Zk83jd82Kd92kdQ7x1"),
)
HARMLESS = """
    Passwords must have at least 12 characters.
    The password policy was updated in 2024.
    Reset your password in the portal.
    Your password expires every 90 days.
    The password is required.
    If you forgot your password, click Reset.
    Passwords are stored as hashes.
    The password manager is Bitwarden.
    We use 1Password for all accounts.
    [Password Policy](https://intranet.example/policy)
    See the [Password Guidelines](https://intranet.example/p/2024) for details.
    **Password** Guidelines2024
    Password Manager2 is installed on all devices.
    Password Policy v2.1
    Passwort Richtlinie2024
    Password: see the vault
    Password: ask Ada
    The password field is empty.
    Enter your password below:
    Enter the code that we sent you.
    The access code is sent by SMS.
    The code is 12 digits long.
    A PIN must have 6 digits.
    user,password,team
    name;passwort;abteilung
    | Name | Password |
    Key: a unique name
    The key is under the mat.
    Key figures: 4711 units
    The primary key is customer_id.
    Commit key: see 3f786850e387550fdab836ed7e6dc881de23001b for the change.
    The key has the SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.
    key version 2.4.1
    The token limit is 4096.
    A token lasts 3600 seconds.
    Password reset takes 5 minutes.
    Password length: 12
    Minimum password length: 14 characters
    The password history keeps 24 entries.
    The error code is 404.
    HTTP status code 503
    Our code of conduct applies.
    The QR code is on page 12.
    Security question: choose one of five.
    The answer is on page 12.
    Login is at https://portal.example/login
    Log in with SSO, then open Settings.
    Credentials are kept in the vault.
    Das Passwort muss mindestens 12 Zeichen haben.
    Das Passwort läuft nach 90 Tagen ab.
    Le mot de passe doit contenir 12 caractères.
    La contraseña debe tener 12 caracteres.
    Het wachtwoord moet worden gewijzigd.
    Пароль должен содержать 12 символов.
    密码至少12位。
    パスワードは8文字以上です。
    비밀번호는 8자 이상입니다.
    Release 2.4.1 of 2024-05-01 fixes the password dialog.
    See RFC6749 about tokens and OAuth2 keys.
    Windows11 asks for the password.
    Office365 passwords are synced.
    ISO27001 requires password rotation.
    A passphrase is a sequence of words that nobody guesses.
    The recovery code is shown once.
    It opens with a smile.
    Use the code below to reproduce it.
    The combination is new.
    PIN pad broken in room 4711
    Passwords2024.xlsx is the file.
    The Wi-Fi password is on the wall.
    The password is the same as before.
    Ask for the password at the desk in room B12.
    The password page is at /account/password/reset.
    password_hash = Column(String)
    password = os.environ["DB_PASSWORD"]
    password: ${DB_PASSWORD}
    api_key = settings.api_key
    The API key is created in the console.
"""
HARMLESS_PAGES = (
    "## Passwords\n\nUse long ones and never write them down.",
    "## Wi-Fi password\n\nAsk the office for it.",
    "# Password policy\n\nEveryone follows it.\n",
    "## Passwords\n\n- Length: 12\n- Rotation: 90 days\n",
    "## Access codes\n\n1. Ask the office.\n2. Sign the list.\n",
    "Password:\n\nAsk Ada.\n",
    "Passwords:\n- at least 12 characters\n- no names\n",
    "| Name | Password |\n|---|---|\n| Ada | required |\n",
    "| Setting | Value |\n|---|---|\n| Password length | 12 |\n",
    "| Column | Meaning |\n|---|---|\n| password | The password of the user |\n| token | The token of the session |\n",
    "user,password,team\n\nThen a text.",
)


@pytest.mark.parametrize("name", OUTLINED)
def test_what_is_named_elsewhere(name: str) -> None:
    text, values = OUTLINED[name]
    released = redact(text, CHECKS).text
    assert not [value for value in values.split() if value in released]
    assert released.startswith(text[: text.index("\n")])


@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("value", ["Nebel7kran!x", "Tulpe?Feld93"])
def test_passwords_in_many_languages(name: str, value: str) -> None:
    assert redact(SENTENCES[name].format(value), CHECKS).text == SENTENCES[name].format("[redacted: credential]")


@pytest.mark.parametrize("sentence", CODES)
@pytest.mark.parametrize("code", ["4711", "482913"])
def test_codes(sentence: str, code: str) -> None:
    assert redact(sentence.format(code), CHECKS).text == sentence.format("[redacted: credential]")


@pytest.mark.parametrize(("sentence", "value"), OTHERS)
def test_answers_and_phrases(sentence: str, value: str) -> None:
    assert redact(sentence.format(value), CHECKS).text == sentence.format("[redacted: credential]")


@pytest.mark.parametrize("text", [*HARMLESS.strip().split("\n"), *HARMLESS_PAGES])
def test_what_is_about_secrets_and_holds_none(text: str) -> None:
    text = text.strip(" ")
    assert redact(text, CHECKS).text == text
