// Before anything is painted, so that a dark page never flashes white. Chosen in parts/ThemeButton.vue.
const chosen = localStorage.getItem('fairlead-theme') ?? 'system'
const dark = chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.classList.toggle('dark', dark)
