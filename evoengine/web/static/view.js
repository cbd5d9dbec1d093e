// Conveniences only: without this file every page says and does the same, one request at a time.
"use strict";

async function pageAt(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  // a parsed document runs no script; its nodes are what the server escaped
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function swapped(page, selector) {
  for (const old of document.querySelectorAll(selector)) {
    const fresh = old.id && page.getElementById(old.id);
    if (fresh && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(fresh));
  }
}

const reading = () => document.getElementById("reading");

async function follow() {
  const at = reading();
  if (!at || document.hidden) return;
  const told = await (await fetch(at.dataset.progress, { credentials: "same-origin" })).json();
  if (String(told.read) !== at.dataset.read || String(told.last) !== at.dataset.last) {
    const page = await pageAt(location.href);
    swapped(page, "[data-live]");
    lengthened(page);
    at.replaceWith(document.adoptNode(page.getElementById("reading")));
  }
}

if (reading()) setInterval(() => follow().catch(() => {}), 3000);

const film = document.querySelector("form[data-film]");
let lengthened = () => {};  // gives the film the records that came since
if (film) {
  const slider = film.elements.namedItem("at");
  const said = film.querySelector("output");
  let wanted = 0, busy = false;
  async function draw() {
    if (busy) return;
    busy = true;
    try {
      let done;
      do {
        done = wanted;
        const address = location.pathname + "?" + new URLSearchParams(new FormData(film));
        swapped(await pageAt(address), "[data-swap]");
        history.replaceState(null, "", address);
      } while (done !== wanted);
    } catch { /* the button still asks for the page */ } finally { busy = false; }
  }
  slider.addEventListener("input", () => { said.value = slider.value; wanted += 1; draw(); });
  lengthened = (page) => {
    const atEnd = slider.value === slider.max;
    slider.max = page.querySelector("form[data-film] [name=at]").max;
    if (atEnd && !playing) { slider.value = slider.max; slider.dispatchEvent(new Event("input")); }
  };
  const play = document.createElement("button");
  play.type = "button";
  play.textContent = "Play";
  let playing = null;
  play.addEventListener("click", () => {
    if (playing) { clearInterval(playing); playing = null; play.textContent = "Play"; return; }
    if (+slider.value >= +slider.max) slider.value = 0;
    play.textContent = "Stop";
    playing = setInterval(() => {
      slider.value = Math.min(+slider.max, +slider.value + Math.max(+slider.dataset.step, 1));
      slider.dispatchEvent(new Event("input"));
      if (+slider.value >= +slider.max) play.click();
    }, 150);
  });
  film.append(play);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const to = { j: "next", k: "prev" }[event.key];
  if (to) { const link = document.querySelector(`link[rel=${to}], a[rel=${to}]`); if (link) location.assign(link.href); }
  if (event.key === "/") { event.preventDefault(); document.getElementById("q").focus(); }
});
