import { join } from 'node:path'
import { Type } from 'typebox'
import { REGISTRY_ADDRESS_PATTERN } from '#formats/image-reference.ts'
import { defineCommand } from './command.ts'
import { TRUST_REFUSED } from './registry-errors.ts'

const strict = { additionalProperties: false } as const
const MOST_BYTES = 65_536

export const registryTrust = defineCommand({
  name: 'registry.trust',
  summary: "Lets the engine of this host trust a registry's certificate, where the policy allows it.",
  role: 'worker',
  data: Type.Object(
    {
      /** `host:port`, as it stands in the names of images. */
      address: Type.String({ pattern: REGISTRY_ADDRESS_PATTERN, maxLength: 255 }),
      certificate: Type.String({ pattern: '^-----BEGIN CERTIFICATE-----', maxLength: MOST_BYTES }),
    },
    strict,
  ),
  result: Type.Object({ file: Type.String(), changed: Type.Boolean() }, strict),
  deadlineMs: 30_000,
  lock: ({ address }) => `trust:${address}`,
  async run({ host, perform, say }, { address, certificate }) {
    const within = host.policy.trust
    if (within === undefined) {
      throw TRUST_REFUSED(host.name, address)
    }
    const folder = join(within, address)
    const path = join(folder, 'ca.crt')
    const before = await perform<string | undefined>({
      kind: 'file',
      operation: 'read',
      path,
      within,
      maxBytes: MOST_BYTES,
      read: found => found.text,
    })
    if (before === certificate) {
      return { file: path, changed: false }
    }
    await perform<void>({
      kind: 'file',
      operation: 'make-folder',
      path: folder,
      within,
      mode: 0o755,
      read: () => {},
    })
    await perform<void>({
      kind: 'file',
      operation: 'write',
      path,
      within,
      content: certificate,
      mode: 0o644,
      read: () => {},
    })
    say(`the engine trusts ${address} from now on`, 'info')
    return { file: path, changed: true }
  },
})
