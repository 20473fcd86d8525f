// The customer page is read first: its form waits behind the button "Edit". A form that was refused,
// and an address that ends in #edit, begin with the form; without a script it is always there.
(() => {
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-edit]"), form = button?.closest("form");
    if (!form || location.hash === "#edit" || form.querySelector(".errorlist, .errors")) return;
    document.body.classList.add("is-read");
    button.hidden = false;
    button.addEventListener("click", () => {
      document.body.classList.remove("is-read");
      button.hidden = true;
      const seen = (field) => field.offsetParent && field.type !== "hidden";
      [...form.querySelectorAll("input, select, textarea")].find(seen)?.focus();
    });
  });
})();
