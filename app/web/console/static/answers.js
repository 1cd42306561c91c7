// Answers as they come: text is added as text, and once it is whole the page's own version takes its place.
(() => {
  "use strict";
  const watched = new WeakSet();

  const watch = (turn) => {
    if (watched.has(turn)) return;
    watched.add(turn);
    const text = turn.querySelector("[data-text]");
    const events = new EventSource(turn.dataset.events);
    let begun = false;
    events.addEventListener("delta", (event) => {
      if (!begun) { begun = true; text.textContent = ""; text.classList.remove("answer__waiting"); }
      text.append(JSON.parse(event.data).text);
    });
    const finish = () => {
      events.close();
      htmx.ajax("GET", turn.dataset.answer, { source: turn, target: turn, swap: "outerHTML" });
    };
    events.addEventListener("done", finish);
    events.addEventListener("failed", finish);
    events.onerror = () => {
      // The browser tries again by itself, from where it was, unless the service has refused it.
      if (events.readyState === EventSource.CLOSED) location.reload();
    };
  };

  const watchAll = () => document.querySelectorAll("[data-events]").forEach(watch);
  document.addEventListener("htmx:after:swap", () => {
    watchAll();
    const last = document.querySelector(".turn:last-of-type [data-announce]");
    if (last) { window.clearance.say(last.dataset.announce); last.removeAttribute("data-announce"); }
  });
  // A number in a model's text opens the source of that number, beside the page as its chip in the list does.
  document.addEventListener("click", (event) => {
    const cite = event.target.closest("[data-cites]");
    const source = cite?.closest(".turn")?.querySelector(`[data-source="${cite.dataset.cites}"]`);
    if (source) { event.preventDefault(); source.click(); }
  });
  watchAll();
})();
