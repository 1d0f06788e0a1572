/* The selection builder: searching its menus, and forgetting a complaint once the field is changed. The rest is htmx. */
(() => {
  "use strict";
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  const items = (menu) => [...menu.querySelectorAll(".rule-menu .menu-item")];
  const search = (field) => {
    const menu = field.closest("[data-menu]");
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    menu.querySelectorAll(".rule-menu-group").forEach((group) => {
      const head = plain(group.querySelector(".rule-menu-head").textContent);
      group.querySelectorAll(".menu-item").forEach((item) => {
        const text = `${head} ${plain(item.textContent)}`;
        item.hidden = !wanted.every((word) => text.includes(word));
      });
      group.hidden = !group.querySelector(".menu-item:not([hidden])");
    });
    menu.querySelector(".rule-menu-none").hidden = Boolean(menu.querySelector(".menu-item:not([hidden])"));
  };
  document.addEventListener("input", (e) => {
    if (e.target.matches("[data-menu-search]")) {
      e.stopPropagation(); // searching the menu is no change of the rule
      search(e.target);
      return;
    }
    const part = e.target.closest(".rule-criterion");
    if (!part) return;
    part.querySelector(":scope > .field-error")?.remove();
    const field = e.target.closest(".has-error");
    field?.classList.remove("has-error");
    field?.querySelector(".field-error")?.remove();
  }, true);
  document.addEventListener("change", (e) => {
    if (e.target.matches("[data-menu-search]")) e.stopPropagation();
  }, true);
  document.addEventListener("keydown", (e) => {
    const menu = e.target.closest?.(".rule-add [data-menu]");
    if (!menu) return;
    const shown = items(menu).filter((item) => !item.hidden);
    const at = shown.indexOf(document.activeElement);
    if (e.key === "Enter" && e.target.matches("[data-menu-search]")) {
      e.preventDefault();
      if (e.target.value.trim()) shown[0]?.click();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      const next = e.key === "ArrowDown" ? shown[at + 1] ?? shown[0] : shown[at - 1] ?? menu.querySelector("[data-menu-search]");
      next?.focus();
    }
  });
  document.addEventListener("htmx:afterSettle", () => { // go on where the hands were
    const part = document.querySelector(".rule-builder [data-did]");
    if (!part) return;
    const did = part.dataset.did;
    delete part.dataset.did;
    if (did === "add") part.querySelector(".rule-fields input:not([type=hidden]), .rule-fields select:not([multiple])")?.focus();
    if (did === "up" || did === "down") part.querySelector(`.rule-tools [value^="${did}:"]`)?.focus();
  });
  document.addEventListener("toggle", (e) => {
    if (e.target.matches?.(".rule-add [data-menu]") && e.target.open) e.target.querySelector("[data-menu-search]").focus();
  }, true);
})();
