// Cards are found by their filters, and players take their sounds from where they are kept once.
for (const browser of document.querySelectorAll(".browser")) {
  const cards = [...browser.querySelectorAll(".card")];
  const filters = [...browser.querySelectorAll("select")];
  const told = browser.querySelector("output");
  const show = () => {
    const isFound = (card) =>
      filters.every((each) => !each.value || card.dataset[each.dataset.by] === each.value);
    for (const card of cards) card.hidden = !isFound(card);
    const shown = cards.filter((card) => !card.hidden).length;
    told.textContent = told.dataset.told.replace("#", shown).replace("#", cards.length);
  };
  for (const each of filters) each.addEventListener("change", show);
  show();
  for (const player of browser.querySelectorAll("audio[data-of]")) {
    const kept = browser.querySelector(`audio[data-key="${player.dataset.of}"]`);
    if (kept) player.src = kept.getAttribute("src");
  }
}
