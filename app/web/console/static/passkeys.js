// Passkeys on the sign-in page and under one's name. Without it the pages work, with links and providers alone.
(() => {
  "use strict";
  const offered = document.querySelector("button[data-origin]");
  if (!offered) return;
  const status = document.getElementById("passkey-status");
  const token = document.body.dataset.csrf;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  const send = async (method, path, body) => {
    const headers = { "Content-Type": "application/json" };
    if (token) headers["X-CSRF-Token"] = token;
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
    const content = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.status === 401) throw new Error("Your session is over. Sign in again, and then go on here.");
    if (!answer.ok) throw new Error(content.detail || content.title || "The service did not answer as it should.");
    return content;
  };

  const named = (options) => (options || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const answered = (credential, names) => ({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: Object.fromEntries(
      names.filter((name) => credential.response[name]).map((name) => [name, text(credential.response[name])]),
    ),
  });

  const add = async () => {
    const { options } = await send("POST", "/api/v1/passkeys/options");
    const credential = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: named(options.excludeCredentials),
      },
    });
    const label = (navigator.userAgentData && navigator.userAgentData.platform) || navigator.platform || "";
    await send("POST", "/api/v1/passkeys", {
      credential: answered(credential, ["clientDataJSON", "attestationObject"]),
      label: label.slice(0, 100),
    });
    location.assign("/me?notice=passkey-added");
  };

  const use = async (button) => {
    const { options } = await send("POST", "/sign-in/passkey/options", { return_to: button.dataset.returnTo });
    const credential = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: named(options.allowCredentials),
      },
    });
    const signed = await send("POST", "/sign-in/passkey", {
      credential: answered(credential, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
    });
    location.assign(signed.return_to);
  };

  const WORDS = {
    NotAllowedError: "No passkey was used: the device was asked and said no, took too long, or has none for this site.",
    InvalidStateError: "This device has a passkey of yours already.",
    SecurityError: "The browser makes no passkeys for this address.",
    NotSupportedError: "This device cannot make such a passkey.",
    TypeError: "The service cannot be reached. Try again in a moment.",
  };

  const press = (button, step) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      status.textContent = "";
      button.disabled = true;
      try {
        await step(button);
      } catch (error) {
        status.textContent = WORDS[error.name] || error.message;
      } finally {
        button.disabled = false;
      }
    });
  };

  if (!window.PublicKeyCredential) {
    if (offered.id === "add-passkey") status.textContent = "This browser has no passkeys.";
  } else if (offered.dataset.origin !== location.origin) {
    status.textContent = `Passkeys work at ${offered.dataset.origin} alone.`;
  } else {
    press(offered, offered.id === "add-passkey" ? add : use);
  }
})();
