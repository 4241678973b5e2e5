// Shows how much of a back-test is done, and then what came of it, without touching what is being typed.
"use strict";

const EACH_MS = 500;

function look() {
  window.setTimeout(async () => {
    const section = document.getElementById("back-test");
    try {
      const answer = await fetch(section.dataset.again, { credentials: "same-origin" });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = page.getElementById("back-test");
        if (next) section.replaceWith(document.adoptNode(next));
        // Not the fields: somebody may be typing there.
        if (next && !document.getElementById("waiting"))
          for (const id of ["what-next", "buttons"])
            document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
      }
    } catch {
      // The next look may find the console again.
    }
    if (document.getElementById("waiting")) look();
  }, EACH_MS);
}

look();
