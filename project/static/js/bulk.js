// Ticking many rows: a box in the head ticks the page, Shift ticks a range, the bar shows count and sum.
// Markup: <table class="data" data-bulk>; rows (or their boxes) may carry data-amount="1150.00"; the head's box is data-all.
(() => {
  document.querySelectorAll("table[data-bulk]").forEach((table) => {
    const scope = table.closest("form") || document;
    const all = table.querySelector("thead input[data-all]");
    const boxes = () => [...table.querySelectorAll("tbody input[type=checkbox]:not(:disabled)")];
    const tally = scope.querySelector("[data-bulk-tally]") || document.querySelector("[data-bulk-tally]");

    const cents = (box) => {
      const holder = box.closest("[data-amount]");
      const amount = holder ? Number(holder.dataset.amount) : NaN;
      return Number.isNaN(amount) ? null : Math.round(amount * 100);
    };

    const show = () => {
      const ticked = boxes().filter((box) => box.checked);
      if (all) {
        all.checked = ticked.length > 0 && ticked.length === boxes().length;
        all.indeterminate = ticked.length > 0 && !all.checked;
      }
      if (!tally) return;
      const amounts = boxes().map(cents).filter((amount) => amount !== null);
      tally.hidden = false;
      tally.querySelector("[data-count]").textContent = ticked.length;
      tally.querySelector("[data-sum-part]").hidden = amounts.length === 0;
      const sum = ticked.reduce((total, box) => total + (cents(box) || 0), 0) / 100;
      tally.querySelector("[data-sum]").textContent = sum.toLocaleString("zh-CN", { minimumFractionDigits: 2 });
    };

    let last = null;
    table.addEventListener("click", (event) => {
      const box = event.target;
      if (!box.matches || !box.matches("tbody input[type=checkbox]")) return;
      if (event.shiftKey && last && last !== box) {
        const list = boxes();
        const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
        list.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
      }
      last = box;
    });
    table.addEventListener("change", (event) => {
      if (event.target === all) boxes().forEach((box) => { box.checked = all.checked; });
      show();
    });
    if (all) all.closest("[hidden]")?.removeAttribute("hidden");
    window.addEventListener("pageshow", show);
    document.addEventListener("htmx:afterSwap", show);
    show();
  });
})();
