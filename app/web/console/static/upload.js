// Uploads: files are chosen or dropped, the service says what that would do, and only then are they sent, a few at a time.
(() => {
  "use strict";
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const words = JSON.parse(form.dataset.words);
  const sheet = document.getElementById("sheet");
  const progress = document.getElementById("progress");
  const ENDED = ["indexed", "unchanged", "failed"];
  const AT_ONCE = 3;
  let files = [];
  let asked = 0;

  const tags = (moment) => {
    const data = new FormData();
    const rule = form.elements.rule.value;
    const checked = (name) => form.querySelectorAll(`input[name=${name}]:checked`);
    if (rule !== "inherits") for (const box of checked("roles")) data.append("roles", box.value);
    for (const box of checked("deny")) data.append("deny", box.value);
    data.append("inherits", String(rule !== "tags"));
    if (form.elements.label.value) data.append("label", form.elements.label.value);
    for (const name of ["starts", "ends"]) if (form.elements[name].value) moment(data, name, form.elements[name].value);
    return data;
  };
  const placed = ({ path }) => [form.elements.folder.value.replace(/^\/+|\/+$/g, ""), path].filter(Boolean).join("/");

  // What the sheet is made from is only the names and sizes of the files.
  const lacksRole = () => form.elements.rule.value === "tags" && !form.querySelector("input[name=roles]:checked");
  const preview = () => {
    if (!files.length || !progress.hidden) return;
    clearTimeout(asked);
    // What it said was of another rule.
    if (lacksRole()) { sheet.replaceChildren(); return; }
    asked = setTimeout(() => htmx.ajax("POST", form.dataset.preview, { source: form, target: sheet, swap: "innerHTML" }), 150);
  };
  form.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    request.body = tags((data, name, value) => data.append(name, value));
    request.body.append("file", new Blob(files.map((each) => `${each.file.size}  ${placed(each)}\n`)), "files");
    request.headers["X-CSRF-Token"] = document.body.dataset.csrf;
  });

  const choose = (chosen) => {
    files = chosen.filter(({ path }) => !path.split("/").some((name) => name.startsWith(".")));
    preview();
  };
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => choose([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }))));
  }
  form.addEventListener("change", (event) => {
    form.querySelector("[data-roles]").hidden = form.elements.rule.value === "inherits";
    form.querySelector("[data-choose-roles]").hidden = !lacksRole();
    if (event.target.type !== "file") preview();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  const entriesOf = async (entry, above) => {
    const path = above ? `${above}/${entry.name}` : entry.name;
    if (entry.isFile) return [{ file: await new Promise((take, fail) => entry.file(take, fail)), path }];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((take, fail) => reader.readEntries(take, fail));
      if (!some.length) return found;
      for (const each of some) found.push(...(await entriesOf(each, path)));
    }
  };
  const drop = form.querySelector("[data-drop]");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    // At once: what is dropped is gone after the first pause.
    const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file").map((item) => {
      const entry = item.webkitGetAsEntry();
      const file = item.getAsFile();
      return entry ? entriesOf(entry, "") : [{ file, path: file.name }];
    });
    choose((await Promise.all(dropped)).flat());
  });

  const call = async (path, options = {}) => {
    for (;;) {
      const answer = await fetch(path, { credentials: "same-origin", ...options });
      if (answer.status !== 429) return { status: answer.status, body: await answer.json().catch(() => ({})) };
      await new Promise((go) => setTimeout(go, 1000 * Number(answer.headers.get("Retry-After") || 1)));
    }
  };

  const rowOf = (path) => {
    const row = document.createElement("li");
    row.className = "row row--split";
    for (const text of [path, words.queued]) {
      const part = document.createElement("span");
      part.textContent = text;
      row.append(part);
    }
    progress.querySelector("ul").append(row);
    return (state, reason) => {
      row.lastChild.textContent = reason ? `${words[state]}: ${reason}` : words[state];
      row.lastChild.className = state === "failed" ? "bad" : ENDED.includes(state) ? "good" : "";
    };
  };

  // Gives the job that the file has become; null where it was refused, which its row says.
  const send = async (each, show) => {
    show("sending");
    const data = tags((fields, name, value) => fields.append(`${name}_at`, `${value}T00:00:00Z`));
    data.append("path", placed(each));
    data.append("file", each.file, each.file.name);
    const headers = { "X-CSRF-Token": document.body.dataset.csrf };
    const { status, body } = await call(form.dataset.upload, { method: "POST", body: data, headers });
    if (status === 202) { show("queued"); return body.id; }
    show("failed", status === 401 ? words.over : body.detail || body.title);
    return null;
  };

  const start = async (refused) => {
    const sent = files.filter((each) => !refused.has(placed(each)) && !refused.has(placed(each).normalize("NFC")));
    const bar = progress.querySelector("progress");
    progress.hidden = false;
    sheet.replaceChildren();
    form.hidden = true;
    bar.max = sent.length;
    bar.value = 0;
    const rows = sent.map((each) => rowOf(placed(each)));
    const waiting = new Map();
    let next = 0;
    const sending = Array.from({ length: AT_ONCE }, async () => {
      while (next < sent.length) {
        const number = next++;
        const job = await send(sent[number], rows[number]);
        if (job) waiting.set(job, rows[number]); else bar.value += 1;
      }
    });
    let all = false;
    Promise.all(sending).then(() => { all = true; });
    while (!all || waiting.size) {
      await new Promise((go) => setTimeout(go, 1000));
      if (!waiting.size) continue;
      const [oldest] = waiting.keys();
      const listed = waiting.size > 3 ? [(await call("/api/v1/jobs?limit=500")).body].flat() : [];
      if (!listed.some((job) => job.id === oldest)) listed.push((await call(`/api/v1/jobs/${oldest}`)).body);
      for (const job of listed) {
        const show = waiting.get(job.id);
        if (!show) continue;
        show(job.state, job.reason);
        if (ENDED.includes(job.state)) { waiting.delete(job.id); bar.value += 1; }
      }
    }
    window.clearance.say(words.done);
    const links = document.createElement("p");
    links.className = "buttons";
    for (const [href, text] of [[location.href, words.more], ["/jobs", words.jobs]]) {
      const link = document.createElement("a");
      link.className = "button button--second";
      link.href = href;
      link.textContent = text;
      links.append(link);
    }
    progress.append(links);
  };
  sheet.addEventListener("click", (event) => {
    if (!event.target.closest("[data-start]")) return;
    start(new Set(JSON.parse(sheet.querySelector("[data-refused]").dataset.refused))).catch(() => {
      const lost = document.createElement("p");
      lost.className = "notice notice--bad";
      lost.setAttribute("role", "alert");
      lost.textContent = words.lost;
      progress.prepend(lost);
    });
  });
})();
