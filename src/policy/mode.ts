/**
 * enforce: what is denied is refused. warn: it is only said, and everything else happens as under enforce, to see what a
 * stricter host would say. trusted: the single owner of host and repositories; nothing but forged labels is changed.
 */
export type PolicyMode = 'enforce' | 'warn' | 'trusted'

/** What is said, loudly, wherever a host does not enforce; undefined where it does. */
export function modeBanner(mode: PolicyMode): string | undefined {
  switch (mode) {
    case 'trusted':
      return '!!! POLICY OFF (mode "trusted"): who can push to a repository of this host owns this host. !!!'
    case 'warn':
      return '!!! POLICY NOT ENFORCED (mode "warn"): what this host denies is only said here, and runs. !!!'
    default:
      return undefined
  }
}
