/* The selection builder: its buttons by htmx, dragging, keys, and fields that belong together. Without this file every button posts the page. */
(() => {
  "use strict";
  const form = () => document.getElementById("builder-form");
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

  // --- sending: a change of the rule goes before any count that runs; a count of what has changed since is not shown ---
  // One change at a time: what is pressed meanwhile waits, and means the part it was pressed at, wherever that went. What
  // is typed or opened meanwhile is there again afterwards, and the hands stay where they went.
  let hands = ""; // what they were on when the change was sent, to find it again afterwards
  let from = null; // the very element; nothing when the hands went elsewhere since, and stay there
  let changes = 0;
  let before = null; // while a change is under way: each field of the rule with what stood in it
  let found = null; // what was found on the page just before the answer took its place
  let stays = false; // the hands are where they went of themselves, whatever is still to be done
  let saving = null; // the button that saves, pressed meanwhile
  const waiting = [];
  const COUNTS = ["live", "panels", "waiting"];
  const PICKS = ["unpick", "pickup", "redraw"];
  const REPEATED = ["up", "down", "undo", "redo", "redraw"]; // a second click soon after the first means it again
  const pathIn = (name) => name.match(/^r(-\d+)*/)?.[0];
  const partKey = (path) => form().elements[`${path}__key`]?.value;
  const pathOf = (key) => [...form().querySelectorAll("input[name$=__key]")].find((input) => input.value === key)?.name.slice(0, -"__key".length);
  const partOf = (element) => element.closest(".rule-criterion, .rule-group");
  const pickAt = (path, place) => form().elements[`${path}__pick-${place}`]?.value;
  const asKeys = (command) => {
    const [verb, path, place] = command.split(":");
    if (PICKS.includes(verb)) return [verb, { key: partKey(path) }, { pick: pickAt(path, place) }];
    return command.split(":").map((word) => (/^r(-\d+)*$/.test(word) && partKey(word) ? { key: partKey(word) } : word));
  };
  const asPaths = (words) => {
    const paths = words.map((word) => (word.key ? pathOf(word.key) : word));
    return paths.map((word) => (word?.pick ? [0, 1, 2, 3].find((place) => pickAt(paths[1], place) === word.pick) : word));
  };
  const fields = () => [...document.querySelectorAll("#rule :is(input:not([type=hidden]), select, textarea)[name]")];
  const isBox = (field) => ["checkbox", "radio"].includes(field.type);
  const contents = (field) => JSON.stringify(isBox(field) ? field.checked : field.multiple ? [...field.selectedOptions].map((option) => option.value) : field.value);
  const idOf = (field) => {
    const path = pathIn(field.name);
    return { key: partKey(path), name: field.name.slice(path.length), value: isBox(field) ? field.value : null };
  };
  const fieldOf = ({ key, name, value }) => fields().find((field) => field.name === `${pathOf(key)}${name}` && (value === null || field.value === value));
  const busy = (is) => document.getElementById("builder").setAttribute("aria-busy", String(is));
  const send = (command, at = "") => {
    if (before) {
      waiting.push([asKeys(command), at]);
      return;
    }
    changes += 1;
    [hands, from, found, stays] = [at, stays ? null : document.activeElement, null, false];
    before = new Map(fields().map((field) => [field, contents(field)]));
    form().dataset.dirty = "yes";
    busy(true);
    window.htmx.ajax("POST", location.pathname + location.search, { source: form(), target: "#builder", swap: "outerHTML settle:0ms", values: { do: command } });
  };
  const goOn = () => {
    while (!before && waiting.length) {
      const [words, at] = waiting.shift();
      const paths = asPaths(words);
      if (!paths.includes(undefined)) send(paths.join(":"), at); // else its part is gone
    }
    if (before || !saving) return;
    const button = saving;
    saving = null;
    button.classList.remove("is-busy");
    form().requestSubmit(button);
  };
  // What was typed since, what stands open, and where the hands went since: in a field, in the menu, or outside the rule.
  const look = () => {
    const now = document.activeElement;
    const went = now !== from && now !== document.body && now.isConnected;
    const select = now.closest(".ts-wrapper")?.previousElementSibling;
    const field = select ?? (now.name && fields().includes(now) ? now : null);
    const menu = document.querySelector("#builder [data-menu][open]");
    return {
      typed: fields().filter((one) => before.has(one) && before.get(one) !== contents(one)).map((one) => [idOf(one), JSON.parse(contents(one))]),
      more: [...document.querySelectorAll("#rule .rule-more[open]")].map((details) => partKey(partOf(details).id.slice("part-".length))),
      menu: menu && !menu.contains(from) ? { key: partKey(partOf(menu).id.slice("part-".length)), kind: ["rule-choose", "rule-tools", "rule-add"].find((name) => menu.closest(`.${name}`)), words: menu.querySelector("[data-menu-search]")?.value } : null,
      field: went && field ? { id: idOf(field), words: select ? now.value : null, start: now.type === "text" || now.type === "search" ? now.selectionStart : null } : null,
      other: went && !now.closest("#builder") ? now : null,
    };
  };
  const fillIn = ([id, held]) => {
    const field = fieldOf(id);
    if (!field) return;
    if (isBox(field)) field.checked = held;
    else if (field.multiple) [...field.options].forEach((option) => { option.selected = held.includes(option.value); });
    else field.value = held;
    field.tomselect?.sync();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const reopen = ({ key, kind, words }) => {
    const inside = { "rule-choose": ".rule-add > .rule-choose", "rule-add": ".rule-add > details:not(.rule-choose)", "rule-tools": ".rule-head > .rule-tools > details" }[kind];
    const menu = document.querySelector(`#part-${pathOf(key)} > ${inside}`);
    if (!menu) return false;
    menu.open = true;
    if (words !== undefined) {
      open(menu);
      const field = menu.querySelector("[data-menu-search]");
      field.value = words;
      search(field);
    }
    return true;
  };
  const takeUp = ({ id, words, start }) => {
    const field = fieldOf(id);
    if (!field) return false;
    if (words === null) {
      field.focus();
      if (start !== null) field.setSelectionRange(start, start);
      else if (field.type === "number") [field.value, field.value] = ["", field.value]; // the caret after the last figure
      return true;
    }
    const goOnSearching = () => {
      field.tomselect.focus();
      field.tomselect.setTextboxValue(words);
      field.tomselect.refreshOptions(true);
    };
    if (field.tomselect) goOnSearching(); else field.addEventListener("enhanced", goOnSearching, { once: true });
    return true;
  };
  let turn = Date.now(); // of two requests the later one, also after the page was loaded anew
  document.addEventListener("htmx:configRequest", (e) => {
    e.detail.changes = changes;
    if (form()?.contains(e.detail.elt)) e.detail.parameters.turn = turn += 1;
  });
  document.addEventListener("htmx:beforeRequest", (e) => { // a count of what is being changed; the answer asks for its own
    if (before && !found && COUNTS.includes(e.detail.elt.id)) e.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (e) => {
    const asked = e.detail.requestConfig;
    const isOld = asked.changes !== changes || !asked.elt.isConnected;
    if (isOld && COUNTS.includes(asked.elt.id)) e.detail.shouldSwap = false;
    if (before && e.detail.target.id === "builder" && e.detail.shouldSwap) found = look();
  });
  document.addEventListener("htmx:afterRequest", (e) => {
    if (!before || e.detail.elt !== form() || e.detail.successful) return;
    busy(false);
    before = null; // it failed: the page says so, and what waited was pressed at what was not done
    waiting.length = 0;
    document.getElementById("rule").dispatchEvent(new Event("change")); // counts that were not asked for meanwhile
    saving?.classList.remove("is-busy");
    saving = null;
  });
  const handsOn = (button) => {
    if (button.closest("details[data-menu]")) return ".rule-tools summary";
    const verb = button.value.split(":")[0];
    return verb === "up" || verb === "down" ? `.rule-arrow[value^="${verb}:"]` : "";
  };
  document.addEventListener("click", (e) => { // a double click means it once
    const button = e.detail > 1 && e.target.closest?.("#builder-form button[name=do]");
    if (button && !REPEATED.includes(button.value.split(":")[0])) e.preventDefault();
  }, true);
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
    } else if (before) { // saved is what there is once everything is done
      e.preventDefault();
      saving = button;
      button?.classList.add("is-busy");
    }
  }, true);
  document.addEventListener("change", (e) => { // the words between the parts change with how a group combines
    if (e.target.matches?.(".rule-select")) send("count:r");
  });
  const handBack = () => { // go on where the hands were
    const part = document.querySelector(".rule-builder [data-did]");
    if (!part) return;
    const did = part.dataset.did;
    const held = hands && part.querySelector(hands);
    if (did === "add") part.querySelector(".rule-fields .field:not(.is-off) :is(input:not([type=hidden]), select:not([multiple]))")?.focus();
    else if (did === "pick") [...part.querySelectorAll(":scope > .rule-picks .rule-pick:last-child :is(input:not([type=hidden]), select)")].shift()?.focus();
    else if (held) held.focus();
  };
  document.addEventListener("htmx:afterSettle", (e) => { // a count that settles meanwhile is no change
    if (e.target.id !== "builder") return;
    const { typed = [], more = [], menu, field, other } = found ?? {};
    [before, found] = [null, null];
    typed.forEach(fillIn);
    more.forEach((key) => document.querySelector(`#part-${pathOf(key)} > .rule-more`)?.setAttribute("open", ""));
    other?.focus();
    stays = Boolean(other || (menu && reopen(menu)) || (field && takeUp(field)));
    if (!stays) handBack();
    goOn();
    stays = false;
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
    if (document.body.classList.contains("is-dragging")) return;
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
      group: "rule", handle: ".rule-handle", filter: () => Boolean(before), preventOnFilter: false, animation: 120, forceFallback: true, fallbackOnBody: true,
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
