export interface MenuEntry {
  readonly label: string
  readonly to: string
  readonly icon: string
}

export interface MenuGroup {
  readonly label: string
  readonly entries: readonly MenuEntry[]
}

/** What the menu and the command palette lead to. */
export const MENU: readonly MenuGroup[] = [
  {
    label: 'Run',
    entries: [
      { label: 'Overview', to: '/', icon: 'i-lucide-layout-dashboard' },
      { label: 'Apps', to: '/apps', icon: 'i-lucide-boxes' },
      { label: 'Deployments', to: '/deployments', icon: 'i-lucide-rocket' },
      { label: 'Notebooks', to: '/notebooks', icon: 'i-lucide-notebook' },
      { label: 'Stacks', to: '/stacks', icon: 'i-lucide-layers' },
      { label: 'Systems', to: '/systems', icon: 'i-lucide-square-terminal' },
    ],
  },
  {
    label: 'From',
    entries: [
      { label: 'Repositories', to: '/repositories', icon: 'i-lucide-git-branch' },
      { label: 'Artefacts', to: '/artifacts', icon: 'i-lucide-package' },
      { label: 'Registry', to: '/registry', icon: 'i-lucide-container' },
    ],
  },
  {
    label: 'Set up',
    entries: [
      { label: 'Hosts', to: '/hosts', icon: 'i-lucide-server' },
      { label: 'Secrets', to: '/secrets', icon: 'i-lucide-key-round' },
      { label: 'Notifications', to: '/notifications', icon: 'i-lucide-bell' },
      { label: 'Settings', to: '/settings', icon: 'i-lucide-settings' },
    ],
  },
  {
    label: 'People',
    entries: [
      { label: 'People', to: '/people', icon: 'i-lucide-users' },
      { label: 'Projects', to: '/projects', icon: 'i-lucide-folder-kanban' },
      { label: 'Tokens', to: '/tokens', icon: 'i-lucide-ticket' },
      { label: 'Audit', to: '/audit', icon: 'i-lucide-scroll-text' },
    ],
  },
]

/** Whether a menu entry is where the reader is. */
export function isHere(entry: MenuEntry, path: string, section: unknown): boolean {
  return entry.to === path || entry.to === section
}
