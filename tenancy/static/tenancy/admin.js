// The theme makes some controls of elements that a keyboard does not reach: links without an
// address, labels around hidden boxes, clickable areas. Here they get what a button has.
(() => {
  const CONTROLS = [
    "a[x-on\\:click]:not([href])",
    "div.cursor-pointer[x-on\\:click]",
    "span.cursor-pointer[x-on\\:click]",
    "span.material-symbols-outlined[x-on\\:click]",
    "label.cursor-pointer:has(input[type=checkbox])",
  ].join(",");

  const equip = (element) => {
    if (element.hasAttribute("tabindex")) return;
    element.tabIndex = 0;
    element.setAttribute("role", "button");
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(CONTROLS).forEach(equip);
  });

  // The page is hidden until the theme has started, and what is hidden cannot take the focus.
  document.addEventListener("alpine:initialized", () => requestAnimationFrame(() => {
    // A refused form begins where something is to be put right, wherever on the page that is.
    const seen = (element) => element.offsetParent && element.type !== "hidden";
    const wrong = [...document.querySelectorAll(".errors :is(input, select, textarea)")].find(seen);
    if (wrong) {
      wrong.focus({ preventScroll: true });
      wrong.scrollIntoView({ block: "center" });
      return;
    }
    const adding = document.getElementById("django-admin-form-add-constants");
    const form = adding?.dataset.modelName && `#${adding.dataset.modelName}_form`;
    const first = [
      ...document.querySelectorAll("[autofocus]"),
      ...(form ? document.querySelectorAll(`${form} :is(input, select, textarea)`) : []),
    ].find(seen);
    if (first && document.activeElement === document.body) first.focus();
  }));

  document.addEventListener("keydown", (event) => {
    const isPress = event.key === "Enter" || event.key === " ";
    if (!isPress || !event.target.matches(CONTROLS)) return;
    event.preventDefault();
    event.target.click();
  });
})();
