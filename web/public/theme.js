// Before anything is painted, so that a dark page never flashes white. Chosen in parts/ThemeButton.vue.
{
  const system = matchMedia('(prefers-color-scheme: dark)')
  const paint = () => {
    const chosen = localStorage.getItem('fairlead-theme') ?? 'system'
    document.documentElement.classList.toggle('dark', chosen === 'dark' || (chosen === 'system' && system.matches))
  }
  paint()
  system.addEventListener('change', paint)
}
