// Single keys, which a switch under one's name turns off (WCAG 2.1.4). They do what links and buttons do.
(() => {
  "use strict";
  if (document.body.dataset.shortcuts !== "on") return;
  let going = 0;
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const rows = () => [...document.querySelectorAll("[data-row]")];

  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.classList.contains("is-current"));
    const next = all[Math.max(0, Math.min(all.length - 1, now === -1 ? 0 : now + step))];
    all.forEach((row) => row.classList.toggle("is-current", row === next));
    (next.querySelector("a, button") || next).focus();
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && window.clearance.closeBeside()) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = document.querySelector(`[data-key="g ${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const act = {
      "/": () => document.getElementById("find")?.focus(),
      "?": () => document.getElementById("keys")?.showModal(),
      ".": () => document.querySelector("[data-stop]")?.click(),
      "g": () => { going = Date.now(); },
      "j": () => move(1),
      "k": () => move(-1),
    }[event.key];
    if (act) { event.preventDefault(); act(); return; }
    if (/^[1-9]$/.test(event.key)) {
      const turns = document.querySelectorAll(".turn");
      const source = turns[turns.length - 1]?.querySelector(`[data-source="${event.key}"]`);
      if (source) { event.preventDefault(); source.click(); }
    }
  });
})();
