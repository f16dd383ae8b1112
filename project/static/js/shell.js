// Small comforts of every page. Everything works without them.
(() => {
  // One click is one request: a form that is being sent is not sent again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 20000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // A small form that was opened closes on Escape and on a click elsewhere.
  const open = () => document.querySelectorAll("details.pop[open]");
  document.addEventListener("click", (event) => {
    open().forEach((pop) => pop.contains(event.target) || pop.removeAttribute("open"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open().forEach((pop) => {
      pop.removeAttribute("open");
      pop.querySelector("summary").focus();
    });
  });

  // Filters that say so are applied when they are changed.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.matches("form[data-auto]") && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
  });
})();
