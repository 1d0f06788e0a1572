/* Loads a vendored library only on the page that needs it: charts, searchable selects, sortable lists, rich text. */
(() => {
  "use strict";
  const here = document.currentScript;
  const files = here.dataset;
  const loaded = {};
  const script = (url) => (loaded[url] ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    Object.assign(tag, { src: url, onload: resolve, onerror: reject, nonce: here.nonce });
    document.head.append(tag);
  }));
  const styles = (urls) => urls.split(" ").forEach((url) => {
    if (document.querySelector(`link[href="${url}"]`)) return;
    const tag = document.createElement("link");
    Object.assign(tag, { rel: "stylesheet", href: url });
    document.head.insertBefore(tag, document.querySelector('link[href*="css/app"]')); // ours comes last
  });
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const words = () => window.wise.words();

  // --- charts ---
  const TONES = { brand: "--brand", accent: "--focus", success: "--success", warning: "--warning", danger: "--danger", info: "--info", neutral: "--line-strong" };
  const ORDER = ["brand", "accent", "info", "success", "neutral", "danger", "warning"];
  const drawChart = async (canvas) => {
    await script(files.chart);
    if (!canvas.isConnected) return; // another part of the page came in its place meanwhile
    const { Chart } = window;
    const data = json(canvas.dataset.chart);
    const type = canvas.dataset.chartType;
    const isRound = type === "doughnut" || type === "pie";
    const isStacked = "chartStacked" in canvas.dataset;
    const number = new Intl.NumberFormat(document.documentElement.lang);
    Object.assign(Chart.defaults.font, { family: css("--tblr-font-sans-serif"), size: 13 });
    Chart.defaults.color = css("--ink-soft");
    data.datasets.forEach((set, index) => {
      const tone = css(TONES[set.tone] ?? TONES[ORDER[index % ORDER.length]]);
      set.borderColor = isRound ? css("--surface") : tone;
      set.backgroundColor = isRound ? set.data.map((_, i) => css(TONES[ORDER[i % ORDER.length]])) : type === "line" ? `${tone}1f` : tone;
      Object.assign(set, { borderWidth: type === "bar" ? 0 : 2, borderRadius: 4, maxBarThickness: 34, pointRadius: set.data.filter((figure) => figure !== null).length < 2 ? 4 : 0, pointHoverRadius: 5, pointBackgroundColor: tone, tension: 0.3, fill: type === "line" && data.datasets.length === 1, borderDash: type === "line" && index ? [6, 4] : [] });
    });
    const axis = (isValue) => ({ stacked: isStacked, beginAtZero: true, border: { display: false }, grid: { display: isValue, color: css("--line") }, ticks: { maxRotation: 0, autoSkipPadding: 16, ...(isValue ? { precision: 0, callback: (value) => number.format(value) } : {}) } });
    const isSideways = "chartHorizontal" in canvas.dataset;
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type, data,
      options: {
        responsive: true, maintainAspectRatio: false, animation: false, locale: document.documentElement.lang,
        indexAxis: isSideways ? "y" : "x", interaction: { mode: "index", intersect: false, axis: isSideways ? "y" : "x" },
        scales: isRound ? {} : { x: axis(isSideways), y: axis(!isSideways) },
        plugins: { legend: { display: isRound || data.datasets.length > 1, position: isRound ? "right" : "bottom", labels: { usePointStyle: true, boxHeight: 8 } }, tooltip: { backgroundColor: css("--side"), padding: 10 } },
      },
    });
  };

  // --- searchable selects ---
  const searchable = async (select) => {
    styles(files.tomSelectCss);
    await script(files.tomSelect);
    if (select.tomselect || !select.isConnected) return;
    const label = select.labels[0]?.textContent.trim() || select.getAttribute("aria-label") || words().search;
    const box = new window.TomSelect(select, {
      plugins: select.multiple ? { remove_button: { title: words().remove } } : {},
      maxOptions: 500, refreshThrottle: 0, hidePlaceholder: true, closeAfterSelect: !select.multiple, create: "create" in select.dataset,
      render: { no_results: () => Object.assign(document.createElement("div"), { className: "no-results", textContent: words().noResults }) },
    });
    select.setAttribute("aria-label", label); // Tom Select takes its label away
    box.control_input.setAttribute("aria-label", label);
    box.dropdown_content.setAttribute("aria-label", label);
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) box.control_input.setAttribute(name, select.getAttribute(name));
    }
    select.dispatchEvent(new Event("enhanced"));
  };

  // --- lists in an order, by mouse and by keyboard ---
  const tool = (label, icon, act) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-quiet btn-icon btn-sm", title: label });
    button.setAttribute("aria-label", label);
    button.innerHTML = `<svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${icon}"/></svg>`;
    button.addEventListener("click", act);
    return button;
  };
  const announce = (item) => {
    const items = [...item.parentElement.children];
    window.wise.toast(words().moved.replace("{position}", items.indexOf(item) + 1).replace("{total}", items.length));
  };
  let orders = Promise.resolve(); // one after the other: an order that arrives late would undo the next
  const reordered = (list, item) => {
    list.dispatchEvent(new CustomEvent("sorted", { bubbles: true, detail: { item } }));
    if (!list.dataset.sortableUrl) return;
    const body = new URLSearchParams([...list.children].map((child) => ["order", child.dataset.id]));
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    orders = orders.then(() => fetch(list.dataset.sortableUrl, { method: "POST", body, headers }))
      .then((answer) => { if (!answer.ok) throw new Error(answer.status); })
      .catch(() => window.wise.toast(words().failed, "error"));
  };
  const move = (item, step) => {
    const list = item.parentElement; // an item may have come from another list
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (step < 0) other.before(item); else other.after(item);
    item.querySelector(`.sortable-tools [data-step="${step}"]`).focus();
    announce(item);
    reordered(list, item);
  };
  const addTools = (item) => {
    if (item.querySelector(":scope > .sortable-tools")) return;
    const tools = document.createElement("span");
    tools.className = "sortable-tools";
    const up = tool(words().up, "m18 15-6-6-6 6", () => move(item, -1));
    const down = tool(words().down, "m6 9 6 6 6-6", () => move(item, 1));
    up.dataset.step = "-1";
    down.dataset.step = "1";
    tools.append(up, down);
    item.append(tools);
  };
  const sortable = async (list) => {
    [...list.children].forEach((item) => addTools(item));
    new MutationObserver(() => [...list.children].forEach((item) => item.matches("li") && addTools(item))).observe(list, { childList: true });
    await script(files.sortable);
    window.Sortable.create(list, {
      animation: 120, ghostClass: "sortable-ghost", filter: "input, textarea, select, trix-editor, button, a", preventOnFilter: false,
      group: list.dataset.sortableGroup && { // lists of one group exchange their items
        name: list.dataset.sortableGroup,
        put: (to, from, item) => from.options.group.name === to.options.group.name && item.matches(to.el.dataset.sortableAccepts || "*"),
      },
      onEnd: (e) => (e.to !== e.from || e.oldIndex !== e.newIndex) && reordered(e.to, e.item),
    });
  };

  // --- rich text: Trix writes a style sheet of its own and takes the nonce for it from the head ---
  const richText = async () => {
    if (!document.querySelector('meta[name="csp-nonce"]')) {
      const meta = document.createElement("meta");
      meta.name = "csp-nonce";
      meta.content = here.nonce;
      document.head.append(meta);
    }
    styles(files.trixCss);
    document.addEventListener("trix-file-accept", (e) => e.preventDefault());
    document.addEventListener("trix-before-initialize", () => {
      for (const [name, word] of Object.entries(words())) {
        if (name.startsWith("trix")) window.Trix.config.lang[name[4].toLowerCase() + name.slice(5)] = word;
      }
    }, { once: true });
    await script(files.trix);
  };

  const KINDS = [["canvas[data-chart]", drawChart], ["select[data-enhance]", searchable], ["[data-sortable]", sortable], ["trix-editor", richText]];
  const enhance = (root) => KINDS.forEach(([selector, act]) => {
    if (root.matches?.(selector)) act(root);
    root.querySelectorAll(selector).forEach(act);
  });
  document.addEventListener("DOMContentLoaded", () => enhance(document));
  document.addEventListener("htmx:load", (e) => { if (e.detail.elt !== document.body) enhance(e.detail.elt); });
})();
