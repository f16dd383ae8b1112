// Keys. A page says which ones it takes; nothing here knows the page.
//
//   data-key="a"           on a link, button or summary: A clicks it; on a field: A goes to it
//   data-key="1 g1"        alternatives, parted by spaces; "g1" is G and then 1, within a second and a half
//   data-key-label="…"     what the list of keys (?) calls it; otherwise its aria-label or its text
//   data-key-rows          on a button beside a list with boxes: acts on the ticked rows, else on the row one stands on
//   Ctrl+Enter             in a field of a form that decides something: sends it
//   <table class="data">   J and K move, Enter opens, X ticks, Shift+X ticks from the last one to here, Esc unticks
//
// What is hidden or disabled takes no key. The list of keys is made from the same attributes. Keys stay silent in
// fields and dialogs, and can be switched off (WCAG 2.1.4): dictation and some aids would trip over them.
(() => {
  const STORE = "keys-off";
  const RETURN = "keys-row";
  const help = document.getElementById("keys");
  const table = document.querySelector("table.data[data-keys], table.data[data-bulk]") || document.querySelector("table.data");
  const rows = () => [...(table ? table.tBodies[0].rows : [])].filter(target);
  const isOn = () => localStorage.getItem(STORE) !== "yes";

  const link = (row) => row.querySelector("a[data-open]") || row.querySelector("a[href]");
  const tick = (row) => row.querySelector("input[type=checkbox]");
  const target = (row) => link(row) || tick(row) || row.querySelector("button, input:not([type=hidden])");

  // ---------------------------------------------------------------- rows

  let here = null;
  const mark = (row) => {
    if (here) here.classList.remove("here");
    here = row;
    if (here) here.classList.add("here");
  };
  const go = (row) => {
    if (!row) return;
    mark(row);
    target(row).focus({ preventScroll: true });
    here.scrollIntoView({ block: "nearest" });
    clearOfBars(here);
  };

  // The sticky header and the bulk bar must not hide the row.
  const clearOfBars = (row) => {
    const box = row.getBoundingClientRect();
    const head = table.tHead ? table.tHead.rows[0].cells[0].getBoundingClientRect().height : 0;
    const bar = document.querySelector(".bulkbar");
    const floor = bar ? bar.getBoundingClientRect().top : window.innerHeight;
    if (box.bottom > floor) window.scrollBy(0, box.bottom - floor + 4);
    else if (box.top < head) window.scrollBy(0, box.top - head - 4);
  };

  const step = (by) => {
    const all = rows();
    const at = all.indexOf(here);
    go(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
  };

  const ticked = () => rows().map(tick).filter((box) => box && box.checked);

  const listKeys = {
    j: () => step(1),
    k: () => step(-1),
    x: (event) => here && tick(here) && tick(here).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey })),
    Enter: (event) => {
      if (!here || !link(here) || event.target.closest("a, button, summary")) return false;
      link(here).click();
    },
    Escape: () => {
      if (document.querySelector("details.pop[open]")) return false; // Esc closes those first
      if (!ticked().length) mark(null);
      ticked().forEach((box) => box.click());
    },
    "/": () => {
      const box = document.querySelector("[data-search], input[type=search]");
      if (!box) return false;
      box.focus();
      box.select();
    },
    "?": () => help && help.showModal(),
  };

  // ---------------------------------------------------------------- what the page offers

  const usable = (element) => !element.disabled && (element.checkVisibility ? element.checkVisibility() : element.getClientRects().length > 0);
  const sequences = (element) => element.dataset.key.split(" ");
  const offered = () => [...document.querySelectorAll("[data-key]")].filter(usable);

  const press = (element) => {
    if (element.matches("input:not([type=checkbox]), select, textarea")) {
      element.focus();
      if (element.select) element.select();
      return;
    }
    if ("keyRows" in element.dataset && !ticked().length) {
      const box = here && tick(here);
      if (!box || box.disabled) return;
      box.click();
    }
    element.click();
    const details = element.matches("summary") && element.parentElement;
    if (details && details.open) details.querySelector("input:not([type=hidden]), select, textarea, button, a")?.focus();
  };

  // ---------------------------------------------------------------- listening

  // Where a Chinese input method is on, keys may come as its signs, or as none at all.
  const SIGNS = { "【": "[", "】": "]", "、": "/", "？": "?" };
  const named = (event) => {
    if (event.key === "Process" && /^Key[A-Z]$/.test(event.code)) return event.code[3].toLowerCase();
    return SIGNS[event.key] || (event.key.length === 1 ? event.key.toLowerCase() : event.key);
  };

  let begun = "";
  let timer = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && !event.repeat && isOn()) {
      const form = event.target.closest("form.stack, form.form, details.decision form, .act-form");
      if (form && event.target.matches("input, select, textarea")) {
        event.preventDefault();
        form.requestSubmit(form.querySelector("button:not([type=button])"));
      }
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat && !"jk".includes(event.key) || !isOn()) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]")) return;
    const key = named(event);
    const typed = key.length === 1 ? begun + key : key;
    begun = "";
    clearTimeout(timer);
    if (!begins(typed) && typed in listKeys) {
      if (listKeys[typed](event) !== false) event.preventDefault();
      return;
    }
    if (event.shiftKey && /[a-z]/.test(key)) return;
    const candidates = offered();
    const found = candidates.find((element) => sequences(element).includes(typed));
    if (found) {
      event.preventDefault();
      press(found);
    } else if (candidates.some((element) => sequences(element).some((each) => each.startsWith(typed)))) {
      begun = typed;
      timer = setTimeout(() => { begun = ""; }, 1500);
    }
  });
  // A page may give a list key a meaning of its own.
  const begins = (typed) => [...document.querySelectorAll("[data-key]")].some((element) => sequences(element).includes(typed) && usable(element));

  if (table) {
    table.addEventListener("focusin", (event) => {
      const row = event.target.closest("tbody tr");
      if (row && row !== here) mark(row);
    });
  }

  // An act comes back to this page: one stands on the same row, or on the first one after it that is still there.
  const name = (row) => (tick(row) && tick(row).value) || (link(row) && link(row).pathname);
  document.addEventListener("submit", () => {
    if (!here || !name(here)) return;
    const from = rows().slice(rows().indexOf(here));
    sessionStorage.setItem(RETURN, JSON.stringify({ path: location.pathname, rows: from.map(name).filter(Boolean), time: Date.now() }));
  });
  const left = JSON.parse(sessionStorage.getItem(RETURN) || "null");
  if (left && left.path === location.pathname) {
    sessionStorage.removeItem(RETURN);
    if (Date.now() - left.time < 60000) go(rows().sort((a, b) => left.rows.indexOf(name(a)) - left.rows.indexOf(name(b))).find((row) => left.rows.includes(name(row))));
  }

  // ---------------------------------------------------------------- the list of keys, and its switch

  const say = () => document.documentElement.setAttribute("data-keys", isOn() ? "on" : "off");
  const label = (element) => {
    if (element.dataset.keyLabel) return element.dataset.keyLabel;
    const copy = element.cloneNode(true);
    copy.querySelectorAll("kbd, .count").forEach((each) => each.remove());
    return element.getAttribute("aria-label") || copy.textContent.trim();
  };
  const caps = (sequence) => [...sequence].map((key) => `<kbd>${key.toUpperCase()}</kbd>`).join(" ");

  const explain = () => {
    const list = help.querySelector("dl");
    list.querySelectorAll("[data-made]").forEach((line) => line.remove());
    const there = { rows: rows().length > 0, boxes: rows().some(tick), acts: Boolean(document.querySelector("[data-key-rows]")) };
    help.querySelectorAll("[data-when]").forEach((line) => { line.hidden = !there[line.dataset.when]; });
    const said = new Set();
    offered().forEach((element) => {
      const sequence = sequences(element)[0];
      if (said.has(sequence)) return;
      said.add(sequence);
      const line = document.createElement("div");
      line.dataset.made = "";
      line.innerHTML = `<dt>${caps(sequence.replace(/[<>&]/g, ""))}</dt><dd></dd>`;
      line.querySelector("dd").textContent = label(element);
      list.append(line);
    });
  };

  if (help) {
    const open = HTMLDialogElement.prototype.showModal;
    help.showModal = () => { explain(); open.call(help); };
    const toggle = document.getElementById("keys-on");
    toggle.checked = isOn();
    toggle.addEventListener("change", () => {
      if (toggle.checked) localStorage.removeItem(STORE);
      else localStorage.setItem(STORE, "yes");
      say();
    });
    document.querySelectorAll("[data-keys-help]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => help.showModal());
    });
  }
  say();
})();
