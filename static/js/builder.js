/* The selection builder: its buttons by htmx, dragging, keys, and fields that belong together. Without this file every button posts the page. */
(() => {
  "use strict";
  const form = () => document.getElementById("builder-form");
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

  // --- sending: a change of the rule goes before any count that runs; a count of what has changed since is not shown ---
  // One change at a time: what is pressed meanwhile waits, and means the part it was pressed at, wherever that went.
  let hands = ""; // what the hands were on, to find it again afterwards
  let changes = 0;
  let before = null; // while a change is under way: each field of the rule with what stood in it
  let typed = []; // what was typed meanwhile
  const waiting = [];
  const partKey = (path) => form().elements[`${path}__key`]?.value;
  const pathOf = (key) => [...form().querySelectorAll("input[name$=__key]")].find((input) => input.value === key)?.name.slice(0, -"__key".length);
  const asKeys = (command) => command.split(":").map((word) => (/^r(-\d+)*$/.test(word) && partKey(word) ? { key: partKey(word) } : word));
  const asPaths = (words) => words.map((word) => (word.key ? pathOf(word.key) : word));
  const fields = () => [...document.querySelectorAll("#rule :is(input:not([type=hidden]), select, textarea)[name]")];
  const isBox = (field) => ["checkbox", "radio"].includes(field.type);
  const contents = (field) => JSON.stringify(isBox(field) ? field.checked : field.multiple ? [...field.selectedOptions].map((option) => option.value) : field.value);
  const send = (command, at = "") => {
    if (before) {
      waiting.push([asKeys(command), at]);
      return;
    }
    changes += 1;
    hands = at;
    before = new Map(fields().map((field) => [field, contents(field)]));
    window.htmx.ajax("POST", location.pathname + location.search, { source: form(), target: "#builder", swap: "outerHTML", values: { do: command } });
  };
  const sendNext = () => {
    while (!before && waiting.length) {
      const [words, at] = waiting.shift();
      const paths = asPaths(words);
      if (!paths.includes(undefined)) send(paths.join(":"), at); // else its part is gone
    }
  };
  const remember = () => {
    typed = fields().filter((field) => before.has(field) && before.get(field) !== contents(field)).map((field) => {
      const path = field.name.match(/^r(-\d+)*/)?.[0] ?? "";
      return { key: partKey(path), name: field.name.slice(path.length), value: field.value, contents: JSON.parse(contents(field)), isBox: isBox(field) };
    });
  };
  const fillIn = ({ key, name, value, contents: held, isBox: ticks }) => {
    const field = fields().find((other) => other.name === `${pathOf(key)}${name}` && (!ticks || other.value === value));
    if (!field) return;
    if (ticks) field.checked = held;
    else if (field.multiple) [...field.options].forEach((option) => { option.selected = held.includes(option.value); });
    else field.value = held;
    field.tomselect?.sync();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("htmx:configRequest", (e) => { e.detail.changes = changes; });
  document.addEventListener("htmx:beforeSwap", (e) => {
    const asked = e.detail.requestConfig;
    const isOld = asked.changes !== changes || !asked.elt.isConnected;
    if (isOld && ["live", "panels", "waiting"].includes(asked.elt.id)) e.detail.shouldSwap = false;
    if (before && e.detail.target.id === "builder" && e.detail.shouldSwap) remember();
  });
  document.addEventListener("htmx:afterRequest", (e) => {
    if (!before || e.detail.elt !== form() || e.detail.successful) return;
    before = null; // it failed: the page says so, and what waited was pressed at what was not done
    waiting.length = 0;
  });
  const handsOn = (button) => {
    if (button.closest("details[data-menu]")) return ".rule-tools summary";
    const verb = button.value.split(":")[0];
    return verb === "up" || verb === "down" ? `.rule-arrow[value^="${verb}:"]` : "";
  };
  document.addEventListener("submit", (e) => {
    const button = e.submitter;
    if (e.target !== form() || !window.htmx) return;
    if (button?.name === "do") {
      e.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") return;
      send(button.value, handsOn(button));
    } else if (button?.name === "panel_open") {
      e.preventDefault();
      document.getElementById("panels").setAttribute("hx-vals", JSON.stringify({ panel_open: button.value }));
      window.htmx.trigger(document.body, "counted");
    }
  }, true);
  document.addEventListener("change", (e) => { // the words between the parts change with how a group combines
    if (e.target.matches?.(".rule-select")) send("count:r");
  });
  document.addEventListener("htmx:afterSettle", (e) => { // go on where the hands were; a count that settles meanwhile is not it
    if (e.target.id !== "builder") return;
    const part = document.querySelector(".rule-builder [data-did]");
    if (part) {
      const did = part.dataset.did;
      const found = hands && part.querySelector(hands);
      if (did === "add") part.querySelector(".rule-fields .field:not(.is-off) :is(input:not([type=hidden]), select:not([multiple]))")?.focus();
      else if (did === "pick") [...part.querySelectorAll(":scope > .rule-picks .rule-pick:last-child :is(input:not([type=hidden]), select)")].shift()?.focus();
      else if (found) found.focus();
    }
    before = null;
    typed.splice(0).forEach(fillIn);
    sendNext();
  });

  // --- the menu of criteria: one for the whole page, put where it is opened ---
  const items = (menu) => [...menu.querySelectorAll(".rule-menu .menu-item")].filter((item) => item.offsetParent);
  const open = (menu) => {
    const list = menu.querySelector(".rule-menu");
    if (!list.querySelector("[data-menu-search]")) {
      list.replaceChildren(document.getElementById("criteria-menu").content.cloneNode(true));
      list.querySelectorAll("button").forEach((button) => { button.value = button.value.replace("__path__", menu.dataset.path); });
    }
    list.querySelector("[data-menu-search]").focus();
    keepInView(list);
  };
  const keepInView = (list) => {
    const edge = document.querySelector(".rule-bar").getBoundingClientRect().top;
    const below = list.getBoundingClientRect().bottom - edge + 8;
    if (below > 0) window.scrollBy({ top: below });
  };
  const label = (item) => plain(item.firstElementChild.firstChild.textContent.trim());
  const search = (field) => {
    const menu = field.closest("[data-menu]");
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    const holds = (text) => wanted.every((word) => text.includes(word));
    const groups = [...menu.querySelectorAll(".rule-menu-group")];
    const show = (texts) => groups.forEach((group) => {
      const head = plain(group.querySelector(".rule-menu-head").textContent);
      const isUsed = group.classList.contains("rule-menu-used");
      group.querySelectorAll(".menu-item").forEach((item) => { item.hidden = (isUsed && wanted.length > 0) || !holds(`${head} ${texts(item)}`); });
      group.hidden = !group.querySelector(".menu-item:not([hidden])");
    });
    show(label);
    if (groups.every((group) => group.hidden)) show((item) => plain(item.textContent)); // then in the explanations too
    menu.querySelector(".rule-menu-none").hidden = groups.some((group) => !group.hidden);
  };
  document.addEventListener("toggle", (e) => {
    if (e.target.matches?.(".rule-choose") && e.target.open) open(e.target);
  }, true);
  document.addEventListener("keydown", (e) => {
    const menu = e.target.closest?.(".rule-choose");
    if (!menu) return;
    const shown = items(menu);
    const at = shown.indexOf(document.activeElement);
    if (e.key === "Enter" && e.target.matches("[data-menu-search]")) {
      e.preventDefault();
      const wanted = plain(e.target.value.trim());
      const named = (test) => shown.find((item) => test(label(item)));
      if (wanted) (named((text) => text === wanted) ?? named((text) => text.startsWith(wanted)) ?? shown[0])?.click();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      const next = e.key === "ArrowDown" ? shown[at + 1] ?? shown[0] : shown[at - 1] ?? menu.querySelector("[data-menu-search]");
      next?.focus();
    }
  });

  // --- fields: only those of the choice that is made; a complaint is forgotten once its field is changed ---
  const showFields = (part) => part.querySelectorAll("[data-when]").forEach((input) => {
    const other = part.querySelector(`[name="${CSS.escape(`${part.dataset.prefix}-${input.dataset.when}`)}"]`);
    if (other) input.closest(".field")?.classList.toggle("is-off", !input.dataset.whenIs.split(" ").includes(other.value));
  });
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
    const part = e.target.closest?.(".rule-criterion");
    if (part) showFields(part);
  }, true);

  // --- moving: by the handle, with the arrow keys or dragged; Ctrl+Z takes back ---
  const ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowRight: "into", ArrowLeft: "out" };
  document.addEventListener("keydown", (e) => {
    const handle = e.target.closest?.(".rule-handle");
    if (handle && ARROWS[e.key]) {
      e.preventDefault();
      send(`${ARROWS[e.key]}:${handle.closest("li").dataset.path}`, ".rule-handle");
    } else if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z" && !e.target.closest?.("input, textarea, select, dialog")) {
      e.preventDefault();
      send(e.shiftKey ? "redo:r" : "undo:r");
    }
  });
  const sortable = (list) => {
    if (window.Sortable.get(list)) return;
    window.Sortable.create(list, {
      group: "rule", handle: ".rule-handle", animation: 120, forceFallback: true, fallbackOnBody: true,
      fallbackTolerance: 4, swapThreshold: 0.6, invertSwap: true, emptyInsertThreshold: 16, ghostClass: "rule-ghost", dragClass: "rule-drag", scroll: true,
      onStart: () => document.body.classList.add("is-dragging"),
      onEnd: ({ item, to, from, newDraggableIndex, oldDraggableIndex }) => {
        document.body.classList.remove("is-dragging");
        if (to === from && newDraggableIndex === oldDraggableIndex) return;
        send(`move:${item.dataset.path}:${to.dataset.path}:${newDraggableIndex}`, ".rule-handle");
      },
    });
  };
  const prepare = () => document.querySelectorAll(".rule-parts").forEach(sortable);
  document.addEventListener("DOMContentLoaded", prepare);
  document.addEventListener("htmx:load", prepare);
})();
