/* Behaviour by attribute; see templates/cotton/README.md. No inline handlers, no eval, nothing from elsewhere. */
(() => {
  "use strict";
  const words = () => document.getElementById("words").dataset;
  const on = (event, selector, act) => document.addEventListener(event, (e) => {
    const target = e.target.closest?.(selector);
    if (target) act(target, e);
  });

  // --- toasts: from Django's messages, from htmx answers (HX-Trigger: toasts), from this file ---
  const READ_FOR = 9000;
  const letGo = (toast) => {
    if (toast.matches(".toast-error, .toast-warning")) return; // bad news stays until it is closed
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
    setTimeout(leave, READ_FOR);
  };
  const toast = (text, tone = "info") => {
    const note = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
    note.classList.add(`toast-${tone}`);
    note.querySelector("p").textContent = text;
    if (tone === "error") note.setAttribute("role", "alert");
    document.getElementById("toasts").append(note);
    letGo(note);
  };
  on("click", "[data-toast-close]", (button) => button.closest("[data-toast]").remove());
  document.addEventListener("toasts", (e) => e.detail.items.forEach((item) => toast(item.text, item.tone)));

  // --- questions before something is done ---
  const ask = (question, { tone = "", yes = "" } = {}) => new Promise((resolve) => {
    const dialog = document.getElementById("confirm-dialog");
    const button = dialog.querySelector("[data-confirm-yes]");
    button.dataset.standard ??= button.textContent;
    button.textContent = yes || button.dataset.standard;
    button.className = `btn btn-${tone || "primary"}`;
    dialog.querySelector(".confirm-question").textContent = question;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
  on("click", "[data-confirm-yes]", () => document.getElementById("confirm-dialog").close("yes"));
  on("click", "[data-confirm-no]", () => document.getElementById("confirm-dialog").close(""));
  document.addEventListener("submit", (e) => {
    const asker = e.submitter?.dataset.confirm ? e.submitter : e.target;
    if (!asker.dataset.confirm || asker.dataset.confirmed) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    const isDanger = asker.dataset.confirmTone === "danger" || e.submitter?.classList.contains("btn-danger");
    ask(asker.dataset.confirm, { tone: isDanger ? "danger" : "", yes: asker.dataset.confirmYes }).then((agreed) => {
      if (!agreed) return;
      if (!e.target.isConnected) { // an answer came in its place while the question stood there: yes still means this
        e.target.hidden = true;
        document.body.append(e.target);
      }
      asker.dataset.confirmed = "yes";
      e.target.requestSubmit(e.submitter);
      delete asker.dataset.confirmed;
    });
  }, true);
  document.addEventListener("htmx:confirm", (e) => {
    if (!e.detail.question) return;
    e.preventDefault();
    ask(e.detail.question).then((agreed) => agreed && e.detail.issueRequest(true));
  });

  // --- a press means its button, also when an answer put the same one anew in its place before it was let go ---
  const PRESSABLE = "button, a, summary";
  const isSame = (one) => (other) => ["name", "value", "href", "textContent"].every((is) => one[is] === other[is]);
  let pressed = null;
  document.addEventListener("mousedown", (e) => { pressed = e.button === 0 ? e.target.closest?.(PRESSABLE) : null; }, true);
  document.addEventListener("mouseup", (e) => { // browsers send no click then
    const [was, now] = [pressed, e.target.closest?.(PRESSABLE)];
    pressed = null;
    if (was && now && !was.isConnected && isSame(was)(now)) now.click();
  }, true);
  // What the page asks again and again of itself leaves the focus where it was, in what came in the place of that.
  const BY_ITSELF = "[hx-trigger*='every '], [hx-trigger*='load delay']";
  const twins = (one) => [...document.querySelectorAll(PRESSABLE)].filter(isSame(one));
  let left = null;
  document.addEventListener("htmx:beforeSwap", (e) => {
    const now = document.activeElement;
    const isLost = e.detail.requestConfig.elt.matches(BY_ITSELF) && e.detail.target.contains(now) && now.matches(PRESSABLE);
    if (isLost) left = { one: now, place: twins(now).indexOf(now) };
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (left && !left.one.isConnected && document.activeElement === document.body) twins(left.one)[left.place]?.focus({ preventScroll: true });
    left = null;
  });

  // --- dialogs, menus, side menu ---
  on("click", "[data-dialog-open]", (button) => document.getElementById(button.dataset.dialogOpen).showModal());
  on("click", "[data-dialog-close]", (button) => button.closest("dialog").close());
  document.addEventListener("click", (e) => { if (e.target.matches?.("dialog.dialog")) e.target.close(); });
  const closeMenus = (except) => document.querySelectorAll("[data-menu][open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
  document.addEventListener("click", (e) => closeMenus(e.target.closest("[data-menu]")));
  document.addEventListener("keydown", (e) => {
    const menu = e.key === "Escape" && document.querySelector("[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("toggle", (e) => { // the list hangs from the right of its button: on a narrow screen not off its left
    const list = e.target.matches?.("[data-menu][open]") && e.target.querySelector(":scope > .menu-list");
    if (!list) return;
    list.style.translate = "";
    list.style.translate = `${Math.max(0, 8 - list.getBoundingClientRect().left)}px`;
  }, true);
  on("click", "[data-sidebar-toggle]", (button) => {
    const isOpen = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(isOpen));
  });

  // --- forms ---
  document.addEventListener("submit", (e) => { // one submit is enough; the button comes back when the page does
    const form = e.target;
    if (!form.matches("[data-once]") || e.defaultPrevented) return;
    if (form.dataset.sent) return e.preventDefault();
    if (form.hasAttribute("hx-post") || form.method === "get") return;
    form.dataset.sent = "yes";
    e.submitter?.classList.add("is-busy");
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll(".is-busy").forEach((button) => button.classList.remove("is-busy"));
  }));
  // What is typed in one form must not be lost by sending another: the browser asks first.
  on("input", "form[data-guard]", (form) => { form.dataset.dirty = "yes"; });
  document.addEventListener("submit", (e) => { if (!e.defaultPrevented) delete e.target.dataset.dirty; });
  window.addEventListener("beforeunload", (e) => {
    if (document.querySelector("form[data-dirty]")) e.preventDefault();
  });
  let typing;
  const send = (form) => form.requestSubmit();
  on("change", "[data-autosubmit]", (form, e) => {
    clearTimeout(typing);
    if (!e.target.matches("input[type=text], input[type=search], input:not([type])")) send(form);
  });
  on("input", "[data-autosubmit]", (form, e) => {
    if (!e.target.matches("input[type=text], input[type=search], input:not([type])")) return;
    clearTimeout(typing);
    typing = setTimeout(() => { if (form.hasAttribute("hx-get")) send(form); }, 400);
  });
  on("change", "[data-check-all]", (box) => {
    document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(box.dataset.checkAll)}"]`).forEach((other) => {
      other.checked = box.checked;
    });
  });
  const showParts = (root) => root.querySelectorAll("[data-show-if]").forEach((part) => {
    const [name, wanted] = part.dataset.showIf.split("=");
    const form = part.closest("form");
    const values = new FormData(form).getAll(name);
    part.hidden = !wanted.split("|").some((value) => values.includes(value));
  });
  on("change", "form", (form) => showParts(form));
  on("click", "[data-fill-login]", (button) => {
    document.getElementById("id_username").value = button.dataset.fillLogin;
    document.getElementById("id_password").value = button.dataset.fillPassword;
    document.querySelector(".form-wide [type=submit]").focus();
  });
  on("click", "[data-copy]", (button) => {
    navigator.clipboard.writeText(button.dataset.copy).then(
      () => toast(words().copied, "success"), () => toast(words().copyFailed, "warning"));
  });

  // --- htmx ---
  const SIGN_IN = "/accounts/login/";
  document.addEventListener("htmx:beforeSwap", (e) => { // signed out meanwhile: show the whole sign-in page
    const url = new URL(e.detail.xhr.responseURL || location.href, location.href);
    if (url.pathname !== SIGN_IN || location.pathname === SIGN_IN) return;
    e.detail.shouldSwap = false;
    location.assign(`${SIGN_IN}?next=${encodeURIComponent(location.pathname + location.search)}`);
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, () => toast(words().failed, "error"));
  }

  // --- what a new page or a new part of it needs ---
  const showTabs = () => document.querySelectorAll(".tabs [aria-current]").forEach((tab) => { // on a narrow screen tabs scroll
    const bar = tab.closest(".tabs");
    const [inner, outer] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    bar.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  });
  window.addEventListener("resize", showTabs);
  const prepare = (root) => {
    showParts(root);
    root.querySelectorAll("table.table-stack").forEach((table) => {
      const heads = [...table.querySelectorAll("thead th")].map((head) => (head.querySelector(".visually-hidden") ? "" : head.textContent.trim())); // its buttons say it
      table.querySelectorAll("tbody tr").forEach((row) => [...row.children].forEach((cell, index) => {
        cell.dataset.label ??= heads[index] ?? "";
      }));
    });
    root.querySelectorAll(".table-wrap").forEach((wrap) => { // by keyboard one can only scroll what has the focus
      if (wrap.scrollWidth > wrap.clientWidth + 1) wrap.tabIndex = 0;
    });
    showTabs();
    root.querySelectorAll("[data-dialog-now]").forEach((dialog) => dialog.open || dialog.showModal());
    root.querySelector("[data-focus]")?.focus();
  };
  document.addEventListener("DOMContentLoaded", () => {
    prepare(document);
    document.querySelectorAll("[data-toast]").forEach(letGo);
  });
  document.addEventListener("htmx:load", (e) => { if (e.detail.elt !== document.body) prepare(e.detail.elt); });
  window.wise = { toast, ask, words };
})();
