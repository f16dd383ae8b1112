// Keys for lists: J and K move, X ticks, Enter opens, / searches, ? explains.
(() => {
  const STORE = "keys-off";
  const help = document.getElementById("keys");
  const table = document.querySelector("table.data[data-keys], table.data[data-bulk]") || document.querySelector("table.data");
  const rows = () => [...(table ? table.tBodies[0].rows : [])].filter((row) => row.querySelector("a, input"));
  const isOn = () => localStorage.getItem(STORE) !== "yes";

  const link = (row) => row.querySelector("a[data-open]") || row.querySelector("a[href]");
  const tick = (row) => row.querySelector("input[type=checkbox]");

  let here = null;
  const go = (row) => {
    if (!row) return;
    if (here) here.classList.remove("here");
    here = row;
    here.classList.add("here");
    (link(row) || tick(row)).focus({ preventScroll: true });
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

  const actions = {
    j: () => step(1),
    k: () => step(-1),
    x: () => here && tick(here) && tick(here).click(),
    Enter: (event) => {
      if (!here || !link(here) || event.target.closest("a, button, summary")) return false;
      link(here).click();
    },
    "/": () => {
      const box = document.querySelector("[data-search], input[type=search]");
      if (!box) return false;
      box.focus();
      box.select();
    },
    "?": () => help && help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !isOn()) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]")) return;
    const act = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act && act(event) !== false) event.preventDefault();
  });

  if (table) {
    table.addEventListener("focusin", (event) => {
      const row = event.target.closest("tbody tr");
      if (!row || row === here) return;
      if (here) here.classList.remove("here");
      here = row;
      here.classList.add("here");
    });
  }

  // Single keys can be switched off (WCAG 2.1.4): dictation and some aids would trip over them.
  const toggle = document.getElementById("keys-on");
  if (toggle) {
    toggle.checked = isOn();
    toggle.addEventListener("change", () => {
      if (toggle.checked) localStorage.removeItem(STORE);
      else localStorage.setItem(STORE, "yes");
    });
  }
  document.querySelectorAll("[data-keys-help]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  });
})();
