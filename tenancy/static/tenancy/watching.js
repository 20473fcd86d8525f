// A page of something that goes on elsewhere (an import) asks how it stands, until it has ended.
(() => {
  const FIRST = 300, LONGEST = 2000; // milliseconds

  const watch = (place) => {
    let pause = FIRST;
    const ask = async () => {
      try {
        const answer = await fetch(place.dataset.watch, { redirect: "manual" });
        if (!answer.ok) return; // the session has ended, or the network: the link is still there
        const html = await answer.text();
        const found = document.createElement("div");
        found.innerHTML = html;
        if (found.querySelector("[data-ended]")) return location.reload();
        place.innerHTML = html;
      } catch {
        // Asked again below.
      }
      pause = Math.min(pause * 1.5, LONGEST);
      setTimeout(ask, pause);
    };
    setTimeout(ask, pause);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-watch]").forEach(watch);
  });
})();
