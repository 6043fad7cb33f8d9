import { defineError } from '#lib/errors.ts'

export const NFT_REFUSED = defineError({
  code: 'NFT_REFUSED',
  status: 502,
  retry: 'later',
  message: (said: string) => `nft did not do it: ${said}`,
  hint: (said: string) =>
    said.includes('Operation not permitted')
      ? 'The guardian needs the capability CAP_NET_ADMIN; docs/firewall.md has a unit file that gives it nothing else.'
      : 'Nothing was changed: nft does all of a transaction or none of it. "nft list ruleset" on the host shows what is there.',
})
