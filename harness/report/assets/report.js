// The button that changes between the system's theme, light and dark; it names the one in use.
(() => {
  const button = document.querySelector("button.theme");
  let theme = "";
  const show = (wanted) => {
    theme = showTheme(wanted);
    button.textContent = button.dataset[theme];
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    keepTheme(next);
    show(next);
  });
  show(keptTheme());
})();
