// Keeps the worklist up to date: swaps in what the server draws, and says so loudly when it can't.
"use strict";

const QUIET_MS = 12000;
const worklist = document.getElementById("worklist");
const clock = document.getElementById("clock");
const state = document.getElementById("live");
const title = document.title;
let heardAt = Date.now();

function say(name) {
  if (state.className === "live " + name) return;
  state.className = "live " + name;
  state.textContent = state.dataset[name];
  worklist.classList.toggle("stale", name !== "live");
}

function swap(html) {
  // The swap replaces the focused element; without this, keyboard users would start at the top
  // again.
  const focused = document.activeElement && document.activeElement.id;
  worklist.innerHTML = html;
  if (focused) {
    const again = document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }
  const waiting = worklist.querySelector("[data-waiting]").dataset.waiting;
  document.title = (waiting === "0" ? "" : "(" + waiting + ") ") + title;
}

function heard() {
  heardAt = Date.now();
}

function listen() {
  const source = new EventSource("/live");
  source.addEventListener("worklist", (event) => {
    heard();
    swap(event.data);
  });
  source.addEventListener("now", (event) => {
    heard();
    say("live");
    clock.textContent = event.data;
  });
  source.addEventListener("away", () => {
    heard();
    say("away");
  });
  source.addEventListener("signed_out", () => {
    source.close();
    window.location.assign("/sign-in");
  });
  source.addEventListener("error", () => {
    say("lost");
    // Browsers connect again by themselves, except after an answer that is no stream, such as a
    // 503.
    if (source.readyState === EventSource.CLOSED) window.setTimeout(listen, 3000);
  });
}

window.setInterval(() => {
  if (Date.now() - heardAt > QUIET_MS) say("lost");
}, 1000);
listen();
