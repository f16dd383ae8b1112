// On a phone the filters of the queue start folded, so that the first case is on the screen.
(() => {
  const fold = document.querySelector("details[data-fold]");
  if (fold && window.matchMedia("(max-width: 600px)").matches) fold.open = false;
})();
