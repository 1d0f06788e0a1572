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
  const keep = (form) => {
    clearTimeout(timers.get(form));
    timers.delete(form);
    const body = new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken"));
    fetch(form.dataset.draft, { method: "POST", body, headers: headers(), keepalive: String(body).length < 60000 })
      .then((answer) => told(form, answer.ok ? words.kept : words.lost), () => told(form, words.lost));
  };
  const forget = (form) => {
    clearTimeout(timers.get(form));
    timers.delete(form);
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
    if (e.target.matches("form.content-form :is(input[type=text], textarea, trix-editor)")) last = e.target;
  });
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-insert]");
    if (!button) return;
    const form = button.closest("form");
    const place = last && form.contains(last) ? last : form.querySelector("trix-editor, textarea, input[type=text]");
    if (!place) return;
    place.focus();
    if (place.editor) place.editor.insertString(button.dataset.insert);
    else {
      place.setRangeText(button.dataset.insert, place.selectionStart, place.selectionEnd, "end");
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
