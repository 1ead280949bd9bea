// The storefront: shelves, the signed-in customer, and the three lines that embed the chat.
"use strict";
const LIVE = ["paid", "packed", "shipped", "in_transit", "placed", "pending"];
// The hub accepts identity tokens of at most ten minutes: a new one comes before.
const IDENTITY_MS = 8 * 60_000;
const ORDERS_MS = 15_000;
const $ = (id) => document.getElementById(id);
const kept = (name) => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};
const keep = (name, value) => {
  try {
    localStorage.setItem(name, value);
  } catch {
    // The page works without a memory.
  }
};

window.DeskhubChat = window.DeskhubChat || function () {
  (window.DeskhubChat.q = window.DeskhubChat.q || []).push(arguments);
};

const asked = new URLSearchParams(location.search);
let lang = asked.get("lang") || kept("scree:lang") || (/^zh/.test(navigator.language) ? "zh-CN" : "en");
if (!WORDS[lang]) lang = "en";
let customer = asked.get("customer") ?? kept("scree:customer") ?? "C-1001";
let session = null;
let orders = [];
let bag = 0;
let filter = "all";

const t = (key, args = {}) => (WORDS[lang][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => args[name] ?? "");

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

function shoe(look) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 240 150");
  svg.setAttribute("class", `c-${look}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#shoe");
  svg.append(use);
  return svg;
}

function initials(name) {
  const words = name.replace(/[\u3400-\u9fff]/g, "").trim().split(/\s+/).filter(Boolean);
  if (!words.length) return name.slice(0, 1);
  const letters = [words[0][0], words.length > 1 ? words[words.length - 1][0] : ""];
  // "Wang Fang" stands family name first.
  return (/[\u3400-\u9fff]/.test(name) ? letters.reverse() : letters).join("").toUpperCase();
}

function drawWords() {
  document.documentElement.lang = lang;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  $("lang").querySelector("span").textContent = t("other");
  $("lang").lang = lang === "en" ? "zh-CN" : "en";
}

function drawShelf() {
  const shown = PRODUCTS.filter((product) => filter === "all" || product.tags.includes(filter));
  $("products").replaceChildren(...shown.map((product) => {
    const item = make("li", "pc");
    const picture = make("span", "pi");
    picture.append(shoe(product.look));
    if (product.mark) picture.append(make("em", "", t(`mark.${product.mark}`)));
    const add = make("button", "add", t("add"));
    add.type = "button";
    add.setAttribute("aria-label", `${t("add")}: ${product.name}`);
    add.onclick = () => {
      bag += 1;
      add.textContent = t("added");
      drawBag();
    };
    picture.append(add);
    const title = make("span", "pt");
    title.append(make("b", "", product.name), make("b", "", `\u00a5${product.yuan}`));
    item.append(picture, title, make("span", "ps", t("sizes", { look: t(`look.${product.look}`) })));
    return item;
  }));
}

function drawBag() {
  const count = $("bag").querySelector("em");
  count.hidden = !bag;
  count.textContent = bag;
  $("bag").setAttribute("aria-label", t("bag", { n: bag }));
}

function drawAccount() {
  const person = session && session.customer;
  const name = person ? person.name : t("guest");
  const chinese = (name.match(/[\u3400-\u9fff]+/) || [])[0];
  const latin = name.replace(/[\u3400-\u9fff]/g, "").trim();
  // Chinese names are written family name first; in English the shop greets by the given name.
  const short = lang === "zh-CN" ? chinese || latin : chinese ? latin.split(" ").pop() : latin.split(" ")[0];
  $("short").textContent = short;
  $("mono").textContent = person ? initials(name) : "?";
  $("mono2").textContent = person ? (chinese || initials(name)).slice(0, chinese ? 1 : 2) : "?";
  $("full").textContent = name;
  $("mail").textContent = person ? person.email || "" : t("guest.mail");
  document.querySelector("#account summary").setAttribute("aria-label", t("account", { name }));
  $("leave").querySelector("span").textContent = t(person ? "menu.out" : "menu.in");
  $("customer").value = person ? customer : "";
  drawOrders();
}

function drawOrders() {
  const look = (at) => PRODUCTS[(at * 3) % PRODUCTS.length].look;
  $("orders").hidden = !orders.length;
  $("latest").hidden = !orders.length;
  for (const link of document.querySelectorAll('a[href="#orders"]:not(.ord)')) link.hidden = !orders.length;
  if (orders.length) {
    $("latest").querySelector("b").textContent = t("orders.one", { n: orders[0].number });
    $("latest").querySelector("small").textContent = statusText(orders[0]);
    DeskhubChat("track", { order: orders[0].number, text: statusText(orders[0]) });
  }
  document.querySelector(".og").replaceChildren(...orders.slice(0, 6).map((order, at) => {
    const item = make("li");
    const picture = make("span", "t");
    picture.append(shoe(order.number === "1042" ? "black" : look(at)));
    const text = make("span", "g");
    const isLive = LIVE.includes(order.status);
    text.append(
      make("b", "", t("orders.one", { n: order.number })),
      make("span", `st ${isLive ? "is-live" : order.status === "delivered" ? "is-done" : ""}`, statusText(order)),
      make("small", "", goods(order)),
    );
    const ask = make("button", "", t("orders.ask"));
    ask.type = "button";
    ask.setAttribute("aria-label", t("orders.ask_about", { order: `#${order.number}` }));
    ask.onclick = () => DeskhubChat("open", t("orders.say", { n: order.number }));
    item.append(picture, text, ask);
    return item;
  }));
}

function statusText(order) {
  const day = lastStep(order);
  const format = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { weekday: "short", day: "numeric", month: "short" });
  const status = t(`status.${order.status}`).replace(/^status\./, "");
  return day ? `${status}${lang === "en" ? ", " : " \u00b7 "}${format.format(new Date(day))}` : status;
}

function lastStep(order) {
  return (order.history || []).map((step) => step.at).sort().pop() || order.placed_at;
}

function goods(order) {
  const lines = order.lines || [];
  const title = lines.map((line) => line.title || line.name).filter(Boolean).join(", ");
  return title || (lines.length === 1 ? t("orders.count1") : t("orders.count", { n: lines.length }));
}

function draw() {
  drawWords();
  drawShelf();
  drawBag();
  drawAccount();
}

async function get(path) {
  const response = await fetch(path, { cache: "no-store" }).catch(() => null);
  return response && response.ok ? response.json() : null;
}

async function signIn(number) {
  customer = number;
  keep("scree:customer", number);
  session = await get(`/session?customer=${encodeURIComponent(number)}`);
  orders = [];
  drawAccount();
  if (!session) return;
  DeskhubChat("identify", session.identity);
  embed(session);
  await loadOrders();
}

function signOut() {
  customer = "";
  keep("scree:customer", "");
  orders = [];
  session = session && { hub: session.hub, inbox: session.inbox };
  DeskhubChat("identify", null);
  drawAccount();
}

async function loadOrders() {
  if (!customer || document.hidden) return;
  const found = await get(`/orders/mine?customer=${encodeURIComponent(customer)}`);
  // What moved last stands first: that is what people write about.
  if (found) orders = found.orders.sort((a, b) => (lastStep(a) < lastStep(b) ? 1 : -1));
  drawOrders();
}

async function loadCustomers() {
  const found = await get("/catalogue");
  const people = found && found.customers ? found.customers : [{ number: "C-1001", name: "Wang Fang 王芳" }];
  $("customer").replaceChildren(...people.map(({ number, name }) => Object.assign(make("option", "", name), { value: number })));
  $("customer").value = customer;
}

// What a shop pastes into its page, once the hub's address is known.
function embed({ hub, inbox }) {
  if (document.querySelector("script[data-inbox]")) return;
  const script = document.createElement("script");
  script.async = true;
  script.src = `${hub}/w/v1/loader.js`;
  Object.assign(script.dataset, { inbox, accent: "#1d5c48", lang });
  if (asked.get("theme")) script.dataset.theme = asked.get("theme");
  document.head.append(script);
}

$("lang").onclick = () => {
  lang = lang === "en" ? "zh-CN" : "en";
  keep("scree:lang", lang);
  draw();
  DeskhubChat("language", lang);
};
$("filters").onclick = (event) => {
  const button = event.target.closest("[data-filter]");
  if (!button) return;
  filter = button.dataset.filter;
  for (const one of $("filters").querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
  drawShelf();
};
$("customer").onchange = (event) => void signIn(event.target.value);
$("leave").onclick = () => (session && session.customer ? signOut() : void signIn("C-1001"));
$("return").onclick = () => {
  $("account").open = false;
  DeskhubChat("open", t("orders.say_return"));
};
document.addEventListener("click", (event) => {
  if (!event.composedPath().includes($("account"))) $("account").open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !$("account").open) return;
  $("account").open = false;
  $("account").querySelector("summary").focus();
});
setInterval(() => customer && void renew(), IDENTITY_MS);
setInterval(() => void loadOrders(), ORDERS_MS);

async function renew() {
  const fresh = await get(`/session?customer=${encodeURIComponent(customer)}`);
  if (fresh && fresh.customer.number === customer) DeskhubChat("identify", fresh.identity);
}

draw();
void loadCustomers();
if (customer) void signIn(customer);
else void get("/session").then((found) => found && embed(found));
