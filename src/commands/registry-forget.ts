import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { AppName } from './container-data.ts'
import { forgetRegistryFiles } from './registry-folder.ts'

const strict = { additionalProperties: false } as const

export const registryForget = defineCommand({
  name: 'registry.forget',
  summary: 'Deletes the key, the certificate and the accounts of a registry that was taken down.',
  role: 'worker',
  engineFree: true,
  data: Type.Object({ app: AppName }, strict),
  result: Type.Object({}, strict),
  deadlineMs: 30_000,
  lock: ({ app }) => `container:${app}`,
  async run(hands, { app }) {
    await forgetRegistryFiles(hands, app)
    return {}
  },
})
