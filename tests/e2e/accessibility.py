"""What keeps somebody from using a page: names, labels, headings, landmarks, contrast; as the browser has them.

axe-core looks for what it calls serious or critical; the script here for what our pages promise beyond that.
"""

from typing import Any, Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

_SCRIPT: Final = r"""
() => {
  const problems = [];
  const say = (what, element) => problems.push(what + ": " + (element ? element.outerHTML.slice(0, 120) : "page"));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const textOf = (id) => (document.getElementById(id) || { textContent: "" }).textContent.trim();
  const nameOf = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    if (by.length) return by.map(textOf).join(" ").trim();
    if (element.getAttribute("aria-label")) return element.getAttribute("aria-label").trim();
    if (element.labels && element.labels.length) return [...element.labels].map((l) => l.textContent.trim()).join(" ");
    const pictures = [...element.querySelectorAll("img")].map((one) => one.alt).join(" ");
    return (element.textContent + " " + pictures).trim();
  };

  if (!document.documentElement.lang) say("no language", document.documentElement);
  if (!document.title.trim()) say("no title", null);
  for (const [selector, name] of [["main", "main"], ["body > header", "banner"], ["body > footer", "footer"]])
    if (all(selector).length !== 1) say("not one " + name, null);
  if (all("h1").length !== 1) say("not one h1", null);
  let level = 0;
  for (const heading of all("h1, h2, h3, h4").filter(isSeen)) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) say("heading skips a level", heading);
    if (!heading.textContent.trim()) say("empty heading", heading);
    level = now;
  }
  const ids = all("[id]").map((one) => one.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) say("id twice: " + id, null);
  for (const name of ["aria-labelledby", "aria-describedby"])
    for (const one of all(`[${name}]`))
      for (const id of one.getAttribute(name).split(/\s+/)) if (!textOf(id)) say(name + " leads nowhere", one);
  for (const one of all("label[for]")) if (!document.getElementById(one.htmlFor)) say("label leads nowhere", one);

  for (const one of all("input:not([type=hidden]), select, textarea, button, a[href], summary"))
    if (isSeen(one) && !nameOf(one)) say("no name", one);
  for (const one of all("input:not([type=hidden]), select, textarea"))
    if (!one.labels.length && !one.getAttribute("aria-label")) say("no label", one);
  for (const one of all("input[type=radio], input[type=checkbox]")) {
    const group = one.closest("fieldset");
    const legend = group && group.querySelector(":scope > legend");
    if (!legend || !legend.textContent.trim()) say("choice without a question", one);
  }
  for (const one of all("img")) if (!one.hasAttribute("alt")) say("picture without words", one);
  for (const one of all("svg[role=img]")) if (!nameOf(one)) say("drawing without words", one);
  const regions = all("nav, section, aside, [role=region]");
  for (const one of regions.filter((o) => o.tagName === "NAV")) if (!nameOf(one)) say("nav without a name", one);
  for (const one of all("section"))
    if (one.hasAttribute("aria-labelledby") && !nameOf(one)) say("section without a name", one);
  for (const one of all("table")) if (!one.querySelector("th")) say("table without headers", one);
  for (const one of all("ul, ol"))
    for (const child of one.children) if (child.tagName !== "LI") say("not an item of its list", child);
  for (const one of all("*"))
    if (isSeen(one) && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "auto"
        && one.tabIndex < 0 && !one.querySelector("a[href], button, input")) say("scrolls, not by keyboard", one);

  const parts = (colour) => {
    const found = colour.match(/[\d.]+/g).map(Number);
    return { rgb: found.slice(0, 3), alpha: found.length > 3 ? found[3] : 1 };
  };
  const over = (top, under) => top.rgb.map((value, n) => value * top.alpha + under[n] * (1 - top.alpha));
  const groundOf = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(parts(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = all("body *").filter((one) => isSeen(one) && !one.closest("svg, option, .hidden, .skip, noscript")
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  for (const one of texts) {
    const style = getComputedStyle(one), ground = groundOf(one);
    const [light, dark] = [luminance(over(parts(style.color), ground)), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) say("contrast " + ratio.toFixed(2), one);
  }
  for (const one of all("button, input:not([type=hidden]), select, textarea, summary").filter(isSeen)) {
    const box = one.closest("label") ? one.closest("label").getBoundingClientRect() : one.getBoundingClientRect();
    if (box.height < 24 || box.width < 24) say("too small to hit", one);
  }
  return problems;
}
"""


_AXE: Final = Axe()
_GRAVE: Final = frozenset({"serious", "critical"})


async def problems_of(page: Page, *, javascript: bool = True) -> list[str]:
    """Each problem with the element that has it; none is the goal. Where pages run no JavaScript, axe can't either."""
    # Its words may stand there before its style sheet does.
    await page.wait_for_load_state("load")
    ours: list[str] = await page.evaluate(_SCRIPT)
    return [*ours, *await axe_findings(page)] if javascript else ours


async def axe_findings(page: Page) -> list[str]:
    """What axe-core complains of, an element a line: rule, how grave, selector, the element, what would mend it."""
    found = await _AXE.run(page, options={"resultTypes": ["violations"]})
    return [_line(rule, node) for rule in found.response["violations"] if rule["impact"] in _GRAVE
            for node in rule["nodes"]]  # fmt: skip


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    selector = " ".join(str(part) for part in node["target"])
    mending = " ".join(node["failureSummary"].split())
    return f"{rule['id']} ({rule['impact']}) at {selector}: {node['html'][:120]} -- {mending[:200]}"
