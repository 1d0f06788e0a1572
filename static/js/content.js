/* The editor of a message: what is typed is kept on the server, fields are inserted where one was typing. */
(() => {
  "use strict";
  const words = document.currentScript.dataset;
  const PAUSE = 800; // milliseconds without typing
  const timers = new Map();
  const headers = () => JSON.parse(document.body.getAttribute("hx-headers"));

  // --- keep what is typed ---
  const told = (form, text) => {
    let note = form.querySelector("[data-draft-note]");
    if (!note) {
      note = Object.assign(document.createElement("span"), { className: "draft-note" });
      note.dataset.draftNote = "";
      note.setAttribute("role", "status");
      form.querySelector(".form-actions").append(note);
    }
    note.textContent = text;
  };
  const underWay = new Map(); // form -> what was sent and not answered yet
  const forget = (form) => {
    clearTimeout(timers.get(form));
    timers.delete(form);
    underWay.get(form)?.abort(); // where it has come in already, the server refuses it by its step
    underWay.delete(form);
  };
  const keep = (form) => {
    forget(form);
    const body = new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken"));
    const step = form.dataset.draftStep = Number(form.dataset.draftStep) + 1;
    const stop = new AbortController();
    underWay.set(form, stop);
    fetch(`${form.dataset.draft}&step=${step}`, { method: "POST", body, headers: headers(), signal: stop.signal, keepalive: String(body).length < 60000 })
      .then((answer) => told(form, answer.ok ? words.kept : answer.status === 409 ? words.over : words.lost), () => stop.signal.aborted || told(form, words.lost))
      .finally(() => underWay.get(form) === stop && underWay.delete(form));
  };
  const typed = (e) => {
    const form = e.target.closest?.("form[data-draft]");
    if (!form || e.target.type === "file") return;
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => keep(form), PAUSE));
  };
  document.addEventListener("input", typed);
  document.addEventListener("change", typed);
  document.addEventListener("trix-change", (e) => { if (e.target.matches(":focus")) typed(e); });
  document.addEventListener("submit", (e) => forget(e.target), true);
  document.addEventListener("htmx:beforeRequest", (e) => forget(e.detail.elt.closest("form[data-draft]")));
  window.addEventListener("pagehide", () => [...timers.keys()].forEach(keep));

  // --- fields about the reader ---
  let last = null;
  document.addEventListener("focusin", (e) => {
    if (e.target.matches("form.content-form :is(input[type=text], textarea, trix-editor):not([data-fallback])")) last = e.target;
  });
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-insert]");
    if (!button) return;
    const form = button.closest("form");
    const place = last && form.contains(last) ? last : form.querySelector(":is(trix-editor, textarea, input[type=text]):not([data-fallback])");
    if (!place) return;
    const word = form.querySelector("[data-fallback]").value.replace(/["{}“”|]/g, "").trim();
    const field = word ? `{{ ${button.dataset.insert} | default: "${word}" }}` : `{{ ${button.dataset.insert} }}`;
    place.focus();
    if (place.editor) place.editor.insertString(field);
    else {
      place.setRangeText(field, place.selectionStart, place.selectionEnd, "end");
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  // --- Ctrl+Z and Ctrl+Y outside of a text go back and forth between versions ---
  document.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.target.closest("input, textarea, select, trix-editor")) return;
    const key = e.key.toLowerCase();
    const wanted = key === "y" || (key === "z" && e.shiftKey) ? "[data-redo]" : key === "z" ? "[data-undo]" : "";
    const button = wanted && document.querySelector(`#content-undo ${wanted}`);
    if (!button) return;
    e.preventDefault();
    button.click();
  });
})();
