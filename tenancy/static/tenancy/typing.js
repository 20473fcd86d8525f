// What answers while somebody types: the till search, and who may be registered already. Both ask
// the server for a piece of HTML, by POST, so that nothing that was typed stands in an address.
(() => {
  const FEWEST = 2;
  const TILL_PAUSE = 150, DOUBLES_PAUSE = 400; // milliseconds

  const ask = async (address, data, signal) => {
    const answer = await fetch(address, {
      method: "POST",
      body: data,
      headers: { "X-Fragment": "1" },
      redirect: "manual", // to the sign-in, where the session has ended
      signal,
    });
    if (!answer.ok) throw new Error("no answer");
    return answer.text();
  };

  // `look` after a pause in typing, or at once; a later question makes an earlier one void.
  const asker = (look, pause) => {
    let timer, controller;
    const now = () => {
      clearTimeout(timer);
      controller?.abort();
      controller = new AbortController();
      return look(controller.signal);
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(now, pause);
    };
    return { now, later };
  };

  // --- The till search ---------------------------------------------------------------------------
  const equipTill = (till) => {
    const form = till.querySelector("form"), box = till.querySelector("input[type=search]");
    const results = till.querySelector("[data-results]"), said = till.querySelector("[data-said]");
    const hits = () => [...results.querySelectorAll("[data-hit]")];
    let shown = box.value.trim();

    const show = (text, html) => {
      shown = text;
      results.innerHTML = html;
      said.textContent = results.querySelector("[data-say]")?.dataset.say || "";
    };
    const { now, later } = asker(async (signal) => {
      const text = box.value.trim();
      if (text === shown) return;
      if (text.length < FEWEST) return show(text, "");
      try {
        show(text, await ask(form.action, new FormData(form), signal));
      } catch (error) {
        // The page of the search says what is the matter: the session, the network.
        if (error.name !== "AbortError") form.submit();
      }
    }, TILL_PAUSE);

    box.addEventListener("input", later);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await now();
      const found = hits();
      // Only one: that is the one. Of several, and of registering anew, Enter takes what it stands on.
      if (found.length === 1 && found[0].matches("a")) found[0].click();
      else found[0]?.focus();
    });
    till.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        box.value = "";
        now();
        box.focus();
        return;
      }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const stops = [box, ...hits()], at = stops.indexOf(document.activeElement);
      if (!step || at < 0 || stops.length === 1) return;
      event.preventDefault();
      stops[(at + step + stops.length) % stops.length].focus();
    });
  };

  // --- Who may be registered already -------------------------------------------------------------
  const PLAIN = ["csrfmiddlewaretoken", "home_store", "name", "first_name", "last_name",
    "company_name", "birth_date"];
  const ROWS = /^(emails-\d+-address|phones-\d+-given|addresses-\d+-(street\d?|postal_code|city))$/;

  const equipDoubles = (place) => {
    const form = place.closest("form");
    const typed = () => {
      const data = new FormData();
      for (const [name, value] of new FormData(form)) {
        if (PLAIN.includes(name) || ROWS.test(name)) data.append(name, value);
      }
      return data;
    };
    // Why it is somebody else stays typed while the hint beside it changes, or goes and comes back.
    const box = () => place.querySelector("[name=hint_because]");
    let asked = "", because = place.dataset.because;
    const show = (html) => {
      because = box()?.value ?? because;
      const had = document.activeElement === box() && box() !== null;
      place.innerHTML = html;
      if (!box()) return;
      box().value = because;
      if (had) box().focus();
    };
    const { now, later } = asker(async (signal) => {
      const data = typed(), key = new URLSearchParams(data).toString();
      if (key === asked) return;
      try {
        show(await ask(place.dataset.doubles, data, signal));
        asked = key;
      } catch {
        // A hint that does not come keeps nobody from saving.
      }
    }, DOUBLES_PAUSE);
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    now();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-till]").forEach(equipTill);
    document.querySelectorAll("[data-doubles]").forEach(equipDoubles);
  });
})();
