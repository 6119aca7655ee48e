// Makes the page quicker for those who have scripts; everything works without. No framework, no other host.
"use strict";

const texts = (name) => [...document.querySelectorAll(name)];
const isTyping = (element) => element.matches("input, select, textarea, [contenteditable]");

for (const part of texts(".needs-script")) part.hidden = false;

// Filters act as soon as they are chosen; the button stays for the keyboard of those who choose by arrow keys.
for (const form of texts("form[data-auto]")) {
  form.addEventListener("submit", () => {
    for (const field of form.querySelectorAll("select, input")) field.disabled = field.value === "";
  });
  let byPointer = false;
  form.addEventListener("pointerdown", () => { byPointer = true; });
  form.addEventListener("keydown", () => { byPointer = false; });
  form.addEventListener("change", () => { if (byPointer) form.requestSubmit(); });
}
addEventListener("pageshow", () => { for (const field of texts("form[data-auto] :disabled")) field.disabled = false; });

// Days within a month are said as people say them; the exact moment stays in the title.
const spoken = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
for (const time of texts("time[data-ago]")) {
  const days = Math.round((new Date(time.dateTime).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 864e5);
  if (Number.isNaN(days) || Math.abs(days) > 30) continue;
  time.title = time.textContent;
  time.textContent = spoken.format(days, "day");
}

for (const button of texts("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
}

// An answer that takes a moment is put where its link was; without scripts the link leads to a page.
async function answered(link, tries) {
  const answer = await fetch(link.href);
  if (answer.status === 503 && tries > 0) {
    await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 5)));
    return answered(link, tries - 1);
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.getElementById(link.dataset.into);
}
for (const link of texts("a[data-into]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.getAttribute("aria-busy") === "true") return;
    link.setAttribute("aria-busy", "true");
    const found = await answered(link, 5).catch(() => null);
    if (found) document.getElementById(link.dataset.into).replaceChildren(...found.childNodes);
    else location.assign(link.href);
  });
}

for (const button of texts("button[data-opens]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}

// A menu closes when something else is pressed.
document.addEventListener("click", (event) => {
  for (const menu of texts("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Single keys can be switched off (WCAG 2.1.4): speech input and screen readers may press them unmeant.
const areOff = () => localStorage.getItem("keys") === "off";
for (const button of texts("button[data-keys]")) {
  const show = () => button.setAttribute("aria-pressed", String(!areOff()));
  button.addEventListener("click", () => { localStorage.setItem("keys", areOff() ? "on" : "off"); show(); });
  show();
}

function moved(by) {
  const leads = texts("a.lead-link");
  const at = leads.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const to = leads[Math.min(Math.max(at + by, 0), leads.length - 1)];
  to?.focus();
  to?.closest("tr").scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => moved(1),
  k: () => moved(-1),
  ArrowDown: () => moved(1),
  ArrowUp: () => moved(-1),
  "/": () => document.getElementById("search")?.select(),
  u: () => document.getElementById("back")?.click(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of texts("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  // Arrows scroll, as everywhere, until a lead has the focus.
  const isOurs = event.key.startsWith("Arrow") ? event.target.matches("a.lead-link") : !areOff();
  if (!(event.key in KEYS) || !isOurs) return;
  event.preventDefault();
  KEYS[event.key]();
});
