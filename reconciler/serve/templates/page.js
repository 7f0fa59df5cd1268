"use strict";
// Takes what has changed from the same page, asked for again; what was unfolded and focused stays so.
(() => {
  const seconds = 5;
  const parts = ["header.top", "main"];
  const stale = document.getElementById("stale");

  const refresh = async () => {
    if (document.hidden || !getSelection().isCollapsed) return;
    try {
      const answer = await fetch("/", { cache: "no-store", signal: AbortSignal.timeout(seconds * 1000) });
      if (!answer.ok) throw new Error(String(answer.status));
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  };

  const show = (next) => {
    for (const open of document.querySelectorAll("details[open]")) {
      next.getElementById(open.id)?.setAttribute("open", "");
    }
    const focused = document.activeElement?.closest("details")?.id;
    for (const part of parts) document.querySelector(part).replaceWith(next.querySelector(part));
    document.title = next.title;
    if (focused) document.getElementById(focused)?.querySelector("summary").focus();
  };

  setInterval(refresh, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
})();
