// Light, dark, or as the system has it. A link may say which; else the last choice is kept, where
// the browser keeps anything for a page like this one.
const THEMES = ["auto", "light", "dark"];

function keptTheme() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function keepTheme(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Pages opened as files, and private windows, may have no storage: the link still says it.
  }
}

function showTheme(theme) {
  const shown = THEMES.includes(theme) ? theme : "auto";
  if (shown === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = shown;
  const button = document.querySelector("button.theme");
  if (button) button.textContent = `Theme: ${shown}`;
  return shown;
}
