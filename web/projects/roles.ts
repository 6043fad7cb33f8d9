/** What a role lets somebody do, for lists to choose from. */
export const ROLE_CHOICES = [
  { value: 'viewer', label: 'viewer: sees' },
  { value: 'deployer', label: 'deployer: also deploys' },
  { value: 'maintainer', label: 'maintainer: also changes' },
  { value: 'admin', label: 'admin: everything' },
]
