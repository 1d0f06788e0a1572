/* Finding a customer from the top of every page: a combobox after WAI-ARIA's pattern. The options come by htmx. */
(() => {
  "use strict";
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const field = form.querySelector("[role=combobox]");
  const results = form.querySelector(".find-results");
  const options = () => [...results.querySelectorAll("[role=option]")];
  const current = () => results.querySelector("[aria-selected=true]");

  const choose = (option) => {
    current()?.setAttribute("aria-selected", "false");
    field.removeAttribute("aria-activedescendant");
    if (!option) return;
    option.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const show = (isOpen) => {
    results.hidden = !isOpen;
    field.setAttribute("aria-expanded", String(isOpen && options().length > 0));
    field.setAttribute("aria-controls", isOpen && options().length ? "find-options" : "find-results");
    if (!isOpen) choose(null);
  };
  const go = (option) => location.assign(option.dataset.href);
  const step = (by) => {
    const all = options();
    if (!all.length) return;
    if (results.hidden) show(true);
    const at = all.indexOf(current());
    choose(all[at === -1 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length]);
  };

  field.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "ArrowDown") step(1);
    else if (e.key === "ArrowUp") step(-1);
    else if (e.key === "Escape" && !results.hidden) show(false);
    else if (e.key === "Enter" && !results.hidden && current()) go(current());
    else return;
    e.preventDefault();
  });
  field.addEventListener("input", () => {
    choose(null); // what is typed now was not asked for yet
    if (!field.value.trim()) show(false);
  });
  field.addEventListener("focus", () => { if (field.value.trim() && results.childElementCount) show(true); });
  form.addEventListener("focusout", (e) => { if (!form.contains(e.relatedTarget)) show(false); });
  results.addEventListener("mousedown", (e) => { if (e.target.closest("[role=option]")) e.preventDefault(); });
  results.addEventListener("click", (e) => {
    const option = e.target.closest("[role=option]");
    if (option) go(option);
  });
  results.addEventListener("htmx:afterSwap", () => { if (document.activeElement === field && field.value.trim()) show(true); });
  document.addEventListener("keydown", (e) => { // "/" leads here, unless one is typing
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable], trix-editor")) return;
    e.preventDefault();
    field.focus();
  });
})();
