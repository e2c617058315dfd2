// Keeps the page up to date: fetches the figures when the server tells of them, and morphs them into place.

import { Contact } from "./contact.js";
import { arrange, listen } from "./tables.js";
import { Idiomorph } from "./vendor/idiomorph.js";

const { assets, interval, lost, old, stale, zone } = document.body.dataset;
const notice = document.getElementById("notice");
const announcer = document.getElementById("announcer");
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" });

const live = () => document.getElementById("live");
const announce = (text) => (announcer.textContent = text);

let shown = document.body.dataset.figures;
let wanted = shown;
let fetching = false;
let html = live().outerHTML;
let ahead = Date.parse(document.body.dataset.now) - Date.now(); // the server's clock against this one

function show() {
  const incoming = new DOMParser().parseFromString(html, "text/html").getElementById("live");
  const status = live().dataset.status;
  arrange(incoming);
  Idiomorph.morph(live(), incoming, {
    callbacks: {
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details"),
    },
  });
  if (live().dataset.status !== status) announce(live().dataset.status);
  judge();
}

async function renew() {
  if (fetching) return;
  fetching = true;
  try {
    const answer = await fetch("figures", { cache: "no-cache" });
    if (!answer.ok) return;
    html = await answer.text();
    shown = answer.headers.get("etag").replaceAll('"', "");
    show();
  } catch {
    // The next message asks again; `judge` tells the reader when none comes.
  } finally {
    fetching = false;
  }
}

function onNews(news) {
  ahead = Date.parse(news.now) - Date.now();
  wanted = news.figures;
  if (news.assets !== assets) location.reload();
  else if (wanted !== shown) renew();
  judge();
}

/** Says plainly when what is shown is old, and why. */
function judge() {
  const now = Date.now() + ahead;
  const time = Date.parse(live().dataset.time);
  let text = "";
  if (contact?.lost) text = lost.replace("{time}", clock.format(contact.heard + ahead));
  else if (now - time > Number(stale) * 1000) text = old.replace("{time}", clock.format(time));
  if (notice.textContent !== text) {
    notice.textContent = text;
    announce(text || live().dataset.status);
  }
  notice.hidden = !text;
  document.body.classList.toggle("stale", Boolean(text));
  document.title = text || live().dataset.title;
}

let contact;
contact = new Contact("events", Number(interval) * 1000, onNews);
listen(show, announce);
arrange(live());
judge();
setInterval(() => {
  contact.check();
  judge();
}, 1000);
