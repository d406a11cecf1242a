// Runs before the first paint: the chosen light or dark, and a sign that there is JavaScript.
const chosen = localStorage.getItem('theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
document.documentElement.classList.add('scripted');
