// What every page does beyond its HTML. Nothing here makes HTML out of text: text goes in as text.
(() => {
  "use strict";
  const say = (text) => { document.getElementById("status").textContent = text; };

  // What is typed survives an expired session, a reload and a crash: in this tab alone, and for this person alone.
  const draftKey = (field) => `draft:${document.body.dataset.person}:${field.dataset.draft}`;
  const restoreDrafts = (root) => {
    for (const field of root.querySelectorAll("[data-draft]")) {
      const kept = sessionStorage.getItem(draftKey(field));
      if (kept && !field.value) field.value = kept;
    }
  };
  const forgetDrafts = (form) => {
    for (const field of form.querySelectorAll("[data-draft]")) sessionStorage.removeItem(draftKey(field));
  };
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.dataset || field.dataset.draft === undefined) return;
    if (field.value) sessionStorage.setItem(draftKey(field), field.value);
    else sessionStorage.removeItem(draftKey(field));
  });

  // An address says what was given, and nothing of fields that are empty.
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    if (request.method?.toUpperCase() !== "GET" || !(request.body instanceof FormData)) return;
    for (const [name, value] of [...request.body]) if (value === "") request.body.delete(name);
  });

  // A form that was taken is empty again; one that was refused keeps what was typed.
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const form = ctx.sourceElement;
    if (!(form instanceof HTMLFormElement) || form.dataset.clear === undefined) return;
    const status = ctx.response?.raw?.status ?? ctx.response?.status;
    if (status >= 200 && status < 300) {
      forgetDrafts(form);
      for (const field of form.querySelectorAll("textarea, input[type=text]")) field.value = "";
    }
  });

  // Back to this page after signing in again.
  document.addEventListener("htmx:after:swap", () => {
    for (const link of document.querySelectorAll("a[data-sign-in]")) {
      link.href = `/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`;
    }
  });

  // No answer at all: say so, and leave everything as it is.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response) return;
    const notices = document.getElementById("notices");
    const notice = document.createElement("div");
    notice.className = "notice notice--bad";
    notice.setAttribute("role", "alert");
    notice.textContent = document.documentElement.lang === "de"
      ? "Der Dienst antwortet nicht. Es ging nichts verloren; versuchen Sie es gleich noch einmal."
      : "The service does not answer. Nothing was lost; try again in a moment.";
    notices.replaceChildren(notice);
  });

  // What opens beside the page: focus goes there, and back where it came from.
  const beside = () => document.getElementById("beside");
  let cameFrom = null;
  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx?.sourceElement?.getAttribute("hx-target") === "#beside") cameFrom = event.detail.ctx.sourceElement;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    if (target?.id !== "beside" || !target.firstElementChild) return;
    const place = target.querySelector("[data-place]");
    if (place) place.scrollIntoView({ block: "center" });
    (target.querySelector("[data-close-beside]") || target).focus({ preventScroll: true });
  });
  const closeBeside = () => {
    if (!beside()?.firstElementChild) return false;
    beside().replaceChildren();
    cameFrom?.focus();
    return true;
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-beside]")) { event.preventDefault(); closeBeside(); }
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy || document.querySelector(copy.dataset.copyFrom).innerText)
        .then(() => say(copy.dataset.copied || "Copied."));
    }
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("change", (event) => {
    if (event.target.dataset?.submit !== undefined) event.target.form.requestSubmit();
  });

  window.clearance = { say, closeBeside };
  const wake = (root) => {
    restoreDrafts(root);
    for (const element of root.querySelectorAll("[data-needs-script]")) element.hidden = false;
  };
  document.addEventListener("htmx:after:swap", () => wake(document));
  wake(document);
})();
